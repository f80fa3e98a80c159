"""Measures the numbers that the integration is meant to reach; see scripts/bench."""
