"""Tautulli: who watched what on a Plex."""
