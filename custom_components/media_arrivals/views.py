"""HTTP endpoints: whether we can be reached, and what became of deliveries."""

from http import HTTPStatus
from typing import Any, Final

from aiohttp.web import Request, Response
from homeassistant.components.http.decorators import require_admin
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.http import KEY_AUTHENTICATED, KEY_HASS, HomeAssistantView

from .const import CONF_KIND, DOMAIN
from .engine.storage.models import JournalRow, StorageError
from .lookup import read_arrival
from .posters import POSTERS_KEY, Size, is_id
from .presenter import iso_time
from .runtime import BOARD_KEY, BoardRuntime, service_entries
from .webhook import test_answer

RECENT: Final = 50
POSTER_AGE: Final = 86_400


@callback
def async_setup_views(hass: HomeAssistant) -> None:
    """Register the endpoints."""
    hass.http.register_view(TestView)
    hass.http.register_view(StatusView)
    hass.http.register_view(PosterView)


class TestView(HomeAssistantView):
    """Says that Media Arrivals is there."""

    url = f"/api/{DOMAIN}/webhooks/test"
    name = f"api:{DOMAIN}:webhooks:test"
    requires_auth = False

    async def get(self, request: Request) -> Response:
        """Answer whoever asks; the version only to those who are logged in."""
        return test_answer(
            request.app[KEY_HASS], DOMAIN, with_version=request.get(KEY_AUTHENTICATED, False)
        )

    async def post(self, request: Request) -> Response:
        """Answer a POST in the same way."""
        return await self.get(request)


class StatusView(HomeAssistantView):
    """Says what became of deliveries."""

    url = f"/api/{DOMAIN}/webhooks/status"
    name = f"api:{DOMAIN}:webhooks:status"

    @require_admin
    async def get(self, request: Request) -> Response:
        """Answer administrators."""
        hass = request.app[KEY_HASS]
        runtime = hass.data[BOARD_KEY]
        services = _services(hass, runtime)
        by_source: dict[str, int] = {}
        for service in services:
            source = service["source"]
            by_source[source] = by_source.get(source, 0) + service["received"]
        totals = {
            name: sum(service[name] for service in services)
            for name in ("processed", "ignored", "failed", "refused", "missed")
        }
        rows: tuple[JournalRow, ...] = ()
        if runtime.storage is not None:
            try:
                rows = (await runtime.storage.journal.recent(limit=RECENT)).rows
            except StorageError:
                return self.json_message(
                    "The journal cannot be read.", HTTPStatus.SERVICE_UNAVAILABLE
                )
        return self.json(
            {
                "total_webhooks": sum(by_source.values()),
                "by_source": by_source,
                **totals,
                "services": services,
                "recent_webhooks": [_recent(row) for row in rows],
            }
        )


class PosterView(HomeAssistantView):
    """Shows an arrival's poster: to whoever is logged in, or has a path that we signed.

    A picture on a page, or in a notification away from home, cannot log in.
    """

    url = f"/api/{DOMAIN}/posters/{{arrival_id}}/{{size}}"
    name = f"api:{DOMAIN}:posters"
    requires_auth = False

    async def get(self, request: Request, arrival_id: str, size: str) -> Response:
        """Answer with the picture."""
        hass = request.app[KEY_HASS]
        posters = hass.data[POSTERS_KEY]
        expires, signature = (request.query.get(key, "") for key in ("expires", "signature"))
        # No exception: Home Assistant would count an old notification as a wrong password.
        if not request.get(KEY_AUTHENTICATED, False) and not posters.is_signed(
            arrival_id, size, expires, signature
        ):
            return Response(status=HTTPStatus.UNAUTHORIZED)
        if size not in set(Size) or not is_id(arrival_id):
            return Response(status=HTTPStatus.NOT_FOUND)
        runtime = hass.data[BOARD_KEY]
        try:
            found = await read_arrival(runtime.storage, runtime.board, arrival_id)
        except StorageError:
            return Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        poster = next((title.poster for title in found.titles), None)
        picture = await posters.async_picture(poster, Size(size))
        if picture is None:
            return Response(status=HTTPStatus.NOT_FOUND)
        return Response(
            body=picture.content,
            content_type=picture.content_type,
            headers={
                "Cache-Control": f"private, max-age={POSTER_AGE}",
                "X-Content-Type-Options": "nosniff",
            },
        )


def _services(hass: HomeAssistant, runtime: BoardRuntime) -> list[dict[str, Any]]:
    """Return the numbers of each service."""
    return [
        {
            "service": entry.entry_id,
            "name": entry.title,
            "source": entry.data[CONF_KIND],
            "webhook": record.webhook,
            "webhook_cause": record.webhook_cause,
            "received": record.received,
            "processed": record.processed,
            "ignored": record.ignored,
            "failed": record.failed,
            "refused": record.refused,
            "missed": record.missed,
            "questions": runtime.questions.count(entry.entry_id),
            "last_webhook_at": iso_time(record.last_webhook_at),
        }
        for entry in service_entries(hass)
        if (record := runtime.records.get(entry.entry_id)) is not None
    ]


def _recent(row: JournalRow) -> dict[str, Any]:
    """Return a delivery without its payload."""
    return {
        "source": row.source,
        "event_type": row.event_type,
        "received_at": iso_time(row.received_at),
        "processed": row.processed,
        "error_message": row.error_message,
        "service": row.service,
        "outcome": row.outcome,
        "reason": row.reason,
    }
