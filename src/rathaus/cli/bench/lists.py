"""Inbox and case page over HTTP, one client, while the tables grow; then what row-level security costs at full size."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

from rathaus.casework.cases.queries import case_file, cases_of_authority, inbox
from rathaus.cli.bench import filling
from rathaus.cli.bench.client import over_http
from rathaus.cli.bench.crew import People
from rathaus.cli.bench.figures import Figure, Sizes, count, median, ms, number, quantile
from rathaus.cli.bench.place import Place
from rathaus.cli.bench.servers import rathaus_site
from rathaus.cli.bench.statements import people_in_process, run_jobs
from rathaus.cli.bench.steps import Engine

P95, GROWTH, COST = 0.100, 1.3, 0.15
_FREE = "rathaus_bench_free"  # the app role's rights without its policies
_WARM = 20


def measure(sizes: Sizes, place: Place) -> Iterator[Figure]:
    """Copy cases up to each size and ask for both pages; the cost of policies is measured at the largest size."""
    people = people_in_process(place, [])
    done = people.lifecycle().reference
    run_jobs(place)
    waiting = people.apply()
    run_jobs(place)
    found: dict[int, dict[str, float]] = {}
    with rathaus_site() as site:
        people = People(f"http://127.0.0.1:{site.port}", lambda: over_http(site.port), {}, place.offer.slug)
        people.log_in(place.crews[0])
        for size in sizes.cases:
            filling.fill(place.urls.superuser, upto=size, waiting=waiting, done=done)
            found[size] = _pages(people, size, sizes.pages)
    yield from _growth(found)
    yield _cost_of_policies(sizes, place)


def _pages(people: People, size: int, times: int) -> dict[str, float]:
    """p95 of both pages, asked in turns; cases at random."""
    chance = random.Random(446)  # noqa: S311  which case is looked at
    taken: dict[str, list[float]] = {"inbox": [], "case": []}
    for turn in range(_WARM + times):
        paths = {
            "inbox": "/amt/eingang/",
            "case": f"/amt/vorgang/{filling.reference(chance.randint(1, size))}/",
        }
        for name, path in paths.items():
            begun = time.perf_counter()
            people.clerk.get(path)
            if turn >= _WARM:
                taken[name].append(time.perf_counter() - begun)
    return {name: quantile(values, 0.95) for name, values in taken.items()} | {
        f"{name}_p50": median(values) for name, values in taken.items()
    }


def _growth(found: dict[int, dict[str, float]]) -> Iterator[Figure]:
    for name, title in (("inbox", "Eingang"), ("case", "Vorgangsseite")):
        times = {size: values[name] for size, values in found.items()}
        first, *rest = times.values()
        growth = max(rest) / first
        yield Figure(
            f"{name}_page",
            f"{title} bei {', '.join(count(size) for size in times)} Vorgängen",
            f"p95 ≤ {ms(P95)}, ≤ {number(GROWTH)} × die kleinste",
            f"p95 {' / '.join(ms(seconds) for seconds in times.values())}, {number(growth)} ×",
            is_reached=max(times.values()) <= P95 and growth <= GROWTH,
            values={str(size): values for size, values in found.items()},
        )


def _cost_of_policies(sizes: Sizes, place: Place) -> Figure:
    """The same reads and steps as the app's role and as a role with the same rights that policies do not bind."""
    with psycopg.connect(place.urls.superuser, autocommit=True) as admin:
        admin.execute(f"DROP ROLE IF EXISTS {_FREE}")
        admin.execute(f"CREATE ROLE {_FREE} LOGIN BYPASSRLS IN ROLE rathaus_app")
        try:
            costs = _compare(sizes, place)
        finally:
            admin.execute(f"DROP ROLE {_FREE}")
            admin.execute("TRUNCATE procrastinate_jobs CASCADE")
    worst = max(costs.values())
    names = {"inbox": "Eingang", "case": "Vorgang", "list": "Liste", "steps": "vier Schritte"}
    return Figure(
        "row_level_security",
        "Preis der Zeilensicherheit",
        f"≤ {COST * 100:.0f} %",
        ", ".join(f"{names[name]} {cost * 100:+.0f} %" for name, cost in costs.items()),
        is_reached=worst <= COST,
        values=costs,
    )


def _compare(sizes: Sizes, place: Place) -> dict[str, float]:
    engine = Engine.of(place)
    largest = sizes.cases[-1]
    reads: dict[str, Callable[[], Any]] = {
        "inbox": lambda: inbox(place.clerk),
        "case": lambda: case_file(place.clerk, filling.reference(largest // 2)),
        "list": lambda: cases_of_authority(place.clerk),
        "steps": engine.lifecycle,
    }
    taken: dict[str, dict[bool, list[float]]] = {name: {True: [], False: []} for name in reads}
    for _ in range(max(1, sizes.repeats)):
        for is_free in (False, True):
            with _as_role(is_free):
                for name, read in reads.items():
                    taken[name][is_free] += _times(read, max(1, sizes.reads // sizes.repeats), place)
    return {name: median(of[False]) / median(of[True]) - 1 for name, of in taken.items()}


def _times(read: Callable[[], Any], times: int, place: Place) -> list[float]:
    found = []
    for turn in range(times + 6):  # six: until the statements are prepared
        begun = time.perf_counter()
        with place.clerk.acting():
            read()
        if turn >= 6:
            found.append(time.perf_counter() - begun)
    return found


@contextmanager
def _as_role(is_free: bool) -> Iterator[None]:
    settings = connection.settings_dict
    user = settings["USER"]
    connection.close()
    if is_free:
        settings["USER"] = _FREE
    try:
        yield
    finally:
        connection.close()
        settings["USER"] = user
