"""Brings what is stored of people in line with what may be kept, and forgets who asks for it."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntry, ConfigEntryChange
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from .const import DOMAIN
from .engine.board.models import Person, Role, Service
from .engine.connectors.registry import decoder
from .engine.storage.models import StorageError
from .engine.storage.storage import Storage
from .guides import learn_more_url
from .people import PersonId, user_id_of
from .privacy import NOTE, OF_WATCHING, Privacy, Requesters, Watching, named_in, without_people
from .troubles import async_report_trouble

if TYPE_CHECKING:
    from .runtime import BoardRuntime

_LOGGER = logging.getLogger(__name__)

DOCUMENT: Final = "privacy"
"""Where it is noted what the stored data are in line with."""
_MARK: Final = "mark"
DELETING: Final = "deleting_personal_data"


@dataclass(slots=True)
class Progress:
    """How far it is, for everybody to see as a repair."""

    hass: HomeAssistant
    total: int
    done: int = 0
    shown: int | None = None

    def note(self, rows: int) -> None:
        """Take what was looked at."""
        self.done = min(self.total, self.done + rows)
        percent = 100 * self.done // max(1, self.total)
        if percent != self.shown:
            self.shown = percent
            ir.async_create_issue(
                self.hass,
                DOMAIN,
                DELETING,
                is_fixable=False,
                severity=ir.IssueSeverity.WARNING,
                translation_key=DELETING,
                learn_more_url=learn_more_url(DELETING),
                translation_placeholders={"percent": str(percent)},
            )

    def end(self) -> None:
        """Show it no more."""
        ir.async_delete_issue(self.hass, DOMAIN, DELETING)


class Screening:
    """Looks through everything once after a change of the options or of the people map."""

    def __init__(self, hass: HomeAssistant, runtime: BoardRuntime) -> None:
        self.hass = hass
        self._runtime = runtime
        self._mark: str | None = None
        """What the stored data are in line with."""
        self._task: asyncio.Task[None] | None = None

    def restore(self, document: Mapping[str, Any] | None) -> None:
        """Take up what the last run noted."""
        mark = (document or {}).get(_MARK)
        self._mark = mark if isinstance(mark, str) else None

    @callback
    def async_follow(self) -> None:
        """Look whenever an entry changed."""

        @callback
        def changed(_: ConfigEntryChange, entry: ConfigEntry) -> None:
            if entry.domain == DOMAIN:
                self.async_look()

        async_dispatcher_connect(self.hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)

    @callback
    def async_look(self) -> None:
        """Begin, if something else may be kept than what is."""
        idle = self._task is None or self._task.done()
        if idle and self._runtime.storage is not None and self._mark != self._runtime.privacy.mark:
            self._task = self.hass.async_create_background_task(
                self._work(), f"{DOMAIN} screening", eager_start=False
            )

    async def async_settle(self) -> None:
        """Wait until it is done."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def async_stop(self) -> None:
        """Leave the rest to the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def _work(self) -> None:
        """Go through everything until nothing changed meanwhile."""
        while (
            privacy := self._runtime.privacy
        ).mark != self._mark and self._runtime.storage is not None:
            try:
                await self._screen(privacy, self._runtime.storage)
            except StorageError as err:
                # The next start, or the next change, tries again.
                async_report_trouble(self.hass, err)
                return

    async def _screen(self, privacy: Privacy, storage: Storage) -> None:
        """Go through everything once."""
        worker = self._runtime.worker
        # What was delivered before is worked off from what is in the journal.
        await worker.async_settle()
        progress = Progress(self.hass, await storage.size())
        changed = 0
        off = privacy.watching is Watching.OFF or privacy.requesters is Requesters.OFF
        show: Callable[[int], None] = progress.note if off else lambda _: None
        try:
            for service in self._runtime.board.services.values():
                if service.role in OF_WATCHING:
                    # Whether it is shown how much is played depends on it.
                    self._runtime.book.signal(service.id)
            changed += await worker.async_screen_viewers(privacy.viewer)
            changed += await storage.screen_viewers(privacy.viewer, show)
            # What came back to the board meanwhile.
            changed += await worker.async_screen_viewers(privacy.viewer)
            if privacy.requesters is Requesters.OFF:
                changed += await worker.async_forget_requesters(_everybody)
                changed += await storage.forget_requesters(_everybody, show)
            changed += await self._screen_journal(privacy, storage, show)
            if changed:
                await storage.wipe()
            await storage.records.save(DOCUMENT, {_MARK: privacy.mark})
        finally:
            progress.end()
        self._mark = privacy.mark
        _LOGGER.debug("What is stored of people is in line with the options: %s changed", changed)

    async def _screen_journal(
        self, privacy: Privacy, storage: Storage, show: Callable[[int], None]
    ) -> int:
        """Go through what is kept of deliveries."""
        services = dict(self._runtime.board.services)
        watched = [one.id for one in services.values() if privacy.screens(one)]

        def payload(service: str, event: str, old: str) -> str:
            return old if old == NOTE else privacy.screen(services[service], event, old)

        return await storage.journal.screen(watched, payload, show)


def _everybody(_service: str, _requester: Person) -> bool:
    return True


# --- forgetting one person --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """Who is to be forgotten: everything by which they may be known."""

    viewers: frozenset[str] = frozenset()
    names: set[str] = field(default_factory=set)
    """Names of requesters, case-folded; those of the person's users are added as they are met."""
    person: PersonId | None = None
    user_id: str | None = None
    """As whom they sign in to Home Assistant."""

    @classmethod
    def of(
        cls,
        hass: HomeAssistant,
        privacy: Privacy,
        *,
        person: PersonId | None,
        viewer: str | None,
        name: str | None,
    ) -> Whom:
        """Say who it is."""
        viewers = {viewer} if viewer is not None else set()
        if person is not None:
            viewers |= privacy.people.viewers_of(person)
        return cls(
            viewers=frozenset(viewers),
            names=set() if name is None else {name.casefold()},
            person=person,
            user_id=None if person is None else user_id_of(hass, person),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """Of how many things a person was forgotten."""

    arrivals: int
    requests: int
    deliveries: int
    steps: int


async def async_forget(runtime: BoardRuntime, whom: Whom, context: Context) -> Forgotten:
    """Forget what somebody watched, asked for and did. Raises `StorageError`."""
    worker, storage, people = runtime.worker, runtime.storage, runtime.people
    await worker.async_settle()

    def viewer(one: str) -> str | None:
        return None if one in whom.viewers else one

    def theirs(service: str, requester: Person) -> bool:
        folded = requester.name.casefold()
        if folded in whom.names:
            return True
        if whom.person is None or people.person_of(service, requester) != whom.person:
            return False
        # Deliveries have only the name.
        whom.names.add(folded)
        return True

    if whom.person is not None:
        whom.names.update(
            user.name.casefold()
            for user in people.users_of(whom.person)
            if (service := runtime.board.services.get(user.service)) is not None
            and service.role is Role.REQUESTS
        )
    arrivals = await worker.async_screen_viewers(viewer, context)
    requests = await worker.async_forget_requesters(theirs, context)
    deliveries = steps = 0
    if whom.person is not None:
        arrivals += await worker.async_forget_follower(whom.person, context)
    if storage is not None:
        if whom.person is not None:
            arrivals += await storage.forget_follower(whom.person)
        arrivals += await storage.screen_viewers(viewer)
        # What came back to the board meanwhile.
        arrivals += await worker.async_screen_viewers(viewer, context)
        requests += await storage.forget_requesters(theirs)
        requests += await worker.async_forget_requesters(theirs, context)
        services = dict(runtime.board.services)

        def payload(service: str, event: str, old: str) -> str:
            return _without(whom, services[service], event, old)

        among = [one.id for one in services.values() if decoder(one.kind).people_at]
        deliveries = await storage.journal.screen(among, payload)
        if whom.user_id is not None:
            steps = await storage.forget_user(whom.user_id)
        await storage.wipe()
    return Forgotten(arrivals=arrivals, requests=requests, deliveries=deliveries, steps=steps)


def _without(whom: Whom, service: Service, event: str, payload: str) -> str:
    """Return what is kept of a delivery after somebody is forgotten."""
    reader = decoder(service.kind)
    document, told = named_in(reader, payload)
    if document is None:
        # It was cut: nobody can say who is in it.
        return NOTE
    if service.role in OF_WATCHING:
        if not any(reader.viewer(service, one) in whom.viewers for one in told):
            return payload
        return NOTE if reader.of_watching(event) else without_people(reader, document, payload)
    if any(isinstance(one, str) and one.casefold() in whom.names for one in told):
        return without_people(reader, document, payload)
    return payload
