"""What Tautulli is told to send: one flat text for every trigger. Pure.

Its names are Tautulli's own names of the values, so that a template which others wrote with
them is read alike. A value that Tautulli does not know stays as it is here: ``{title}``.
"""

import json
from typing import Final

from ..base import WebhookTarget

AGENT: Final = 25
"""Tautulli's number for agents that call a webhook."""
MARK: Final = "media_arrivals"
"""Key by which our template is known; its value is the template's version."""
VERSION: Final = "1"
TEST: Final = "test"
VALUES: Final = (
    "server_machine_id",
    "media_type",
    "rating_key",
    "parent_rating_key",
    "grandparent_rating_key",
    "title",
    "show_name",
    "year",
    "season_num",
    "episode_num",
    "air_date",
    "imdb_id",
    "thetvdb_id",
    "themoviedb_id",
    "user_id",
    "unixtime",
)
TRIGGERS: Final = ("on_play", "on_stop", "on_watched", "on_created")
"""Pauses and errors change nothing that we show."""

BODY: Final = json.dumps(
    {MARK: VERSION, "event": "{action}", **{name: f"{{{name}}}" for name in VALUES}}
)
TEST_BODY: Final = json.dumps({MARK: VERSION, "event": TEST})


def headers(target: WebhookTarget) -> str:
    """Return the headers: Tautulli names itself only there, and knows no other secret."""
    return json.dumps(
        {"User-Agent": "Tautulli/{tautulli_version}", "Authorization": target.authorization}
    )


def test_headers(target: WebhookTarget) -> str:
    """Return the headers of a test: nothing is filled in there."""
    return json.dumps({"User-Agent": "Tautulli", "Authorization": target.authorization})
