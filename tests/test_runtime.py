"""From the door to the bus: deliveries, questions, restarts, what is told and when."""

from typing import Any

from custom_components.media_arrivals.const import EVENT_STAGE_CHANGED
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import async_capture_events
from simulator import Film
from tests.house import House

FILM = Film(tmdb_id=9001, title="The Drowned Almanac", year=2024, imdb_id="tt9900001")


def grab(movie_id: int = 1, *, film: Film = FILM, download: str = "AA11") -> dict[str, Any]:
    movie = {"id": movie_id, "title": film.title, "year": film.year, "tmdbId": film.tmdb_id}
    return {
        "eventType": "Grab",
        "instanceName": "Radarr",
        "movie": movie | {"imdbId": film.imdb_id},
        "remoteMovie": {"tmdbId": film.tmdb_id, "title": film.title, "year": film.year},
        "release": {"quality": "WEBDL-1080p", "releaseTitle": "x", "size": 5_000_000},
        "downloadClient": "qBittorrent",
        "downloadClientType": "qBittorrent",
        "downloadId": download,
    }


async def test_a_delivery_becomes_an_event(hass: HomeAssistant, house: House) -> None:
    events = async_capture_events(hass, EVENT_STAGE_CHANGED)
    house.add_board()
    entry = house.add_service(house.stack.radarr)
    movie = house.stack.radarr.put_movie(FILM)
    await house.start()

    answer = await house.post(entry, grab(movie.id))

    assert answer.status == 200
    assert await answer.json() == {"status": "accepted"}
    await house.until(lambda: events, what="an event")
    assert [event.data["stage"] for event in events] == ["downloading"]
    assert events[0].data["title"] == FILM.title
    assert events[0].data["via"] == "webhook"
    assert house.record(entry).received == 1
    assert house.record(entry).processed == 1
