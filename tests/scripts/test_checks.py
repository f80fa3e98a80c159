"""The consistency checks, by breaking a small integration in which everything agrees."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from scripts.checks.__main__ import problems_of
from scripts.checks.quality_scale import RULES

FOLDER = "custom_components/parcels"

CODE = {
    "__init__.py": """
        from homeassistant.helpers import config_validation as cv

        from .const import DOMAIN

        CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


        async def async_setup(hass, config):
            return True
    """,
    "const.py": """
        from enum import StrEnum

        DOMAIN = "parcels"
        CONF_TIER = "tier"


        class Stage(StrEnum):
            SENT = "sent"
            HERE = "here"
    """,
    "entity.py": """
        class ParcelEntity:
            def __init__(self, description):
                self._attr_translation_key = description.key
    """,
    "sensor.py": """
        from homeassistant.components.sensor import SensorEntityDescription, SensorDeviceClass

        from .const import Stage


        class ParcelDescription(SensorEntityDescription):
            value_fn: object


        SENSORS = (
            ParcelDescription(key="waiting"),
            ParcelDescription(key="stage", options=[stage.value for stage in Stage]),
            ParcelDescription(key="seen", device_class=SensorDeviceClass.TIMESTAMP),
        )
    """,
    "event.py": """
        from .const import Stage
        from .entity import ParcelEntity


        class ParcelEvent(ParcelEntity):
            _attr_translation_key = "moved"
            _attr_event_types = list(Stage)
    """,
    "config_flow.py": """
        import probatio
        from homeassistant.config_entries import ConfigFlow, OptionsFlow
        from homeassistant.const import CONF_API_KEY, CONF_URL
        from homeassistant.helpers.selector import SelectSelectorConfig

        from .const import CONF_TIER, DOMAIN

        ERRORS = {OSError: "cannot_connect", ValueError: "invalid_auth"}

        SCHEMA = probatio.Schema(
            {
                probatio.Required(CONF_URL): str,
                probatio.Required(probatio.Secret(CONF_API_KEY)): str,
                probatio.Required(CONF_TIER): SelectSelectorConfig(
                    options=["hd"], translation_key="tier"
                ),
            }
        )


        class ParcelFlow(ConfigFlow, domain=DOMAIN):
            async def async_step_user(self, user_input=None):
                errors = {}
                if user_input:
                    try:
                        self._async_abort_entries_match(user_input)
                        return self.async_abort(reason="too_old")
                    except Exception as err:
                        errors["base"] = ERRORS.get(type(err), "unknown")
                return self.async_show_form(
                    step_id="user",
                    data_schema=self.add_suggested_values_to_schema(SCHEMA, user_input),
                    errors=errors,
                    description_placeholders={"docs": "https://example.org"},
                )


        class ParcelOptions(OptionsFlow):
            async def async_step_init(self, user_input=None):
                return self.async_show_menu(step_id="init", menu_options=["days"])

            async def async_step_days(self, user_input=None):
                schema = probatio.Schema({probatio.Optional("days"): int})
                return self.async_show_form(step_id="days", data_schema=schema)
    """,
    "services.py": """
        import probatio
        from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
        from homeassistant.helpers import issue_registry as ir

        from .const import DOMAIN

        SERVICE_TRACK = "track"
        SCHEMA = probatio.Schema({probatio.Required("number"): str, probatio.Optional("kind"): str})


        def fail(key):
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key=key)


        async def track(call):
            if not call.data:
                fail("nothing")
            ir.async_create_issue(
                call.hass,
                DOMAIN,
                "lost",
                is_fixable=False,
                translation_key="lost",
                translation_placeholders={"number": "1"},
            )
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="unknown_number",
                translation_placeholders={"number": "1"},
            )


        def async_setup_services(hass):
            hass.services.async_register(DOMAIN, SERVICE_TRACK, track, SCHEMA)
    """,
    "condition.py": """
        import probatio

        SCHEMA = probatio.Schema({probatio.Required("options"): {probatio.Optional("size"): str}})


        class IsHere:
            pass


        async def async_get_conditions(hass):
            return {"is_here": IsHere}
    """,
    "trigger.py": """
        import probatio

        SCHEMA = probatio.Schema({probatio.Required("options"): {probatio.Optional("weight"): str}})


        class Moved:
            pass


        TRIGGERS = {"moved": Moved}


        async def async_get_triggers(hass):
            return TRIGGERS
    """,
    "engine/__init__.py": "",
    "engine/board.py": "from . import words\n",
    "engine/words.py": "",
}

FILES: dict[str, Any] = {
    "manifest.json": {
        "domain": "parcels",
        "name": "Parcels",
        "codeowners": ["@someone"],
        "config_flow": True,
        "documentation": "https://example.org/parcels",
        "integration_type": "service",
        "iot_class": "local_push",
        "issue_tracker": "https://example.org/parcels/issues",
        "requirements": [],
        "version": "1.2.3",
    },
    "translations/en.json": {
        "config": {
            "abort": {"already_configured": "It is here already.", "too_old": "It is too old."},
            "error": {
                "cannot_connect": "It does not answer.",
                "invalid_auth": "The key is wrong.",
                "unknown": "Something else.",
            },
            "step": {
                "user": {
                    "title": "A post office",
                    "description": "See the [documentation]({docs}).",
                    "data": {"url": "Address", "api_key": "Key", "tier": "Tier"},
                    "data_description": {"url": "Of it.", "api_key": "For it.", "tier": "Which."},
                }
            },
        },
        "options": {
            "step": {
                "init": {"title": "Options", "menu_options": {"days": "Days"}},
                "days": {"data": {"days": "Days"}, "data_description": {"days": "How many."}},
            }
        },
        "entity": {
            "event": {
                "moved": {
                    "name": "Moved",
                    "state_attributes": {"event_type": {"state": {"sent": "Sent", "here": "Here"}}},
                }
            },
            "sensor": {
                "waiting": {"name": "Waiting"},
                "stage": {"name": "Stage", "state": {"sent": "Sent", "here": "Here"}},
                "seen": {"name": "Seen"},
            },
        },
        "exceptions": {
            "nothing": {"message": "There is nothing."},
            "unknown_number": {"message": "Nobody knows {number}."},
        },
        "issues": {"lost": {"title": "A parcel is lost", "description": "It was {number}."}},
        "selector": {"tier": {"options": {"hd": "HD"}}, "kind": {"options": {"small": "Small"}}},
        "services": {
            "track": {
                "name": "Track",
                "description": "Tracks a parcel.",
                "fields": {
                    "number": {"name": "Number", "description": "Its number."},
                    "kind": {"name": "Kind", "description": "Its kind."},
                },
            }
        },
        "conditions": {
            "is_here": {
                "name": "Parcel is here",
                "description": "If one is here.",
                "fields": {"size": {"name": "Size", "description": "Its size."}},
            }
        },
        "triggers": {
            "moved": {
                "name": "Parcel moved",
                "description": "When one moves.",
                "fields": {"weight": {"name": "Weight", "description": "Its weight."}},
            }
        },
    },
    "icons.json": {
        "entity": {
            "event": {"moved": {"default": "mdi:package"}},
            "sensor": {
                "waiting": {"default": "mdi:package"},
                "stage": {"default": "mdi:package", "state": {"here": "mdi:home"}},
            },
        },
        "services": {"track": {"service": "mdi:package"}},
        "conditions": {"is_here": {"condition": "mdi:package"}},
        "triggers": {"moved": {"trigger": "mdi:package"}},
    },
    "services.yaml": {
        "track": {
            "fields": {
                "number": {"required": True, "selector": {"text": None}},
                "kind": {"selector": {"select": {"options": ["small"], "translation_key": "kind"}}},
            }
        }
    },
    "conditions.yaml": {"is_here": {"fields": {"size": {"selector": {"text": None}}}}},
    "triggers.yaml": {"moved": {"fields": {"weight": {"selector": {"text": None}}}}},
    "quality_scale.yaml": {"rules": dict.fromkeys(RULES, "done")},
    "../../hacs.json": {"name": "Parcels", "homeassistant": "2026.10.4"},
}

type Problems = Callable[[], list[str]]


class Tree:
    """The small integration, and what the checks say of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / FOLDER
        for name, code in CODE.items():
            self.write(name, dedent(code))
        for name, content in FILES.items():
            self.write(name, json.dumps(content, indent=2))
        self.write("../../README.md", "# Parcels\n\n[Use](#how-to-use-it)\n\n## How to use it\n")

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def change(self, name: str, path: str, value: Any = None) -> None:
        """Put a value into a file, or take one out."""
        data = json.loads((self.folder / name).read_text(encoding="utf-8"))
        *above, last = path.split("/")
        target = data
        for key in above:
            target = target.setdefault(key, {})
        if value is None:
            del target[last]
        else:
            target[last] = value
        self.write(name, json.dumps(data, indent=2))

    def problems(self) -> list[str]:
        return [str(problem) for problem in problems_of(self.root, FOLDER)]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_nothing_is_said_where_everything_agrees(tree: Tree) -> None:
    assert tree.problems() == []


IMPORT = "from homeassistant.components import http"
TEXTS = "translations/en.json"


@pytest.mark.parametrize(
    ("file", "path", "value", "said"),
    [
        # What the code needs is missing.
        (TEXTS, "config/abort/already_configured", None, 'config_flow.py:27: "already_configured"'),
        (TEXTS, "config/abort/too_old", None, 'config_flow.py:28: "too_old" has no text'),
        (
            TEXTS,
            "config/error/invalid_auth",
            None,
            'config_flow.py:30: "invalid_auth" has',
        ),
        (TEXTS, "config/error/unknown", None, 'config_flow.py:30: "unknown" has'),
        (TEXTS, "config/step/user", None, 'config_flow.py:31: the step "user" has no text'),
        (TEXTS, "config/step/user/data/api_key", None, 'the field "api_key" has no text'),
        (TEXTS, "config/step/user/data_description/url", None, "data_description has no url"),
        (TEXTS, "options/step/init/menu_options/days", None, '"days" has no text'),
        (TEXTS, "options/step/days", None, 'the step "days" has no text'),
        (TEXTS, "entity/sensor/waiting", None, 'sensor.py:12: the entity "waiting" has no name'),
        (TEXTS, "entity/sensor/stage/state/here", None, 'the state "here" has no text'),
        (
            TEXTS,
            "entity/event/moved/state_attributes/event_type/state/sent",
            None,
            'event.py:7: the state "sent"',
        ),
        (TEXTS, "exceptions/nothing", None, 'services.py:13: "nothing" has no text'),
        (TEXTS, "issues/lost/description", None, 'the issue "lost" is not described'),
        (TEXTS, "issues/lost/title", None, 'the issue "lost" has no title'),
        (TEXTS, "selector/tier", None, 'config_flow.py:15: "tier" has no texts'),
        (TEXTS, "selector/kind/options/small", None, 'services.yaml:.*"small" has no text'),
        (TEXTS, "services/track/fields/kind", None, 'services.yaml:10: "kind" has no text'),
        (TEXTS, "services/track/description", None, "services.track.description"),
        (TEXTS, "triggers/moved", None, 'triggers.yaml:2: "moved" has no text'),
        ("icons.json", "entity/sensor/waiting", None, 'sensor.py:12: .*"waiting" has no icon'),
        ("icons.json", "services/track", None, 'services.yaml:2: "track" has no icon'),
        ("icons.json", "triggers/moved", None, '"moved" has no icon'),
        (TEXTS, "conditions/is_here/name", None, 'conditions.yaml:2: "is_here" has no text'),
        (TEXTS, "conditions/is_here/fields/size", None, '"size" has no text'),
        (TEXTS, "triggers/moved/fields/weight", None, '"weight" has no text'),
        ("icons.json", "conditions/is_here", None, '"is_here" has no icon'),
        ("conditions.yaml", "is_here", None, 'condition.py:12: "is_here" is not described'),
        ("conditions.yaml", "is_here/fields/size", None, 'condition.py:1: the field "size" is not'),
        ("triggers.yaml", "moved/fields/weight", None, 'trigger.py:1: the field "weight" is not'),
        ("services.yaml", "track", None, 'services.py:35: "track" is not described'),
        ("services.yaml", "track/fields/number", None, 'the field "number" is not described'),
        ("triggers.yaml", "moved", None, 'trigger.py:15: "moved" is not described'),
        # What nothing needs is left.
        (TEXTS, "config/abort/old", "Old.", "en.json:6: config.abort.old is used nowhere"),
        (TEXTS, "config/error/old", "Old.", "config.error.old is used nowhere"),
        (TEXTS, "config/step/old", {"title": "Old"}, "config.step.old is used nowhere"),
        (TEXTS, "config/step/user/data/old", "Old", "data.old is used nowhere"),
        (TEXTS, "config/step/user/data_description/old", "O.", "data_description.old is used now"),
        (TEXTS, "entity/sensor/old", {"name": "Old"}, "entity.sensor.old is used nowhere"),
        (TEXTS, "entity/sensor/stage/state/old", "Old", "stage.state.old is used nowhere"),
        (TEXTS, "exceptions/old", {"message": "Old."}, "exceptions.old is used nowhere"),
        (TEXTS, "issues/old", {"title": "Old"}, "issues.old is used nowhere"),
        (TEXTS, "selector/old", {"options": {}}, "selector.old is used nowhere"),
        (TEXTS, "services/old", {"name": "Old"}, "services.old is used nowhere"),
        (TEXTS, "services/track/fields/old", {"name": "Old"}, "track.fields.old is used nowhere"),
        (TEXTS, "triggers/old", {"name": "Old"}, "triggers.old is used nowhere"),
        (TEXTS, "conditions/old", {"name": "Old"}, "conditions.old is used nowhere"),
        (TEXTS, "system_health/info/old", "Old", "system_health is used nowhere"),
        (TEXTS, "odd", {"name": "Old"}, 'knows no section "odd"'),
        ("icons.json", "entity/sensor/old", {"default": "mdi:a"}, "entity.sensor.old is used now"),
        ("icons.json", "services/old", {"service": "mdi:a"}, "services.old is used nowhere"),
        ("icons.json", "entity/sensor/stage/state/gone", "mdi:a", 'there is no state "gone"'),
        ("services.yaml", "old", {"fields": {}}, 'the code has no "old"'),
        ("services.yaml", "track/fields/old", {"selector": {}}, 'no action takes "old"'),
        ("triggers.yaml", "old", {"fields": {}}, 'the code has no "old"'),
        ("triggers.yaml", "moved/fields/old", {"selector": {}}, 'no trigger takes "old"'),
        ("conditions.yaml", "old", {"fields": {}}, 'the code has no "old"'),
        ("conditions.yaml", "is_here/fields/old", {"selector": {}}, 'no condition takes "old"'),
        # What is there is not sound.
        (TEXTS, "config/error/unknown", "See https://example.org.", "has an address in it"),
        (TEXTS, "config/error/unknown", "<b>No</b>", "has HTML in it"),
        (TEXTS, "config/error/unknown", " No.", "begins or ends with a space"),
        (TEXTS, "config/error/unknown", "[%key:common::no%]", "refers to another text"),
        (TEXTS, "exceptions/unknown_number/message", "No '{number}'.", "in single quotes"),
        (TEXTS, "exceptions/unknown_number/message", "No {a b}.", "must be an identifier"),
        (TEXTS, "exceptions/unknown_number/message", "No {n}.", "services.py:27 does not give it"),
        (TEXTS, "exceptions/unknown_number/message", "No.", 'the placeholder "number" is not in'),
        (TEXTS, "exceptions/nothing/message", "No {number}.", "has {number}"),
        (TEXTS, "issues/lost/description", "It was {name}.", "issues.lost has {name}"),
        (TEXTS, "config/step/user/description", "See {other}.", "has {other}"),
        ("icons.json", "entity/sensor/waiting/default", "hass:home", "no mdi: icon"),
        ("icons.json", "entity/sensor/stage/state/here", "mdi:package", "is the default"),
        # The manifest and the files beside it.
        ("manifest.json", "domain", "letters", 'the domain must be "parcels"'),
        ("manifest.json", "requirements", ["aiohttp"], "we need nothing"),
        ("manifest.json", "version", "new", '"new" is no version'),
        ("manifest.json", "iot_class", "push", "must be one of"),
        ("manifest.json", "integration_type", "thing", "must be one of"),
        ("manifest.json", "colour", "red", 'knows no key "colour"'),
        ("manifest.json", "codeowners", [], "must name a code owner"),
        ("manifest.json", "documentation", None, '"documentation" is missing'),
        ("manifest.json", "documentation", "http://example.org", "must be an https address"),
        (
            "manifest.json",
            "after_dependencies",
            ["cloud"],
            '"after_dependencies" should stand here',
        ),
        ("../../hacs.json", "name", "Letters", "the manifest has another name"),
        ("quality_scale.yaml", "rules/brands", None, "brands is missing"),
        ("quality_scale.yaml", "rules/shiny", "done", "no rule shiny"),
        ("quality_scale.yaml", "rules/brands", "nearly", "must be done, todo or exempt"),
        ("quality_scale.yaml", "rules/brands", {"status": "exempt"}, "say why in a comment"),
    ],
)
def test_a_file_that_does_not_agree(
    tree: Tree, file: str, path: str, value: Any, said: str
) -> None:
    tree.change(file, path, value)
    problems = tree.problems()
    assert any(re.search(said, problem) for problem in problems), problems


@pytest.mark.parametrize("rule", ["docs-actions", "docs-conditions", "docs-triggers"])
def test_what_automations_use_is_not_exempt(tree: Tree, rule: str) -> None:
    tree.change("quality_scale.yaml", f"rules/{rule}", {"status": "exempt", "comment": "Later."})
    assert any("is there: no exemption" in problem for problem in tree.problems())


@pytest.mark.parametrize("rule", ["discovery", "discovery-update-info"])
def test_what_is_discovered_is_not_exempt(tree: Tree, rule: str) -> None:
    tree.change(
        "quality_scale.yaml", f"rules/{rule}", {"status": "exempt", "comment": "They hide."}
    )
    assert tree.problems() == []
    tree.change("manifest.json", "zeroconf", ["_parcels._tcp.local."])
    assert any("discovers by zeroconf: no exemption" in problem for problem in tree.problems())


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("__init__.py", "CONFIG_SCHEMA", "SCHEMA", "__init__.py:9: .*needs a CONFIG_SCHEMA"),
        (
            "__init__.py",
            "from .const",
            "from homeassistant.components import http\nfrom .const",
            "http",
        ),
        ("engine/board.py", "from . import", "from ..const import", "leads out of the engine"),
        ("engine/board.py", "from . import", "from .. import", "leads out of the engine"),
        (
            "engine/board.py",
            "from . import",
            "from custom_components.parcels.engine import",
            "use a relative import",
        ),
        ("sensor.py", '"waiting"', '"resting"', 'sensor.py:12: the entity "resting" has no name'),
        ("sensor.py", '"waiting"', '"resting"', "entity.sensor.waiting is used nowhere"),
        ("const.py", '"sent"', '"posted"', 'the state "posted" has no text'),
        ("services.py", '"track"', '"follow"', 'services.py:35: "follow" is not described'),
        ("services.py", '"nothing"', '"empty"', 'services.py:13: "empty" has no text'),
        ("services.py", '"nothing"', 'f"{call}_found"', "services.py:13: which text .* be told"),
        ("trigger.py", '"moved"', '"went"', 'trigger.py:15: "went" is not described'),
        ("config_flow.py", 'step_id="user"', 'step_id="start"', 'the step "start" has no text'),
        ("../../README.md", "#how-to-use-it", "#how", "README.md:3: #how: no such heading"),
        ("../../README.md", "#how-to-use-it", "docs/radarr.md", "docs/radarr.md is not there"),
        (
            "../../README.md",
            "#how-to-use-it)",
            ")\n>>>>>>> mine",
            "README.md:4: is left from a merge",
        ),
        (TEXTS, '"entity": {', '"entity": {,', "en.json:[0-9]+: is no JSON"),
        (TEXTS, '"issues": {', '"exceptions": {}, "issues": {', '"exceptions" is here twice'),
        ("services.yaml", "{", "{{", "services.yaml:1: is no YAML|services.yaml:.*"),
    ],
)
def test_code_that_does_not_agree(tree: Tree, file: str, old: str, new: str, said: str) -> None:
    tree.replace(file, old, new)
    problems = tree.problems()
    assert any(re.search(said, problem) for problem in problems), problems


@pytest.mark.parametrize(
    "name", ["manifest.json", TEXTS, "icons.json", "services.yaml", "quality_scale.yaml"]
)
def test_a_file_that_is_missing(tree: Tree, name: str) -> None:
    (tree.folder / name).unlink()
    assert f"{FOLDER}/{name}:1: is missing; make it" in tree.problems()


def test_texts_and_icons_of_triggers_that_are_not_there(tree: Tree) -> None:
    for name in ("trigger.py", "triggers.yaml"):
        (tree.folder / name).unlink()
    problems = tree.problems()
    for name in (TEXTS, "icons.json"):
        said = f"{FOLDER}/{name}:[0-9]+: there are no triggers; remove this"
        assert any(re.fullmatch(said, problem) for problem in problems), problems


def test_a_dependency_is_no_problem_once_it_is_named(tree: Tree) -> None:
    tree.replace(
        "__init__.py", "from .const", "from homeassistant.components import http\nfrom .const"
    )
    tree.replace("manifest.json", '"documentation"', '"dependencies": ["http"], "documentation"')
    assert tree.problems() == []


ERRORS = """
    from enum import StrEnum


    class Cause(StrEnum):
        RAIN = "rain"
        SNOW = "snow"


    class PostError(Exception):
        key = "closed"


    class StrikeError(PostError):
        key = "strike"


    class LostError(PostError):
        def __init__(self, cause: Cause) -> None:
            self.cause = cause


    class LabelError(Exception):
        def __init__(self, key="unreadable"):
            self.key = key


    def read(label):
        if not label:
            raise LabelError("empty")
        raise LabelError


    def weather() -> Cause:
        return Cause.RAIN
"""
POST = """
    from homeassistant.exceptions import HomeAssistantError

    from .const import DOMAIN
    from .errors import Cause, LabelError, LostError, PostError, StrikeError, read


    class Parcel:
        cause: Cause
        delay: PostError | None

        def lose(self, parcel: Parcel | None):
            raise HomeAssistantError(
                translation_domain=DOMAIN, translation_key=f"lost_in_{parcel.cause}"
            )

        def late(self):
            raise HomeAssistantError(
                translation_domain=DOMAIN, translation_key=self.delay.key
            )


    async def send():
        try:
            read(None)
        except StrikeError as err:
            raise ValueError from err
        except PostError as err:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key=err.key,
                translation_placeholders=words(err),
            ) from err
        except LabelError as err:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key=err.key) from err


    def words(err):
        return {"reason": str(err)}
"""


@pytest.fixture
def post(tree: Tree) -> Tree:
    """Return the small integration with errors that name their own texts."""
    tree.write("errors.py", dedent(ERRORS))
    tree.write("post.py", dedent(POST).replace("self.delay.key", '"late"'))
    for key in ("late", "unreadable", "empty", "lost_in_rain", "lost_in_snow"):
        tree.change(TEXTS, f"exceptions/{key}", {"message": "It did not come."})
    tree.change(TEXTS, "exceptions/closed", {"message": "Closed: {reason}."})
    return tree


def test_errors_name_their_texts(post: Tree) -> None:
    assert post.problems() == []


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("closed", 'post.py:29: "closed" has no text'),
        ("unreadable", 'post.py:35: "unreadable" has no text'),
        ("empty", 'post.py:35: "empty" has no text'),
        ("lost_in_snow", 'post.py:13: "lost_in_snow" has no text'),
    ],
)
def test_an_error_whose_text_is_missing(post: Tree, key: str, said: str) -> None:
    post.change(TEXTS, f"exceptions/{key}")
    assert any(said in problem for problem in post.problems()), post.problems()


@pytest.mark.parametrize("key", ["strike", "rain", "lost_in_hail", "RAIN"])
def test_a_text_of_an_error_that_never_comes(post: Tree, key: str) -> None:
    # That a string stands somewhere in the code does not make it a text's key.
    post.change(TEXTS, f"exceptions/{key}", {"message": "It rains."})
    assert any(f"exceptions.{key} is used nowhere" in problem for problem in post.problems())


def test_what_any_error_below_may_be(post: Tree) -> None:
    post.write("post.py", dedent(POST))
    post.change(TEXTS, "exceptions/late")
    assert any('post.py:18: "strike" has no text' in problem for problem in post.problems())
    post.change(TEXTS, "exceptions/strike", {"message": "They are on strike."})
    # A closed post office has a reason once, and once has none.
    problems = post.problems()
    assert len(problems) == 1, problems
    assert "exceptions.closed.message has {reason}; " in problems[0]
    assert "post.py:18 does not give it" in problems[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("parcel: Parcel | None", "parcel"),
        ("except LabelError as err:", "except Exception as err:"),
        ('f"lost_in_{parcel.cause}"', 'f"lost_in_{parcel.weight}"'),
    ],
)
def test_a_key_that_cannot_be_told(post: Tree, old: str, new: str) -> None:
    post.replace("post.py", old, new)
    assert any("cannot be told" in problem for problem in post.problems())


def test_errors_of_a_repair_are_in_each_issue_that_has_one(tree: Tree) -> None:
    tree.write(
        "repairs.py",
        dedent("""
            from homeassistant.components.repairs import RepairsFlow
            from homeassistant.helpers import issue_registry as ir


            def report(hass):
                ir.async_create_issue(
                    hass, "parcels", "rain", is_fixable=True, translation_key="rain"
                )


            class ParcelRepair(RepairsFlow):
                async def async_step_init(self, user_input=None):
                    return self.async_show_form(step_id="init", errors={"base": "still_lost"})


            class WeatherRepair(RepairsFlow):
                async def async_step_confirm(self, user_input=None):
                    return self.async_show_form(step_id="confirm")
        """),
    )
    weather = {"title": "It rains", "fix_flow": {"step": {"confirm": {"title": "Does it stop?"}}}}
    tree.change(TEXTS, "issues/rain", weather)
    tree.replace("services.py", "is_fixable=False", "is_fixable=True")
    tree.change(TEXTS, "issues/lost/description")
    flow = {"step": {"init": {"title": "Look for {number}"}}, "error": {"still_lost": "It is not."}}
    tree.change(TEXTS, "issues/lost/fix_flow", flow)
    problems = tree.problems()
    assert problems == [], problems
    tree.change(TEXTS, "issues/lost/fix_flow/error")
    assert any('repairs.py:14: "still_lost" has no text' in one for one in tree.problems())
