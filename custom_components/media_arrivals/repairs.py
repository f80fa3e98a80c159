"""Repairs that the user can do here: a webhook that does not work, titles that vanished."""

import time
from collections.abc import Mapping
from typing import Any, Final

import probatio  # what Home Assistant's own signatures name; see config_flow.py
from homeassistant.components import cloud
from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .addresses import AddressError, normalise_url
from .const import (
    CONF_ALLOW_CLOUD,
    CONF_CALLBACK_URL,
    CONF_KIND,
    CONF_LOCAL_ONLY,
    CONF_MANUAL_WEBHOOK,
    CONF_POLLING_ONLY,
    CONF_TAKE_OVER,
    DOMAIN,
)
from .engine.board.models import Question, QuestionKind
from .engine.connectors.base import WebhookCause
from .guides import by_hand_url
from .records import ServiceRecord, WebhookHealth
from .registration import Outcome, guessed_address, issue_id, manual_values
from .runtime import BOARD_KEY, ServiceConfigEntry
from .troubles import SILENT

_REMEDY: Final = "remedy"
_TAKEN: Final = frozenset({WebhookCause.TAKEN, WebhookCause.TAKEN_BY_HOME_ASSISTANT})
_NO_MATTER_WHERE: Final = _TAKEN | {
    WebhookCause.CSRF,
    WebhookCause.PLUGIN_MISSING,
    WebhookCause.BY_HAND,
}
_CHANGES: Final[Mapping[str, Mapping[str, bool]]] = {
    "address": {},
    "retry": {},
    "take_over": {CONF_TAKE_OVER: True},
    "cloud": {CONF_ALLOW_CLOUD: True},
    "manual": {CONF_MANUAL_WEBHOOK: True, CONF_POLLING_ONLY: False},
    "polling_only": {CONF_POLLING_ONLY: True, CONF_MANUAL_WEBHOOK: False},
}
"""Remedy -> the options that it sets."""


async def async_create_fix_flow(
    hass: HomeAssistant,
    issue_id: str,
    data: dict[str, str | int | float | None] | None,
) -> RepairsFlow:
    """Return the flow that mends a webhook, or that has a media server believed."""
    entry = hass.config_entries.async_get_known_entry(str((data or {})["entry_id"]))
    if (data or {}).get("vanished"):
        return VanishedRepairFlow(entry)
    if (data or {}).get(SILENT):
        return SilentRepairFlow(entry)
    return WebhookRepairFlow(entry, WebhookCause(str((data or {})["cause"])))


class VanishedRepairFlow(RepairsFlow):
    """Has a media server believed from which much vanished at once."""

    def __init__(self, entry: ServiceConfigEntry) -> None:
        """Keep what it is about."""
        self._entry = entry

    async def async_step_init(self, _: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Begin; what arrives here is the issue's id and nothing that was typed."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask whether it was deleted; then it is looked at once more, and counts."""
        if user_input is not None:
            runtime, service_id = self.hass.data[BOARD_KEY], self._entry.entry_id
            questions = [
                Question(
                    service=service_id,
                    kind=QuestionKind.AVAILABILITY,
                    title=title,
                    seasons=seasons,
                )
                for title, seasons in runtime.absences.confirm(service_id)
            ]
            await runtime.apply((), service=service_id, questions=questions)
            return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="confirm",
            data_schema=probatio.Schema({}),
            description_placeholders={"service": self._entry.title},
        )


class SilentRepairFlow(RepairsFlow):
    """Has a webhook entered anew that tells nothing, and says what came of it."""

    def __init__(self, entry: ServiceConfigEntry) -> None:
        """Keep what it is about."""
        self._entry = entry
        self._begun = time.time()

    async def async_step_init(self, _: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Begin; what arrives here is the issue's id and nothing that was typed."""
        by_hand = self._entry.options.get(CONF_MANUAL_WEBHOOK) or (
            self._loaded and self._entry.runtime_data.registration.by_hand
        )
        return await (self.async_step_by_hand() if by_hand else self.async_step_renew())

    async def async_step_renew(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Enter it anew and have it tested."""
        errors: dict[str, str] = {}
        if user_input is not None and not self._loaded:
            errors["base"] = "service_silent"
        elif user_input is not None:
            outcome = await self._entry.runtime_data.registration.async_renew()
            if outcome is Outcome.DONE:
                if self._record.webhook is not WebhookHealth.WORKING:
                    return await self.async_step_play()
                return await self.async_step_arrived()
            errors["base"] = "still_failing" if outcome is Outcome.FAILED else "service_silent"
        return self.async_show_form(
            step_id="renew",
            data_schema=probatio.Schema({}),
            errors=errors,
            description_placeholders=self._placeholders(),
        )

    async def async_step_by_hand(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Have the user send the test, and look whether it arrived."""
        errors: dict[str, str] = {}
        if user_input is not None:
            if (self._record.last_webhook_at or 0.0) > self._begun:
                self.hass.data[BOARD_KEY].note(
                    self._entry.entry_id, heard_at=time.time(), silent_since=None
                )
                return await self.async_step_arrived()
            errors["base"] = "nothing_arrived"
        return self.async_show_form(
            step_id="by_hand",
            data_schema=probatio.Schema({}),
            errors=errors,
            description_placeholders=self._placeholders(),
        )

    async def async_step_arrived(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Say that the test arrived."""
        if user_input is not None:
            return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="arrived",
            data_schema=probatio.Schema({}),
            description_placeholders=self._placeholders(),
        )

    async def async_step_play(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Say that it is entered anew, and how it is proven: there is no test."""
        if user_input is not None:
            return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="play",
            data_schema=probatio.Schema({}),
            description_placeholders=self._placeholders(),
        )

    def _placeholders(self) -> dict[str, str]:
        """Return what the texts mention."""
        record = self._record
        return {
            "service": self._entry.title,
            "missed": str(len(record.recent_misses(time.time()))),
            "address": record.webhook_address or "-",
            "answer": record.webhook_detail or "-",
            "values": manual_values(self.hass, self._entry),
        }

    @property
    def _loaded(self) -> bool:
        return self._entry.state is ConfigEntryState.LOADED

    @property
    def _record(self) -> ServiceRecord:
        return self.hass.data[BOARD_KEY].records[self._entry.entry_id]


class WebhookRepairFlow(RepairsFlow):
    """Offers what helps against one cause, does it, and says whether it did help."""

    def __init__(self, entry: ServiceConfigEntry, cause: WebhookCause) -> None:
        """Keep what it is about."""
        self._entry = entry
        self._cause = cause

    async def async_step_init(self, _: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Begin; what arrives here is the issue's id and nothing that was typed."""
        return await self.async_step_remedy()

    async def async_step_remedy(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask what to do, and do it."""
        errors: dict[str, str] = {}
        if user_input is not None:
            remedy = user_input[_REMEDY]
            if remedy == "manual":
                return await self.async_step_manual()
            changes: dict[str, Any] = dict(_CHANGES[remedy])
            if remedy == "address":
                try:
                    changes[CONF_CALLBACK_URL] = normalise_url(
                        user_input.get(CONF_CALLBACK_URL, "")
                    )
                except AddressError as err:
                    errors[CONF_CALLBACK_URL] = err.key
            if not errors:
                outcome = await self._async_apply(changes)
                if outcome is Outcome.DONE or remedy == "polling_only":
                    return self.async_create_entry(data={})
                errors["base"] = "still_failing" if outcome is Outcome.FAILED else "service_silent"
                record = self.hass.data[BOARD_KEY].records[self._entry.entry_id]
                self._cause = record.webhook_cause or self._cause
        return self.async_show_form(
            step_id="remedy",
            data_schema=self.add_suggested_values_to_schema(
                self._schema(),
                user_input or {CONF_CALLBACK_URL: guessed_address(self.hass) or ""},
            ),
            errors=errors,
            description_placeholders=self._placeholders(),
        )

    async def async_step_manual(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Show what is to be entered in the service, then wait for its first delivery."""
        if user_input is not None:
            await self._async_apply(_CHANGES["manual"])
            return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="manual",
            data_schema=probatio.Schema({}),
            description_placeholders={
                **self._placeholders(),
                "guide": by_hand_url(self._entry.data[CONF_KIND]),
                "values": manual_values(self.hass, self._entry),
            },
        )

    def _schema(self) -> probatio.Schema:
        remedies = ["retry", "address", "cloud", "take_over", "manual", "polling_only"]
        options = self._entry.options
        if self._cause in _NO_MATTER_WHERE:
            remedies.remove("address")
        if self._cause not in _TAKEN:
            remedies.remove("take_over")
        if self._cause is WebhookCause.BY_HAND:
            remedies = ["manual", *(one for one in remedies if one != "manual")]
        if (
            self._cause in _NO_MATTER_WHERE
            or options.get(CONF_ALLOW_CLOUD)
            or options.get(CONF_LOCAL_ONLY)
            or not cloud.async_active_subscription(self.hass)
        ):
            remedies.remove("cloud")
        fields: dict[probatio.Marker, Any] = {
            probatio.Required(_REMEDY, default=remedies[0]): SelectSelector(
                SelectSelectorConfig(
                    options=remedies,
                    translation_key="webhook_remedy",
                    mode=SelectSelectorMode.LIST,
                )
            )
        }
        if "address" in remedies:
            fields[probatio.Optional(CONF_CALLBACK_URL)] = TextSelector(
                TextSelectorConfig(type=TextSelectorType.URL)
            )
        return probatio.Schema(fields)

    async def _async_apply(self, changes: Mapping[str, Any]) -> Outcome:
        """Set the options and try at once; an entry that is not loaded tries when it is."""
        self.hass.config_entries.async_update_entry(
            self._entry, options={**self._entry.options, **changes}
        )
        if self._entry.state is not ConfigEntryState.LOADED:
            return Outcome.DONE
        return await self._entry.runtime_data.registration.async_try()

    def _placeholders(self) -> dict[str, str]:
        """Return what the repair says, as of the last try."""
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, issue_id(self._entry.entry_id))
        return dict((issue and issue.translation_placeholders) or {})
