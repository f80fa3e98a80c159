"""From the door to the bus: deliveries, questions, restarts, what is told and when."""

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.media_arrivals.const import EVENT_STAGE_CHANGED
from tests.house import House
from tests.payloads import radarr_grab


async def test_a_delivery_becomes_an_event(hass: HomeAssistant, house: House) -> None:
    events = async_capture_events(hass, EVENT_STAGE_CHANGED)
    house.add_board()
    entry = house.add_service(house.stack.radarr)
    movie = house.stack.radarr.put_movie(house.film)
    await house.start()

    answer = await house.post(entry, radarr_grab(movie_id=movie.id))

    assert answer.status == 200
    assert await answer.json() == {"status": "accepted"}
    await house.until(lambda: events, what="an event")
    assert [event.data["stage"] for event in events] == ["downloading"]
    assert events[0].data["title"] == house.film.title
    assert events[0].data["via"] == "webhook"
    assert house.record(entry).received == 1
    assert house.record(entry).processed == 1
