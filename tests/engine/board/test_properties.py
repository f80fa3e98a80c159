"""What holds for every order in which a household's services speak."""

from collections import Counter
from dataclasses import replace
from typing import Any, Protocol

from hypothesis import given, settings, strategies as st

from custom_components.media_arrivals.engine.board.lifecycle import RANK
from custom_components.media_arrivals.engine.board.models import (
    AnyReport,
    Decision,
    DownloadReport,
    DownloadState,
    FileReport,
    HeldReport,
    PlayableReport,
    RequestReport,
    Service,
    Stage,
)

from .household import (
    FILM,
    PLEX,
    RADARR,
    SEERR,
    SHOW,
    SONARR,
    House,
    download,
    episode,
    episodes,
    file,
    held,
    playable,
    request,
)


class Draw(Protocol):
    """Draws a value from a strategy."""

    def __call__[T](self, strategy: st.SearchStrategy[T], label: object = ...) -> T:
        """Return a value."""
        ...


AIRED = 4
TIMES = st.integers(min_value=1, max_value=40).map(float)
NUMBERS = st.lists(st.integers(1, 6), min_size=1, max_size=6, unique=True)
DOWNLOAD_IDS = st.sampled_from(["A", "b", None])
DECISIONS = st.sampled_from([Decision.PENDING, Decision.APPROVED, Decision.FAILED])


def film_words() -> st.SearchStrategy[AnyReport]:
    """Return what Radarr may say of a film, losses confirmed."""
    return st.one_of(
        st.builds(lambda at, yes: held(RADARR, FILM, at, yes=yes), TIMES, st.booleans()),
        st.builds(
            lambda at, state, key: download(RADARR, FILM, at, state, download_id=key),
            TIMES,
            st.sampled_from(DownloadState),
            DOWNLOAD_IDS,
        ),
        st.builds(
            lambda at, yes: file(RADARR, FILM, at, present=yes, confirmed=True),
            TIMES,
            st.booleans(),
        ),
    )


def show_words() -> st.SearchStrategy[AnyReport]:
    """Return what Sonarr may say of a season."""
    parts = NUMBERS.map(lambda numbers: tuple(episode(number) for number in numbers))
    return st.one_of(
        st.builds(
            lambda at, yes: held(SONARR, SHOW, at, yes=yes, seasons=(1,)), TIMES, st.booleans()
        ),
        st.builds(
            lambda at, files: episodes(at, 6, aired=AIRED, files=frozenset(files)),
            TIMES,
            NUMBERS,
        ),
        st.builds(
            lambda at, state, key, refs: download(
                SONARR, SHOW, at, state, download_id=key, parts=refs
            ),
            TIMES,
            st.sampled_from(DownloadState),
            DOWNLOAD_IDS,
            parts,
        ),
        st.builds(
            lambda at, yes, refs: file(SONARR, SHOW, at, present=yes, confirmed=True, parts=refs),
            TIMES,
            st.booleans(),
            parts,
        ),
    )


def seerr_words() -> st.SearchStrategy[AnyReport]:
    """Return what Seerr may say, as read from it."""
    return st.one_of(
        st.builds(
            lambda at, d: request(FILM, at, d, number=1),
            TIMES,
            DECISIONS,
        ),
        st.builds(
            lambda at, d: request(SHOW, at, d, number=2, seasons=(1,)),
            TIMES,
            DECISIONS,
        ),
        st.builds(lambda at, yes: playable(SEERR, FILM, at, yes=yes), TIMES, st.booleans()),
        st.builds(
            lambda at, yes: playable(SEERR, SHOW, at, yes=yes, seasons=(1,)), TIMES, st.booleans()
        ),
    )


def plex_words() -> st.SearchStrategy[AnyReport]:
    """Return what a media server may say."""
    return st.one_of(
        st.builds(lambda at, yes: playable(PLEX, FILM, at, yes=yes), TIMES, st.booleans()),
        st.builds(
            lambda at, yes, numbers: playable(
                PLEX, SHOW, at, yes=yes, parts=tuple(episode(number) for number in numbers)
            ),
            TIMES,
            st.booleans(),
            NUMBERS,
        ),
    )


def spoken(words: st.SearchStrategy[AnyReport]) -> st.SearchStrategy[list[AnyReport]]:
    """Return what one service says, in the order of its own clock."""
    return st.lists(words, max_size=7, unique_by=lambda report: report.at).map(
        lambda reports: sorted(reports, key=lambda report: report.at)
    )


@st.composite
def households(draw: st.DrawFn) -> tuple[tuple[Service, ...], list[list[AnyReport]]]:
    """Return services and what each of them says."""
    with_plex = draw(st.booleans())
    services = (RADARR, SONARR, SEERR, *((PLEX,) if with_plex else ()))
    voices = [draw(spoken(film_words())), draw(spoken(show_words())), draw(spoken(seerr_words()))]
    if with_plex:
        voices.append(draw(spoken(plex_words())))
    return services, voices


def started(services: tuple[Service, ...]) -> House:
    """Return a household in which both titles were asked for."""
    house = House(services)
    house.hear(request(FILM, 0, number=1), request(SHOW, 0, number=2, seasons=(1,)))
    house.hear(episodes(0.5, 6, aired=AIRED))
    return house


def outcome(house: House) -> dict[str, Any]:
    """Return all stages that people see."""
    return {
        "arrivals": {
            (arrival.season, arrival.tier): (
                arrival.stage,
                arrival.available,
                arrival.wanted,
                arrival.total,
                {key: part.stage for key, part in sorted(arrival.parts.items())},
            )
            for arrival in house.board.arrivals()
        },
        "requests": {one.key: one.stage for one in house.board.requests()},
    }


def interleaved(draw: Draw, voices: list[list[AnyReport]]) -> list[AnyReport]:
    """Return one order in which the services' words may come, with repetitions."""
    waiting = [list(voice) for voice in voices if voice]
    told: list[AnyReport] = []
    while waiting:
        voice = draw(st.integers(0, len(waiting) - 1))
        told.append(waiting[voice].pop(0))
        if draw(st.booleans()):
            told.append(draw(st.sampled_from(told)))
        waiting = [one for one in waiting if one]
    return told


@settings(max_examples=300, deadline=None)
@given(st.data(), households())
def test_any_interleaving_ends_in_the_same_stages(
    data: st.DataObject, household: tuple[tuple[Service, ...], list[list[AnyReport]]]
) -> None:
    """Rule 1: the stage is computed from the standing claims."""
    services, voices = household
    straight, mixed = started(services), started(services)
    for voice in voices:
        straight.hear(*voice) if voice else None
    order = interleaved(data.draw, voices)
    if order:
        mixed.hear(*order)
    assert outcome(mixed) == outcome(straight)
    if order:
        # Telling everything once more changes nothing.
        told = len(mixed.told)
        mixed.hear(*order)
        assert outcome(mixed) == outcome(straight)
        assert len(mixed.told) == told


@settings(max_examples=200, deadline=None)
@given(st.data(), households())
def test_counts_always_equal_a_recount(
    data: st.DataObject, household: tuple[tuple[Service, ...], list[list[AnyReport]]]
) -> None:
    """Whatever is counted as it goes equals what a recount finds."""
    services, voices = household
    house = started(services)
    for report in interleaved(data.draw, voices):
        house.hear(report)
        board = house.board
        stages = Counter(arrival.stage for arrival in board.arrivals())
        assert {stage: n for stage, n in board.counts.items() if n} == dict(stages)
        assert board.pending == sum(
            one.decision.decision is Decision.PENDING for one in board.requests()
        )
        finished = {Stage.AVAILABLE, Stage.REMOVED, Stage.DECLINED}
        assert {a.id for a in board.open_arrivals()} == {
            a.id for a in board.arrivals() if a.stage not in finished
        }


def is_loss(report: AnyReport) -> bool:
    """Tell whether a report is evidence of a loss."""
    match report:
        case HeldReport(held=yes) | FileReport(present=yes) | PlayableReport(playable=yes):
            return not yes
        case RequestReport():
            return report.decision is not Decision.APPROVED
        case DownloadReport(state=state):
            # A client that had all of it may begin another download: its newest word.
            return state in {DownloadState.COMPLETE, DownloadState.BLOCKED}
        case _:
            return False


@settings(max_examples=300, deadline=None)
@given(st.data(), households())
def test_nothing_moves_back_without_evidence_of_loss(
    data: st.DataObject, household: tuple[tuple[Service, ...], list[list[AnyReport]]]
) -> None:
    """From `downloaded` on, only a loss moves an arrival back."""
    services, voices = household
    gains = [
        [
            report
            for report in voice
            if not is_loss(report) and not (report.title is SHOW and hasattr(report, "season"))
        ]
        for voice in voices
    ]
    house = started(services)
    before = {arrival.id: arrival.stage for arrival in house.board.arrivals()}
    for report in interleaved(data.draw, gains):
        house.hear(report)
        for arrival in house.board.arrivals():
            was = before[arrival.id]
            if RANK[was] >= RANK[Stage.DOWNLOADED]:
                assert RANK[arrival.stage] >= RANK[was]
            before[arrival.id] = arrival.stage


@given(TIMES, TIMES)
def test_a_download_alone_never_outweighs_a_file(first: float, second: float) -> None:
    """A grab, however late, does not push back what is there."""
    house = started((RADARR, SONARR, SEERR))
    house.hear(file(RADARR, FILM, first), playable(SEERR, FILM, first))
    house.hear(
        download(RADARR, FILM, second),
        replace(download(RADARR, FILM, second), state=DownloadState.FAILED),
    )
    assert house.stage() is Stage.AVAILABLE
