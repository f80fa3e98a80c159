"""Jellyfin: what can be played, and who watched it."""
