"""The poster of the arrival that became available last."""

from typing import Final, override

from homeassistant.components.image import ImageEntity, ImageEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .const import SIGNAL_BOARD, SIGNAL_CHANGE
from .engine.board.models import Arrival, Change
from .entity import BoardEntity
from .posters import POSTERS_KEY, Size
from .runtime import BOARD_KEY, BoardConfigEntry

PARALLEL_UPDATES = 0

LATEST: Final = ImageEntityDescription(
    key="latest_arrival_poster", translation_key="latest_arrival_poster"
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: BoardConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the picture of the board."""
    async_add_entities([LatestPoster(hass, entry, LATEST)])


class LatestPoster(BoardEntity, ImageEntity):
    """Shows the poster of the latest arrival. It is fetched when somebody looks."""

    def __init__(
        self, hass: HomeAssistant, entry: BoardConfigEntry, description: ImageEntityDescription
    ) -> None:
        """Take what the board has."""
        BoardEntity.__init__(self, entry, description)
        ImageEntity.__init__(self, hass, verify_ssl=True)
        self._board = hass.data[BOARD_KEY].board
        self._latest: str | None = None
        self._poster: str | None = None
        for arrival in self._board.arrivals():
            self._take(arrival)
        self._show()

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the board."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(self.hass, SIGNAL_CHANGE, self._async_changed)
        )
        self.async_on_remove(
            async_dispatcher_connect(self.hass, SIGNAL_BOARD, self._async_board_changed)
        )

    @override
    async def async_image(self) -> bytes | None:
        """Return the picture."""
        picture = await self.hass.data[POSTERS_KEY].async_picture(self._poster, Size.LARGE)
        if picture is None:
            return None
        self._attr_content_type = picture.content_type
        return picture.content

    @callback
    def _async_changed(self, change: Change) -> None:
        """Look whether it is the latest now."""
        self._take(change.arrival)

    @callback
    def _async_board_changed(self) -> None:
        """Show another picture."""
        if self._show():
            self.async_write_ha_state()

    def _take(self, arrival: Arrival) -> None:
        """Remember the latest arrival."""
        latest = self._board.get(self._latest) if self._latest is not None else None
        if arrival.available_at is not None and (
            latest is None
            or latest.available_at is None
            or arrival.available_at > latest.available_at
        ):
            self._latest = arrival.id

    def _show(self) -> bool:
        """Take the latest arrival's picture; tell whether it is another one."""
        arrival = self._board.get(self._latest) if self._latest is not None else None
        at = poster = None
        if arrival is not None and arrival.available_at is not None:
            at = dt_util.utc_from_timestamp(arrival.available_at)
            poster = self._board.title(arrival.title_id).poster
        before = self._attr_image_last_updated, self._poster
        self._attr_image_last_updated, self._poster = at, poster
        return before != (at, poster)
