"""A case under lock with all that a step needs, in one statement.

Written as SQL once, and its rows made into instances here: building the same query anew through the ORM took half of
the processor time of a step (docs/performance.md). Row-level security holds as for every other statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection, models

from rathaus.casework.cases.models import Application, Case, CaseProcess, Task
from rathaus.casework.services.models import Offer, Terms
from rathaus.core.authorities.models import Authority

Parts = tuple[tuple[str, type[models.Model]], ...]
_ALWAYS: Parts = (("p", CaseProcess), ("c", Case), ("a", Application), ("o", Offer), ("m", Terms))
_PLACES: Parts = (("u", Authority), ("g", Authority))
_JOINS = (
    " JOIN cases_application a ON a.id = c.application_id JOIN services_offer o ON o.id = c.offer_id "
    "JOIN services_terms m ON m.id = c.terms_id"
)
_BY_CASE = (
    "cases_caseprocess p JOIN cases_case c ON c.id = p.case_id JOIN authorities_authority u ON u.id = c.authority_id "
    "LEFT JOIN authorities_authority g ON g.id = c.applicant_id" + _JOINS + " WHERE p.case_id = %s"
)
_BY_TASK = (
    "cases_task t JOIN cases_case c ON c.id = t.case_id JOIN cases_caseprocess p ON p.case_id = c.id"
    + _JOINS
    + " WHERE t.id = %s"
)


_IS_FRESH = "p.revision = (SELECT q.revision FROM cases_caseprocess q WHERE q.case_id = p.case_id)"


def locked_case(case: UUID) -> CaseProcess:
    """The process, locked until the end of the transaction, with case, application, offer, terms, authority and
    applicant.

    Raises CaseProcess.DoesNotExist for what is not visible.
    """
    found = _read((*_ALWAYS, *_PLACES), _BY_CASE, case)
    if found is None:
        raise CaseProcess.DoesNotExist
    process = _linked(found)
    process.case.authority, process.case.applicant = found
    return process


def locked_task(task: UUID) -> tuple[CaseProcess, Task]:
    """The process of a task, locked, with case, application, offer and terms, and the task. What else the case refers to is
    read when somebody asks for it. Raises Task.DoesNotExist for what is not visible."""
    found = _read((*_ALWAYS, ("t", Task)), _BY_TASK, task)
    if found is None:
        raise Task.DoesNotExist
    process = _linked(found)
    (open_task,) = found
    open_task.case = process.case
    return process, open_task


def _linked(found: Iterator[Any]) -> CaseProcess:
    """The first five of a row, knowing each other."""
    process, case, application, offer, terms = islice(found, 5)
    process.case = application.case = case
    case.application = application
    case.offer, case.terms = offer, terms
    return process


def _read(parts: Parts, source: str, key: UUID) -> Iterator[Any] | None:
    """One row as instances, in the order of the parts; None where nothing is visible.

    Whoever waited for the lock gets the process as it is now, and all else as it was before. So its revision is asked for
    twice, and if the two differ the row is read once more.
    """
    with connection.cursor() as cursor:
        row = None
        for _ in range(2):
            cursor.execute(_statement(parts, source), [key])
            row = cursor.fetchone()
            if row is None or row[-1]:
                break
    return None if row is None else _instances(parts, row)


@cache
def _statement(parts: Parts, source: str) -> str:
    columns = ", ".join(f"{alias}.{field.column}" for alias, model in parts for field in _fields(model))
    # Names of our own tables and columns only; the key is a parameter.
    return f"SELECT {columns}, {_IS_FRESH} FROM {source} FOR UPDATE OF p"  # noqa: S608


def _instances(parts: Parts, row: Sequence[Any]) -> Iterator[Any]:
    values = iter(row)
    for _, model in parts:
        names, key, converted = _shape(model)
        own = list(islice(values, len(names)))
        for place, field in converted:
            own[place] = field.from_db_value(own[place], None, connection)
        # An outer join that found nothing has no key.
        yield None if own[key] is None else model.from_db(connection.alias, names, own)


@cache
def _shape(model: type[models.Model]) -> tuple[list[str], int, list[tuple[int, Any]]]:
    """Names of a row's values, the place of the key, and what Django converts on the way from the database."""
    fields = _fields(model)
    return (
        [field.attname for field in fields],
        next(place for place, field in enumerate(fields) if field.primary_key),
        [(place, field) for place, field in enumerate(fields) if hasattr(field, "from_db_value")],
    )


def _fields(model: type[models.Model]) -> tuple[models.Field, ...]:
    return tuple(model._meta.concrete_fields)
