"""What a poll shows and no delivery told: counted once, taken back, in bounded memory."""

from dataclasses import replace
from typing import Any

from custom_components.media_arrivals.engine.connectors.base import Sighting
from custom_components.media_arrivals.missed import (
    BY_POLL,
    BY_WEBHOOK,
    PATIENCE,
    REMEMBERED,
    SAME_FOR,
    MissedLedger,
    mark_of,
    stays_silent,
)
from custom_components.media_arrivals.records import DAY, Miss, ServiceRecord, WebhookHealth


def counts(ledger: MissedLedger, now: float) -> dict[str, int]:
    """Count what was missed of each service."""
    return {service: len(misses) for service, misses in ledger.missed(now).items()}


GRAB = Sighting(event="grab", key="aa11", at=1000.0)


def test_a_delivery_that_came_is_not_missed() -> None:
    ledger = MissedLedger()
    assert not ledger.told("radarr", GRAB, 1001.0)

    ledger.shown("radarr", GRAB, 1010.0)

    assert ledger.deadline is None
    assert ledger.missed(2000.0) == {}


def test_a_delivery_may_still_come() -> None:
    ledger = MissedLedger()
    ledger.shown("radarr", GRAB, 1010.0)
    assert ledger.deadline == 1010.0 + PATIENCE

    assert ledger.missed(1010.0 + PATIENCE - 1) == {}
    assert not ledger.told("radarr", GRAB, 1100.0)

    assert ledger.missed(2000.0) == {}


def test_what_never_came_is_counted_once_for_its_service() -> None:
    ledger = MissedLedger()
    ledger.shown("radarr", GRAB, 1010.0)
    ledger.shown("radarr", GRAB, 1020.0)
    ledger.shown("other", GRAB, 1020.0)

    assert counts(ledger, 2000.0) == {"radarr": 1, "other": 1}
    ledger.shown("radarr", GRAB, 2010.0)
    assert ledger.missed(3000.0) == {}


def test_a_count_is_taken_back_once() -> None:
    ledger = MissedLedger()
    ledger.shown("radarr", GRAB, 1010.0)
    ledger.missed(2000.0)

    assert ledger.told("radarr", GRAB, 2500.0)
    assert not ledger.told("radarr", GRAB, 2600.0)


def test_the_same_thing_long_after_is_another() -> None:
    ledger = MissedLedger()
    ledger.told("radarr", GRAB, 1001.0)
    again = Sighting(event="grab", key="aa11", at=1002.0 + SAME_FOR)

    ledger.shown("radarr", again, again.at)

    assert counts(ledger, again.at + PATIENCE) == {"radarr": 1}


def test_memory_is_bounded() -> None:
    ledger = MissedLedger()
    for number in range(REMEMBERED + 10):
        sighting = Sighting(event="grab", key=str(number), at=1000.0)
        ledger.shown("radarr", sighting, 1000.0)
        ledger.told("sonarr", sighting, 1000.0)

    assert counts(ledger, 2000.0) == {"radarr": REMEMBERED}
    # The oldest are forgotten, the newest are not.
    ledger.shown("sonarr", Sighting(event="grab", key="0", at=1000.0), 2000.0)
    ledger.shown("sonarr", Sighting(event="grab", key=str(REMEMBERED), at=1000.0), 2000.0)
    assert counts(ledger, 3000.0) == {"sonarr": 1}


def test_a_removed_service_is_forgotten() -> None:
    ledger = MissedLedger()
    ledger.shown("radarr", GRAB, 1010.0)
    ledger.shown("other", GRAB, 1010.0)
    ledger.told("radarr", Sighting(event="import", key="aa11", at=1.0), 1.0)

    ledger.forget("radarr")

    assert counts(ledger, 2000.0) == {"other": 1}


# --- how long it takes --------------------------------------------------------------------------


def test_the_way_that_was_first_counts_once() -> None:
    ledger = MissedLedger()
    ledger.told("radarr", GRAB, 1003.0)
    assert ledger.shown("radarr", GRAB, 1010.0) == (BY_WEBHOOK, 3.0)
    assert ledger.shown("radarr", GRAB, 1020.0) is None

    assert ledger.shown("other", GRAB, 1200.0) == (BY_POLL, 200.0)
    ledger.told("other", GRAB, 1201.0)
    assert ledger.shown("other", GRAB, 1300.0) is None


def test_a_clock_that_is_ahead_is_no_delay() -> None:
    ledger = MissedLedger()
    ahead = replace(GRAB, at=5000.0)
    ledger.told("radarr", ahead, 1003.0)
    assert ledger.shown("radarr", ahead, 1010.0) == (BY_WEBHOOK, 0.0)
    assert ledger.shown("other", ahead, 1010.0) == (BY_POLL, 0.0)


def test_the_same_thing_again_has_a_delay_of_its_own() -> None:
    ledger = MissedLedger()
    ledger.shown("radarr", GRAB, 1010.0)
    again = replace(GRAB, at=2000.0)
    ledger.told("radarr", again, 2004.0)
    assert ledger.shown("radarr", again, 2010.0) == (BY_WEBHOOK, 4.0)
    assert ledger.shown("radarr", GRAB, 2010.0) is None


def test_what_nobody_expects_has_a_delay_and_is_not_missed() -> None:
    ledger = MissedLedger()
    assert ledger.shown("radarr", GRAB, 1010.0, expected=False) == (BY_POLL, 10.0)
    assert ledger.deadline is None


def test_a_mark_says_nothing_about_the_event() -> None:
    watched = Sighting(event="watched", key="plex:12345:1001", at=1.0)
    assert "12345" not in mark_of(watched)
    assert mark_of(watched) == mark_of(replace(watched, at=2.0))
    assert mark_of(watched) != mark_of(replace(watched, key="plex:12346:1001"))


# --- silence ------------------------------------------------------------------------------------


def silent(**known: Any) -> bool:
    """Tell whether three misses of the last hours are a silence."""
    misses = tuple(Miss(at + 120, at, str(at)) for at in (10_000.0, 11_000.0, 12_000.0))
    facts: dict[str, Any] = {
        "webhook": WebhookHealth.WORKING,
        "misses": misses,
        "tested": True,
        # The test that the first of them had sent came through.
        "proven_at": 10_200.0,
    }
    return stays_silent(ServiceRecord(**(facts | known)), 12_200.0)


def test_three_events_without_a_delivery_are_a_silence() -> None:
    assert silent()
    assert silent(heard_at=9_999.0)
    assert not silent(heard_at=10_000.0)
    assert not silent(webhook=WebhookHealth.UNPROVEN)


def test_two_events_or_old_ones_are_none() -> None:
    two = (Miss(11_120.0, 11_000.0, "1"), Miss(12_120.0, 12_000.0, "2"))
    assert not silent(misses=two)
    assert not silent(misses=(Miss(12_200.0 - DAY, 10_000.0, "0"), *two))


def test_only_what_follows_a_test_counts_where_there_is_one() -> None:
    assert not silent(proven_at=9_000.0)
    assert not silent(proven_at=12_100.0)
    assert silent(proven_at=9_000.0, tested=False)
