"""How the members of the Seerr family differ."""

import json
from dataclasses import dataclass

from .faults import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """One product of the family, in one version."""

    product: str
    version: str
    user_agent: str
    media_server: int
    completes: bool = False
    literal_template: bool = True
    tells_before_write: bool = True
    # "saves": only with the request's row; "never": not after creation; "always": as it should be.
    updated_at: str = "saves"
    asks_services: bool = False
    sorts: bool = False
    filters_type: bool = False
    counts_completed: bool = False
    url_variables: bool = False
    custom_headers: bool = False
    embeds_poster: bool = False
    knows_imdb: bool = False
    tells_download_id: bool = True
    discord: str = "discordId"
    ascii_template: bool = False
    blocked_word: str = ""


FLAVOURS: dict[str, Flavour] = {
    "overseerr-1.33": Flavour(
        product="overseerr",
        version="1.33.2",
        user_agent="axios/1.3.4",
        media_server=0,
        tells_download_id=False,
        discord="",
        ascii_template=True,
    ),
    "overseerr-1.34": Flavour(
        product="overseerr",
        version="1.34.0",
        user_agent="axios/1.3.4",
        media_server=0,
        tells_download_id=False,
        ascii_template=True,
    ),
    "jellyseerr-2.3": Flavour(
        product="jellyseerr",
        version="2.3.0",
        user_agent="node",
        media_server=2,
        asks_services=True,
        sorts=True,
        blocked_word="BLACKLISTED",
    ),
    "jellyseerr-2.7": Flavour(
        product="jellyseerr",
        version="2.7.3",
        user_agent="axios/1.10.0",
        media_server=2,
        completes=True,
        tells_before_write=False,
        updated_at="never",
        asks_services=True,
        sorts=True,
        filters_type=True,
        blocked_word="BLACKLISTED",
    ),
    "seerr-3.1": Flavour(
        product="seerr",
        version="3.1.0",
        user_agent="axios/1.13.3",
        media_server=1,
        completes=True,
        tells_before_write=False,
        updated_at="never",
        asks_services=True,
        sorts=True,
        filters_type=True,
        counts_completed=True,
        url_variables=True,
        embeds_poster=True,
        blocked_word="BLOCKLISTED",
    ),
    "seerr-3.3": Flavour(
        product="seerr",
        version="3.3.0",
        user_agent="axios/1.13.6",
        media_server=1,
        completes=True,
        literal_template=False,
        tells_before_write=False,
        updated_at="always",
        asks_services=True,
        sorts=True,
        filters_type=True,
        counts_completed=True,
        url_variables=True,
        custom_headers=True,
        embeds_poster=True,
        knows_imdb=True,
        discord="discordIds",
        blocked_word="BLOCKLISTED",
    ),
}


def default_template(flavour: Flavour) -> str:
    """Return the template that this product comes with."""

    def person(prefix: str) -> Json:
        keys = [f"{prefix}_email", f"{prefix}_username", f"{prefix}_avatar"]
        if flavour.discord:
            keys += [f"{prefix}_settings_{flavour.discord}", f"{prefix}_settings_telegramChatId"]
        return {key: f"{{{{{key}}}}}" for key in keys}

    media = {
        "media_type": "{{media_type}}",
        "tmdbId": "{{media_tmdbid}}",
        "tvdbId": "{{media_tvdbid}}",
        "status": "{{media_status}}",
        "status4k": "{{media_status4k}}",
    }
    if flavour.knows_imdb:
        media |= {"imdbId": "{{media_imdbid}}", "jellyfinMediaId": "{{media_jellyfinMediaId}}"}
    template = {
        "notification_type": "{{notification_type}}",
        "event": "{{event}}",
        "subject": "{{subject}}",
        "message": "{{message}}",
        "image": "{{image}}",
        "{{media}}": media,
        "{{request}}": {"request_id": "{{request_id}}", **person("requestedBy")},
        "{{issue}}": {
            "issue_id": "{{issue_id}}",
            "issue_type": "{{issue_type}}",
            "issue_status": "{{issue_status}}",
            **person("reportedBy"),
        },
        "{{comment}}": {"comment_message": "{{comment_message}}", **person("commentedBy")},
        "{{extra}}": [],
    }
    return json.dumps(template, indent=2)
