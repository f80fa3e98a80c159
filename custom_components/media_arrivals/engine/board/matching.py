"""External ids -> title -> arrivals and parts; merging (rule 5).

Matching is by ids only. Film, series and episode ids are separate spaces; a service's own
ids serve where it gives no others, and are overruled by external ones.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Final

from .models import (
    SOMEBODY,
    Arrival,
    Claims,
    ExternalIds,
    MediaType,
    Part,
    PartRef,
    Tier,
    Title,
    TitleRef,
    Watch,
)

LEADING: Final[Mapping[MediaType, tuple[str, ...]]] = {
    MediaType.MOVIE: ("tmdb", "imdb", "tvdb"),
    MediaType.SERIES: ("tvdb", "tmdb", "imdb"),
}
"""Which id decides when two contradict: that of the database the services live on."""

NO_IDS: Final[Mapping[str, int]] = {}
NO_PARTS: Final[Mapping[str, Part]] = {}


_SAME_VIEWING: Final = 60.0
"""Seconds within which a service dates one viewing in its webhook and in its history."""

_SERVICE: Final = attrgetter("service")

BLANK: Final = Part()
"""A part of which nothing is said."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which titles a reference means."""

    titles: tuple[Title, ...] = ()
    """None: unknown. Several: one title, to be merged; the eldest first."""
    conflict: bool = False
    """The ids contradict those of a known title: nothing may be guessed."""


class TitleIndex:
    """Finds titles by external ids and by the services' own ids, in constant time."""

    def __init__(self) -> None:
        """Start empty."""
        self._titles: dict[str, Title] = {}
        self._by_id: dict[MediaType, dict[str, dict[int | str, str]]] = {
            media_type: {space: {} for space in spaces} for media_type, spaces in LEADING.items()
        }
        self._by_own: dict[MediaType, dict[str, dict[int, str]]] = {
            media_type: {} for media_type in MediaType
        }
        self._aliases: dict[str, str] = {}

    def get(self, title_id: str) -> Title | None:
        """Return a title by its id, or by the id of one that was merged into it."""
        return self._titles.get(self._aliases.get(title_id, title_id))

    def __len__(self) -> int:
        """Return the number of titles."""
        return len(self._titles)

    def put(self, title: Title) -> None:
        """Add a title, or replace what is known of it."""
        old = self._titles.get(title.id)
        self._titles[title.id] = title
        if old is None or old.ids is not title.ids:
            by_id = self._by_id[title.media_type]
            for space, value in title.ids.items():
                by_id[space][value] = title.id
        if old is None or old.own_ids is not title.own_ids:
            by_own = self._by_own[title.media_type]
            for service, own_id in title.own_ids.items():
                by_own.setdefault(service, {})[own_id] = title.id
        for alias in title.aliases:
            self._aliases[alias] = title.id

    def remove(self, title_id: str) -> None:
        """Forget a title and what leads to it."""
        title = self._titles.pop(title_id, None)
        if title is None:
            return
        by_id, by_own = self._by_id[title.media_type], self._by_own[title.media_type]
        for space, value in title.ids.items():
            if by_id[space].get(value) == title_id:
                del by_id[space][value]
        for service, own_id in title.own_ids.items():
            if by_own[service].get(own_id) == title_id:
                del by_own[service][own_id]
        for alias in title.aliases:
            self._aliases.pop(alias, None)

    def match(self, ref: TitleRef, service: str) -> Match:
        """Say which titles a service's reference means."""
        found: list[Title] = []
        by_id = self._by_id[ref.media_type]
        for space, value in ref.ids.items():
            title_id = by_id[space].get(value)
            if title_id is not None:
                title = self._titles[title_id]
                if title not in found:
                    found.append(title)
        if ref.own_id is not None:
            title_id = self._by_own[ref.media_type].get(service, {}).get(ref.own_id)
            own = self._titles[title_id] if title_id is not None else None
            # A reinstalled service gives its ids to other titles: ids outside decide.
            if (
                own is not None
                and own not in found
                and all(_agree(own.ids, other) for other in (ref.ids, *_ids(found)))
            ):
                found.append(own)
        if not found:
            return Match()
        if all(_agree(title.ids, ref.ids) for title in found):
            first = found[0]
            if all(_agree(first.ids, title.ids) for title in found[1:]):
                return Match(tuple(found))
        return self._contradicted(ref, found)

    def _contradicted(self, ref: TitleRef, found: list[Title]) -> Match:
        """Settle contradicting ids by the leading one; never guess without it."""
        known = dict(ref.ids.items())
        spoken = {space for title in found for space, _ in title.ids.items()}
        deciding = next(
            space for space in LEADING[ref.media_type] if space in known and space in spoken
        )
        title_id = self._by_id[ref.media_type][deciding].get(known[deciding])
        if title_id is None:
            return Match(conflict=True)
        return Match((self._titles[title_id],))


def _ids(titles: Iterable[Title]) -> Iterable[ExternalIds]:
    """Yield the ids of titles."""
    return (title.ids for title in titles)


def _agree(one: ExternalIds, other: ExternalIds) -> bool:
    """Tell whether no id of one kind differs."""
    return (
        (one.tmdb is None or other.tmdb is None or one.tmdb == other.tmdb)
        and (one.tvdb is None or other.tvdb is None or one.tvdb == other.tvdb)
        and (one.imdb is None or other.imdb is None or one.imdb == other.imdb)
    )


def with_reference(title: Title, ref: TitleRef, service: str) -> Title:
    """Return the title with what a reference adds: ids, and names that are missing."""
    ids = joined_ids(title.ids, ref.ids)
    own_ids = title.own_ids
    if ref.own_id is not None and own_ids.get(service) != ref.own_id:
        own_ids = {**own_ids, service: ref.own_id}
    name = title.name or ref.name
    year = title.year or ref.year
    described = title.described or bool(ref.overview)
    poster = title.poster or ref.poster
    if (
        ids is title.ids
        and own_ids is title.own_ids
        and name is title.name
        and year is title.year
        and described is title.described
        and poster is title.poster
    ):
        return title
    return replace(
        title,
        ids=ids,
        own_ids=own_ids,
        name=name,
        year=year,
        described=described,
        poster=poster,
    )


def joined_ids(ids: ExternalIds, more: ExternalIds) -> ExternalIds:
    """Return ids with those that were missing; a known one is never changed."""
    if (
        (ids.tmdb is not None or more.tmdb is None)
        and (ids.tvdb is not None or more.tvdb is None)
        and (ids.imdb is not None or more.imdb is None)
    ):
        return ids
    return ExternalIds(
        tmdb=more.tmdb if ids.tmdb is None else ids.tmdb,
        tvdb=more.tvdb if ids.tvdb is None else ids.tvdb,
        imdb=more.imdb if ids.imdb is None else ids.imdb,
    )


def with_part_reference(part: Part, ref: PartRef, service: str) -> Part:
    """Return the part with what a reference adds."""
    number = part.number if ref.number is None else ref.number
    air_date = ref.air_date or part.air_date
    name = ref.name or part.name
    if (number, air_date, name) != (part.number, part.air_date, part.name):
        part = replace(part, number=number, air_date=air_date, name=name)
    claims = part.claims_of(service)
    if ref.own_id is not None and claims.own_id != ref.own_id:
        part = with_claims(part, replace(claims, own_id=ref.own_id))
    return part


def with_claims(part: Part, claims: Claims) -> Part:
    """Return the part with what a service says about it now."""
    said = [one for one in part.claims if one.service != claims.service]
    said.append(claims)
    said.sort(key=_SERVICE)
    # Written out: nothing is changed more often, and `replace` takes three times as long.
    return Part(
        number=part.number,
        air_date=part.air_date,
        name=part.name,
        aired_at=part.aired_at,
        claims=tuple(said),
        stage=part.stage,
        watches=part.watches,
    )


def with_watch(part: Part, watch: Watch) -> Part:
    """Return the part with a word on who watched it; the same one if that is no news."""
    if any(known.viewer == watch.viewer and watch.at <= known.at for known in part.watches):
        return part
    others = tuple(
        one for one in part.watches if one.viewer != watch.viewer and not _same(one, watch)
    )
    return replace(part, watches=(*others, watch))


def is_known(part: Part, watch: Watch) -> bool:
    """Tell whether a viewing is known already, from when nobody kept whose it was."""
    return any(_same(one, watch) for one in part.watches)


def _same(one: Watch, watch: Watch) -> bool:
    """Tell whether a viewing of somebody's is this one, of whom it is known whose it is."""
    server, _, user = one.viewer.rpartition(":")
    return (
        user == SOMEBODY
        and watch.viewer.rpartition(":")[0] == server
        and one.viewer != watch.viewer
        and one.watched
        and watch.watched
        and abs(one.at - watch.at) <= _SAME_VIEWING
    )


# --- merging ----------------------------------------------------------------------------


def merged_titles(elder: Title, younger: Title) -> Title:
    """Return two titles as one; the elder's id survives, the other's is an alias."""
    holdings = list(elder.holdings)
    for holding in younger.holdings:
        for place, known in enumerate(holdings):
            if (known.service, known.tier) == (holding.service, holding.tier):
                newer = max(known, holding, key=lambda word: word.seasons_at)
                holdings[place] = replace(newer, flag=known.flag.joined(holding.flag))
                break
        else:
            holdings.append(holding)
    return replace(
        elder,
        ids=joined_ids(elder.ids, younger.ids),
        own_ids={**younger.own_ids, **elder.own_ids},
        holdings=tuple(holdings),
        name=elder.name or younger.name,
        year=elder.year or younger.year,
        described=elder.described or younger.described,
        poster=elder.poster or younger.poster,
        aliases=(*elder.aliases, younger.id, *younger.aliases),
    )


def merged_arrivals(elder: Arrival, younger: Arrival) -> Arrival:
    """Return two arrivals of one thing as one, with the claims of both."""
    parts = dict(elder.parts)
    for key, part in younger.parts.items():
        parts[key] = merged_parts(parts[key], part) if key in parts else part
    listed = [a.listed_at for a in (elder, younger) if a.listed_at is not None]
    return replace(
        elder,
        whole=merged_parts(elder.whole, younger.whole),
        parts=parts,
        listed_at=max(listed, default=None),
        requests=tuple(dict.fromkeys((*elder.requests, *younger.requests))),
        tier=younger.tier if elder.tier is Tier.UNKNOWN else elder.tier,
        journey=max(elder.journey, younger.journey),
        followers=tuple(dict.fromkeys((*elder.followers, *younger.followers))),
        aliases=(*elder.aliases, younger.id, *younger.aliases),
    )


def merged_parts(one: Part, other: Part) -> Part:
    """Return two records of one part as one."""
    for claims in other.claims:
        one = with_claims(one, joined_claims(one.claims_of(claims.service), claims))
    for watch in other.watches:
        one = with_watch(one, watch)
    return replace(
        one,
        number=one.number if one.number is not None else other.number,
        air_date=one.air_date or other.air_date,
        name=one.name or other.name,
        aired_at=one.aired_at if one.aired_at is not None else other.aired_at,
    )


def joined_claims(one: Claims, other: Claims) -> Claims:
    """Return what a service said about the one thing under two names."""
    downloads = [claim for claim in (one.download, other.download) if claim is not None]
    premieres = [claim for claim in (one.premiere, other.premiere) if claim is not None]
    return Claims(
        one.service,
        one.own_id if one.own_id is not None else other.own_id,
        one.wanted.joined(other.wanted),
        one.file.joined(other.file),
        one.playable.joined(other.playable),
        max(downloads, key=attrgetter("at"), default=None),
        max(premieres, key=attrgetter("at"), default=None),
    )
