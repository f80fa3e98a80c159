"""Overseerr, Jellyseerr and Seerr: who asked for what, and the decision."""
