"""Yardstick D: a bare Django page with session, login and one write through the ORM per request."""
