"""Reads ``multipart/form-data``, as far as media servers send it: small text fields.

Written for bodies that lie in memory as a whole. A part that has a file name is never read:
Plex sends a picture along.
"""

import re
from typing import Final

MAX_PARTS: Final = 32
_HEADER_BYTES: Final = 4096
_BOUNDARY: Final = re.compile(r"boundary=(?:\"([^\"]{1,70})\"|([^\s;,]{1,70}))", re.IGNORECASE)
_NAME: Final = re.compile(rb";\s*name=(?:\"([^\"]*)\"|([^\s;]+))", re.IGNORECASE)
_FILE: Final = re.compile(rb";\s*filename\*?=", re.IGNORECASE)
_DISPOSITION: Final = re.compile(
    rb"^content-disposition:\s*form-data([^\r\n]*)", re.IGNORECASE | re.MULTILINE
)


def field(body: bytes, content_type: str, name: str) -> bytes | None:
    """Return a field's value, or ``None`` where there is none.

    A proxy may have lost the header: then the boundary is what the body begins with.
    """
    delimiter = _delimiter(body, content_type)
    if delimiter is None:
        return None
    wanted = name.encode()
    for part in body.split(delimiter, MAX_PARTS + 1)[1:]:
        if part.startswith(b"--"):
            break
        head, found, value = _halves(part)
        if not found or len(head) > _HEADER_BYTES:
            continue
        disposition = _DISPOSITION.search(head)
        if disposition is None or _FILE.search(disposition[1]):
            continue
        label = _NAME.search(disposition[1])
        if label is not None and (label[1] or label[2]) == wanted:
            return value.removesuffix(b"\n").removesuffix(b"\r")
    return None


def _delimiter(body: bytes, content_type: str) -> bytes | None:
    """Return what stands between the parts."""
    if (match := _BOUNDARY.search(content_type)) is not None:
        delimiter = b"--" + (match[1] or match[2]).encode("latin-1", "replace")
        return delimiter if delimiter in body else None
    first = body.lstrip()[:256].partition(b"\n")[0].strip()
    return first if first.startswith(b"--") and len(first) > 2 else None


def _halves(part: bytes) -> tuple[bytes, bool, bytes]:
    """Divide a part into headers and value."""
    for end in (b"\r\n\r\n", b"\n\n"):
        head, found, value = part.partition(end)
        if found:
            return head, True, value
    return b"", False, b""
