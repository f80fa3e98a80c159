"""What is deleted is gone from the disk, also while a backup copies the file."""

from pathlib import Path

from custom_components.media_arrivals.engine.board.models import Outcome
from custom_components.media_arrivals.engine.storage.models import JournalMark
from custom_components.media_arrivals.engine.storage.storage import Storage

SECRET = "quillfeather" * 20


async def delivered(storage: Storage, *payloads: str, service: str = "plex") -> None:
    """Write deliveries down and have them worked off."""
    for payload in payloads:
        row = await storage.journal.append(service, service, "media.play", payload, 1.0)
        await storage.journal.mark(JournalMark(id=row, outcome=Outcome.PROCESSED, at=2.0))


def on_disk(path: Path) -> bytes:
    """Return every byte of the file and of what is beside it."""
    return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))


def without_secret(_service: str, _event: str, payload: str) -> str:
    """Keep nothing of what names somebody."""
    return "{}" if SECRET in payload else payload


async def test_what_is_kept_of_deliveries_is_changed_where_it_has_to_be(
    storage: Storage,
) -> None:
    await delivered(storage, *[f'{{"a":"{SECRET}"}}', '{"b":1}'] * 150)
    await delivered(storage, f'{{"a":"{SECRET}"}}', service="radarr")
    waiting = await storage.journal.append("plex", "plex", "x", f'{{"a":"{SECRET}"}}', 3.0)
    looked_at: list[int] = []

    assert await storage.journal.screen(["plex"], without_secret, looked_at.append) == 150
    assert await storage.journal.screen(["plex"], without_secret) == 0

    assert sum(looked_at) >= 300
    page = await storage.journal.recent(service="plex", limit=500, with_payload=True)
    assert {row.payload for row in page.rows if row.processed} == {"{}", '{"b":1}'}
    # Of others, and of what is not worked off yet, all is kept.
    assert [row.id for row in page.rows if SECRET in (row.payload or "")] == [waiting]
    (other,) = (await storage.journal.recent(service="radarr", with_payload=True)).rows
    assert SECRET in (other.payload or "")


async def test_nothing_of_what_was_deleted_is_left_on_the_disk(storage: Storage) -> None:
    await delivered(storage, *[f'{{"a":"{SECRET}"}}'] * 50)
    copy = storage.path.with_name(f"{storage.path.name}.before-v3")
    copy.write_text(SECRET)
    await storage.journal.screen(["plex"], without_secret)
    assert SECRET.encode() in on_disk(storage.path)

    await storage.wipe()

    assert SECRET.encode() not in on_disk(storage.path)
    assert not copy.exists()
    assert (await storage.journal.recent()).total == 50


async def test_a_file_that_is_copied_stays_still_and_is_wiped_afterwards(
    storage: Storage,
) -> None:
    await delivered(storage, *[f'{{"a":"{SECRET}"}}'] * 50)
    assert await storage.prepare_backup()
    before = storage.path.read_bytes()
    await storage.journal.screen(["plex"], without_secret)

    await storage.wipe()

    assert storage.path.read_bytes() == before
    assert await storage.finish_backup()
    assert SECRET.encode() not in on_disk(storage.path)
