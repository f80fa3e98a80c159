"""Rule 9: what a media server no longer lists is gone only at a second look.

A library that is being moved, a disk that is not mounted, a server that scans: each makes a
media server list nothing for a while. So a loss counts half an hour later, if it still stands
then; and if many titles vanish at once, none counts until a person has looked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from .models import ExternalIds, MediaType, PlayableReport, Tier, TitleRef

SECOND_LOOK_AFTER: Final = 30 * 60.0
MANY: Final = 10
"""Titles that vanish from one media server within :data:`AT_ONCE`: that is no deletion."""
AT_ONCE: Final = 3600.0
NEVER_ANSWERED: Final = 24 * 3600.0
"""Seconds after which a loss is dropped whose second look said nothing of it: the title is not
on the board any more, or is known by other ids."""
KEPT: Final = 500
"""Losses of one media server that outlive a restart; of more than that none counts anyway."""

type _Key = tuple[str, str, str, frozenset[tuple[str, int | str]], tuple[int, ...]]


@dataclass(slots=True)
class _Missing:
    """What a media server did not list at the first look."""

    title: TitleRef
    seasons: tuple[int, ...]
    since: float
    asked: bool = False
    """The second look was asked for."""


@dataclass(slots=True)
class AbsenceWatch:
    """The losses that wait for a second look."""

    _missing: dict[_Key, _Missing] = field(default_factory=dict)

    def screen(self, report: PlayableReport, *, losses: int, now: float) -> PlayableReport | None:
        """Return what of a media server's answer counts; ``None``: nothing yet.

        ``losses`` is how many parts that could be played so far it does not name any more.
        """
        key = _key(report)
        if report.playable and key[4]:
            self._is_there(key)
        if not losses:
            self._missing.pop(key, None)
            return report
        missing = self._missing.setdefault(
            key, _Missing(report.title, report.seasons or _seasons(report), now)
        )
        if now - missing.since >= SECOND_LOOK_AFTER and not self.suspect(report.origin.service):
            del self._missing[key]
            return report
        if not report.playable:
            return None
        return replace(report, complete=False)

    def _is_there(self, found: _Key) -> None:
        """Forget that a series was missed as a whole, in whatever tier: some of it is listed."""
        service, media_type, _, ids, _ = found
        for tier in Tier:
            self._missing.pop((service, media_type, tier.value, ids, ()), None)

    def due(self, service: str, now: float) -> tuple[tuple[TitleRef, tuple[int, ...]], ...]:
        """Return what of a media server is to be looked at again, each once.

        Nothing while too much is missing: the look would not count, and it is the only one.
        """
        found: list[tuple[TitleRef, tuple[int, ...]]] = []
        for key, missing in tuple(self._missing.items()):
            # What somebody confirmed has no time of its own.
            if key[0] == service and missing.asked and 0 <= missing.since < now - NEVER_ANSWERED:
                del self._missing[key]
        if self.suspect(service):
            return ()
        for key, missing in self._missing.items():
            if key[0] != service or missing.asked or now - missing.since < SECOND_LOOK_AFTER:
                continue
            missing.asked = True
            found.append((missing.title, missing.seasons))
        return tuple(found)

    def suspect(self, service: str) -> bool:
        """Tell whether so much vanished at once that none of it counts."""
        first_missed: dict[tuple[str, object], float] = {}
        for key, missing in self._missing.items():
            if key[0] == service:
                # However many of its seasons are missing, that is one title.
                title = (key[1], key[3])
                first_missed[title] = min(missing.since, first_missed.get(title, missing.since))
        times = sorted(first_missed.values())
        return any(
            last - first <= AT_ONCE for first, last in zip(times, times[MANY - 1 :], strict=False)
        )

    def confirm(self, service: str) -> tuple[tuple[TitleRef, tuple[int, ...]], ...]:
        """Believe a media server: what vanished from it is asked for again, and counts then."""
        confirmed = {key: one for key, one in self._missing.items() if key[0] == service}
        for number, missing in enumerate(confirmed.values()):
            # Set apart in time, they are many no more.
            missing.since = -SECOND_LOOK_AFTER - number * 2 * AT_ONCE
            missing.asked = True
        return tuple((one.title, one.seasons) for one in confirmed.values())

    def kept(self, service: str) -> list[dict[str, Any]]:
        """Return what of a media server is to be remembered over a restart."""
        found = [
            {
                "type": key[1],
                "tier": key[2],
                "ids": dict(missing.title.ids.items()),
                "seasons": list(key[4]),
                "since": missing.since,
            }
            for key, missing in self._missing.items()
            if key[0] == service
        ]
        return found[:KEPT]

    def restore(self, service: str, kept: Iterable[Mapping[str, Any]]) -> None:
        """Take up what was remembered; what cannot be read is missed at a later look."""
        for one in kept:
            try:
                media_type, tier = MediaType(one["type"]), Tier(one["tier"])
                title = TitleRef(media_type=media_type, ids=ExternalIds(**one["ids"]))
                seasons = tuple(int(season) for season in one["seasons"])
                since = float(one["since"])
            except KeyError, TypeError, ValueError:
                continue
            key = (service, media_type.value, tier.value, frozenset(title.ids.items()), seasons)
            self._missing[key] = _Missing(title, seasons, since)

    def forget(self, service: str) -> None:
        """Forget a media server."""
        for key in [key for key in self._missing if key[0] == service]:
            del self._missing[key]


def _key(report: PlayableReport) -> _Key:
    """Name what a report is about."""
    title = report.title
    return (
        report.origin.service,
        title.media_type.value,
        report.tier.value,
        frozenset(title.ids.items()),
        report.seasons or _seasons(report),
    )


def _seasons(report: PlayableReport) -> tuple[int, ...]:
    """Return the seasons of the parts that are named."""
    return tuple(sorted({part.season for part in report.parts}))
