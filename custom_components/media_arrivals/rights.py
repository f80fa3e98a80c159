"""Who may have what done, and in whose name a request service does it."""

from collections.abc import Sequence

from homeassistant.core import Context, HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .const import DOMAIN
from .engine.connectors.acting import Account, TakesRequests
from .engine.connectors.base import ServiceError
from .people import PersonId, person_id, user_id_of
from .privacy import Requesters
from .runtime import BOARD_KEY, ServiceConfigEntry, service_entries
from .targets import client_of


async def async_trusted(call: ServiceCall) -> bool:
    """Tell whether an administrator calls, or nobody: an automation."""
    if (user_id := call.context.user_id) is None:
        return True
    user = await call.hass.auth.async_get_user(user_id)
    return user is not None and user.is_admin


def caller(call: ServiceCall) -> PersonId | None:
    """Return who of the people calls."""
    people = call.hass.data[BOARD_KEY].people
    return people.person_for_user_id(call.hass, call.context.user_id)


def asking_context(call: ServiceCall) -> Context:
    """Return as whose doing it is told that something is asked for.

    Whoever does it is who asks, or asks for somebody: they are named where those who ask are. The
    call's own context would lead to them, too.
    """
    privacy = call.hass.data[BOARD_KEY].privacy
    named = privacy.requesters is Requesters.EVERYBODY or (
        privacy.requesters is Requesters.PER_PERSON and caller(call) is not None
    )
    return call.context if named or call.context.user_id is None else Context()


async def async_deciding_account(call: ServiceCall, entry: ServiceConfigEntry) -> int | None:
    """Return in whose name somebody decides.

    For administrators and automations the key's owner does it. Everybody else does it in their
    own name, so that the service itself refuses whoever has no right to.
    """
    if await async_trusted(call):
        return None
    return _own_account(call, entry)


async def async_asking_account(
    call: ServiceCall, entry: ServiceConfigEntry, for_whom: str | None
) -> int | None:
    """Return in whose name something is asked for, with the rights and quota of that account.

    Whoever manages requests in the service may ask for others; an administrator without an
    account there asks in the name of the key's owner.
    """
    trusted, own = await async_trusted(call), caller(call)
    if for_whom is None:
        if trusted:
            return None if own is None else account_of(call.hass, own, entry)
        return _own_account(call, entry)
    person = person_id(call.hass, for_whom)
    account = None if person is None else account_of(call.hass, person, entry)
    if account is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="person_not_mapped",
            translation_placeholders={"person": for_whom, "service": entry.title},
        )
    if not trusted and person != own and not await _async_manages(call, entry):
        raise _not_allowed()
    return account


async def async_person(call: ServiceCall, entity_id: str | None) -> PersonId:
    """Return of whom something is said: of whoever calls, or of the person who is named.

    Only administrators and automations speak for others.
    """
    own = caller(call)
    if entity_id is None:
        if own is None:
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="which_person")
        return own
    person = person_id(call.hass, entity_id)
    if person is None or person not in call.hass.data[BOARD_KEY].people.persons:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="person_not_on_board",
            translation_placeholders={"person": entity_id},
        )
    if person != own and not await async_trusted(call):
        raise _not_allowed()
    return person


async def async_require_manager(call: ServiceCall) -> None:
    """Refuse everybody but administrators, automations, and who manages requests somewhere."""
    if await async_trusted(call):
        return
    for entry in service_entries(call.hass):
        if await _async_manages(call, entry):
            return
    raise _not_allowed()


async def async_approvers(hass: HomeAssistant, service: str | None) -> list[PersonId]:
    """Return the persons who may decide on requests, in any request service or in one.

    Administrators may, and who manages requests in the service. Of a service that cannot be
    asked, it is the administrators.
    """
    accounts = [
        (entry, {one.id for one in await _async_accounts(entry) if one.manages})
        for entry in service_entries(hass)
        if service in (None, entry.entry_id)
    ]
    administrators = set(await async_administrators(hass))
    return [
        person
        for person in hass.data[BOARD_KEY].people.persons
        if user_id_of(hass, person) in administrators
        or any(account_of(hass, person, entry) in managing for entry, managing in accounts)
    ]


async def async_administrators(hass: HomeAssistant) -> list[str]:
    """Return the users who are administrators of Home Assistant."""
    users = await hass.auth.async_get_users()
    return [one.id for one in users if one.is_active and one.is_admin and not one.system_generated]


async def _async_accounts(entry: ServiceConfigEntry) -> Sequence[Account]:
    """Return the accounts of a request service; nothing if it cannot be asked."""
    client = client_of(entry)
    if client is None or not isinstance(client, TakesRequests):
        return ()
    try:
        return await client.accounts()
    except ServiceError:
        # Who cannot be shown to have a right has none.
        return ()


def account_of(hass: HomeAssistant, person: PersonId, entry: ServiceConfigEntry) -> int | None:
    """Return the number of a person's user in a request service."""
    for user in hass.data[BOARD_KEY].people.users_of(person):
        if user.service == entry.entry_id and user.id is not None and user.id.isdecimal():
            return int(user.id)
    return None


def _own_account(call: ServiceCall, entry: ServiceConfigEntry) -> int:
    """Return the account of whoever calls; without one they may do nothing."""
    person = caller(call)
    account = None if person is None else account_of(call.hass, person, entry)
    if account is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="you_are_not_mapped",
            translation_placeholders={"service": entry.title},
        )
    return account


async def _async_manages(call: ServiceCall, entry: ServiceConfigEntry) -> bool:
    """Ask a request service whether whoever calls manages requests there."""
    person = caller(call)
    account = None if person is None else account_of(call.hass, person, entry)
    if account is None:
        return False
    return any(one.id == account and one.manages for one in await _async_accounts(entry))


def _not_allowed() -> HomeAssistantError:
    return ServiceValidationError(translation_domain=DOMAIN, translation_key="not_allowed")
