"""Goes through flows over Home Assistant's HTTP API, as its front end does."""

import json
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, override

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestClient
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from custom_components.media_arrivals.const import CONF_KIND, DOMAIN, KIND_BOARD

type Answer = dict[str, Any]


TEXTS: Answer = json.loads(
    Path("custom_components/media_arrivals/translations/en.json").read_text(encoding="utf-8")
)


PERSON: Answer = TEXTS["config_subentries"]["person"]


def _strings(texts: Any) -> Iterator[str]:
    """Yield all texts below a step."""
    if isinstance(texts, str):
        yield texts
    else:
        for text in texts.values():
            yield from _strings(text)


class HomeResolver(AbstractResolver):
    """Knows the names of this house: localhost, and no other."""

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host != "localhost":
            raise OSError(socket.EAI_NONAME, "Name or service not known")
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=port,
                family=socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=0,
            )
        ]

    @override
    async def close(self) -> None:
        """Have nothing to close."""

    real_close = close


@dataclass
class Flow:
    """A flow that a person goes through."""

    client: TestClient[Any, Any]
    path: str
    last: Answer
    forms: int = 0
    """How many forms and menus were seen."""

    @classmethod
    async def begin(cls, client: TestClient[Any, Any], path: str, **data: Any) -> Flow:
        """Open the dialog."""
        answer = await client.post(path, json=data)
        assert answer.status == 200, await answer.text()
        flow = cls(client, path, await answer.json())
        flow.count()
        return flow

    def count(self) -> None:
        """Count what is shown, and see that there are words for all of it."""
        self.forms += self.last["type"] in {"form", "menu"}
        if self.last["type"] == "form":
            self._read_form()
        elif self.last["type"] == "abort" and not self.last["reason"].endswith("_successful"):
            section = TEXTS["config"] if self.path != SUBENTRIES else PERSON
            assert self.last["reason"] in section["abort"]

    def _read_form(self) -> None:
        """See that the front end finds each text, and what is to be filled into it."""
        step, errors = self.last["step_id"], self.last["errors"] or {}
        for texts in self._texts():
            words = texts["step"][step]
            for field in self.last["data_schema"]:
                if "schema" in field:
                    part = words["sections"][field["name"]]
                    names = [one["name"] for one in field["schema"]]
                else:
                    part, names = words, [field["name"]]
                for name in names:
                    # The fields of services are called as those are.
                    if self.path == SUBENTRIES and step == "users":
                        continue
                    assert part["data"][name]
                    assert part["data_description"][name]
            placeholders = self.last["description_placeholders"] or {}
            wrong = [texts["error"][key].format_map(placeholders) for key in errors.values()]
            shown = [text.format_map(placeholders) for text in _strings(words)]
            for text in (*shown, *wrong):
                assert ".." not in text
            for text in shown:
                # The front end makes a link of each address that is not marked as code, or
                # behind words.
                assert not re.search(r"(?<!`)(?<!\]\()https?://", text), text

    def _texts(self) -> list[Answer]:
        if self.path == SUBENTRIES:
            return [PERSON]
        if self.path != REPAIRS:
            return [TEXTS["config" if self.path == FLOW else "options"]]
        # One dialog serves every cause; its fields differ with the cause of the moment.
        return [
            issue["fix_flow"]
            for issue in TEXTS["issues"].values()
            if self.last["step_id"] in issue.get("fix_flow", {}).get("step", {})
            and (
                "callback_url" in issue["fix_flow"]["step"].get("remedy", {}).get("data", {})
                or all(one["name"] != "callback_url" for one in self.last["data_schema"])
            )
        ]

    async def send(self, data: Mapping[str, Any]) -> Answer:
        """Submit what is shown, and return what is shown next."""
        answer = await self.client.post(f"{self.path}/{self.last['flow_id']}", json=data)
        assert answer.status == 200, await answer.text()
        self.last = await answer.json()
        self.count()
        return self.last

    def field(self, name: str, *, section: str | None = None) -> Answer:
        """Return how a field is shown."""
        fields = self.last["data_schema"]
        if section is not None:
            fields = next(one for one in fields if one["name"] == section)["schema"]
        found: Answer = next(one for one in fields if one["name"] == name)
        return found

    def suggested(self, name: str, *, section: str | None = None) -> Any:
        """Return what a field is filled with."""
        return self.field(name, section=section).get("description", {}).get("suggested_value")


FLOW = "/api/config/config_entries/flow"
OPTIONS = "/api/config/config_entries/options/flow"
SUBENTRIES = "/api/config/config_entries/subentries/flow"
REPAIRS = "/api/repairs/issues/fix"


async def begin_adding(client: TestClient[Any, Any], kind: str) -> Flow:
    """Choose to add a service of a kind."""
    flow = await Flow.begin(client, FLOW, handler=DOMAIN)
    assert flow.last["type"] == "menu"
    assert flow.last["menu_options"] == [
        "seerr",
        "radarr",
        "sonarr",
        "plex",
        "jellyfin",
        "emby",
        "tautulli",
    ]
    await flow.send({"next_step_id": kind})
    assert flow.last["type"] == "form"
    assert flow.last["step_id"] == kind
    return flow


def services(hass: HomeAssistant) -> dict[str, ConfigEntry]:
    """Return the entries of services by title."""
    return {
        entry.title: entry
        for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False)
        if entry.data[CONF_KIND] != KIND_BOARD
    }
