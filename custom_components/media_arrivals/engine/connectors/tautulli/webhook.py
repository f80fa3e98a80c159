"""Our webhook in Tautulli: a notification agent of ours, created, compared, tested."""

import json
import re
from contextlib import suppress
from typing import Final

from .. import payload
from ..base import (
    BadAnswerError,
    Json,
    RemoteWebhook,
    ServiceError,
    TimedOutError,
    WebhookCause,
    WebhookError,
    WebhookState,
    WebhookTarget,
)
from ..payload import Object
from .api import Api, RefusedCallError
from .template import AGENT, BODY, TEST_BODY, TRIGGERS, headers, test_headers

_TEST_TIMEOUT: Final = 45.0
_MAX_AGENTS: Final = 25
_METHODS: Final = ("POST", "PUT")
_HOME_ASSISTANT: Final = re.compile(r"/api/webhook/[^/?#]+/?$|^https://hooks\.nabu\.casa/")


class Webhooks:
    """Our notification agent in one Tautulli."""

    def __init__(self, api: Api) -> None:
        """Work through this API."""
        self._api = api

    async def read(self, target: WebhookTarget) -> RemoteWebhook:
        """Read our agent back."""
        found = await self._find(target)
        if found is None:
            return RemoteWebhook(state=WebhookState.ABSENT)
        same = _is_as_wanted(found, target)
        return RemoteWebhook(
            state=WebhookState.REGISTERED if same else WebhookState.DIFFERENT,
            events=_told(found),
            muted=not any(_is_on(found, trigger) for trigger in TRIGGERS),
        )

    async def install(self, target: WebhookTarget) -> RemoteWebhook:
        """Create our agent, or make it as wanted."""
        found = await self._find(target)
        if found is None:
            number = await self._create()
            try:
                await self._write(number, {}, target)
            except ServiceError:
                # An agent without an address would be found by nobody and stay for good.
                with suppress(ServiceError):
                    await self._delete(number)
                raise
        elif not _is_as_wanted(found, target):
            await self._write(_number(found), found, target)
        return await self.read(target)

    async def test(self, target: WebhookTarget) -> None:
        """Have Tautulli call us with a text of ours, through our agent.

        It says only whether it worked; why not is in its log.
        """
        found = await self._find(target)
        if found is None:
            raise WebhookError(WebhookCause.OTHER, "the notification agent is not there")
        try:
            await self._api.call(
                "notify",
                {
                    "notifier_id": _number(found),
                    "subject": test_headers(target),
                    "body": TEST_BODY,
                },
                wait=_TEST_TIMEOUT,
            )
        except TimedOutError as err:
            raise WebhookError(WebhookCause.TIMEOUT) from err
        except RefusedCallError as err:
            raise WebhookError(WebhookCause.OTHER, f"{err.detail}. Its log says why") from err

    async def remove(self, target: WebhookTarget) -> None:
        """Delete the agents that call this webhook."""
        for number in [number for number, _ in await self._agents(target)]:
            found = await self._config(number)
            if target.webhook_id in _hook(found):
                await self._delete(number)

    # --- reading --------------------------------------------------------------------------

    async def _agents(self, target: WebhookTarget) -> list[tuple[int, bool]]:
        """Return the agents that call a webhook, and whether they bear our mark: those first."""
        rows = await self._api.call("get_notifiers")
        if not isinstance(rows, list):
            # Without any, the answer is an empty object.
            if rows:
                raise BadAnswerError("no notification agents")
            return []
        mark = _mark(target).casefold()
        agents = [
            (number, mark in payload.word(row.get("friendly_name")))
            for row in payload.rows(rows)
            if payload.integer(row.get("agent_id")) == AGENT
            and (number := payload.identifier(row.get("id"))) is not None
        ]
        return sorted(agents, key=lambda agent: not agent[1])[:_MAX_AGENTS]

    async def _find(self, target: WebhookTarget) -> Object | None:
        """Find our agent: by the webhook it calls, else by our mark in its name."""
        marked: Object | None = None
        for number, ours in await self._agents(target):
            found = await self._config(number)
            hook = _hook(found)
            if target.webhook_id in hook:
                return found
            if ours and marked is None and (not hook or _HOME_ASSISTANT.search(hook)):
                marked = found
        return marked

    async def _config(self, number: int) -> Object:
        return await self._api.read("get_notifier_config", {"notifier_id": number})

    # --- writing --------------------------------------------------------------------------

    async def _create(self) -> int:
        answer = await self._api.read("add_notifier_config", {"agent_id": AGENT})
        number = payload.identifier(answer.get("notifier_id"))
        if number is None:
            raise BadAnswerError("a notification agent without a number")
        return number

    async def _write(self, number: int, found: Object, target: WebhookTarget) -> None:
        """Write it as wanted. Name and conditions are sent along: what is left out is reset."""
        method = payload.text(payload.mapping(found.get("config")).get("method"), 16)
        values: dict[str, str | int] = {
            "notifier_id": number,
            "agent_id": AGENT,
            "friendly_name": payload.text(found.get("friendly_name")) or _mark(target),
            "webhook_hook": target.url,
            "webhook_method": method if method in _METHODS else _METHODS[0],
        }
        if "custom_conditions" in found:
            values["custom_conditions"] = json.dumps(found["custom_conditions"])
            logic = payload.text(found.get("custom_conditions_logic"), payload.MAX_TEXT)
            values["custom_conditions_logic"] = logic or ""
        for trigger in TRIGGERS:
            values |= {
                trigger: 1,
                f"{trigger}_subject": headers(target),
                f"{trigger}_body": BODY,
            }
        await self._api.call("set_notifier_config", values)

    async def _delete(self, number: int) -> None:
        await self._api.call("delete_notifier", {"notifier_id": number})


def _mark(target: WebhookTarget) -> str:
    """Return the name by which we know our own agent, and not another instance's."""
    return f"Home Assistant (Media Arrivals {target.instance_id[:8]})"


def _number(found: Object) -> int:
    number = payload.identifier(found.get("id"))
    if number is None:
        raise BadAnswerError("a notification agent without a number")
    return number


def _hook(found: Object) -> str:
    return payload.text(payload.mapping(found.get("config")).get("hook"), 2048) or ""


def _is_on(found: Object, trigger: str) -> bool:
    return payload.integer(payload.mapping(found.get("actions")).get(trigger)) == 1


def _is_as_wanted(found: Object, target: WebhookTarget) -> bool:
    """Compare what matters with what is wanted."""
    config = payload.mapping(found.get("config"))
    return (
        _hook(found) == target.url
        and config.get("method") in _METHODS
        and all(
            _is_on(found, trigger)
            and _text(found, trigger, "body") == json.loads(BODY)
            and _text(found, trigger, "subject") == json.loads(headers(target))
            for trigger in TRIGGERS
        )
    )


def _text(found: Object, trigger: str, which: str) -> Json:
    """Read a text of a trigger, which is JSON, however it is laid out."""
    texts = payload.mapping(payload.mapping(found.get("notify_text")).get(trigger))
    value = texts.get(which)
    return payload.load_object(value.encode("utf-8", "replace")) if isinstance(value, str) else None


def _told(found: Object) -> frozenset[str]:
    """Return what it tells of every title; with conditions, it is silent about others."""
    conditions = payload.rows(found.get("custom_conditions"))
    if any(payload.text(one.get("parameter")) for one in conditions):
        return frozenset()
    return frozenset({"watched"} if _is_on(found, "on_watched") else ())
