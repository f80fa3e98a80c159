"""The connectors: one folder per kind of service."""
