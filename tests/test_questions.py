"""Questions: asked once whoever raised them, with growing pauses, and not for ever."""

from custom_components.media_arrivals.engine.board.models import (
    Applied,
    ExternalIds,
    MediaType,
    Outcome,
    Question,
    QuestionKind,
    Reason,
    TitleRef,
)
from custom_components.media_arrivals.questions import (
    GIVE_UP_AFTER,
    PAUSES,
    QuestionDesk,
    Ticket,
)
from tests.engine.board.household import FILM, RADARR, download


def question(service: str = RADARR.id, *, request_id: int | None = None) -> Question:
    kind = QuestionKind.TITLE if request_id is None else QuestionKind.REQUEST
    return Question(
        service=service,
        kind=kind,
        title=FILM,
        request_id=request_id,
        opening=download(RADARR, FILM, 1),
    )


def test_equal_questions_are_one() -> None:
    desk = QuestionDesk()
    first, second = Ticket(service=RADARR.id, row=1), Ticket(service=RADARR.id, row=2)

    desk.add(question(), [first])
    desk.add(question(), [second, first])
    desk.add(question("other"), [first])

    assert (desk.count(RADARR.id), desk.count("other"), desk.total) == (1, 1, 2)
    pending = desk.next(RADARR.id)
    assert pending is not None
    assert len(pending.openings) == 2
    assert desk.settle(pending) == (first, second)
    assert not second.waiting
    assert first.waiting == {question("other").key}
    assert desk.next(RADARR.id) is None


def test_pauses_grow_until_it_is_given_up() -> None:
    desk = QuestionDesk()
    desk.add(question(), [Ticket(service=RADARR.id)])
    pending = desk.next(RADARR.id)
    assert pending is not None

    now, pauses = 1000.0, []
    while desk.postpone(pending, now):
        pauses.append(pending.due_at - now)
        now = pending.due_at

    assert tuple(pauses[: len(PAUSES)]) == PAUSES
    assert set(pauses[len(PAUSES) :]) == {PAUSES[-1]}
    assert now - 1000 >= GIVE_UP_AFTER


def test_the_one_that_is_due_first_is_asked_first() -> None:
    desk = QuestionDesk()
    desk.add(question(), [])
    pending = desk.next(RADARR.id)
    assert pending is not None
    desk.postpone(pending, 1000.0)
    desk.add(question(request_id=5), [])

    following = desk.next(RADARR.id)

    assert following is not None
    assert following.question.request_id == 5


def test_a_removed_service_keeps_nobody_waiting() -> None:
    desk = QuestionDesk()
    ticket = Ticket(service="seerr", row=1)
    desk.add(question(), [ticket])
    desk.add(question(request_id=5), [ticket])

    assert desk.forget(RADARR.id) == (ticket,)
    assert not ticket.waiting
    assert desk.total == 0
    assert desk.forget(RADARR.id) == ()


def test_a_baselines_question_is_silent_unless_somebody_else_asks_it() -> None:
    desk = QuestionDesk()
    desk.add(question(), [Ticket(service=RADARR.id, silent=True)])
    pending = desk.next(RADARR.id)
    assert pending is not None
    assert pending.silent

    desk.add(question(), [Ticket(service=RADARR.id)])
    assert not pending.silent


def test_the_best_of_all_outcomes_counts() -> None:
    ticket = Ticket(service=RADARR.id, row=1)
    ticket.note(Applied(outcome=Outcome.IGNORED, reason=Reason.ASKED))
    ticket.note(Applied(outcome=Outcome.IGNORED, reason=Reason.STALE))
    assert (ticket.outcome, ticket.reason, ticket.message) == (
        Outcome.IGNORED,
        Reason.STALE,
        None,
    )
    ticket.note(Applied(outcome=Outcome.FAILED, reason=Reason.CONFLICT))
    assert (ticket.outcome, ticket.reason, ticket.message) == (
        Outcome.FAILED,
        Reason.CONFLICT,
        "conflict",
    )
    ticket.note(Applied(outcome=Outcome.PROCESSED))
    ticket.note(Applied(outcome=Outcome.IGNORED, reason=Reason.STALE))
    assert (ticket.outcome, ticket.reason) == (Outcome.PROCESSED, None)
    ticket.give_up("timed_out")
    assert (ticket.outcome, ticket.reason, ticket.message) == (
        Outcome.FAILED,
        Reason.GIVEN_UP,
        "timed_out",
    )


def test_questions_about_several_seasons_of_a_title_are_asked_as_one() -> None:
    title = TitleRef(media_type=MediaType.SERIES, ids=ExternalIds(tvdb=5))

    def ask(*seasons: int) -> Question:
        return Question(
            service="emby", kind=QuestionKind.AVAILABILITY, title=title, seasons=seasons
        )

    desk = QuestionDesk()
    desk.add(ask(3), ())
    desk.add(ask(1, 3), ())
    pending = desk.next("emby")
    assert pending is not None
    assert (desk.total, pending.question.seasons) == (1, (1, 3))

    desk.add(ask(), ())
    desk.add(ask(2), ())
    assert (desk.total, pending.question.seasons) == (1, ())


def test_a_service_that_is_back_is_asked_at_once() -> None:
    title = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=5))
    desk = QuestionDesk()
    desk.add(Question(service="emby", kind=QuestionKind.AVAILABILITY, title=title), ())
    pending = desk.next("emby")
    assert pending is not None
    for _ in range(7):
        desk.postpone(pending, 1000.0)
    assert pending.due_at == 1300.0

    desk.hasten("other")
    assert pending.due_at == 1300.0
    desk.hasten("emby")
    assert pending.due_at == 0.0
