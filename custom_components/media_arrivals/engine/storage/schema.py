"""The tables, as a fresh file gets them."""

import sqlite3
from typing import Final

from .transaction import transaction

SCHEMA_VERSION: Final = 3

LIBRARY_INDEX: Final = (
    """
    CREATE TABLE library_index (
        service TEXT NOT NULL,
        item TEXT NOT NULL,
        media_type TEXT NOT NULL,
        tmdb INTEGER,
        tvdb INTEGER,
        imdb TEXT,
        PRIMARY KEY (service, item)
    ) STRICT, WITHOUT ROWID
    """,
    *(
        f"CREATE INDEX library_index_{space} ON library_index (service, media_type, {space})"
        f" WHERE {space} IS NOT NULL"
        for space in ("tmdb", "tvdb", "imdb")
    ),
    """
    CREATE TABLE library_index_state (
        service TEXT PRIMARY KEY,
        resume TEXT NOT NULL,
        done INTEGER NOT NULL,
        total INTEGER NOT NULL,
        complete INTEGER NOT NULL,
        built_at REAL
    ) STRICT, WITHOUT ROWID
    """,
)
"""As they came with version 2; a later version changes them by a step of its own."""

# The payload is the last column: SQLite then reads the others without its pages.
_TABLES: Final = (
    """
    CREATE TABLE webhook_log (
        id INTEGER PRIMARY KEY,
        source TEXT NOT NULL,
        event_type TEXT NOT NULL,
        received_at REAL NOT NULL,
        processed INTEGER NOT NULL DEFAULT 0,
        processed_at REAL,
        error_message TEXT,
        service TEXT NOT NULL,
        outcome TEXT,
        reason TEXT,
        payload_length INTEGER NOT NULL,
        payload TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX webhook_log_pending ON webhook_log (processed) WHERE processed = 0",
    """
    CREATE TABLE sync_schedule (
        id INTEGER PRIMARY KEY,
        service TEXT NOT NULL UNIQUE,
        enabled INTEGER NOT NULL,
        interval_hours INTEGER NOT NULL,
        last_run_at REAL,
        next_run_at REAL,
        run_count INTEGER NOT NULL DEFAULT 0,
        last_status TEXT,
        last_error TEXT
    ) STRICT
    """,
    """
    CREATE TABLE service_records (
        service TEXT NOT NULL,
        name TEXT NOT NULL,
        document TEXT NOT NULL,
        PRIMARY KEY (service, name)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE titles (
        id TEXT PRIMARY KEY,
        media_type TEXT NOT NULL,
        name TEXT,
        name_folded TEXT,
        year INTEGER,
        held TEXT NOT NULL,
        document TEXT NOT NULL,
        overview TEXT
    ) STRICT
    """,
    """
    CREATE TABLE title_ids (
        media_type TEXT NOT NULL,
        space TEXT NOT NULL,
        value TEXT NOT NULL,
        title_id TEXT NOT NULL REFERENCES titles (id) ON DELETE CASCADE,
        PRIMARY KEY (media_type, space, value)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX title_ids_title ON title_ids (title_id)",
    """
    CREATE TABLE title_own_ids (
        service TEXT NOT NULL,
        media_type TEXT NOT NULL,
        own_id INTEGER NOT NULL,
        title_id TEXT NOT NULL REFERENCES titles (id) ON DELETE CASCADE,
        PRIMARY KEY (service, media_type, own_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX title_own_ids_title ON title_own_ids (title_id)",
    """
    CREATE TABLE arrivals (
        id TEXT PRIMARY KEY,
        title_id TEXT NOT NULL REFERENCES titles (id) ON DELETE CASCADE,
        season INTEGER,
        tier TEXT NOT NULL,
        stage TEXT NOT NULL,
        live INTEGER NOT NULL DEFAULT 1,
        journey INTEGER NOT NULL,
        opened_at REAL NOT NULL,
        stage_at REAL NOT NULL,
        known_at REAL NOT NULL,
        available_at REAL,
        services TEXT NOT NULL,
        document TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX arrivals_live ON arrivals (live) WHERE live = 1",
    "CREATE INDEX arrivals_title ON arrivals (title_id)",
    "CREATE INDEX arrivals_known_at ON arrivals (known_at)",
    """
    CREATE TABLE arrival_aliases (
        alias TEXT PRIMARY KEY,
        arrival_id TEXT NOT NULL REFERENCES arrivals (id) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX arrival_aliases_arrival ON arrival_aliases (arrival_id)",
    """
    CREATE TABLE timeline (
        id INTEGER PRIMARY KEY,
        arrival_id TEXT NOT NULL REFERENCES arrivals (id) ON DELETE CASCADE,
        journey INTEGER NOT NULL,
        stage TEXT NOT NULL,
        previous TEXT,
        happened_at REAL NOT NULL,
        known_at REAL NOT NULL,
        late INTEGER NOT NULL,
        silent INTEGER NOT NULL,
        service TEXT NOT NULL,
        kind TEXT NOT NULL,
        via TEXT NOT NULL,
        part TEXT,
        parts TEXT,
        context_id TEXT,
        user_id TEXT
    ) STRICT
    """,
    "CREATE INDEX timeline_arrival ON timeline (arrival_id)",
    """
    CREATE TABLE requests (
        service TEXT NOT NULL,
        request_id INTEGER NOT NULL,
        title_id TEXT NOT NULL REFERENCES titles (id) ON DELETE CASCADE,
        tier TEXT NOT NULL,
        stage TEXT NOT NULL,
        live INTEGER NOT NULL DEFAULT 1,
        requester TEXT,
        requester_folded TEXT,
        created_at REAL,
        arrivals TEXT NOT NULL,
        document TEXT NOT NULL,
        PRIMARY KEY (service, request_id)
    ) STRICT
    """,
    "CREATE INDEX requests_live ON requests (live) WHERE live = 1",
    "CREATE INDEX requests_title ON requests (title_id)",
    *LIBRARY_INDEX,
)


def create(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty file, all or none."""
    with transaction(connection):
        for statement in _TABLES:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
