"""What a poll shows and no delivery told: counted once, taken back, in bounded memory."""

from custom_components.media_arrivals.engine.connectors.base import Sighting
from custom_components.media_arrivals.missed import PATIENCE, REMEMBERED, SAME_FOR, MissedLedger


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
