"""A case under lock with all that a step needs, in one statement.

Written as SQL once, and its rows made into instances here: building the same query anew through the ORM took half of
the processor time of a step (docs/performance.md). Row-level security holds as for every other statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection, models

from rathaus.casework.cases.models import Application, Case, CaseProcess, Task
from rathaus.casework.services.models import Offer
from rathaus.core.authorities.models import Authority

_PARTS: tuple[tuple[str, type[models.Model]], ...] = (
    ("p", CaseProcess),
    ("c", Case),
    ("a", Application),
    ("o", Offer),
    ("u", Authority),
    ("g", Authority),
)
_FROM = """FROM {first}
  JOIN cases_application a ON a.case_id = c.id
  JOIN services_offer o ON o.id = c.offer_id
  JOIN authorities_authority u ON u.id = c.authority_id
  LEFT JOIN authorities_authority g ON g.id = c.applicant_id
  WHERE {where} = %s FOR UPDATE OF p"""
_BY_CASE = "cases_caseprocess p JOIN cases_case c ON c.id = p.case_id"
_BY_TASK = "cases_task t JOIN cases_case c ON c.id = t.case_id JOIN cases_caseprocess p ON p.case_id = c.id"


def locked_case(case: UUID) -> CaseProcess:
    """The process, locked until the end of the transaction, with case, application, offer, authority and applicant.

    Raises CaseProcess.DoesNotExist for what is not visible.
    """
    row = _one(_statement(_PARTS, _BY_CASE, "p.case_id"), case)
    if row is None:
        raise CaseProcess.DoesNotExist
    return _linked(row)


def locked_task(task: UUID) -> tuple[CaseProcess, Task]:
    """The same by one of its tasks. Raises Task.DoesNotExist for what is not visible."""
    row = _one(_statement((*_PARTS, ("t", Task)), _BY_TASK, "t.id"), task)
    if row is None:
        raise Task.DoesNotExist
    process = _linked(row)
    found = _instance(Task, row[_width(_PARTS) :])
    found.case = process.case
    return process, found


def _one(statement: str, key: UUID) -> Sequence[Any] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [key])
        return cursor.fetchone()


@cache
def _statement(parts: tuple[tuple[str, type[models.Model]], ...], first: str, where: str) -> str:
    columns = ", ".join(
        f"{alias}.{field.column}" for alias, model in parts for field in model._meta.concrete_fields
    )
    # Names of our own tables and columns only; the key is a parameter.
    return f"SELECT {columns} {_FROM.format(first=first, where=where)}"


def _linked(row: Sequence[Any]) -> CaseProcess:
    found = []
    start = 0
    for _, model in _PARTS:
        width = len(model._meta.concrete_fields)
        found.append(_instance(model, row[start : start + width]))
        start += width
    process, case, application, offer, authority, applicant = found
    process.case = application.case = case
    case.offer, case.authority, case.applicant = offer, authority, applicant
    return process


def _width(parts: tuple[tuple[str, type[models.Model]], ...]) -> int:
    return sum(len(model._meta.concrete_fields) for _, model in parts)


def _instance(model: type[models.Model], values: Sequence[Any]) -> Any:
    """A row as an instance; None where an outer join found nothing."""
    fields = model._meta.concrete_fields
    converted = list(values)
    for place, field in enumerate(fields):
        if field.primary_key and converted[place] is None:
            return None
        if hasattr(field, "from_db_value"):
            converted[place] = field.from_db_value(converted[place], None, connection)
    return model.from_db(connection.alias, [field.attname for field in fields], converted)
