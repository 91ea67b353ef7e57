"""Logging in and out, trust levels, and what was typed when a session ended."""
