"""A simulated Tautulli: its API, and the webhooks of its notification agents."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Final, override
from urllib.parse import urlencode

from aiohttp import web

from .clock import Clock
from .delivery import DeliveryError
from .faults import Delivery, Json
from .plex_view import PlexItem, PlexSession, PlexUser, PlexView
from .service import HttpDouble, json_answer

AGENT: Final = 25
ACTIONS: Final = (
    *("on_play", "on_stop", "on_pause", "on_resume", "on_error", "on_change", "on_intro"),
    *("on_commercial", "on_credits", "on_watched", "on_buffer", "on_concurrent"),
    *("on_newdevice", "on_created", "on_intdown", "on_intup", "on_extdown", "on_extup"),
    *("on_pmsupdate", "on_plexpyupdate", "on_plexpydbcorrupt", "on_tokenexpired"),
)
WATCHED_PERCENT: Final = 85
IGNORED_SECONDS: Final = 120
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_EMPTY_CONDITION: Final[Json] = {"parameter": "", "operator": "", "value": [], "type": None}

type Values = dict[str, str]
type Command = Callable[[Mapping[str, str]], Awaitable[Any]]


class CommandError(Exception):
    """A command that is answered with an error."""

    def __init__(self, message: str, status: int = 400) -> None:
        """Remember the answer."""
        super().__init__(message)
        self.message = message
        self.status = status


@dataclass(slots=True)
class Notifier:
    """One notification agent."""

    id: int
    agent_id: int
    friendly_name: str = ""
    config: dict[str, str] = field(default_factory=dict)
    actions: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    """``on_play_body`` -> text."""
    conditions: Any = field(default_factory=lambda: [dict(_EMPTY_CONDITION)])
    logic: str = ""


class TautulliDouble(HttpDouble):
    """A simulated Tautulli beside a Plex."""

    kind = "tautulli"

    def __init__(
        self,
        name: str,
        clock: Clock,
        plex: PlexView,
        *,
        version: str = "v2.17.2",
        port: int = 0,
        url_base: str = "",
    ) -> None:
        """Watch a Plex."""
        super().__init__(name, clock, port=port, url_base=url_base)
        self.plex = plex
        self.version = version
        self.api_key = "66198313a092496b8a725867d2223b5f"
        self.api_enabled = True
        self.plex_delay = 0.0
        """Seconds for which a Plex that hangs holds up what it is asked for."""
        self.notifiers: dict[int, Notifier] = {}
        self.history: list[Json] = []
        self.told: set[int] = set()
        """Keys of what was told as added: a second time is suppressed."""
        self._to_the_end: set[tuple[int, int]] = set()
        """Users and keys of what was watched in a session that goes on."""
        self._last_notifier = 0
        self._last_row = 1000

    # --- what happens -----------------------------------------------------------------------

    async def started(self, session: PlexSession, *, new_device: bool = False) -> None:
        """Tell that playing began: up to three webhooks, in any order."""
        values = self._session_values(session)
        if new_device:
            await self.publish("on_newdevice", values)
        await self.publish("on_play", values)
        if sum(one.user == session.user for one in self.plex.sessions()) > 1:
            await self.publish("on_concurrent", values)

    async def watched(self, session: PlexSession) -> None:
        """Tell that the threshold was passed; playing goes on."""
        await self.publish("on_watched", self._session_values(session))

    async def stopped(self, session: PlexSession, *, percent: int, seconds: int = 1800) -> None:
        """Enter the end of a session in the history, and tell it; what was short is left out."""
        if seconds >= IGNORED_SECONDS:
            self.enter(session, percent=percent, seconds=seconds)
        await self.publish("on_stop", self._session_values(session))

    def enter(self, session: PlexSession, *, percent: int, seconds: int = 1800) -> Json:
        """Enter a session in the history, and tell nobody."""
        self._last_row += 1
        stopped = int(self.clock.now().timestamp())
        status = next(
            (share for share in (1, 0.75, 0.5, 0.25) if percent >= share * WATCHED_PERCENT), 0
        )
        item, parent = session.item, session.item.parent
        show = parent.parent if parent is not None else None
        row: Json = {
            "date": stopped - seconds,
            "friendly_name": session.user.name,
            "full_title": _full_title(item),
            "grandparent_rating_key": show.key if show else "",
            "grandparent_title": show.title if show else "",
            "group_count": 1,
            "group_ids": str(self._last_row),
            "guid": item.guid,
            "ip_address": "10.0.0.7",
            "live": 0,
            "machine_id": "player-7",
            "media_index": item.index if item.index is not None else "",
            "media_type": item.type,
            "originally_available_at": item.air_date,
            "parent_media_index": parent.index if parent else "",
            "parent_rating_key": parent.key if parent else "",
            "parent_title": parent.title if parent else "",
            "percent_complete": percent,
            "platform": "Windows",
            "player": session.player,
            "rating_key": item.key,
            "reference_id": self._last_row,
            "row_id": self._last_row,
            "session_key": None,
            "started": stopped - seconds,
            "state": None,
            "stopped": stopped,
            "thumb": f"/library/metadata/{item.key}/thumb/1",
            "title": item.title,
            "user": session.user.name,
            "user_id": session.user.id,
            "watched_status": status,
            "year": item.year or "",
        }
        self.history.append(row)
        return row

    async def created(self, *items: PlexItem) -> None:
        """Tell what was added: episodes that came together come as one season, or one show."""
        fresh = [item for item in items if item.key not in self.told]
        self.told.update(item.key for item in fresh)
        for group in _grouped(fresh):
            await self.publish("on_created", self._added_values(group))

    def follow(self, what: str, session: PlexSession | None, *items: PlexItem) -> None:
        """Take notice of what happens in the Plex, and tell it beside that."""
        if session is None:
            self.spawn(self.created(*items))
            return
        place = (session.user.id, session.item.key)
        if what == "play":
            self.spawn(self.started(session))
        elif what == "watched":
            self._to_the_end.add(place)
            self.spawn(self.watched(session))
        elif what == "stop":
            percent = 97 if place in self._to_the_end else 40
            self._to_the_end.discard(place)
            self.spawn(self.stopped(session, percent=percent))

    async def server(self, action: str) -> None:
        """Tell something of the server, which knows no media."""
        await self.publish(action, self._server_values())

    def reinstall(self) -> None:
        """Lose everything but the key."""
        self.notifiers.clear()
        self.history.clear()
        self.told.clear()
        self._last_notifier = self._last_row = 0

    # --- sending ------------------------------------------------------------------------

    async def publish(self, action: str, values: Values) -> None:
        """Have every agent tell it that wants to; failures go to the log only."""
        for notifier in list(self.notifiers.values()):
            if notifier.actions.get(action) and notifier.config.get("hook"):
                await self._send(notifier, action, values)

    async def _send(self, notifier: Notifier, action: str, values: Values) -> bool:
        name = action.removeprefix("on_")
        filled = {**values, "action": name}
        subject = _filled(notifier.texts.get(f"{action}_subject", ""), filled)
        body = _filled(notifier.texts.get(f"{action}_body", ""), filled)
        return await self._call(notifier, name, subject, body)

    async def _call(self, notifier: Notifier, event: str, subject: Any, body: Any) -> bool:
        headers = {
            "User-Agent": "python-requests/2.32.5",
            "Accept": "*/*",
            "Content-Type": "application/json",
        }
        for key, value in (subject if isinstance(subject, dict) else {}).items():
            same = next((known for known in headers if known.lower() == key.lower()), key)
            headers[same] = str(value)
        raw = b""
        if body is not None:
            as_json = headers["Content-Type"] == "application/json"
            raw = (json.dumps(body) if as_json else urlencode(body, doseq=True)).encode()
        delivery = Delivery(
            service=self.name,
            event=event,
            url=notifier.config["hook"],
            method=notifier.config.get("method", "POST"),
            headers=tuple(headers.items()),
            body=raw,
            payload=body if isinstance(body, dict) else {},
        )
        try:
            return await self.sender.send(delivery) < 400
        except DeliveryError:
            return False

    # --- what is filled in ----------------------------------------------------------------

    def _server_values(self) -> Values:
        now = self.clock.now()
        return {
            "tautulli_version": self.version,
            "server_name": self.plex.server_name,
            "server_machine_id": self.plex.machine_id,
            "server_version": self.plex.server_version,
            "unixtime": str(int(now.timestamp())),
            "utctime": now.isoformat(),
            "timestamp": f"{now:%H:%M}",
        }

    def _session_values(self, session: PlexSession) -> Values:
        return {
            **self._server_values(),
            **_item_values(session.item),
            "user": session.user.name.title(),
            "username": session.user.name,
            "user_id": str(session.user.id),
            "user_thumb": f"https://plex.tv/users/{session.user.id}/avatar",
            "player": session.player,
            "machine_id": "player-7",
            "ip_address": "10.0.0.7",
            "stream_local": "1",
            "view_offset": "2548531",
            "session_key": str(session.key),
        }

    def _added_values(self, group: list[PlexItem]) -> Values:
        subject = group[0]
        values = _item_values(subject)
        if len(group) > 1:
            seasons = {item.parent.index for item in group if item.parent and item.parent.index}
            parent = subject.parent
            if len(seasons) > 1 and parent is not None:
                parent = parent.parent
            if parent is not None:
                values = _item_values(parent)
            values["season_num"] = _ranges(seasons)
            values["episode_num"] = (
                _ranges({item.index for item in group if item.index}) if len(seasons) == 1 else ""
            )
        nobody = dict.fromkeys(
            ("user", "username", "user_id", "user_thumb", "player", "machine_id", "stream_local"),
            "",
        )
        return {**self._server_values(), **values, **nobody, "ip_address": "N/A"}

    # --- HTTP -----------------------------------------------------------------------------

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        yield web.get("/api/v2", self._answer_command)
        yield web.post("/api/v2", self._answer_command)

    @override
    def refuse(self, request: web.Request) -> web.StreamResponse | None:
        return None

    @override
    def misrouted(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=404, text="<html>404</html>", content_type="text/html")

    @override
    def failure(self, status: int) -> web.StreamResponse:
        return _envelope(None, "error", "Check the logs for errors", status)

    async def _answer_command(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        given = {**request.query, **{key: str(value) for key, value in form.items()}}
        try:
            command = self._allowed(given)
            data = await command(given)
        except CommandError as err:
            return _envelope(None, "error", err.message, err.status)
        except ValueError, KeyError:
            return _envelope(None, "error", "Check the logs for errors", 500)
        return _envelope(data, "success", None, 200)

    def _allowed(self, given: Mapping[str, str]) -> Command:
        """Return the command, or refuse: all but a switched-off API is told apart by words."""
        if not self.api_enabled:
            raise CommandError("API not enabled", 404)
        if "apikey" not in given:
            raise CommandError("Parameter apikey is required")
        if given["apikey"] != self.api_key:
            raise CommandError("Invalid apikey")
        name = given.get("cmd", "")
        commands = self._commands()
        if name not in commands:
            known = ", ".join(sorted(commands))
            raise CommandError(f"Unknown command: {name}. Possible commands are: {known}")
        return commands[name]

    def _commands(self) -> Mapping[str, Command]:
        return {
            "get_server_info": self._get_server_info,
            "get_tautulli_info": self._get_tautulli_info,
            "get_activity": self._get_activity,
            "get_history": self._get_history,
            "get_recently_added": self._get_recently_added,
            "get_metadata": self._get_metadata,
            "get_children_metadata": self._get_children,
            "get_users": self._get_users,
            "get_notifiers": self._get_notifiers,
            "get_notifier_config": self._get_notifier_config,
            "add_notifier_config": self._add_notifier,
            "set_notifier_config": self._set_notifier,
            "delete_notifier": self._delete_notifier,
            "notify": self._notify,
            "notify_recently_added": self._notify_added,
        }

    async def _ask_plex(self) -> bool:
        """Wait as long as Plex takes; tell whether it answers at all."""
        if self.plex_delay:
            await asyncio.sleep(self.plex_delay)
            return False
        return self.plex.is_up

    async def _get_server_info(self, _: Mapping[str, str]) -> Json:
        return {
            "pms_identifier": self.plex.machine_id,
            "pms_ip": "10.0.0.5",
            "pms_is_remote": 0,
            "pms_name": self.plex.server_name,
            "pms_platform": "Linux",
            "pms_plexpass": 1,
            "pms_port": 32400,
            "pms_ssl": 0,
            "pms_url": "http://10.0.0.5:32400",
            "pms_url_manual": 0,
            "pms_version": self.plex.server_version,
        }

    async def _get_tautulli_info(self, _: Mapping[str, str]) -> Json:
        return {
            "tautulli_branch": "master",
            "tautulli_install_type": "docker",
            "tautulli_platform": "Linux",
            "tautulli_version": self.version,
        }

    async def _get_activity(self, _: Mapping[str, str]) -> Json:
        if not await self._ask_plex():
            return {}
        sessions = [self._session_document(session) for session in self.plex.sessions()]
        return {
            "lan_bandwidth": 0,
            "sessions": sessions,
            "stream_count": str(len(sessions)),
            "stream_count_direct_play": len(sessions),
            "stream_count_direct_stream": 0,
            "stream_count_transcode": 0,
            "total_bandwidth": 0,
            "wan_bandwidth": 0,
        }

    def _session_document(self, session: PlexSession) -> Json:
        return {
            **_row_document(session.item),
            "session_key": str(session.key),
            "user": session.user.name,
            "user_id": session.user.id,
            "friendly_name": session.user.name.title(),
            "player": session.player,
            "state": "playing",
            "view_offset": "1000",
            "progress_percent": "12",
        }

    async def _get_history(self, given: Mapping[str, str]) -> Json:
        order = "stopped" if given.get("order_column") == "stopped" else "date"
        rows = sorted(
            self.history,
            key=lambda row: (row[order], row["row_id"]),
            reverse=given.get("order_dir", "desc") == "desc",
        )
        if given.get("user_id"):
            rows = [row for row in rows if row["user_id"] == int(given["user_id"])]
        start, length = int(given.get("start", 0)), int(given.get("length", 25))
        return {
            "draw": 1,
            "recordsTotal": len(self.history),
            "recordsFiltered": len(rows),
            "total_duration": "",
            "filter_duration": "",
            "data": rows[start : start + length],
        }

    async def _get_recently_added(self, given: Mapping[str, str]) -> Json:
        if "count" not in given:
            raise CommandError("Missing required parameter: count")
        if not await self._ask_plex():
            return {}
        start, count = int(given.get("start") or 0), int(given["count"])
        newest = self.plex.recently_added(start + count)
        return {"recently_added": [_row_document(item) for item in newest[start:]]}

    async def _get_metadata(self, given: Mapping[str, str]) -> Json:
        if not await self._ask_plex():
            return {}
        item = self.plex.item(int(given["rating_key"]))
        return {} if item is None else _row_document(item)

    async def _get_children(self, given: Mapping[str, str]) -> Json:
        if not await self._ask_plex():
            return {}
        rows = [_row_document(item) for item in self.plex.children(int(given["rating_key"]))]
        return {"children_count": len(rows), "children_list": rows}

    async def _get_users(self, _: Mapping[str, str]) -> Any:
        return [
            {"user_id": user.id, "username": user.name, "friendly_name": user.name.title()}
            for user in self.plex.users()
        ]

    async def _get_notifiers(self, _: Mapping[str, str]) -> Any:
        return [
            {
                "id": one.id,
                "agent_id": one.agent_id,
                "agent_name": "webhook" if one.agent_id == AGENT else "telegram",
                "agent_label": "Webhook" if one.agent_id == AGENT else "Telegram",
                "friendly_name": one.friendly_name,
                "active": int(any(one.actions.values())),
            }
            for one in self.notifiers.values()
        ]

    def _notifier(self, given: Mapping[str, str]) -> Notifier:
        found = self.notifiers.get(int(given["notifier_id"]))
        if found is None:
            raise CommandError(f"Invalid notifier_id {given['notifier_id']}")
        return found

    async def _get_notifier_config(self, given: Mapping[str, str]) -> Json:
        found = self._notifier(given)
        return {
            "id": found.id,
            "agent_id": found.agent_id,
            "agent_name": "webhook" if found.agent_id == AGENT else "telegram",
            "friendly_name": found.friendly_name,
            "config": dict(found.config),
            "actions": {name: found.actions.get(name, 0) for name in ACTIONS},
            "notify_text": {
                name: {
                    "subject": found.texts.get(f"{name}_subject", ""),
                    "body": found.texts.get(f"{name}_body", ""),
                }
                for name in ACTIONS
            },
            "custom_conditions": found.conditions,
            "custom_conditions_logic": found.logic,
        }

    async def _add_notifier(self, given: Mapping[str, str]) -> Json:
        agent_id = int(given["agent_id"])
        self._last_notifier += 1
        config = {"hook": "", "method": "POST"} if agent_id == AGENT else {}
        self.notifiers[self._last_notifier] = Notifier(self._last_notifier, agent_id, config=config)
        return {"notifier_id": self._last_notifier}

    async def _set_notifier(self, given: Mapping[str, str]) -> Json:
        """Write an agent: what is left out of name and conditions is reset, of triggers kept."""
        found = self._notifier(given)
        if int(given["agent_id"]) != found.agent_id:
            raise CommandError("Unable to save notification agent.")
        found.friendly_name = given.get("friendly_name", "")
        found.conditions = json.loads(
            given.get("custom_conditions", json.dumps([_EMPTY_CONDITION]))
        )
        found.logic = given.get("custom_conditions_logic", "")
        found.config = {
            "hook": given.get("webhook_hook", ""),
            "method": given.get("webhook_method", "POST"),
        }
        for name, value in given.items():
            if name in ACTIONS:
                found.actions[name] = int(value)
            elif name.startswith("on_"):
                found.texts[name] = value
        return {}

    async def _delete_notifier(self, given: Mapping[str, str]) -> Json:
        self.notifiers.pop(int(given["notifier_id"]), None)
        return {}

    async def _notify(self, given: Mapping[str, str]) -> Json:
        """Send exactly what is given; nothing is filled in."""
        notifier = self._notifier(given)
        try:
            subject = json.loads(given.get("headers") or given.get("subject") or "{}")
            body = json.loads(given["body"]) if given.get("body") else None
            sent = await self._call(notifier, "Test", subject, body)
        except ValueError:
            sent = False
        if not sent:
            raise CommandError("Notification failed.")
        return {}

    async def _notify_added(self, given: Mapping[str, str]) -> Json:
        item = self.plex.item(int(given["rating_key"]))
        if item is None:
            raise CommandError("Unable to send recently added notification")
        notifier = self._notifier(given)
        self.spawn(self._send(notifier, "on_created", self._added_values([item])))
        return {}


def _envelope(data: Any, result: str, message: str | None, status: int) -> web.Response:
    found = {} if data is None else data
    return json_answer({"response": {"result": result, "message": message, "data": found}}, status)


def _filled(template: str, values: Values) -> Any:
    """Fill a template in; ``None``: it is empty, or no JSON before it is filled in."""
    try:
        document = json.loads(template)
    except ValueError:
        return None

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), value)
        if isinstance(value, dict):
            return {key: fill(one) for key, one in value.items()}
        return [fill(one) for one in value] if isinstance(value, list) else value

    return fill(document)


def _grouped(items: Iterable[PlexItem]) -> list[list[PlexItem]]:
    """Put episodes of one series together."""
    groups: dict[object, list[PlexItem]] = {}
    for item in items:
        show = item.parent.parent if item.parent is not None else None
        groups.setdefault(show.key if show is not None else ("alone", item.key), []).append(item)
    return list(groups.values())


def _ranges(numbers: set[int]) -> str:
    """Write numbers as Tautulli does: ``1-4,6``."""
    pieces: list[list[int]] = []
    for number in sorted(numbers):
        if pieces and pieces[-1][-1] == number - 1:
            pieces[-1].append(number)
        else:
            pieces.append([number])
    return ",".join(str(one[0]) if len(one) == 1 else f"{one[0]}-{one[-1]}" for one in pieces)


def _levels(item: PlexItem) -> tuple[PlexItem | None, PlexItem | None]:
    """Return the season and the series of an item."""
    if item.type == "episode":
        return item.parent, item.parent.parent if item.parent else None
    if item.type == "season":
        return item, item.parent
    return None, item if item.type == "show" else None


def _full_title(item: PlexItem) -> str:
    _, show = _levels(item)
    return f"{show.title} - {item.title}" if show is not None and show is not item else item.title


def _item_values(item: PlexItem) -> Values:
    """Name what is known of an item; the ids are the film's or the series'."""
    season, show = _levels(item)
    owner = show or item
    guids = dict(guid.split("://", 1) for guid in owner.guids)
    parent = item.parent
    above = parent.parent if parent is not None else None
    return {
        "media_type": item.type,
        "rating_key": str(item.key),
        "parent_rating_key": str(parent.key) if parent else "",
        "grandparent_rating_key": str(above.key) if above else "",
        "guid": item.guid,
        "title": _full_title(item),
        "episode_name": item.title,
        "show_name": show.title if show else "",
        "season_name": season.title if season else "",
        "year": str(item.year or ""),
        "show_year": str(show.year or "") if show else "",
        "season_num": str(season.index) if season else "0" if item.type == "movie" else "",
        "episode_num": (
            str(item.index) if item.type == "episode" else "0" if item.type == "movie" else ""
        ),
        "air_date": item.air_date,
        "imdb_id": guids.get("imdb", ""),
        "thetvdb_id": guids.get("tvdb", ""),
        "themoviedb_id": guids.get("tmdb", ""),
        "tvmaze_id": "",
        "section_id": str(item.section),
        "library_name": "Films" if item.type == "movie" else "Shows",
        "summary": "Nobody expected it.",
        "file": f"/data/media/{item.title}.mkv",
        "file_size_bytes": "4100000000",
        "duration_ms": "2998272",
        "added_date": f"{item.added_at:%Y-%m-%d}",
        "updated_date": f"{item.added_at:%Y-%m-%d}",
        "last_viewed_date": "2026-01-02",
    }


def _row_document(item: PlexItem) -> Json:
    """Describe an item as the API shows it: numbers are texts."""
    parent = item.parent
    above = parent.parent if parent is not None else None
    return {
        "actors": ["Ada Quill", "Ben Harrow", "Cleo Marsh"],
        "added_at": str(int(item.added_at.astimezone(UTC).timestamp())),
        "art": f"/library/metadata/{item.key}/art/1",
        "duration": "2998290",
        "full_title": _full_title(item),
        "genres": ["Adventure", "Drama"],
        "grandparent_guids": list(above.guids) if above else [],
        "grandparent_rating_key": str(above.key) if above else "",
        "grandparent_title": above.title if above else "",
        "guid": item.guid,
        "guids": list(item.guids),
        "library_name": "Films" if item.type == "movie" else "Shows",
        "live": "0",
        "media_index": str(item.index) if item.index is not None else "",
        "media_type": item.type,
        "originally_available_at": item.air_date,
        "parent_guids": list(parent.guids) if parent else [],
        "parent_media_index": str(parent.index) if parent and parent.index is not None else "",
        "parent_rating_key": str(parent.key) if parent else "",
        "parent_title": parent.title if parent else "",
        "rating_key": str(item.key),
        "section_id": str(item.section),
        "summary": "Nobody expected it, and then it came, and went, and came again. " * 6,
        "thumb": f"/library/metadata/{item.key}/thumb/1",
        "title": item.title,
        "updated_at": str(int(item.added_at.timestamp())),
        "year": str(item.year or ""),
    }


OWNER: Final = PlexUser(id=8_008_135, name="harbourmaster")
GUEST: Final = PlexUser(id=133_788, name="lighthouse")
