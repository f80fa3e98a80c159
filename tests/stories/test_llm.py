"""What assistants are told, and what they may have done."""

from typing import Any

import pytest
from homeassistant.core import Context
from homeassistant.helpers import llm
from homeassistant.setup import async_setup_component

from custom_components.media_arrivals.const import (
    ASSIST_OFF,
    ASSIST_REQUEST,
    CONF_ASSIST,
    CONF_REQUESTER_NAMES,
    DOMAIN,
)
from simulator import Film
from simulator.seerr_data import REQUEST
from tests.stories.family import Family
from tests.stories.test_acting import pending, somebody

FIND = f"{DOMAIN}__find_arrivals"
SEARCH = f"{DOMAIN}__search_media"
ASK = f"{DOMAIN}__request_media"


@pytest.fixture
async def home(family: Family) -> Family:
    hass = family.house.hass
    for component in ("homeassistant", "llm"):
        assert await async_setup_component(hass, component, {})
    await family.move_in()
    return family


@pytest.fixture
def film(home: Family) -> Film:
    return home.stack.catalogue.film("Amber Ferry")


async def assistant(home: Family, context: Context | None = None) -> llm.APIInstance:
    """Return what an assistant is given."""
    about = llm.LLMContext(
        platform="test",
        context=context or Context(),
        language="en",
        assistant="conversation",
        device_id=None,
    )
    return await llm.async_get_api(home.house.hass, llm.LLM_API_ASSIST, about)


async def offered(home: Family) -> set[str]:
    api = await assistant(home)
    return {tool.name for tool in api.tools if tool.name.startswith(DOMAIN)}


async def use(home: Family, tool: str, context: Context | None = None, **said: Any) -> Any:
    api = await assistant(home, context)
    answer = await api.async_call_tool(llm.ToolInput(tool_name=tool, tool_args=said))
    await home.settle()
    assert isinstance(answer, llm.ToolResult)
    return answer.data


def allow(home: Family, what: str, **options: Any) -> None:
    hass, board = home.house.hass, home.house.board
    hass.config_entries.async_update_entry(board, options={CONF_ASSIST: what, **options})


async def test_reading_is_allowed_unless_it_is_switched_off(home: Family) -> None:
    assert await offered(home) == {FIND, SEARCH}
    allow(home, ASSIST_REQUEST)
    assert await offered(home) == {FIND, SEARCH, ASK}
    allow(home, ASSIST_OFF)
    assert await offered(home) == set()


async def test_where_a_film_is_is_said_and_nobody_is_named(home: Family, film: Film) -> None:
    allow(home, ASSIST_REQUEST, **{CONF_REQUESTER_NAMES: "everybody"})
    await pending(home, film)
    await home.stack.radarr.add_movie(home.stack.catalogue.film("Quiet Waltz"))
    await home.settle()

    answer = await use(home, FIND, title="ferry")
    assert answer["total"] == 1
    (arrival,) = answer["arrivals"]
    assert (arrival["title"], arrival["stage"]) == ("Amber Ferry", "requested")
    assert "Child" not in str(answer)
    answer = await use(home, FIND, status="on_the_way")
    assert [one["title"] for one in answer["arrivals"]] == ["Quiet Waltz"]
    assert (await use(home, FIND, type="series"))["arrivals"] == []
    assert "Child" not in str(await use(home, SEARCH, title="amber"))


async def test_a_season_is_counted(home: Family) -> None:
    show = home.stack.catalogue.show("Tide House", 2020, seasons={1: 3})
    series = await home.stack.sonarr.add_series(show)
    await home.settle()
    await home.stack.sonarr.import_files(await home.stack.sonarr.grab(series.season(1)))
    await home.settle()
    (arrival,) = (await use(home, FIND, title="tide"))["arrivals"]
    # Seerr has the say on what can be played, and has not looked yet.
    assert (arrival["season"], arrival["episodes"], arrival["stage"]) == (1, "0 of 3", "downloaded")


async def test_who_may_be_meant_is_asked_back(home: Family) -> None:
    allow(home, ASSIST_REQUEST)
    old = home.stack.catalogue.film("Dune", 1984)
    new = home.stack.catalogue.film("Dune", 2021)
    assert old.tmdb_id != new.tmdb_id

    answer = await use(home, ASK, title="dune")
    assert answer["requested"] is False
    assert {one["year"] for one in answer["choices"]} == {1984, 2021}
    assert home.stack.seerr.requests == {}

    answer = await use(home, ASK, title="dune", year=2021)
    assert answer["requested"] is True
    assert (answer["title"], answer["year"], answer["decision"]) == ("Dune", 2021, "approved")
    (item,) = home.stack.seerr.requests.values()
    assert item.media.tmdb_id == new.tmdb_id

    answer = await use(home, ASK, title="dune", year=2021)
    assert "already" in answer["error"]
    assert (await use(home, ASK, title="no such film"))["choices"] == []


async def test_it_is_asked_in_the_name_of_who_speaks(home: Family, film: Film) -> None:
    allow(home, ASSIST_REQUEST)
    mia, context = somebody(home, "Mia", REQUEST)
    _, stranger = somebody(home, "Stranger", REQUEST, mapped=False)
    assert "no user" in (await use(home, ASK, stranger, title="amber ferry"))["error"]
    answer = await use(home, ASK, context, title="amber ferry")
    assert answer["decision"] == "pending"
    (item,) = home.stack.seerr.requests.values()
    assert item.by is mia


async def test_some_seasons_are_asked_for(home: Family) -> None:
    allow(home, ASSIST_REQUEST)
    home.stack.catalogue.show("Tide House", 2020, seasons={1: 3, 2: 2})
    await use(home, ASK, title="Tide House", type="series", seasons=[2])
    (item,) = home.stack.seerr.requests.values()
    assert item.seasons == [2]


async def test_what_cannot_be_reached_is_said(home: Family) -> None:
    allow(home, ASSIST_REQUEST)
    for name in home.entries:
        await home.stack.services[name].go_down()
    assert "error" in await use(home, SEARCH, title="amber")
    assert "error" in await use(home, ASK, title="amber")


async def test_without_seerr_nobody_takes_requests(home: Family, film: Film) -> None:
    allow(home, ASSIST_REQUEST)
    await home.house.hass.config_entries.async_remove("seerr_entry")
    assert "no Seerr" in (await use(home, ASK, title="amber ferry"))["error"]
