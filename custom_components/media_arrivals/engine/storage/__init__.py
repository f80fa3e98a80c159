"""The storage: one SQLite file with the journal, the board and what is remembered of services."""
