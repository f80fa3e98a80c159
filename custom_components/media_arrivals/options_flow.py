"""The options: how a service reaches us, when it is checked; what the board keeps."""

from collections.abc import Mapping
from typing import Any, Final

import probatio  # what Home Assistant's own signatures name; see config_flow.py
from homeassistant.components.webhook import async_generate_id
from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .addresses import AddressError, NetworkError, normalise_network, normalise_url
from .const import (
    ASSIST,
    ASSIST_READ,
    CONF_ALLOW_CLOUD,
    CONF_ALLOWED_ADDRESSES,
    CONF_ASSIST,
    CONF_BLUEPRINTS,
    CONF_CALLBACK_URL,
    CONF_FINISHED_DAYS,
    CONF_GENERIC_WEBHOOK,
    CONF_INTERVAL_HOURS,
    CONF_JOURNAL_DAYS,
    CONF_JOURNAL_ROWS,
    CONF_KIND,
    CONF_LOCAL_ONLY,
    CONF_MANUAL_WEBHOOK,
    CONF_POLLING_ONLY,
    CONF_REQUESTER_NAMES,
    CONF_SCHEDULE_ENABLED,
    CONF_TAKE_OVER,
    CONF_TIMELINE_DAYS,
    CONF_WATCH_DATA,
    DEFAULT_FINISHED_DAYS,
    DEFAULT_INTERVAL_HOURS,
    DEFAULT_JOURNAL_DAYS,
    DEFAULT_JOURNAL_ROWS,
    DEFAULT_TIMELINE_DAYS,
    MAX_INTERVAL_HOURS,
    MIN_INTERVAL_HOURS,
)
from .guides import by_hand_url
from .people import People
from .privacy import Privacy, Requesters, Watching
from .registration import (
    addresses,
    generic_addresses,
    generic_values,
    guessed_address,
    manual_values,
)
from .runtime import schedule_enabled, service_entries
from .stuck import HOUR, MINUTE, OPTIONS as STUCK_OPTIONS, default_of

_MODE: Final = "webhook_mode"
_MODES: Final = ("automatic", "manual", "polling_only")
_ACCESS: Final = "access"
_SCHEDULE: Final = "schedule"
_NEW_ADDRESS: Final = "new_address"
_STUCK: Final = "stuck"
_MAX_STUCK: Final = {MINUTE: 7 * 24 * 60, HOUR: 90 * 24}
"""The longest that may be chosen, in units of so many seconds."""
_WHO_MAY: Final = (CONF_LOCAL_ONLY, CONF_ALLOWED_ADDRESSES)
EXAMPLE: Final = "http://192.168.1.10:8123"


def mode_of(options: Mapping[str, Any]) -> str:
    """Return how the options want the webhook to get into the service."""
    if options.get(CONF_POLLING_ONLY):
        return "polling_only"
    return "manual" if options.get(CONF_MANUAL_WEBHOOK) else "automatic"


def _days(maximum: int) -> NumberSelector:
    return _number(1, maximum, "d")


def _number(minimum: int, maximum: int, unit: str | None = None) -> NumberSelector:
    config = NumberSelectorConfig(min=minimum, max=maximum, step=1, mode=NumberSelectorMode.BOX)
    if unit:
        config["unit_of_measurement"] = unit
    return NumberSelector(config)


def _access_section() -> section:
    """Ask who may deliver."""
    return section(
        probatio.Schema(
            {
                probatio.Required(CONF_LOCAL_ONLY, default=False): BooleanSelector(),
                probatio.Optional(CONF_ALLOWED_ADDRESSES, default=list): TextSelector(
                    TextSelectorConfig(multiple=True)
                ),
            }
        ),
        {"collapsed": True},
    )


def _read_access(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return who may deliver. Raises :class:`NetworkError`."""
    access = typed.get(_ACCESS, {})
    return {
        CONF_LOCAL_ONLY: access.get(CONF_LOCAL_ONLY, False),
        CONF_ALLOWED_ADDRESSES: [
            normalise_network(one) for one in access.get(CONF_ALLOWED_ADDRESSES, ()) if one.strip()
        ],
    }


class ServiceOptionsFlow(OptionsFlowWithReload):
    """Options of a service."""

    def __init__(self) -> None:
        """Begin without anything chosen."""
        self._chosen: dict[str, Any] = {}

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Begin with the only form."""
        return await self.async_step_service(user_input)

    async def async_step_service(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for everything."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._chosen, errors = self._read(user_input)
            if not errors:
                if self._chosen[CONF_MANUAL_WEBHOOK]:
                    return await self.async_step_manual()
                return self.async_create_entry(data=self._chosen)
        return self.async_show_form(
            step_id="service",
            data_schema=self.add_suggested_values_to_schema(
                self._schema(), user_input or self._stored()
            ),
            errors=errors,
            description_placeholders={
                "service": self.config_entry.title,
                "addresses": ", ".join(
                    f"`{one}`" for one in addresses(self.hass, self.config_entry)
                )
                or "-",
                "example": guessed_address(self.hass) or EXAMPLE,
            },
        )

    async def async_step_manual(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show what is to be entered in the service."""
        if user_input is not None:
            return self.async_create_entry(data=self._chosen)
        return self.async_show_form(
            step_id="manual",
            data_schema=probatio.Schema({}),
            description_placeholders={
                "service": self.config_entry.title,
                "guide": by_hand_url(self.config_entry.data[CONF_KIND]),
                "values": manual_values(
                    self.hass, self.config_entry, self._chosen.get(CONF_CALLBACK_URL)
                ),
            },
        )

    def _schema(self) -> probatio.Schema:
        fields: dict[probatio.Marker, Any] = {
            probatio.Required(_MODE): SelectSelector(
                SelectSelectorConfig(
                    options=list(_MODES),
                    translation_key="webhook_mode",
                    mode=SelectSelectorMode.LIST,
                )
            ),
            probatio.Optional(CONF_CALLBACK_URL): TextSelector(
                TextSelectorConfig(type=TextSelectorType.URL)
            ),
            probatio.Required(CONF_ALLOW_CLOUD, default=False): BooleanSelector(),
        }
        if self.config_entry.data[CONF_KIND] == "seerr":
            fields[probatio.Required(CONF_TAKE_OVER, default=False)] = BooleanSelector()
        # The front end takes a section's own default for all that is in it: there must be none.
        fields[probatio.Optional(_ACCESS)] = _access_section()
        fields[probatio.Optional(_SCHEDULE)] = section(
            probatio.Schema(
                {
                    probatio.Required(
                        CONF_SCHEDULE_ENABLED, default=schedule_enabled(self.config_entry)
                    ): BooleanSelector(),
                    probatio.Required(
                        CONF_INTERVAL_HOURS,
                        default=DEFAULT_INTERVAL_HOURS[self.config_entry.data[CONF_KIND]],
                    ): _number(MIN_INTERVAL_HOURS, MAX_INTERVAL_HOURS, "h"),
                }
            ),
            {"collapsed": True},
        )
        return probatio.Schema(fields)

    def _stored(self) -> dict[str, Any]:
        """Return the options as the form nests them."""
        options = self.config_entry.options
        schedule = (CONF_SCHEDULE_ENABLED, CONF_INTERVAL_HOURS)
        return {
            **options,
            _MODE: mode_of(options),
            _ACCESS: {key: options[key] for key in _WHO_MAY if key in options},
            _SCHEDULE: {key: options[key] for key in schedule if key in options},
        }

    def _read(self, typed: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the options that the form asks for, and what is wrong with it."""
        errors: dict[str, str] = {}
        schedule = typed.get(_SCHEDULE, {})
        usual_hours = DEFAULT_INTERVAL_HOURS[self.config_entry.data[CONF_KIND]]
        options: dict[str, Any] = {
            CONF_POLLING_ONLY: typed[_MODE] == "polling_only",
            CONF_MANUAL_WEBHOOK: typed[_MODE] == "manual",
            CONF_ALLOW_CLOUD: typed[CONF_ALLOW_CLOUD],
            CONF_TAKE_OVER: typed.get(CONF_TAKE_OVER, False),
            CONF_SCHEDULE_ENABLED: schedule.get(CONF_SCHEDULE_ENABLED, False),
            CONF_INTERVAL_HOURS: int(schedule.get(CONF_INTERVAL_HOURS, usual_hours)),
        }
        try:
            if callback_url := typed.get(CONF_CALLBACK_URL, "").strip():
                options[CONF_CALLBACK_URL] = normalise_url(callback_url)
        except AddressError as err:
            errors[CONF_CALLBACK_URL] = err.key
        try:
            options |= _read_access(typed)
        except NetworkError as err:
            # Home Assistant shows errors at the fields of sections nowhere, so it goes on top.
            errors["base"] = err.key
            options[CONF_LOCAL_ONLY] = False
        if options[CONF_ALLOW_CLOUD] and options[CONF_LOCAL_ONLY]:
            errors["base"] = "cloud_is_not_local"
        return options, errors


class BoardOptionsFlow(OptionsFlowWithReload):
    """Options of the board."""

    def __init__(self) -> None:
        """Begin without anything chosen."""
        self._chosen: dict[str, Any] = {}
        self._new_id: str | None = None

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Begin with the first form."""
        return await self.async_step_board(user_input)

    async def async_step_board(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for everything but the address for all services."""
        if user_input is not None:
            options = self.config_entry.options
            self._chosen = {key: options[key] for key in _WHO_MAY if key in options}
            typed = {**user_input, **user_input.get(_STUCK, {})}
            typed.pop(_STUCK, None)
            # The front end's numbers are floats.
            self._chosen |= {
                key: int(value) if isinstance(value, float) else value
                for key, value in typed.items()
            }
            if self._chosen[CONF_GENERIC_WEBHOOK]:
                return await self.async_step_generic()
            return self.async_create_entry(data=self._chosen)
        options = self.config_entry.options
        # Of requesters, earlier versions kept only yes and no.
        privacy = Privacy.of(options, People())
        stored = {
            **options,
            CONF_REQUESTER_NAMES: privacy.requesters.value,
            CONF_WATCH_DATA: privacy.watching.value,
            _STUCK: {key: options[key] for key in STUCK_OPTIONS if key in options},
        }
        return self.async_show_form(
            step_id="board",
            data_schema=self.add_suggested_values_to_schema(_BOARD_SCHEMA, stored),
        )

    async def async_step_generic(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the address for all services; it opens when this form is sent."""
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                self._chosen |= _read_access(user_input)
            except NetworkError as err:
                errors["base"] = err.key
            else:
                if user_input.get(_NEW_ADDRESS):
                    # The old one stops now, also if this dialog is closed.
                    self._keep(async_generate_id())
                    user_input = None
                else:
                    self._keep(self._webhook_id)
                    return self.async_create_entry(data=self._chosen)
        return self._show_generic(user_input, errors)

    @property
    def _webhook_id(self) -> str:
        """Return the id of the address; of a first one, only this dialog knows yet."""
        if (known := self.config_entry.data.get(CONF_WEBHOOK_ID)) is not None:
            return str(known)
        self._new_id = self._new_id or async_generate_id()
        return self._new_id

    def _keep(self, webhook_id: str) -> None:
        """Keep the id of the address."""
        entry = self.config_entry
        self.hass.config_entries.async_update_entry(
            entry, data={**entry.data, CONF_WEBHOOK_ID: webhook_id}
        )

    def _show_generic(
        self, user_input: dict[str, Any] | None, errors: dict[str, str]
    ) -> ConfigFlowResult:
        """Show the address and what each service needs beside it."""
        entry = self.config_entry
        urls = generic_addresses(self.hass, entry, self._webhook_id)
        services = [one for one in service_entries(self.hass) if not one.disabled_by]
        fields: dict[probatio.Marker, Any] = {}
        if CONF_WEBHOOK_ID in entry.data:
            fields[probatio.Required(_NEW_ADDRESS, default=False)] = BooleanSelector()
        fields[probatio.Optional(_ACCESS)] = _access_section()
        stored = {_ACCESS: {key: self._chosen[key] for key in _WHO_MAY if key in self._chosen}}
        return self.async_show_form(
            step_id="generic",
            data_schema=self.add_suggested_values_to_schema(
                probatio.Schema(fields), user_input or stored
            ),
            errors=errors,
            description_placeholders={
                "addresses": "\n".join(f"- `{url}`" for url in urls),
                "values": generic_values(services, urls[0]),
            },
        )


_BOARD_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(CONF_REQUESTER_NAMES, default=Requesters.HOUSEHOLD.value): SelectSelector(
            SelectSelectorConfig(
                options=[one.value for one in Requesters],
                translation_key=CONF_REQUESTER_NAMES,
                mode=SelectSelectorMode.LIST,
            )
        ),
        probatio.Required(CONF_WATCH_DATA, default=Watching.HOUSEHOLD.value): SelectSelector(
            SelectSelectorConfig(
                options=[one.value for one in Watching],
                translation_key=CONF_WATCH_DATA,
                mode=SelectSelectorMode.LIST,
            )
        ),
        probatio.Required(CONF_FINISHED_DAYS, default=DEFAULT_FINISHED_DAYS): _days(365),
        probatio.Required(CONF_TIMELINE_DAYS, default=DEFAULT_TIMELINE_DAYS): _days(3650),
        probatio.Required(CONF_JOURNAL_DAYS, default=DEFAULT_JOURNAL_DAYS): _days(365),
        probatio.Required(CONF_JOURNAL_ROWS, default=DEFAULT_JOURNAL_ROWS): _number(100, 100_000),
        probatio.Required(CONF_ASSIST, default=ASSIST_READ): SelectSelector(
            SelectSelectorConfig(
                options=list(ASSIST), translation_key=CONF_ASSIST, mode=SelectSelectorMode.LIST
            )
        ),
        # The front end takes a section's own default for all that is in it: there must be none.
        probatio.Optional(_STUCK): section(
            probatio.Schema(
                {
                    probatio.Required(option, default=default_of(option)): _number(
                        1, _MAX_STUCK[unit], "h" if unit == HOUR else "min"
                    )
                    for option, (_, unit) in STUCK_OPTIONS.items()
                }
            ),
            {"collapsed": True},
        ),
        probatio.Required(CONF_BLUEPRINTS, default=True): BooleanSelector(),
        probatio.Required(CONF_GENERIC_WEBHOOK, default=False): BooleanSelector(),
    }
)
