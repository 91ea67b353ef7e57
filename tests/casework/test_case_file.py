"""The case page's read is several statements; what is stored between them must not break it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from tests.casework.conftest import World

from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.queries import case_file


@pytest.mark.parametrize("statement", range(1, 6))
def test_a_notice_that_is_filed_while_the_case_is_read(
    world: World, run_jobs: Callable[[], int], statement: int
) -> None:
    case = world.submit()
    for by, answers in (
        (world.clerk, {"vollstaendig": True}),
        (world.clerk, {"ergebnis": "granted", "betrag": Decimal("900.00"), "begruendung": "Gut."}),
        (world.approver, {"freigegeben": True}),
    ):
        complete_task(by=by, task=world.task(case).id, answers=answers)
    seen = 0

    def file_notice_after(execute: Any, query: str, values: Any, many: bool, context: Any) -> Any:
        nonlocal seen
        found = execute(query, values, many, context)
        seen += 1
        if seen == statement:
            run_jobs()
        return found

    with world.clerk.acting(), connection.execute_wrapper(file_notice_after):
        file = case_file(world.clerk, case.reference)
    assert all(notice.document in file.documents for notice in file.notices)
    assert len(file.decisions) == 1
