"""Roles that open no door by themselves: whoever has no other sees only what is laid before them by name."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

_limited: set[str] = set()


def limit_role(role: str) -> None:
    """Make a role a limited one. An app says so when it starts."""
    _limited.add(role)


def are_limited(roles: AbstractSet[str]) -> bool:
    """Whether these are limited roles and no others."""
    return bool(roles) and roles <= _limited
