"""Questions that wait for a service's answer, and what waits for them."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from homeassistant.core import Context

from .engine.board.models import AnyReport, Applied, Outcome, Question, Reason
from .engine.connectors.base import Cursor

PAUSES: Final = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
"""Seconds before a question is asked again."""
GIVE_UP_AFTER: Final = 30 * 60.0
"""Seconds after the first attempt."""

type QuestionKey = tuple[str, str, str]


@dataclass(slots=True, kw_only=True, eq=False)
class Ticket:
    """A delivery or a poll, until everything that it left open is answered."""

    service: str
    row: int | None = None
    """The delivery's row in the journal."""
    hint: bool = False
    """Of a delivery that nothing is believed of: it told nothing."""
    refused: bool = False
    """Of a delivery that was not taken: the service does not count it."""
    event_type: str = ""
    subject: str = ""
    """What it is about, for the debug line."""
    silent: bool = False
    """Of a baseline: its answers are entered silently, too."""
    cursor: Cursor | None = None
    """Where the poll got to; stored once nothing of it is open."""
    waiting: set[QuestionKey] = field(default_factory=set)
    context: Context | None = None
    """Of whoever had the service looked at."""
    changed: int = 0
    """Changes that came of it."""
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    outcome: Outcome = Outcome.IGNORED
    reason: Reason | None = None
    detail: str | None = None

    def note(self, applied: Applied) -> None:
        """Remember what came of one of its reports: the best of all counts."""
        self.changed += len(applied.changes)
        if applied.outcome is Outcome.PROCESSED:
            # All of it may wait for a question; that is no reason to show at the end.
            self.outcome, self.reason = Outcome.PROCESSED, None
        elif self.outcome is not Outcome.PROCESSED and (
            applied.outcome is Outcome.FAILED or self.reason in {None, Reason.ASKED}
        ):
            self.outcome, self.reason = applied.outcome, applied.reason

    @property
    def message(self) -> str | None:
        """Return what is shown of it beside the reason."""
        if self.outcome is Outcome.FAILED and self.detail is None:
            return self.reason
        return self.detail

    def fail(self, detail: str) -> None:
        """Remember a fault of ours."""
        self.outcome, self.reason, self.detail = Outcome.FAILED, Reason.ERROR, detail

    def give_up(self, detail: str) -> None:
        """Remember that the service did not answer."""
        self.outcome, self.reason, self.detail = Outcome.FAILED, Reason.GIVEN_UP, detail


@dataclass(slots=True, kw_only=True, eq=False)
class Pending:
    """A question that waits, once, whoever raised it."""

    question: Question
    openings: list[AnyReport] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    tries: int = 0
    asked_at: float | None = None
    """When it was asked first."""
    due_at: float = 0.0

    @property
    def silent(self) -> bool:
        """Tell whether only baselines wait for the answer."""
        return all(ticket.silent for ticket in self.tickets)


class QuestionDesk:
    """All open questions, by service."""

    def __init__(self) -> None:
        self._open: dict[str, dict[QuestionKey, Pending]] = {}

    @property
    def total(self) -> int:
        """Return how many questions wait."""
        return sum(map(len, self._open.values()))

    def add(self, question: Question, tickets: Iterable[Ticket]) -> None:
        """Take a question; an equal one that waits already is joined."""
        pending = self._open.setdefault(question.service, {}).setdefault(
            question.key, Pending(question=question)
        )
        if question.title is not None and question.seasons != pending.question.seasons:
            # Of one title: what is asked of any of them. Without seasons it is all.
            both = {*question.seasons, *pending.question.seasons}
            whole = not (question.seasons and pending.question.seasons)
            pending.question = replace(
                pending.question, seasons=() if whole else tuple(sorted(both))
            )
        if question.opening is not None:
            pending.openings.append(question.opening)
        for ticket in tickets:
            if ticket not in pending.tickets:
                pending.tickets.append(ticket)
                ticket.waiting.add(question.key)

    def count(self, service_id: str) -> int:
        """Return how many questions wait for a service."""
        return len(self._open.get(service_id, ()))

    def next(self, service_id: str) -> Pending | None:
        """Return the question that is to be asked next."""
        return min(
            self._open.get(service_id, {}).values(), key=lambda item: item.due_at, default=None
        )

    def postpone(self, pending: Pending, now: float, wait: float = 0.0) -> bool:
        """Ask again later, after the wait that was asked for; tell whether there is hope left.

        Long waits are no reason to give up before it was asked as often as without them.
        """
        if pending.asked_at is None:
            pending.asked_at = now
        pending.due_at = now + max(wait, PAUSES[min(pending.tries, len(PAUSES) - 1)])
        pending.tries += 1
        return now - pending.asked_at < GIVE_UP_AFTER or (
            wait > GIVE_UP_AFTER / len(PAUSES) and pending.tries <= len(PAUSES)
        )

    def hasten(self, service_id: str) -> None:
        """Have everything asked now that waits for a service: it is back."""
        for pending in self._open.get(service_id, {}).values():
            pending.due_at, pending.tries = 0.0, 0

    def settle(self, pending: Pending) -> tuple[Ticket, ...]:
        """Take an answered or given-up question off; return what waited for it."""
        key = pending.question.key
        self._open.get(pending.question.service, {}).pop(key, None)
        for ticket in pending.tickets:
            ticket.waiting.discard(key)
        return tuple(pending.tickets)

    def forget(self, service_id: str) -> tuple[Ticket, ...]:
        """Drop all questions to a service that was removed; return what waited for them."""
        return tuple(
            {
                ticket: None
                for pending in tuple(self._open.pop(service_id, {}).values())
                for ticket in self.settle(pending)
            }
        )
