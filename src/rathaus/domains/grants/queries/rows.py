"""Rows of other tables beside a row, as JSON in the same statement."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, QuerySet
from django.db.models.functions import Cast, JSONObject


def rows_of(found: QuerySet[Any], *order: str, **values: Any) -> ArraySubquery:
    """An annotation: these rows in this order, each with the values named (a path, or an expression)."""
    return ArraySubquery(found.order_by(*(order or ("id",))).values(json=JSONObject(**values)))


def text_of(name: str) -> Cast:
    """An amount as text: JSON knows binary fractions only, and cents are exact."""
    return Cast(name, CharField())


def read_rows(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """What such an annotation gave; rows within rows come as text."""
    return [json.loads(row) if isinstance(row, str) else row for row in rows]


def day_in(text: str | None) -> date | None:
    """A day that may be missing."""
    return date.fromisoformat(text) if text else None
