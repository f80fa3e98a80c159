"""What is written as JSON is read back as it was."""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from custom_components.media_arrivals.engine.board.models import (
    Arrival,
    Claims,
    Decision,
    DecisionClaim,
    DownloadClaim,
    DownloadState,
    ExternalIds,
    Flag,
    Hold,
    Holding,
    HoldReason,
    MediaType,
    Part,
    Person,
    Premiere,
    Remedy,
    Request,
    Stage,
    Tier,
    Title,
    Watch,
)
from custom_components.media_arrivals.engine.storage import codec

from .household import NOON, SEERR, arrival, claims, part, request, title

NUMBER = st.integers(1, 2**53)
MAYBE_NUMBER = st.none() | NUMBER
TIME = st.floats(0, 4e9)
MAYBE_TIME = st.none() | TIME
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
MAYBE_TEXT = st.none() | TEXT
SERVICE = st.sampled_from(["01RADARR", "01SONARR", "01SEERR"])
SEASONS = st.none() | st.lists(st.integers(0, 40), max_size=3).map(tuple)
TEXTS = st.lists(TEXT, max_size=2).map(tuple)
FLAG = st.builds(Flag, MAYBE_TIME, MAYBE_TIME, MAYBE_TIME, MAYBE_TIME)
DOWNLOAD = st.builds(
    DownloadClaim,
    TIME,
    TIME,
    st.sampled_from(DownloadState),
    MAYBE_TEXT,
    st.none() | st.floats(0, 1),
    MAYBE_TIME,
    MAYBE_TEXT,
    MAYBE_TEXT,
    MAYBE_TIME,
)
MAYBE_BOOL = st.none() | st.booleans()
PREMIERE = st.builds(Premiere, at=TIME, due_at=MAYBE_TIME, out=MAYBE_BOOL, monitored=MAYBE_BOOL)
HOLD = st.builds(
    Hold,
    reason=st.sampled_from(HoldReason),
    since=TIME,
    service=st.none() | SERVICE,
    message=MAYBE_TEXT,
    remedy=st.none() | st.sampled_from(Remedy),
    until=MAYBE_TIME,
    told=st.booleans(),
)


CLAIMS = st.builds(
    Claims,
    service=SERVICE,
    own_id=MAYBE_NUMBER,
    wanted=FLAG,
    file=FLAG,
    playable=FLAG,
    download=st.none() | DOWNLOAD,
    premiere=st.none() | PREMIERE,
).filter(lambda claims: claims != Claims(claims.service))
service_of = attrgetter("service")


SEEN = Watch("plex:1", watched=True, at=NOON, service=SEERR)


def by_service(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(SERVICE, values, max_size=2)


PART: Mapping[str, st.SearchStrategy[Any]] = {
    "number": MAYBE_NUMBER,
    "air_date": MAYBE_TEXT,
    "name": MAYBE_TEXT,
    "aired_at": MAYBE_TIME,
    "claims": st.lists(CLAIMS, max_size=2, unique_by=service_of).map(
        lambda claims: tuple(sorted(claims, key=service_of))
    ),
    "stage": st.none() | st.sampled_from(Stage),
    "watches": st.lists(st.builds(Watch, TEXT, st.booleans(), TIME, SERVICE), max_size=2).map(
        tuple
    ),
}
PARTS = st.builds(Part, **PART)
TITLE: Mapping[str, st.SearchStrategy[Any]] = {
    "id": TEXT,
    "media_type": st.sampled_from(MediaType),
    "ids": st.builds(ExternalIds, tmdb=MAYBE_NUMBER, tvdb=MAYBE_NUMBER, imdb=MAYBE_TEXT),
    "own_ids": by_service(NUMBER),
    "holdings": st.lists(
        st.builds(Holding, SERVICE, st.sampled_from(Tier), FLAG, SEASONS, TIME), max_size=2
    ).map(tuple),
    "name": MAYBE_TEXT,
    "year": MAYBE_NUMBER,
    "poster": MAYBE_TEXT,
    "described": st.booleans(),
    "aliases": TEXTS,
}
ARRIVAL: Mapping[str, st.SearchStrategy[Any]] = {
    "id": TEXT,
    "title_id": TEXT,
    "season": st.none() | st.integers(0, 100),
    "tier": st.sampled_from(Tier),
    "opened_at": TIME,
    "journey": NUMBER,
    "stage": st.sampled_from(Stage),
    "stage_at": TIME,
    "known_at": TIME,
    "whole": PARTS,
    "parts": st.dictionaries(TEXT, PARTS, max_size=2),
    "listed_at": MAYBE_TIME,
    "misfit": st.booleans(),
    "requests": st.lists(st.tuples(SERVICE, NUMBER), max_size=2).map(tuple),
    "available": NUMBER,
    "wanted": NUMBER,
    "total": NUMBER,
    "available_at": MAYBE_TIME,
    "coming": st.booleans(),
    "problem": MAYBE_TEXT,
    "progress": st.none() | st.floats(0, 1),
    "dismissed": st.booleans(),
    "hold": st.none() | HOLD,
    "quiet": st.booleans(),
    "aliases": TEXTS,
    "followers": TEXTS,
}
REQUEST: Mapping[str, st.SearchStrategy[Any]] = {
    "key": st.tuples(SERVICE, NUMBER),
    "title_id": TEXT,
    "tier": st.sampled_from(Tier),
    "seasons": SEASONS,
    "decision": st.builds(DecisionClaim, TIME, TIME, st.sampled_from(Decision), st.booleans()),
    "requester": st.none() | st.builds(Person, name=TEXT, id=MAYBE_NUMBER),
    "created_at": MAYBE_TIME,
    "arrivals": TEXTS,
    "stage": st.sampled_from(Stage),
    "told": st.booleans(),
}


def title_row(one: Title) -> codec.Row:
    return (
        one.id,
        one.media_type.value,
        one.name,
        one.year,
        int(one.described),
        codec.title_document(one),
    )


def arrival_row(one: Arrival) -> codec.Row:
    return (
        one.id,
        one.title_id,
        one.season,
        one.tier.value,
        one.stage.value,
        one.journey,
        one.opened_at,
        one.stage_at,
        one.known_at,
        one.available_at,
        codec.arrival_document(one),
    )


def request_row(one: Request) -> codec.Row:
    return (
        one.service,
        one.request_id,
        one.title_id,
        one.tier.value,
        one.stage.value,
        None if one.requester is None else one.requester.name,
        one.created_at,
        codec.dumps(one.arrivals),
        codec.request_document(one),
    )


@pytest.mark.parametrize(
    ("kind", "strategies"),
    [
        (Title, TITLE),
        (Part, PART),
        (Arrival, ARRIVAL),
        (Request, REQUEST),
    ],
)
def test_every_field_takes_part(kind: type, strategies: Mapping[str, Any]) -> None:
    assert set(strategies) == {one.name for one in fields(kind)}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (Flag, ["first_yes", "last_yes", "last_no", "happened_at"]),
        (Holding, ["service", "tier", "flag", "seasons", "seasons_at"]),
        (
            DownloadClaim,
            [
                "at",
                "happened_at",
                "state",
                "download_id",
                "progress",
                "eta",
                "problem",
                "word",
                "moved_at",
            ],
        ),
        (Claims, ["service", "own_id", "wanted", "file", "playable", "download", "premiere"]),
        (Premiere, ["at", "due_at", "out", "monitored"]),
        (Hold, ["reason", "since", "service", "message", "remedy", "until", "told"]),
        (Watch, ["viewer", "watched", "at", "service"]),
        (DecisionClaim, ["at", "happened_at", "decision", "initial"]),
        (Person, ["name", "id"]),
        (ExternalIds, ["tmdb", "tvdb", "imdb"]),
    ],
)
def test_what_is_written_as_an_array_has_these_fields(kind: type, names: list[str]) -> None:
    assert [one.name for one in fields(kind)] == names


@given(st.builds(Title, **TITLE))
@settings(max_examples=60, deadline=None)
def test_titles_come_back(one: Title) -> None:
    assert codec.Reader().title(title_row(one)) == one


@given(st.builds(Arrival, **ARRIVAL))
@settings(max_examples=60, deadline=None)
def test_arrivals_come_back(one: Arrival) -> None:
    assert codec.Reader().arrival(arrival_row(one)) == one


@given(st.builds(Request, **REQUEST))
@settings(max_examples=60, deadline=None)
def test_requests_come_back(one: Request) -> None:
    # A person is known by the name; without one there is nobody to show.
    assert codec.Reader().request(request_row(one)) == one


def test_documents_are_small() -> None:
    assert len(codec.arrival_document(arrival(1, whole=part(stage=None)))) < 320
    bare = arrival(1, whole=Part())
    assert codec.arrival_document(bare) == '{"whole":{}}'


def grown(text: str) -> str:
    """Add what a later version might: further keys, further elements."""

    def grow(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: grow(one) for key, one in value.items()}
        if isinstance(value, list):
            return [grow(one) for one in value]
        return value

    document = grow(json.loads(text))
    document["novelty"] = {"a": [1, 2]}
    for one in (document.get("whole", {}), *document.get("parts", {}).values()):
        one["novelty"] = 1
        for watch in one.get("watched", ()):
            watch.append("further")
        for words in (one.get("wanted", {}), one.get("files", {}), one.get("downloads", {})):
            for claim in words.values():
                claim.extend([*[None] * (9 - len(claim)), "further"])
    for held in document.get("held", []):
        held.append("further")
    for numbers in (document.get("count"), document.get("decision")):
        if numbers is not None:
            numbers.append("further")
    return json.dumps(document)


@pytest.mark.parametrize(
    ("row", "reader"),
    [
        (title_row(title(1)), codec.Reader().title),
        (
            arrival_row(arrival(1, parts={"e1": part(1, watches=(SEEN,))}, total=3, wanted=2)),
            codec.Reader().arrival,
        ),
        (request_row(request(1)), codec.Reader().request),
    ],
)
def test_what_a_later_version_added_is_passed_over(
    row: codec.Row, reader: Callable[[codec.Row], object]
) -> None:
    assert reader((*row[:-1], grown(row[-1]))) == reader(row)


def test_claims_with_unknown_words_are_passed_over() -> None:
    one = arrival(1, whole=part(stage=Stage.DOWNLOADED))
    text = (
        codec.arrival_document(one)
        .replace('"imported"', '"teleported"')
        .replace('"stage":"downloaded"', '"stage":"beamed"')
    )
    whole = codec.Reader().arrival((*arrival_row(one)[:-1], text)).whole
    assert whole == part(claims=(claims(download=None),), stage=None)

    text = codec.title_document(title(1)).replace('"hd"', '"8k"')
    assert codec.Reader().title((*title_row(title(1))[:-1], text)).holdings == ()


def test_half_characters_become_question_marks() -> None:
    assert codec.clean_text("Ki\ud83dss") == "Ki?ss"
    assert codec.clean_text("Küss") == "Küss"
    assert codec.clean(None) is None
    assert codec.folded("GROẞE \ud83dFreiheit") == "grosse ?freiheit"
    assert codec.folded(None) is None


def test_dates_are_exact() -> None:
    one = arrival(1, stage_at=NOON + 1e-6, whole=part(claims=(claims(file=Flag(NOON + 1e-6)),)))
    assert codec.Reader().arrival(arrival_row(one)) == one


def test_what_a_later_version_is_kept_by_is_found_out_anew() -> None:
    row = arrival_row(
        arrival(1, hold=Hold(reason=HoldReason.STALLED, since=NOON, remedy=Remedy.SCAN_LIBRARY))
    )

    unknown = row[-1].replace('"stalled"', '"a_novelty"')
    assert codec.Reader().arrival((*row[:-1], unknown)).hold is None
    other = row[-1].replace('"scan_library"', '"a_novelty"')
    hold = codec.Reader().arrival((*row[:-1], other)).hold
    assert hold == Hold(reason=HoldReason.STALLED, since=NOON)
