"""Conditions: where arrivals stand, whether something downloads, whether webhooks work."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, Unpack, cast, override

import probatio
from homeassistant.const import CONF_OPTIONS
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConditionErrorMessage, TemplateError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.condition import (
    Condition,
    ConditionCheckParams,
    ConditionConfig,
    condition_trace_update_result,
)
from homeassistant.helpers.template import Template
from homeassistant.helpers.typing import ConfigType, TemplateVarsType

from .engine.board.board import Board
from .engine.board.models import Arrival, DownloadState, ExternalIds, MediaType, Stage
from .filters import (
    A_NAME,
    A_PERSON,
    A_TIER,
    A_TYPE,
    STAGES,
    Filter,
    check_options,
    why_private,
)
from .records import WebhookHealth
from .runtime import BOARD_KEY, BoardRuntime, service_entries
from .services import ATTR_PERSON, ATTR_REQUESTER, ATTR_STAGE
from .targets import (
    ATTR_ARRIVAL_ID,
    ATTR_IMDB_ID,
    ATTR_SEASON,
    ATTR_SERVICE,
    ATTR_TIER,
    ATTR_TMDB_ID,
    ATTR_TVDB_ID,
    ATTR_TYPE,
)
from .webhook_watch import webhook_works

_EXTERNAL: Final = (ATTR_TMDB_ID, ATTR_TVDB_ID, ATTR_IMDB_ID)
_IDS: Final = (ATTR_ARRIVAL_ID, *_EXTERNAL)

ONE_ID: Final = f"name the arrival by one of {', '.join(_IDS)}, and not by several"
ID_NEEDS_TYPE: Final = f"films and series may have the same id; add {ATTR_TYPE}"
FILM_WITH_SEASON: Final = f"a film has no {ATTR_SEASON}; leave it out"

type Options = Mapping[str, Any]
type Fields = Mapping[probatio.Marker, Any]


def _one_arrival(options: Options) -> Options:
    """Refuse ids that contradict each other or may mean something else."""
    given = [name for name in _IDS if name in options]
    if len(given) > 1:
        raise probatio.Invalid(ONE_ID, path=given[1:2])
    if given and given[0] in _EXTERNAL and ATTR_TYPE not in options:
        raise probatio.Invalid(ID_NEEDS_TYPE, path=given)
    if ATTR_SEASON in options and options.get(ATTR_TYPE) is MediaType.MOVIE:
        raise probatio.Invalid(FILM_WITH_SEASON, path=[ATTR_SEASON])
    return options


class BoardCondition(Condition):
    """Is checked against what is on the board now."""

    fields: ClassVar[Fields]

    @override
    @classmethod
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Refuse options that cannot be meant."""
        options = probatio.All(dict(cls.fields), _one_arrival)
        schema = probatio.Schema({probatio.Required(CONF_OPTIONS, default=dict): options})
        config = cast("ConfigType", schema(config))
        check_options(hass, config[CONF_OPTIONS])
        return config

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        super().__init__(hass, config)
        self._options = config.options or {}
        self._filter = Filter.of(hass, self._options)

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        """Check it, if the board is there and may be asked."""
        runtime = self._hass.data.get(BOARD_KEY)
        if runtime is None:
            condition_trace_update_result(message="Media Arrivals is not set up")
            return False
        if private := why_private(self._hass, self._options):
            condition_trace_update_result(message=private)
            return False
        return self.holds(runtime, kwargs.get("variables"))

    @abstractmethod
    def holds(self, runtime: BoardRuntime, variables: TemplateVarsType) -> bool:
        """Tell whether it is so."""


class ArrivalIsInStage(BoardCondition):
    """Passes if an arrival that is meant is in one of the stages."""

    fields: ClassVar[Fields] = {
        probatio.Required(ATTR_STAGE): STAGES,
        probatio.Optional(ATTR_ARRIVAL_ID): cv.template,
        probatio.Optional(ATTR_TMDB_ID): cv.positive_int,
        probatio.Optional(ATTR_TVDB_ID): cv.positive_int,
        probatio.Optional(ATTR_IMDB_ID): cv.string,
        probatio.Optional(ATTR_TYPE): A_TYPE,
        probatio.Optional(ATTR_SEASON): cv.positive_int,
        probatio.Optional(ATTR_TIER): A_TIER,
        probatio.Optional(ATTR_PERSON): A_PERSON,
        probatio.Optional(ATTR_REQUESTER): A_NAME,
        probatio.Optional(ATTR_SERVICE): cv.string,
    }

    @override
    def holds(self, runtime: BoardRuntime, variables: TemplateVarsType) -> bool:
        """Look at the arrivals that can be meant."""
        stages, season = self._options[ATTR_STAGE], self._options.get(ATTR_SEASON)
        return any(
            arrival.stage in stages
            and season in (None, arrival.season)
            and self._filter.covers(runtime.board, arrival)
            for arrival in self._named(runtime.board, variables)
        )

    def _named(self, board: Board, variables: TemplateVarsType) -> Iterable[Arrival]:
        """Return the arrivals that the ids name; all, if there is no id."""
        ids = ExternalIds(
            tmdb=self._options.get(ATTR_TMDB_ID),
            tvdb=self._options.get(ATTR_TVDB_ID),
            imdb=self._options.get(ATTR_IMDB_ID),
        )
        if ids:
            title = board.find(self._options[ATTR_TYPE], ids)
            return board.arrivals_of(title.id) if title is not None else ()
        template: Template | None = self._options.get(ATTR_ARRIVAL_ID)
        if template is None:
            return board.arrivals()
        try:
            arrival_id = template.async_render(variables, parse_result=False)
        except TemplateError as err:
            raise ConditionErrorMessage(ATTR_ARRIVAL_ID, str(err)) from err
        arrival = board.get(arrival_id)
        return () if arrival is None else (arrival,)


class SomethingIsDownloading(BoardCondition):
    """Passes if something that is meant is downloading."""

    fields: ClassVar[Fields] = {
        probatio.Optional(ATTR_TYPE): A_TYPE,
        probatio.Optional(ATTR_TIER): A_TIER,
        probatio.Optional(ATTR_SERVICE): cv.string,
        probatio.Optional(ATTR_PERSON): A_PERSON,
        probatio.Optional(ATTR_REQUESTER): A_NAME,
    }

    @override
    def holds(self, runtime: BoardRuntime, variables: TemplateVarsType) -> bool:
        """Look at the arrivals that are downloading, or have an episode that does."""
        return any(
            _is_downloading(arrival, self._options.get(ATTR_SERVICE))
            and self._filter.covers(runtime.board, arrival)
            for arrival in runtime.board.arrivals()
        )


def _is_downloading(arrival: Arrival, service: str | None) -> bool:
    """Tell whether an arrival or an episode of it is downloading, in this service."""
    parts = (arrival.whole, *arrival.parts.values())
    if Stage.DOWNLOADING not in {arrival.stage, *(part.stage for part in parts)}:
        return False
    return service is None or any(
        claims.download is not None and claims.download.state is DownloadState.DOWNLOADING
        for part in parts
        for claims in part.claims
        if claims.service == service
    )


class WebhooksWork(BoardCondition):
    """Passes if the webhook of a service works, or those of all that want one."""

    fields: ClassVar[Fields] = {probatio.Optional(ATTR_SERVICE): cv.string}

    @override
    def holds(self, runtime: BoardRuntime, variables: TemplateVarsType) -> bool:
        """Look at what is remembered of the services."""
        chosen = self._options.get(ATTR_SERVICE)
        asked = (
            [chosen]
            if chosen is not None
            else [
                entry.entry_id
                for entry in service_entries(self._hass)
                if not entry.disabled_by
                and (record := runtime.records.get(entry.entry_id)) is not None
                and record.webhook is not WebhookHealth.POLLING_ONLY
            ]
        )
        return bool(asked) and all(webhook_works(self._hass, one) for one in asked)


CONDITIONS: Final[dict[str, type[Condition]]] = {
    "arrival_is_in_stage": ArrivalIsInStage,
    "something_is_downloading": SomethingIsDownloading,
    "webhooks_work": WebhooksWork,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions."""
    return CONDITIONS
