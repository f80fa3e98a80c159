"""Misbehaviour on command: how a service answers wrongly and how it loses deliveries."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

type Json = dict[str, Any]


class FaultMode(StrEnum):
    """What a misbehaving service does with a request."""

    HANG = "hang"
    SLOW = "slow"
    STATUS = "status"
    INVALID_JSON = "invalid_json"
    HTML = "html"
    TRUNCATED = "truncated"
    """The true answer ends in its middle, as if it were whole."""
    CUT = "cut"
    """The connection ends in the middle of the true answer."""
    REDIRECT = "redirect"
    BODY = "body"
    """Something else is answered instead."""
    REWRITE = "rewrite"
    """The true answer is changed on its way."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One misbehaviour, for the paths that match and for a number of times or until cleared."""

    mode: FaultMode
    status: int = 500
    seconds: float = 5.0
    path: str = ""
    times: int | None = None
    retry_after: int | None = None
    location: str = "/login"
    body: str | bytes = ""
    content_type: str = "application/json"
    rewrite: Callable[[str, Any], Any] | None = None
    """Makes of a path and its true answer another one."""

    def takes(self, path: str) -> bool:
        """Say whether this request is misbehaved to, and count it."""
        if self.times == 0 or not re.search(self.path, path):
            return False
        if self.times is not None:
            self.times -= 1
        return True

    @classmethod
    def named(cls, name: str, **options: Any) -> Fault:
        """Read a fault from its short name; a bare number is a status."""
        if name.isdigit():
            return cls(mode=FaultMode.STATUS, status=int(name), **options)
        return cls(mode=FaultMode(name), **options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One call of a webhook, before anything happens to it."""

    service: str
    event: str
    url: str
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    payload: Json


@dataclass(slots=True, kw_only=True)
class DeliveryFaults:
    """What goes wrong between a service and the receiver of its webhook.

    Test deliveries always pass: a person who presses the button waits for them.
    """

    lose_every: int = 0
    lose_events: frozenset[str] = frozenset()
    lose_if: Callable[[Delivery], bool] | None = None
    double_every: int = 0
    delay: float = 0.0
    reorder: int = 0
    seen: int = field(default=0)

    def next(self, delivery: Delivery) -> tuple[bool, int]:
        """Return whether the delivery is lost, and how often it is sent otherwise."""
        self.seen += 1
        lost = (
            (self.lose_every > 0 and self.seen % self.lose_every == 0)
            or delivery.event in self.lose_events
            or (self.lose_if is not None and self.lose_if(delivery))
        )
        twice = self.double_every > 0 and self.seen % self.double_every == 0
        return lost, 2 if twice else 1
