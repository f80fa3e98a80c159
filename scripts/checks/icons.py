"""Icons against code: each entity without a device class, action, trigger has one."""

import re

from .facts import Facts
from .problems import Document, Problem

MDI = re.compile(r"mdi:[a-z0-9]+(-[a-z0-9]+)*")
# Of the other platforms, each entity has an icon by itself.
WITHOUT_ICONS = {"binary_sensor", "button", "event", "number", "select", "sensor", "switch", "text"}
SECTIONS = {"conditions", "entity", "entity_component", "services", "triggers"}


def check(icons: Document, facts: Facts) -> list[Problem]:
    """Name all that does not agree."""
    for section in icons.data:
        if section not in SECTIONS:
            icons.problem((section,), f'Home Assistant knows no section "{section}"')
    for path, icon in icons.texts():
        if path[-1] != "sections" and not MDI.fullmatch(icon):
            icons.problem(path, f'"{icon}" is no mdi: icon; only these are allowed')
    return [*icons.problems, *_missing(icons, facts), *_left_over(icons, facts)]


def _missing(icons: Document, facts: Facts) -> list[Problem]:
    return [
        Problem(
            entity.module.file,
            entity.line,
            f'the entity "{entity.key}" has no icon;'
            f" add entity.{entity.platform}.{entity.key} to {icons.name}",
        )
        for entity in facts.entities
        if entity.platform in WITHOUT_ICONS
        and not entity.classed
        and not icons.mapping("entity", entity.platform, entity.key)
    ]


def _left_over(icons: Document, facts: Facts) -> list[Problem]:
    known = {(entity.platform, entity.key): entity for entity in facts.entities}
    found = []
    for platform, keys in icons.mapping("entity").items():
        for key, entry in keys.items():
            path = ("entity", platform, key)
            entity = known.get((platform, key))
            states = entry.get("state", {})
            texts = []
            if entity is None:
                texts.append(f"{'.'.join(path)} is used nowhere; remove it")
            elif "default" not in entry and "range" not in entry and not entity.classed:
                texts.append(f"{'.'.join(path)} has no default; add one")
            if entity is not None and entity.states is not None:
                texts += [
                    f'there is no state "{state}"; remove its icon'
                    for state in sorted(states.keys() - entity.states)
                ]
            texts += [
                f'the icon of "{state}" is the default; remove it'
                for state, icon in states.items()
                if icon == entry.get("default")
            ]
            found += [Problem(icons.name, icons.line(path), text) for text in texts]
    return found
