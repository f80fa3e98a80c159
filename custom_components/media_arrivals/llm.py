"""Tools for assistants: where a title is, what came, what there is to ask for, asking for it.

Nobody's name is in what they answer: anybody in the room may have asked.
"""

from collections.abc import Mapping
from typing import Any, Final, override

import probatio
from homeassistant.components.llm import LLMTools
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.llm import (
    LLM_API_ASSIST,
    LLMContext,
    Tool,
    ToolAnnotations,
    ToolInput,
    ToolResult,
)

from .acting import (
    ACTION_REQUEST_MEDIA,
    ACTION_SEARCH_MEDIA,
    ATTR_LIMIT,
    ATTR_SEASONS,
    ATTR_TEXT,
)
from .const import ASSIST_OFF, ASSIST_READ, ASSIST_REQUEST, CONF_ASSIST, DOMAIN
from .engine.board.models import Arrival, MediaType, Stage, Title
from .engine.connectors.acting import TakesRequests
from .engine.storage.models import StorageError
from .lookup import Search, find_arrivals
from .presenter import Document, iso_time
from .runtime import BOARD_KEY
from .targets import ATTR_TIER, ATTR_TMDB_ID, ATTR_TYPE

ATTR_TITLE: Final = "title"
ATTR_STATUS: Final = "status"
ATTR_YEAR: Final = "year"

MOST: Final = 20
MAX_TEXT: Final = 255

_STATUSES: Final[Mapping[str, frozenset[Stage]]] = {
    "waiting_for_approval": frozenset({Stage.REQUESTED}),
    "on_the_way": frozenset({Stage.APPROVED, Stage.SENT, Stage.DOWNLOADING, Stage.DOWNLOADED}),
    "available": frozenset({Stage.AVAILABLE}),
    "failed": frozenset({Stage.FAILED}),
}
_TEXT: Final = probatio.All(str, probatio.Length(min=1, max=MAX_TEXT))
_TYPE: Final = probatio.In([one.value for one in MediaType])
_READS: Final = ToolAnnotations(
    read_only=True, destructive=False, idempotent=True, open_world=False
)


class FindArrivalsTool(Tool):
    """Says where titles are on their way."""

    name = f"{DOMAIN}__find_arrivals"
    title = "Find films and series on their way"
    description = (
        "Find films and series that the household asked for, and how far they are: requested,"
        " approved, sent, downloading, downloaded, available, declined, failed, removed. Use it for"
        " 'Where is the film I asked for?', 'What arrived?', 'What is downloading?', 'What is"
        " stuck?' (see problem). The newest come first."
    )
    parameters = probatio.Schema(
        {
            probatio.Optional(ATTR_TITLE, description="Words of the title; leave out for all"): (
                _TEXT
            ),
            probatio.Optional(
                ATTR_STATUS, description="Only those that are so far; leave out for all"
            ): probatio.In(list(_STATUSES)),
            probatio.Optional(ATTR_TYPE): _TYPE,
        }
    )
    annotations = _READS
    integration = DOMAIN

    @override
    async def async_call(
        self, hass: HomeAssistant, tool_input: ToolInput, llm_context: LLMContext
    ) -> ToolResult:
        """Find arrivals in what is stored."""
        asked = self.parameters(tool_input.tool_args)
        runtime = hass.data[BOARD_KEY]
        search = Search(
            stages=_STATUSES[asked[ATTR_STATUS]] if ATTR_STATUS in asked else None,
            media_type=MediaType(asked[ATTR_TYPE]) if ATTR_TYPE in asked else None,
            text=asked.get(ATTR_TITLE),
        )
        try:
            found = await find_arrivals(
                runtime.storage, runtime.board, search, limit=MOST, offset=0
            )
        except StorageError:
            return _error("The board cannot be read now.")
        return ToolResult(
            data={
                "total": found.total,
                "arrivals": [
                    _brief(arrival, found.titles[arrival.title_id]) for arrival in found.arrivals
                ],
            }
        )


class SearchMediaTool(Tool):
    """Finds what there is to ask for."""

    name = f"{DOMAIN}__search_media"
    title = "Search films and series"
    description = (
        "Search all films and series there are by title, also those that nobody here asked for, and"
        " see whether the household has or requested them."
    )
    parameters = probatio.Schema(
        {probatio.Required(ATTR_TITLE): _TEXT, probatio.Optional(ATTR_TYPE): _TYPE}
    )
    annotations = ToolAnnotations(
        read_only=True, destructive=False, idempotent=True, open_world=True
    )
    integration = DOMAIN

    @override
    async def async_call(
        self, hass: HomeAssistant, tool_input: ToolInput, llm_context: LLMContext
    ) -> ToolResult:
        """Search in the services."""
        asked = self.parameters(tool_input.tool_args)
        try:
            hits = await _async_search(hass, asked, llm_context.context)
        except HomeAssistantError as err:
            return _error(str(err))
        return ToolResult(data={"results": [_found(hit) for hit in hits]})


class RequestMediaTool(Tool):
    """Asks for a film or a series."""

    name = f"{DOMAIN}__request_media"
    title = "Request a film or a series"
    description = (
        "Request a film or a series that the household does not have. Give the year if it is known."
        " If the answer has choices, nothing was requested: ask which one is meant, then call"
        " again with its title, type and year."
    )
    parameters = probatio.Schema(
        {
            probatio.Required(ATTR_TITLE): _TEXT,
            probatio.Optional(ATTR_TYPE): _TYPE,
            probatio.Optional(ATTR_YEAR): probatio.All(
                probatio.Coerce(int), probatio.Range(min=1870, max=2200)
            ),
            probatio.Optional(ATTR_SEASONS, description="Of a series; leave out for all of them"): [
                probatio.All(probatio.Coerce(int), probatio.Range(min=0, max=10_000))
            ],
            probatio.Optional(ATTR_TIER, default="hd"): probatio.In(["hd", "4k"]),
        }
    )
    annotations = ToolAnnotations(destructive=False, open_world=True)
    integration = DOMAIN

    @override
    async def async_call(
        self, hass: HomeAssistant, tool_input: ToolInput, llm_context: LLMContext
    ) -> ToolResult:
        """Request the only title that can be meant, or say which there are."""
        asked = self.parameters(tool_input.tool_args)
        if not any(
            isinstance(coordinator.client, TakesRequests)
            for coordinator in hass.data[BOARD_KEY].coordinators.values()
        ):
            return _error("There is no Seerr that takes requests now.")
        try:
            hits = await _async_search(hass, asked, llm_context.context)
            meant = _meant(hits, asked)
            if len(meant) != 1:
                return ToolResult(
                    data={"requested": False, "choices": [_found(hit) for hit in meant or hits]}
                )
            answer = await _async_act(
                hass,
                ACTION_REQUEST_MEDIA,
                {
                    ATTR_TYPE: meant[0]["type"],
                    ATTR_TIER: asked[ATTR_TIER],
                    **({ATTR_SEASONS: seasons} if (seasons := asked.get(ATTR_SEASONS)) else {}),
                    ATTR_TMDB_ID: meant[0]["ids"].get("tmdb"),
                },
                llm_context.context,
            )
        except HomeAssistantError as err:
            return _error(str(err))
        return ToolResult(
            data={
                "requested": True,
                "title": answer["title"],
                "year": meant[0]["year"],
                "decision": answer["decision"],
                "stage": answer["stage"],
            }
        )


@callback
def async_get_tools(hass: HomeAssistant, llm_context: LLMContext, api_id: str) -> LLMTools | None:
    """Return the tools that the board's option allows."""
    if api_id != LLM_API_ASSIST or (runtime := hass.data.get(BOARD_KEY)) is None:
        return None
    allowed = runtime.option(CONF_ASSIST, ASSIST_READ)
    if allowed == ASSIST_OFF or not runtime.records:
        return None
    tools: list[Tool] = [FindArrivalsTool(), SearchMediaTool()]
    if allowed == ASSIST_REQUEST:
        tools.append(RequestMediaTool())
    return LLMTools(tools=tools)


async def _async_search(
    hass: HomeAssistant, asked: Mapping[str, Any], context: Context | None
) -> list[Document]:
    """Search in the services."""
    data = {ATTR_TEXT: asked[ATTR_TITLE], ATTR_LIMIT: MOST}
    if ATTR_TYPE in asked:
        data[ATTR_TYPE] = asked[ATTR_TYPE]
    found: list[Document] = (await _async_act(hass, ACTION_SEARCH_MEDIA, data, context))["results"]
    return found


async def _async_act(
    hass: HomeAssistant, action: str, data: Document, context: Context | None
) -> Document:
    """Have one of our actions answer, with the rights of whoever speaks."""
    answer = await hass.services.async_call(
        DOMAIN, action, data, blocking=True, context=context, return_response=True
    )
    return dict(answer or {})


def _meant(hits: list[Document], asked: Mapping[str, Any]) -> list[Document]:
    """Return the hits that are called so; a year or a type tells them apart."""
    name = asked[ATTR_TITLE].casefold().strip()
    return [
        hit
        for hit in hits
        if (hit["title"] or "").casefold() == name
        and asked.get(ATTR_YEAR) in {None, hit["year"]}
        and hit["ids"].get("tmdb") is not None
    ]


def _brief(arrival: Arrival, title: Title) -> Document:
    """Say of an arrival what is said aloud."""
    told: Document = {
        "title": title.name,
        "year": title.year,
        "type": title.media_type.value,
        "season": arrival.season,
        "quality": arrival.tier.value,
        "stage": arrival.stage.value,
        "since": iso_time(arrival.stage_at),
        "problem": arrival.problem,
    }
    if arrival.season is not None:
        told["episodes"] = f"{arrival.available} of {arrival.total}"
    if arrival.progress is not None:
        told["percent"] = round(100 * arrival.progress)
    return told


def _found(hit: Document) -> Document:
    """Say of a hit what is said aloud."""
    return {
        "title": hit["title"],
        "year": hit["year"],
        "type": hit["type"],
        "requested": hit["requested"],
        "can_be_watched": hit["playable"],
        "on_the_way": [one["stage"] for one in hit["arrivals"]],
    }


def _error(text: str) -> ToolResult:
    return ToolResult(data={"error": text}, error=True)
