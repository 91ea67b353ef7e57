"""What answers that are handed in come to: their faults, the case's title and amount, the files that they refer to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any

from rathaus.casework.cases.models import Case
from rathaus.casework.records.enums import DocumentKind
from rathaus.casework.records.models import Document
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import Package
from rathaus.core.files.models import Blob
from rathaus.engine.expressions import EvaluationError
from rathaus.engine.forms import FieldError

AMOUNT_BELOW = Decimal(10) ** 12  # euros, numeric(14,2)


class InvalidAnswers(Exception):
    """The application is not complete or contradicts itself; `errors` says where, in words."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(f"{error.path}: {error.message}" for error in errors))
        self.errors = errors


def title_and_amount(
    package: Package, answers: dict[str, Any], parameters: Mapping[str, Any], known: Mapping[str, Any]
) -> tuple[str, Decimal | None]:
    """How the case is called and what it asks for, worked out by the package; `known` are facts of its domain.

    Raises Refused where it cannot.
    """
    names = {"antrag": package.form.typed(answers), "parameter": parameters, **known}
    try:
        title = str(package.title.evaluate(names))[:200]
        amount = package.amount.evaluate(names) if package.amount else None
    except EvaluationError as wrong:
        raise Refused(f"Diese Leistung kann Ihren Antrag nicht annehmen: {wrong}") from wrong
    if amount is not None and not (isinstance(amount, Decimal) and 0 <= amount < AMOUNT_BELOW):
        raise Refused(
            "Diese Leistung kann Ihren Antrag nicht annehmen: Der Betrag ergibt keine Summe in Euro."
        )
    return title, amount


def file_attachments(case: Case, answers: Mapping[str, Any], *, without: Collection[str] = ()) -> None:
    """File what the answers refer to; `without` are the hashes of files that the case has already."""
    files = {file["sha256"]: file for file in files_in(answers) if file["sha256"] not in without}
    if not files:
        return
    blobs = {
        blob.sha256: blob
        for blob in Blob.objects.filter(
            authority_id=case.authority_id, sha256__in=files, party_id=case.party_id
        )
    }
    if missing := [file["name"] for sha256, file in files.items() if sha256 not in blobs]:
        raise Refused(f"Die Datei „{missing[0]}“ liegt uns nicht vor. Laden Sie sie noch einmal hoch.")
    Document.objects.bulk_create(
        Document(
            authority_id=case.authority_id,
            case_id=case.id,
            party_id=case.party_id,
            kind=DocumentKind.ATTACHMENT,
            title=file["name"].rsplit(".", 1)[0][:200],
            file_name=file["name"][:200],
            blob=blobs[sha256],
            sha256=sha256,
            size=blobs[sha256].size,
            media_type=blobs[sha256].media_type,
            origin=case.party_name,
        )
        for sha256, file in files.items()
    )


def files_in(value: Any) -> Iterator[Mapping[str, Any]]:
    """The files that answers refer to: `name`, `sha256`."""
    if isinstance(value, Mapping):
        if "sha256" in value and "name" in value:
            yield value
        else:
            for inner in value.values():
                yield from files_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from files_in(inner)
