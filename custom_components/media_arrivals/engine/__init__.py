"""The engine: board, connectors and storage; knows nothing of Home Assistant."""
