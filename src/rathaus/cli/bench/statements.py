"""SQL statements of a lifecycle: the same people, but the site answers in this process, where each statement is seen.

Counted is every statement that the driver executes, the settings of `acting` too; transaction control (BEGIN, COMMIT,
SAVEPOINT, RELEASE, ROLLBACK) is not.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from wsgiref.util import setup_testing_defaults

import psycopg
from django.core.wsgi import get_wsgi_application

from rathaus.casework.services.packages import package_of
from rathaus.cli.bench.client import Send
from rathaus.cli.bench.crew import People
from rathaus.cli.bench.figures import Figure, Sizes
from rathaus.cli.bench.place import Place, sample_of

REQUEST, LIFECYCLE = 12, 60
_CONTROL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


def measure(sizes: Sizes, place: Place) -> Iterator[Figure]:
    """The most of any request; the sum of those that move the process with the job after them; the sum of all pages."""
    asked: list[tuple[str, str, int]] = []
    people = people_in_process(place, asked)
    people.lifecycle()
    run_jobs(place)
    asked.clear()
    people.lifecycle()
    with counted() as of_jobs:
        run_jobs(place)
    steps = [count for method, path, count in asked if _moves(method, path)]
    most = max(asked, key=lambda request: request[2])
    every = sum(count for _, _, count in asked) + len(of_jobs)
    moving = sum(steps) + len(of_jobs)
    yield Figure(
        "sql_statements",
        "SQL-Anweisungen",
        f"≤ {REQUEST} je Anfrage, ≤ {LIFECYCLE} je Durchgang",
        f"höchstens {most[2]} je Anfrage, {moving} je Durchgang",
        f"mit allen {len(asked)} Seiten {every}",
        most[2] <= REQUEST and moving <= LIFECYCLE,
        {
            "most_of_a_request": most[2],
            "that_request": f"{most[0]} {_shape(most[1])}",
            "a_lifecycle": moving,
            "of_its_jobs": len(of_jobs),
            "with_all_pages": every,
            "requests": {
                f"{n:02d} {method} {_shape(path)}": count for n, (method, path, count) in enumerate(asked)
            },
        },
    )


def people_in_process(place: Place, asked: list[tuple[str, str, int]]) -> People:
    """A crew that is logged in at the site in this process; each request is noted with its number of statements."""
    answers = sample_of(package_of(place.offer.version_id))
    people = People("http://127.0.0.1", lambda: in_process(asked), answers, place.offer.slug)
    people.log_in(place.crews[0])
    asked.clear()
    return people


def in_process(asked: list[tuple[str, str, int]]) -> Send:
    """Asks the site's WSGI application itself."""
    application = get_wsgi_application()

    def send(
        method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Sequence[tuple[str, str]], bytes]:
        target, _, query = path.partition("?")
        environment: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": target,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": headers.get("Content-Type", ""),
            "HTTP_COOKIE": headers.get("Cookie", ""),
            "HTTP_REFERER": headers.get("Referer", ""),
            "wsgi.input": io.BytesIO(body),
        }
        setup_testing_defaults(environment)
        answered: list[Any] = []

        def start(status: str, given: list[tuple[str, str]], error: Any = None) -> Any:
            answered[:] = [int(status.split()[0]), given]
            return answered.append

        with counted() as statements:
            answer = application(environment, start)
            try:
                content = b"".join(answer)
            finally:
                answer.close()
        asked.append((method, target, len(statements)))
        return answered[0], answered[1], content

    return send


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that run meanwhile."""
    found: list[str] = []
    execute = psycopg.Cursor.execute

    def note(self: psycopg.Cursor, query: Any, *given: Any, **options: Any) -> Any:
        text = str(query)
        if not text.startswith(_CONTROL):
            found.append(text)
        return execute(self, query, *given, **options)

    with patch.object(psycopg.Cursor, "execute", note):  # the one place that all statements pass
        yield found


def run_jobs(place: Place) -> None:
    """What waits in the queue, done in this process; the queue's own book-keeping goes past the count."""
    from procrastinate.contrib.django import app

    with psycopg.connect(place.urls.superuser, autocommit=True, cursor_factory=psycopg.ClientCursor) as queue:
        while True:
            row = queue.execute(
                "UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = (SELECT id FROM procrastinate_jobs "
                "WHERE status = 'todo' ORDER BY id LIMIT 1) RETURNING task_name, args"
            ).fetchone()
            if row is None:
                return
            name, arguments = row
            task: Any = app.tasks[name]
            given = json.loads(arguments) if isinstance(arguments, str) else arguments
            if task.pass_context:
                task.func(SimpleNamespace(job=SimpleNamespace(attempts=0)), **given)
            else:
                task.func(**given)


def _moves(method: str, path: str) -> bool:
    return method == "POST" and ("/aufgabe/" in path or path.endswith("/pruefen/"))


def _shape(path: str) -> str:
    """A path without keys."""
    return "/".join(
        "…" if len(part) == 36 or part.startswith("MESSUNG-") else part for part in path.split("/")
    )
