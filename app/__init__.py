"""Pitwall: a self-hosted, realtime supervisor board for call centres."""

__version__ = "0.1.0"
