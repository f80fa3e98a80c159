"""Requests are approved and declined on the phone, once, and nobody is asked in vain."""

import pytest
from homeassistant.core import Context
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.media_arrivals.engine.connectors.base import TimedOutError
from custom_components.media_arrivals.engine.connectors.http import JsonClient
from simulator import Film
from simulator.seerr_data import AUTO_APPROVE, MANAGE_REQUESTS, REQUEST, Decision, Request
from tests.blueprint_helpers import Phone, use
from tests.persons import map_person
from tests.stories.family import Family

PRESSED = "mobile_app_notification_action"
GRACE = 12.0


class Approvers:
    """Anna administers Home Assistant, Ben manages requests in Seerr, Kim may only ask."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.hass = family.house.hass
        self.phones: dict[str, Phone] = {}
        self.users: dict[str, str] = {}
        for name, rights, admin in (
            ("Anna", REQUEST, True),
            ("Ben", MANAGE_REQUESTS, False),
            ("Kim", REQUEST, False),
        ):
            phone = self.phones[name] = Phone(self.hass, f"mobile_app_{name.casefold()}")
            user = MockUser(name=name, is_owner=admin).add_to_hass(self.hass)
            self.users[name] = user.id
            map_person(
                self.hass,
                family.house.board,
                name,
                {"seerr_entry": str(family.stack.seerr.user(name, rights).id)},
                user_id=user.id,
                notify=[f"notify.{phone.name}"],
            )

    async def asked(self, film: Film, by: str = "Kim") -> Request:
        """Have somebody ask, and wait until the approvers are asked."""
        item = self.family.stack.seerr.ask(film, by=by)
        assert item is not None
        await self.family.settle()
        await self.family.pass_time(GRACE)
        return item

    async def press(self, name: str, button: str) -> None:
        """Press a button as the app tells it."""
        self.hass.bus.async_fire(
            PRESSED, {"action": button}, context=Context(user_id=self.users[name])
        )
        await self.family.settle()

    def decisions(self) -> int:
        """Return how often Seerr was told to decide."""
        return self.family.asked("/approve") + self.family.asked("/decline")

    def shown(self, name: str) -> list[str]:
        """Return what a phone shows."""
        return [one["message"] for one in self.phones[name].shown.values()]


@pytest.fixture
async def approvers(family: Family) -> Approvers:
    await family.move_in()
    approvers = Approvers(family)
    await use(approvers.hass, "ask_approvers")
    return approvers


@pytest.fixture
def film(approvers: Approvers) -> Film:
    return approvers.family.stack.catalogue.film("Amber Ferry")


async def test_a_button_approves_once_and_clears_the_other_phones(
    approvers: Approvers, film: Film
) -> None:
    item = await approvers.asked(film)
    for name in ("Anna", "Ben"):
        assert approvers.shown(name) == ["Somebody asks for it. Approve?"]
    assert approvers.phones["Kim"].got == []

    button, _ = approvers.phones["Ben"].buttons()
    await approvers.press("Ben", button)

    assert item.status == Decision.APPROVED
    assert approvers.decisions() == 1
    assert approvers.shown("Anna") == []
    assert approvers.shown("Ben") == ["Amber Ferry was approved."]

    # The other phone was out of reach when its question was cleared.
    await approvers.press("Anna", button.replace("APPROVE", "DECLINE"))
    assert approvers.decisions() == 1
    assert item.status == Decision.APPROVED
    (result,) = approvers.shown("Anna")
    assert result.startswith("Nothing was confirmed.")


async def test_a_button_declines(approvers: Approvers, film: Film) -> None:
    item = await approvers.asked(film)
    _, button = approvers.phones["Anna"].buttons()
    await approvers.press("Anna", button)
    assert item.status == Decision.DECLINED
    assert approvers.shown("Anna") == ["Amber Ferry was declined."]
    assert approvers.shown("Ben") == []


async def test_a_decision_in_seerr_clears_every_phone(approvers: Approvers, film: Film) -> None:
    item = await approvers.asked(film)
    approvers.family.stack.seerr.approve(item)
    await approvers.family.settle()
    for name in ("Anna", "Ben"):
        assert len(approvers.phones[name].messages) == 1
        assert approvers.shown(name) == []


async def test_what_is_approved_automatically_is_not_asked(
    approvers: Approvers, film: Film
) -> None:
    approvers.family.stack.seerr.user("Guest", REQUEST | AUTO_APPROVE)
    await approvers.asked(film, by="Guest")
    for phone in approvers.phones.values():
        assert phone.got == []


async def test_what_is_decided_at_once_is_not_asked(approvers: Approvers, film: Film) -> None:
    item = approvers.family.stack.seerr.ask(film, by="Kim")
    assert item is not None
    await approvers.family.settle()
    approvers.family.stack.seerr.approve(item)
    await approvers.family.settle()
    await approvers.family.pass_time(GRACE)
    for phone in approvers.phones.values():
        assert phone.got == []


async def test_who_may_not_decide_does_not(approvers: Approvers, film: Film) -> None:
    item = await approvers.asked(film)
    button, _ = approvers.phones["Ben"].buttons()
    await approvers.press("Kim", button)
    assert item.status == Decision.PENDING
    assert approvers.decisions() == 0
    assert approvers.phones["Kim"].got == []


async def test_what_was_not_confirmed_is_not_called_done(
    approvers: Approvers, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    await approvers.asked(film)
    button, _ = approvers.phones["Anna"].buttons()

    async def slow(*_: object, **__: object) -> None:
        raise TimedOutError

    monkeypatch.setattr(JsonClient, "send", slow)
    await approvers.press("Anna", button)
    monkeypatch.undo()
    assert any(one.startswith("Nothing was confirmed.") for one in approvers.shown("Anna"))
    # The others may still decide.
    assert approvers.shown("Ben") == ["Somebody asks for it. Approve?"]


async def test_other_buttons_are_other_peoples_business(approvers: Approvers, film: Film) -> None:
    await approvers.asked(film)
    for button in ("OPEN_GARAGE", "MEDIA_ARRIVALS_APPROVE:seerr_entry:one", ""):
        await approvers.press("Anna", button)
    assert approvers.decisions() == 0
    assert len(approvers.phones["Anna"].got) == 1


async def test_a_season_request_is_one_question(approvers: Approvers) -> None:
    show = approvers.family.stack.catalogue.show("Amber Tide", 2020, seasons={1: 3, 2: 3})
    approvers.family.stack.seerr.ask(show, by="Kim", seasons=[1, 2])
    await approvers.family.settle()
    await approvers.family.pass_time(GRACE)
    assert approvers.phones["Anna"].messages == ["Somebody asks for season 1, 2. Approve?"]
