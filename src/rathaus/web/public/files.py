"""Open data: grants as CSV and JSON, row by row however many there are; their schema; a catalogue for data portals."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from rathaus.core import clock
from rathaus.domains.grants.queries.public import all_public_grants, publishers
from rathaus.engine.csv_files import harmless
from rathaus.web.public.catalogue import catalogue_of
from rathaus.web.public.choices import address_of, choice_of
from rathaus.web.public.records import COLUMNS, licence, records

MAX_AGE = 3600
ROWS_A_PIECE = 100


@require_safe
def as_csv(request: HttpRequest) -> HttpResponseBase:
    """The chosen grants as CSV: UTF-8, commas, CRLF (RFC 4180), a header, nothing that a spreadsheet would run."""
    rows = records(all_public_grants(choice_of(request.GET)))
    return _open(
        StreamingHttpResponse(_csv(rows), content_type="text/csv; charset=utf-8"), "foerderungen.csv"
    )


@require_safe
def as_json(request: HttpRequest) -> HttpResponseBase:
    """The chosen grants as JSON, with licence and state of the data. What it holds says the schema."""
    choice = choice_of(request.GET)
    head = {
        "$schema": settings.BASE_URL + reverse("public:grants_schema"),
        "titel": "Förderungen: wer was wofür bekommen hat",
        "stand": clock.now().isoformat(timespec="seconds"),
        "quelle": settings.BASE_URL + address_of(reverse("public:grants"), choice),
        "lizenz": {"kennung": settings.DATA_LICENCE, "name": licence().name, "url": licence().url},
        "namensnennung": "die in „behoerde“ genannte bewilligende Stelle",
    }
    pieces = _json(head, records(all_public_grants(choice)))
    return _open(
        StreamingHttpResponse(pieces, content_type="application/json; charset=utf-8"), "foerderungen.json"
    )


@require_safe
def schema(request: HttpRequest) -> HttpResponseBase:
    """What the JSON file holds, as JSON Schema 2020-12."""
    return _open(JsonResponse(schema_of_file(), json_dumps_params={"ensure_ascii": False, "indent": 1}))


@require_safe
def catalogue(request: HttpRequest) -> HttpResponseBase:
    """The catalogue of this site's data for data portals (DCAT-AP.de), one dataset for each granting authority."""
    found = catalogue_of(publishers())
    answer = HttpResponse(
        json.dumps(found, ensure_ascii=False, indent=1), content_type="application/ld+json; charset=utf-8"
    )
    return _open(answer)


def schema_of_file() -> dict[str, Any]:
    """The schema of the JSON file."""
    columns = {column.name: {**column.shape, "description": column.words} for column in COLUMNS}
    row = {
        "type": "object",
        "properties": columns,
        "required": list(columns),
        "additionalProperties": False,
    }
    text = {"type": "string"}
    licence_shape = {
        "type": "object",
        "properties": {"kennung": text, "name": text, "url": {**text, "format": "uri"}},
        "required": ["kennung", "name", "url"],
    }
    head = {
        "$schema": {**text, "format": "uri"},
        "titel": text,
        "stand": {**text, "format": "date-time", "description": "wann die Datei gemacht wurde"},
        "quelle": {**text, "format": "uri"},
        "lizenz": licence_shape,
        "namensnennung": text,
        "foerderungen": {"type": "array", "items": row},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": settings.BASE_URL + reverse("public:grants_schema"),
        "title": "Förderungen",
        "type": "object",
        "properties": head,
        "required": list(head),
        "additionalProperties": False,
    }


def _open(answer: HttpResponseBase, name: str = "") -> HttpResponseBase:
    """For everybody: any site's scripts may read it, caches may keep it for an hour."""
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Link"] = f'<{licence().url}>; rel="license"'
    if name:
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    patch_cache_control(answer, public=True, max_age=MAX_AGE)
    return answer


def _csv(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.name for column in COLUMNS])
    for number, row in enumerate(rows, start=1):
        writer.writerow([harmless(_cell(column.name, row[column.name])) for column in COLUMNS])
        if number % ROWS_A_PIECE == 0:
            yield _taken(text)
    yield _taken(text)


def _cell(name: str, value: Any) -> str:
    match name, value:
        case _, None:
            return ""
        case "jahre", _:
            return " ".join(f"{year}={amount}" for year, amount in value.items())
        case "partner_namen", _:
            return " | ".join(value)
        case _, list():
            return " ".join(value)
    return str(value)


def _json(head: dict[str, Any], rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    yield (json.dumps(head, ensure_ascii=False)[:-1] + ', "foerderungen": [').encode()
    text = io.StringIO()
    for number, row in enumerate(rows, start=1):
        text.write(("\n" if number == 1 else ",\n") + json.dumps(row, ensure_ascii=False))
        if number % ROWS_A_PIECE == 0:
            yield _taken(text)
    text.write("\n]}\n")
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    """What was written so far; the buffer is empty afterwards."""
    found = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return found
