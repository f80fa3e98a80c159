"""Where the documentation says more about a repair."""

from collections.abc import Mapping
from typing import Final

DOCUMENTATION: Final = "https://github.com/media-arrivals/media-arrivals"
"""As in the manifest, which must not be read while Home Assistant runs."""

GUIDES: Final[Mapping[str, str]] = {
    "database_damaged": "troubleshooting.md#the-file-is-damaged",
    "database_newer": "troubleshooting.md#the-file-is-newer",
    "database_unavailable": "troubleshooting.md#the-file-cannot-be-opened",
    "deleting_personal_data": "privacy.md#switching-it-off",
    "vanished": "stage-does-not-move.md#much-vanished-from-a-media-server-at-once",
    "webhook_by_hand": "webhooks-not-arriving.md#it-has-to-be-entered-by-hand",
    "webhook_certificate": "webhooks-not-arriving.md#the-certificate-is-not-trusted",
    "webhook_csrf": "webhooks-not-arriving.md#seerrs-csrf-protection-is-on",
    "webhook_name_not_found": "webhooks-not-arriving.md#the-name-is-not-found",
    "webhook_no_address": "webhooks-not-arriving.md#there-is-no-address",
    "webhook_not_allowed": "webhooks-not-arriving.md#it-is-not-allowed",
    "webhook_not_received": "webhooks-not-arriving.md#the-test-did-not-arrive",
    "webhook_not_testable": "webhooks-not-arriving.md#there-is-no-test",
    "webhook_other": "webhooks-not-arriving.md#something-else",
    "webhook_plugin_missing": "jellyfin.md#the-plugin",
    "webhook_redirect": "webhooks-not-arriving.md#it-is-redirected",
    "webhook_refused": "webhooks-not-arriving.md#the-connection-is-refused",
    "webhook_silent": "webhooks-not-arriving.md#it-was-proven-and-tells-nothing",
    "webhook_taken": "webhooks-not-arriving.md#seerrs-webhook-is-taken",
    "webhook_taken_by_home_assistant": "webhooks-not-arriving.md#seerrs-webhook-is-taken",
    "webhook_timeout": "webhooks-not-arriving.md#there-is-no-answer",
    "webhook_untrusted_proxy": "webhooks-not-arriving.md#the-proxy-is-not-trusted",
}
"""Translation key of a repair -> page and heading in ``docs/``."""


def learn_more_url(repair: str) -> str:
    """Return the address of the guide to a repair."""
    return f"{DOCUMENTATION}/blob/main/docs/{GUIDES[repair]}"


def by_hand_url(kind: str) -> str:
    """Return the address of the guide to entering a webhook by hand in a kind of service."""
    return f"{DOCUMENTATION}/blob/main/docs/{kind}.md#by-hand"
