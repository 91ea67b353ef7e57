"""Four clients at once, each a process of its own; they begin together after everybody has logged in."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Mapping, Sequence
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Any

from rathaus.cli.bench.client import Browser, Unexpected, over_http
from rathaus.cli.bench.crew import Lifecycle, People
from rathaus.cli.bench.place import Crew

_READY_SECONDS, _DONE_SECONDS = 120, 3600


def work_together(
    port: int, crews: Sequence[Crew], answers: Mapping[str, Any], slug: str, times: int
) -> tuple[float, list[Lifecycle]]:
    """Each crew finishes so many lifecycles; answers when they began (seconds since the epoch), and what came of them."""
    begun, found = _together(_crew, [(port, crew, answers, slug, times) for crew in crews])
    return begun, [lifecycle for lifecycles in found for lifecycle in lifecycles]


def ask_together(port: int, login: tuple[str, str], clients: int, seconds: float) -> float:
    """Yardstick D: each client sends the page's form again and again; answers the requests per second of all."""
    _, found = _together(_plain, [(port, login, seconds)] * clients)
    return sum(found)


def _together(work: Any, arguments: Sequence[tuple[Any, ...]]) -> tuple[float, list[Any]]:
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(len(arguments) + 1), context.Queue()
    processes = [context.Process(target=work, args=(barrier, results, *given)) for given in arguments]
    for process in processes:
        process.start()
    barrier.wait(_READY_SECONDS)
    begun = time.time()
    found = [results.get(timeout=_DONE_SECONDS) for _ in processes]
    for process in processes:
        process.join()
    for result in found:
        if isinstance(result, str):
            raise Unexpected(result)
    return begun, found


def _crew(
    barrier: Barrier, results: Queue, port: int, crew: Crew, answers: Mapping[str, Any], slug: str, times: int
) -> None:
    try:
        people = People(f"http://127.0.0.1:{port}", lambda: over_http(port), answers, slug)
        people.log_in(crew)
        barrier.wait(_READY_SECONDS)
        results.put([people.lifecycle() for _ in range(times)])
    except Unexpected as wrong:
        barrier.abort()
        results.put(str(wrong))


def _plain(barrier: Barrier, results: Queue, port: int, login: tuple[str, str], seconds: float) -> None:
    browser = Browser(over_http(port), f"http://127.0.0.1:{port}")
    page = browser.get("/login/")
    page = browser.submit(page, page.root.forms[0], dict(zip(("username", "password"), login, strict=True)))
    form = page.root.forms[0]
    barrier.wait(_READY_SECONDS)
    begun, done = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        browser.submit(page, form, {"text": f"Eintrag {done}"})
        done += 1
    results.put(done / (time.perf_counter() - begun))
