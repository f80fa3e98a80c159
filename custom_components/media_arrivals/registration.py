"""Our webhook in a service: find an address that works, install, prove, keep, remove.

A webhook counts as working only once a test delivery of ours has arrived at our own door:
Home Assistant answers 200 for ids that it does not know, so the sender's word proves nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Final

from homeassistant.components import cloud
from homeassistant.components.webhook import async_generate_path
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.const import CONF_WEBHOOK_ID, EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import instance_id, issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.network import (
    NoURLAvailableError,
    get_supervisor_network_url,
    get_url,
)
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util
from homeassistant.util.package import is_docker_env
from yarl import URL

from .const import (
    CONF_ALLOW_CLOUD,
    CONF_CALLBACK_URL,
    CONF_CLOUDHOOKS,
    CONF_GENERIC_WEBHOOK,
    CONF_KIND,
    CONF_MANUAL_WEBHOOK,
    CONF_POLLING_ONLY,
    CONF_TAKE_OVER,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
    SIGNAL_RECORD,
    WEBHOOK_USERNAME,
)
from .engine.connectors.base import (
    Client,
    InstallsWebhook,
    RemoteWebhook,
    ServiceError,
    TimedOutError,
    WebhookCause,
    WebhookError,
    WebhookState,
    WebhookTarget,
)
from .engine.connectors.tautulli import template
from .guides import learn_more_url
from .listening import Listener
from .missed import PATIENCE
from .neighbours import own_integration
from .runtime import (
    BOARD_KEY,
    BoardRuntime,
    ServiceConfigEntry,
    ServiceRecord,
    WebhookHealth,
    board_entry,
)
from .troubles import async_report_silence, async_silence_is_over

PAUSES: Final = (60.0, 300.0, 900.0, 3600.0)
"""Seconds until the next try; the last one repeats."""
ARRIVAL_SECONDS: Final = 10.0
"""How long a test delivery may take after the service says that it sent it."""
CALL_SECONDS: Final = 30.0
REMOVAL_SECONDS: Final = 10.0
MAX_CLOUDHOOKS: Final = 4
"""Former addresses of the cloud that are known as ours."""
NO_ADDRESS: Final = "http://HOME-ASSISTANT:8123"
"""Stands for an address where none is known."""
CHECK_SECONDS: Final = 900.0
"""Missed events start a check at most this often."""

_SAME_EVERYWHERE: Final = frozenset(
    {
        WebhookCause.CSRF,
        WebhookCause.TAKEN,
        WebhookCause.TAKEN_BY_HOME_ASSISTANT,
        WebhookCause.PLUGIN_MISSING,
        WebhookCause.NEEDS_PLEX_PASS,
        WebhookCause.BY_HAND,
    }
)
"""Causes that another address does not mend."""
_REPAIRS: Final[Mapping[WebhookCause, str]] = {
    WebhookCause.NAME_NOT_FOUND: "webhook_name_not_found",
    WebhookCause.REFUSED: "webhook_refused",
    WebhookCause.TIMEOUT: "webhook_timeout",
    WebhookCause.CERTIFICATE: "webhook_certificate",
    WebhookCause.REDIRECT: "webhook_redirect",
    WebhookCause.UNTRUSTED_PROXY: "webhook_untrusted_proxy",
    WebhookCause.TAKEN_BY_HOME_ASSISTANT: "webhook_taken_by_home_assistant",
    WebhookCause.TAKEN: "webhook_taken",
    WebhookCause.CSRF: "webhook_csrf",
    WebhookCause.PLUGIN_MISSING: "webhook_plugin_missing",
    WebhookCause.NOT_TESTABLE: "webhook_not_testable",
    WebhookCause.BY_HAND: "webhook_by_hand",
    WebhookCause.NOT_ALLOWED: "webhook_not_allowed",
    WebhookCause.NOT_RECEIVED: "webhook_not_received",
    WebhookCause.NO_ADDRESS: "webhook_no_address",
    WebhookCause.OTHER: "webhook_other",
}
"""Cause -> its repair. A Plex account without a Plex Pass has none: nothing is to be mended."""
_TAKEN: Final = frozenset({WebhookCause.TAKEN, WebhookCause.TAKEN_BY_HOME_ASSISTANT})
_ONE_SLOT: Final = frozenset({"seerr"})
"""Kinds of service that have one webhook for everybody."""
_CONTAINER_NETWORKS: Final = (ip_network("172.16.0.0/12"), ip_network("10.88.0.0/16"))
"""Where Docker and Podman take the addresses of containers from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a webhook does not work at an address; nothing in it is secret."""

    cause: WebhookCause
    address: str = "-"
    answer: str = "-"


class Outcome(StrEnum):
    """What a try came to."""

    DONE = "done"
    """The webhook is where the options want it, or waits for the user's hand."""
    FAILED = "failed"
    """It does not work; the record says why."""
    SILENT = "silent"
    """The service itself does not answer, which says nothing about the webhook."""


def issue_id(entry_id: str) -> str:
    """Return the id of the repair issue about an entry's webhook."""
    return f"webhook_{entry_id}"


def guessed_address(hass: HomeAssistant) -> str | None:
    """Return an address that other containers on this machine may reach Home Assistant by.

    It is offered to the user and never used unasked: it may change with every start.
    """
    if supervisor := get_supervisor_network_url(hass):
        return supervisor
    detected = _internal_url(hass)
    return detected if detected and _is_guess(hass, detected) else None


def addresses(hass: HomeAssistant, entry: ConfigEntry) -> tuple[str, ...]:
    """Return the base addresses of Home Assistant to try, best first, without the cloud's."""
    found = [entry.options.get(CONF_CALLBACK_URL)]
    if (internal := _internal_url(hass)) and not _is_guess(hass, internal):
        found.append(internal)
    with suppress(NoURLAvailableError):
        found.append(get_url(hass, allow_internal=False, allow_cloud=False, prefer_external=True))
    return tuple(dict.fromkeys(address.rstrip("/") for address in found if address))


@callback
def async_follow_disabling(hass: HomeAssistant) -> None:
    """Take back what is said of a webhook when its service is disabled: the door is closed."""

    @callback
    def entry_changed(_: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Do it once the entry is unloaded, so that nobody raises the repair again."""
        if (
            entry.domain != DOMAIN
            or not entry.disabled_by
            or entry.state is not ConfigEntryState.NOT_LOADED
        ):
            return
        ir.async_delete_issue(hass, DOMAIN, issue_id(entry.entry_id))
        async_silence_is_over(hass, entry.entry_id)
        runtime = hass.data[BOARD_KEY]
        record = runtime.records.get(entry.entry_id)
        if record is not None and record.webhook is WebhookHealth.WORKING:
            # What it does not tell while it is refused is not missed: it is proven anew.
            runtime.note(entry.entry_id, webhook=WebhookHealth.UNPROVEN, events=())

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, entry_changed)


async def async_delete_cloudhook(hass: HomeAssistant, webhook_id: str) -> None:
    """Delete the cloud's address of a webhook, if it has one."""
    with suppress(cloud.CloudNotAvailable, ValueError):
        await cloud.async_delete_cloudhook(hass, webhook_id)


async def webhook_target(hass: HomeAssistant, entry: ConfigEntry, url: str = "") -> WebhookTarget:
    """Return the webhook of an entry as we want it in the service."""
    return WebhookTarget(
        url=url,
        webhook_id=entry.data[CONF_WEBHOOK_ID],
        username=WEBHOOK_USERNAME,
        secret=entry.data[CONF_WEBHOOK_SECRET],
        instance_id=await instance_id.async_get(hass),
        former=tuple(entry.data.get(CONF_CLOUDHOOKS, ())),
        take_over=entry.options.get(CONF_TAKE_OVER, False),
    )


def webhook_address(hass: HomeAssistant, entry: ConfigEntry, base: str | None = None) -> str:
    """Return the whole address that a service is to call, for the user to see or enter."""
    record = hass.data[BOARD_KEY].records.get(entry.entry_id)
    known = addresses(hass, entry)
    if base is None and record and record.proven_at and record.webhook_address in known:
        base = record.webhook_address
    base = base or (known[0] if known else guessed_address(hass))
    path = async_generate_path(entry.data[CONF_WEBHOOK_ID])
    return f"{base or NO_ADDRESS}{path}"


def manual_values(hass: HomeAssistant, entry: ConfigEntry, base: str | None = None) -> str:
    """Return what the user enters in the service, by the names that it has there."""
    return _values(entry, webhook_address(hass, entry, base))


def open_generic_id(hass: HomeAssistant) -> str | None:
    """Return the id of the address for all services, while it is open."""
    board = board_entry(hass)
    if board is None or not board.options.get(CONF_GENERIC_WEBHOOK):
        return None
    return board.data.get(CONF_WEBHOOK_ID)


def generic_addresses(hass: HomeAssistant, board: ConfigEntry, webhook_id: str) -> tuple[str, ...]:
    """Return the addresses that all services may call, the best for services at home first."""
    bases = list(addresses(hass, board))
    with suppress(NoURLAvailableError):
        bases.append(get_url(hass, require_cloud=True).rstrip("/"))
    if not bases:
        bases.append(guessed_address(hass) or NO_ADDRESS)
    path = async_generate_path(webhook_id)
    return tuple(dict.fromkeys(f"{base}{path}" for base in bases))


def generic_values(services: Iterable[ConfigEntry], address: str) -> str:
    """Return what the user enters in each service, so that it is known by its own secret."""
    return "\n\n".join(f"**{entry.title}**\n\n{_values(entry, address)}" for entry in services)


def _values(entry: ConfigEntry, address: str) -> str:
    """Return what the user enters in the service to have it call an address."""
    secret = entry.data[CONF_WEBHOOK_SECRET]
    target = WebhookTarget(
        url=address,
        webhook_id=entry.data[CONF_WEBHOOK_ID],
        username=WEBHOOK_USERNAME,
        secret=secret,
        instance_id="",
    )
    values: tuple[tuple[str, str], ...]
    match entry.data[CONF_KIND]:
        case "seerr":
            values = (("Webhook URL", address), ("Authorization Header", f"Bearer {secret}"))
        case "plex":
            values = (("URL", address),)
        case "jellyfin":
            values = (
                ("Webhook Url", address),
                (
                    "Notification Type",
                    "Item Added, Item Deleted, Playback Start, Playback Stop, User Data Saved",
                ),
                ("Item Type", "Movies, Episodes, Series, Seasons"),
                ("Send All Properties", "on"),
                ("Add Request Header", f"Authorization: {target.authorization}"),
                ("Add Request Header", "Content-Type: application/json"),
            )
        case "emby":
            values = (
                ("Url", address),
                ("Request content type", "application/json"),
                ("Events", "New Media Added, Playback, Mark Played, Mark Unplayed"),
                ("Limit user events to", "every user"),
            )
        case "tautulli":
            values = (
                ("Webhook URL", address),
                ("Webhook Method", "POST"),
                ("Triggers", "Playback Start, Playback Stop, Watched, Recently Added"),
                ("JSON Headers", template.headers(target)),
                ("JSON Data", template.BODY),
            )
        case _:
            values = (
                ("Webhook URL", address),
                ("Method", "POST"),
                ("Username", WEBHOOK_USERNAME),
                ("Password", secret),
            )
    return "\n".join(f"- {name}: `{value}`" for name, value in values)


def _internal_url(hass: HomeAssistant) -> str | None:
    """Return the internal address: set by the user, else detected."""
    with suppress(NoURLAvailableError):
        return get_url(hass, allow_external=False, allow_cloud=False)
    return None


def _is_guess(hass: HomeAssistant, address: str) -> bool:
    """Tell whether a detected address is a container's own and not the machine's."""
    if hass.config.internal_url or not is_docker_env():
        return False
    detected = ip_address(URL(address).host or "")
    return any(detected in network for network in _CONTAINER_NETWORKS)


def _by_home_assistant(cause: WebhookCause | None) -> WebhookCause | None:
    """Return the cause if it is Home Assistant's own integration."""
    return cause if cause is WebhookCause.TAKEN_BY_HOME_ASSISTANT else None


class Registration:
    """Keeps our webhook in one service. Made freely: it does nothing until told to."""

    def __init__(self, hass: HomeAssistant, entry: ServiceConfigEntry, client: Client) -> None:
        """Keep what is needed."""
        self._hass = hass
        self._entry = entry
        self._client = client if isinstance(client, InstallsWebhook) else None
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._failed_before = False
        self._known: tuple[str, ...] = ()
        self._status: str | None = None
        self._missed = 0
        self._checked_at = 0.0
        self._untestable = False
        """Entered by us, and the service has no test: any delivery proves it."""
        self._awaiting_since = dt_util.utcnow().timestamp()
        self._playing = 0
        self._played_since: float | None = None
        """Since when something is played that an untestable webhook did not tell."""
        self._listener = Listener(hass, entry, client)
        self._task: asyncio.Task[None] | None = None

    # --- life ------------------------------------------------------------------------------

    @callback
    def async_start(self) -> None:
        """Begin once Home Assistant answers; end with the entry."""
        self._known = addresses(self._hass, self._entry)
        self._status = self._record.last_status
        self._missed = self._record.missed
        self._playing = self._record.playing
        self._async_show_silence()
        for stop in (
            async_at_started(self._hass, self._async_begin),
            self._hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, self._async_core_changed),
            cloud.async_listen_connection_change(self._hass, self._async_cloud_changed),
            async_dispatcher_connect(
                self._hass, SIGNAL_RECORD.format(self._entry.entry_id), self._async_record_changed
            ),
            async_dispatcher_connect(
                self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_neighbour_changed
            ),
        ):
            self._entry.async_on_unload(stop)

    @callback
    def _async_begin(self, _: HomeAssistant) -> None:
        self._task = self._entry.async_create_background_task(
            self._hass, self._run(), f"{DOMAIN} webhook {self._entry.entry_id}"
        )

    async def _run(self) -> None:
        """Try until it works, then wait for a reason to look again."""
        tries = 0
        while True:
            self._wake.clear()
            pause: float | None = None
            if await self.async_try() is not Outcome.DONE:
                pause = PAUSES[min(tries, len(PAUSES) - 1)]
                tries += 1
            else:
                tries = 0
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    @callback
    def async_address_changed(self) -> None:
        """Look again: an address, an option or the service is not what it was."""
        self._wake.set()

    @callback
    def _async_core_changed(self, _: Event) -> None:
        found = addresses(self._hass, self._entry)
        if found != self._known:
            self._known = found
            self.async_address_changed()

    @callback
    def _async_cloud_changed(self, state: cloud.CloudConnectionState) -> None:
        if (
            state is cloud.CloudConnectionState.CLOUD_CONNECTED
            and self._entry.options.get(CONF_ALLOW_CLOUD)
            and self._record.webhook is not WebhookHealth.WORKING
        ):
            self.async_address_changed()

    @callback
    def _async_neighbour_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Look again when Home Assistant's own integration comes, which may take our place."""
        if (
            self._one_slot
            and entry.domain == own_integration(self._entry.data[CONF_KIND])
            and (
                change is ConfigEntryChange.REMOVED
                or entry.state in {ConfigEntryState.LOADED, ConfigEntryState.NOT_LOADED}
            )
        ):
            self.async_address_changed()

    @callback
    def _async_record_changed(self) -> None:
        """Look again when the service is back or events went missing (it may have muted us)."""
        record = self._record
        back = record.last_status == "ok" and self._status not in {None, "ok"}
        missed = record.missed > self._missed and (
            self._hass.loop.time() - self._checked_at > CHECK_SECONDS
        )
        self._status = record.last_status
        self._missed = record.missed
        if back or missed:
            self.async_address_changed()
        if (
            (self.by_hand or self._untestable)
            and record.webhook is WebhookHealth.UNPROVEN
            and (record.last_webhook_at or 0.0) > self._awaiting_since
        ):
            self._note(WebhookHealth.WORKING, proven=True)
            self._wake.set()
        self._async_show_silence()
        self._async_follow_playing()

    @callback
    def _async_show_silence(self) -> None:
        """Have a repair while the webhook tells nothing of what polls find."""
        record, now = self._record, dt_util.utcnow().timestamp()
        if record.silent_since is None:
            async_silence_is_over(self._hass, self._entry.entry_id)
        else:
            missed = len(record.recent_misses(now))
            async_report_silence(self._hass, self._entry, missed)

    @callback
    def _async_follow_playing(self) -> None:
        """Say so if something begins to be played, and a webhook without a test does not tell it.

        That is its test: it would have told that at once.
        """
        record, now, before = self._record, dt_util.utcnow().timestamp(), self._playing
        self._playing = record.playing
        if not self._untestable or self.by_hand or record.webhook is not WebhookHealth.UNPROVEN:
            self._played_since = None
        elif self._played_since is None:
            if record.playing > before:
                self._played_since = now
        elif now - self._played_since >= PATIENCE:
            self._played_since = None
            self._runtime.note(self._entry.entry_id, webhook_cause=WebhookCause.NOT_TESTABLE)
            self._async_raise_untold()

    # --- the states --------------------------------------------------------------------------

    async def async_try(self) -> Outcome:
        """Bring the webhook to where the options want it."""
        async with self._lock:
            self._checked_at = self._hass.loop.time()
            try:
                if self._entry.options.get(CONF_POLLING_ONLY):
                    await self._async_do_without()
                elif self.by_hand:
                    await self._async_wait_for_hand()
                elif (failure := await self._async_install()) and (
                    failure.cause is not WebhookCause.NEEDS_PLEX_PASS
                ):
                    return Outcome.FAILED
            except ServiceError, TimeoutError:
                # Its polls tell that already.
                return Outcome.SILENT
            return Outcome.DONE

    async def async_renew(self) -> Outcome:
        """Enter the webhook anew: whatever is wrong with the one that is there is gone with it."""
        if self._client and not self.by_hand:
            try:
                async with self._lock, asyncio.timeout(CALL_SECONDS):
                    await self._client.remove_webhook(await webhook_target(self._hass, self._entry))
            except ServiceError, TimeoutError:
                return Outcome.SILENT
            # Now it is not there: what was proven of the old one does not count.
            self._awaiting_since = dt_util.utcnow().timestamp()
            self._runtime.note(
                self._entry.entry_id,
                webhook=WebhookHealth.UNPROVEN,
                events=(),
                heard_at=dt_util.utcnow().timestamp(),
            )
        return await self.async_try()

    async def async_test(self) -> None:
        """Have a test delivery sent and wait for it. Raises with the reason if none came."""
        title = self._entry.title
        if self._entry.options.get(CONF_POLLING_ONLY):
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="webhook_polling_only",
                translation_placeholders={"service": title},
            )
        if self.by_hand:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="webhook_test_by_hand",
                translation_placeholders={"service": title},
            )
        async with self._lock:
            try:
                failure = await self._async_install()
            except ServiceError as err:
                raise HomeAssistantError(
                    translation_domain=DOMAIN,
                    translation_key="webhook_service_silent",
                    translation_placeholders={
                        "service": title,
                        "answer": err.detail or err.key.replace("_", " "),
                    },
                ) from err
        if failure:
            self._wake.set()
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key=f"webhook_{failure.cause}",
                translation_placeholders={
                    "service": title,
                    "address": failure.address,
                    "answer": failure.answer,
                },
            )
        if self._untestable and self._record.webhook is not WebhookHealth.WORKING:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="webhook_not_testable",
                translation_placeholders={"service": title},
            )

    async def async_remove(self) -> None:
        """Leave nothing behind in the service, the cloud and the repairs. Never raises."""
        ir.async_delete_issue(self._hass, DOMAIN, issue_id(self._entry.entry_id))
        async_silence_is_over(self._hass, self._entry.entry_id)
        with suppress(ServiceError, TimeoutError):
            async with self._lock, asyncio.timeout(REMOVAL_SECONDS):
                if self._client and not self.by_hand:
                    await self._client.remove_webhook(await webhook_target(self._hass, self._entry))
        await async_delete_cloudhook(self._hass, self._entry.data[CONF_WEBHOOK_ID])

    async def _async_install(self) -> Failure | None:
        """Find the first address that works and have the service use it."""
        failures: list[Failure] = []
        tried: list[WebhookTarget] = []
        async for base, url in self._async_candidates():
            tried.append(await webhook_target(self._hass, self._entry, url))
            try:
                try:
                    remote, proven = await self._async_prove(tried[-1])
                finally:
                    await self._async_stop_if_removed(tried[-1])
            except WebhookError as err:
                failures.append(
                    Failure(cause=err.cause, address=base, answer=self._scrub(err.detail))
                )
                if err.cause in _SAME_EVERYWHERE:
                    break
            else:
                self._listener.async_stop()
                self._async_entered(remote, base, proven=proven)
                return None
        first = failures[0] if failures else Failure(cause=WebhookCause.NO_ADDRESS)
        if first.cause not in _SAME_EVERYWHERE:
            await self._async_leave_tidy(tried)
        self._async_failed(first, failures)
        return first

    @callback
    def _async_entered(self, remote: RemoteWebhook, base: str, *, proven: bool) -> None:
        """Remember that it is in the service, and whether it is proven to work."""
        self._untestable = not proven
        known = (
            self._record.webhook is WebhookHealth.WORKING and self._record.webhook_address == base
        )
        if not proven and not known:
            self._awaiting_since = dt_util.utcnow().timestamp()
        health = WebhookHealth.WORKING if proven or known else WebhookHealth.UNPROVEN
        record = self._record
        untold = (
            health is WebhookHealth.UNPROVEN
            and record.webhook_cause is WebhookCause.NOT_TESTABLE
            and record.webhook_address == base
        )
        cause = WebhookCause.NOT_TESTABLE if untold else None
        self._note(health, remote, address=base, proven=proven, cause=cause)
        if untold:
            self._async_raise_untold()

    async def _async_stop_if_removed(self, target: WebhookTarget) -> None:
        """End here if the service was removed meanwhile: nobody takes back what comes now."""
        if self._client and self._entry.entry_id not in self._runtime.records:
            with suppress(ServiceError):
                await self._client.remove_webhook(target)
            raise ServiceError("removed")

    async def _async_prove(self, target: WebhookTarget) -> tuple[RemoteWebhook, bool]:
        """Have the service hold this webhook and send its test, and see that arrive.

        Return the webhook and whether it is proven: not every service has a test.
        """
        assert self._client is not None  # noqa: S101 - without one, the webhook is by hand
        arrived = self._runtime.async_expect_test(self._entry.entry_id)
        try:
            remote = await self._client.install_webhook(target)
            # Installing may have sent a test already.
            if not arrived.done() and not await self._async_send_test(target):
                return remote, False
            async with asyncio.timeout(ARRIVAL_SECONDS):
                await arrived
        except TimeoutError as err:
            raise WebhookError(WebhookCause.NOT_RECEIVED) from err
        finally:
            arrived.cancel()
        return remote, True

    async def _async_send_test(self, target: WebhookTarget) -> bool:
        """Have the test sent; tell whether there is one."""
        assert self._client is not None  # noqa: S101 - see above
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await self._client.test_webhook(target)
        except (TimedOutError, TimeoutError) as err:
            # It answered us a moment ago: now it waits at an address that swallows its call.
            raise WebhookError(WebhookCause.TIMEOUT) from err
        except WebhookError as err:
            if err.cause is WebhookCause.NOT_TESTABLE:
                return False
            raise
        return True

    async def _async_leave_tidy(self, tried: list[WebhookTarget]) -> None:
        """Leave no address in the service that never worked: its calls would fail for nothing."""
        if not self._client or not tried:
            return
        with suppress(WebhookError):
            if self._record.proven_at is None:
                await self._client.remove_webhook(tried[-1])
            elif len(tried) > 1:
                await self._client.install_webhook(tried[0])

    async def _async_candidates(self) -> AsyncIterator[tuple[str, str]]:
        """Yield base and full address of what is to be tried, best first."""
        options = self._entry.options
        bases = list(addresses(self._hass, self._entry))
        # What worked last is tried before what never did, but after the user's own word.
        proven = self._record.webhook_address if self._record.proven_at else None
        if proven in bases and not options.get(CONF_CALLBACK_URL):
            bases.sort(key=lambda base: base != proven)
        path = async_generate_path(self._entry.data[CONF_WEBHOOK_ID])
        for base in bases:
            yield base, f"{base}{path}"
        if options.get(CONF_ALLOW_CLOUD) and cloud.async_active_subscription(self._hass):
            with suppress(cloud.CloudNotAvailable):
                hook = await cloud.async_get_or_create_cloudhook(
                    self._hass, self._entry.data[CONF_WEBHOOK_ID]
                )
                self._remember_cloudhook(hook)
                yield str(URL(hook).origin()), hook

    @callback
    def _remember_cloudhook(self, hook: str) -> None:
        """Keep an address of the cloud: nothing in it shows that it is ours."""
        known: list[str] = self._entry.data.get(CONF_CLOUDHOOKS, [])
        if hook not in known:
            self._hass.config_entries.async_update_entry(
                self._entry,
                data={**self._entry.data, CONF_CLOUDHOOKS: [*known, hook][-MAX_CLOUDHOOKS:]},
            )

    async def _async_do_without(self) -> None:
        """Poll only, as the user wants, and leave no webhook of ours in the service.

        While Home Assistant's own integration has the place, the polls make up for it.
        """
        self._note(WebhookHealth.POLLING_ONLY, cause=_by_home_assistant(self._record.webhook_cause))
        if not self._client:
            return
        async with asyncio.timeout(CALL_SECONDS):
            target = await webhook_target(self._hass, self._entry)
            await self._client.remove_webhook(target)
            if self._one_slot:
                remote = await self._client.read_webhook(target)
                self._note(WebhookHealth.POLLING_ONLY, cause=_by_home_assistant(remote.taken_by))

    async def _async_wait_for_hand(self) -> None:
        """Wait for the webhook that the user enters to deliver something; see what it tells."""
        if self._record.webhook is not WebhookHealth.WORKING:
            self._awaiting_since = dt_util.utcnow().timestamp()
            self._note(WebhookHealth.UNPROVEN)
        elif self._client:
            async with asyncio.timeout(CALL_SECONDS):
                remote = await self._async_read_by_hand(self._client)
            self._note(WebhookHealth.WORKING, remote)

    async def _async_read_by_hand(self, client: InstallsWebhook) -> RemoteWebhook:
        """Read back what the user entered: our address, or the one for all services."""
        target = await webhook_target(self._hass, self._entry)
        remote = await client.read_webhook(target)
        generic_id = open_generic_id(self._hass)
        if generic_id is None or remote.state not in {WebhookState.ABSENT, WebhookState.TAKEN}:
            return remote
        beside = await client.read_webhook(replace(target, webhook_id=generic_id))
        found = beside.state in {WebhookState.REGISTERED, WebhookState.DIFFERENT}
        return beside if found else remote

    # --- telling ---------------------------------------------------------------------------------

    @property
    def _runtime(self) -> BoardRuntime:
        return self._hass.data[BOARD_KEY]

    @property
    def _record(self) -> ServiceRecord:
        return self._runtime.records[self._entry.entry_id]

    @property
    def by_hand(self) -> bool:
        """Tell whether the user enters the webhook, or the service lets nobody else do it."""
        return self._client is None or bool(self._entry.options.get(CONF_MANUAL_WEBHOOK))

    @property
    def _one_slot(self) -> bool:
        """Tell whether others may want the same place."""
        return self._entry.data[CONF_KIND] in _ONE_SLOT

    def _scrub(self, answer: str) -> str:
        """Take our id and secret out of what a sender answered; it likes to repeat addresses."""
        for secret in (self._entry.data[CONF_WEBHOOK_ID], self._entry.data[CONF_WEBHOOK_SECRET]):
            answer = answer.replace(secret, "…")
        return answer[:200] or "-"

    @callback
    def _note(
        self,
        health: WebhookHealth,
        remote: RemoteWebhook | None = None,
        *,
        address: str | None = None,
        proven: bool = False,
        cause: WebhookCause | None = None,
    ) -> None:
        """Remember a state that is no failure; the repair is done, unless there is no test.

        What the service does not tell by webhook, as read back from it, cannot be missed.
        """
        self._failed_before = False
        changes: dict[str, object] = {
            "webhook": health,
            "events": tuple(sorted(remote.events)) if remote else (),
            "remote": remote.state if remote else None,
            "webhook_cause": cause,
            "webhook_detail": None,
        }
        if remote:
            # A test that arrived has lifted it.
            changes["muted"] = remote.muted and not proven
        if self.by_hand:
            changes["tested"] = False
        if address:
            changes["webhook_address"] = address
        if proven:
            changes["proven_at"] = dt_util.utcnow().timestamp()
            changes["tested"] = remote is not None
        self._runtime.note(self._entry.entry_id, **changes)
        if cause is not WebhookCause.NOT_TESTABLE:
            ir.async_delete_issue(self._hass, DOMAIN, issue_id(self._entry.entry_id))

    @callback
    def _async_failed(self, first: Failure, failures: list[Failure]) -> None:
        """Remember why it does not work and raise the repair that mends it.

        What worked until now gets a second chance first: a restart of either side is no fault.
        """
        grace = self._record.webhook is WebhookHealth.WORKING and not self._failed_before
        self._failed_before = True
        if first.cause is WebhookCause.NEEDS_PLEX_PASS:
            # Nothing that could be mended here: the server tells us another way.
            self._note(WebhookHealth.POLLING_ONLY, cause=first.cause)
            self._listener.async_start()
            return
        self._runtime.note(
            self._entry.entry_id,
            webhook=WebhookHealth.UNPROVEN if grace else WebhookHealth.FAILED,
            events=(),
            remote=WebhookState.TAKEN if first.cause in _TAKEN else None,
            webhook_cause=first.cause,
            webhook_detail=first.answer,
            webhook_address=first.address if failures else None,
        )
        if not grace:
            self._async_raise(first, failures)

    @callback
    def _async_raise_untold(self) -> None:
        """Raise the repair of a webhook that cannot be tested, and did not tell what it should."""
        address = self._record.webhook_address or "-"
        failure = Failure(cause=WebhookCause.NOT_TESTABLE, address=address)
        self._async_raise(failure, [failure])

    @callback
    def _async_raise(self, first: Failure, failures: list[Failure]) -> None:
        """Raise the repair that mends it."""
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id(self._entry.entry_id),
            is_fixable=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key=_REPAIRS[first.cause],
            learn_more_url=learn_more_url(_REPAIRS[first.cause]),
            translation_placeholders={
                "service": self._entry.title,
                "address": first.address,
                "answer": first.answer,
                "tried": "\n".join(f"- `{one.address}`: {one.answer}" for one in failures) or "-",
            },
            data={"entry_id": self._entry.entry_id, "cause": str(first.cause)},
        )
