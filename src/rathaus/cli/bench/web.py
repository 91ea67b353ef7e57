"""Whole lifecycles over HTTP: one client, then four beside yardstick D.

D counts requests, we count lifecycles: one lifecycle of ours is so many requests (pages that redirects lead to
included), and D's requests per second divided by that number are D's lifecycles per second. D's request reads session
and account, writes one row and draws a page of five lines; its form is sent without reading the page again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import psycopg

from rathaus.casework.services.packages import package_of
from rathaus.cli.bench.client import Request, over_http
from rathaus.cli.bench.clients import ask_together, work_together
from rathaus.cli.bench.crew import People
from rathaus.cli.bench.figures import Figure, Sizes, median, ms, number, quantile
from rathaus.cli.bench.place import (
    CLIENTS,
    DATABASE,
    PASSWORD,
    Place,
    drop_database,
    fresh_database,
    sample_of,
)
from rathaus.cli.bench.servers import Site, one_worker, plain_site, rathaus_site, weight

OF_D, PER_SECOND = 0.25, 15.0
STEP_P50, STEP_P95, FILED_P95 = 0.025, 0.060, 0.300
WORKER_BYTES, START_SECONDS, GROWTH = 150 * 1024 * 1024, 4.0, 1.05
PLAIN = f"{DATABASE}_plain"
PLAIN_LOGIN = ("plain", PASSWORD)
_FILED_SECONDS = 120


def measure(sizes: Sizes, place: Place) -> Iterator[Figure]:
    """Start both sites, measure in turns, weigh the web workers at the beginning and at the end."""
    answers = sample_of(package_of(place.offer.version_id))
    plain = fresh_database(PLAIN)
    with (
        psycopg.connect(place.urls.superuser, autocommit=True) as watch,
        rathaus_site() as site,
        plain_site(plain.owner) as bare,
    ):
        yield from _alone(sizes, place, site, watch, answers)
        weights = [_heaviest(site)]
        rates, plain_rates, requests, done = [], [], 0, 0
        for _ in range(sizes.turns):
            begun, found = work_together(site.port, place.crews, answers, place.offer.slug, sizes.together)
            _wait_for_notices(watch)
            rates.append(len(found) / (time.time() - begun))
            requests = round(sum(len(lifecycle.requests) for lifecycle in found) / len(found))
            done += len(found)
            plain_rates.append(ask_together(bare.port, PLAIN_LOGIN, CLIENTS, sizes.plain_seconds))
            weights.append(_heaviest(site))
        yield _throughput(rates, plain_rates, requests)
        yield _worker(weights, done)
        _nothing_lost(watch)
    drop_database(place.urls.superuser, PLAIN)


def _alone(
    sizes: Sizes, place: Place, site: Site, watch: psycopg.Connection, answers: dict[str, Any]
) -> Iterator[Figure]:
    people = People(f"http://127.0.0.1:{site.port}", lambda: over_http(site.port), answers, place.offer.slug)
    people.log_in(place.crews[0])
    for _ in range(3):  # both workers have compiled the package and prepared their statements
        people.lifecycle()
    _wait_for_notices(watch)
    requests: list[Request] = []
    filed = []
    for _ in range(sizes.alone):
        lifecycle = people.lifecycle()
        requests += lifecycle.requests
        filed.append(_wait_for_notices(watch) - lifecycle.approved_at)
    steps = [asked.seconds for asked in requests if _is_step(asked)]
    every = [asked.seconds for asked in requests]
    p50, p95 = quantile(steps, 0.5), quantile(steps, 0.95)
    yield Figure(
        "step_request",
        "Anfrage eines Schritts, ein Client",
        f"p50 ≤ {ms(STEP_P50)}, p95 ≤ {ms(STEP_P95)}",
        f"p50 {ms(p50)}, p95 {ms(p95)}",
        f"alle Seiten p50 {ms(median(every))}, p95 {ms(quantile(every, 0.95))}",
        p50 <= STEP_P50 and p95 <= STEP_P95,
        {
            "p50_seconds": p50,
            "p95_seconds": p95,
            "all_p50_seconds": median(every),
            "all_p95_seconds": quantile(every, 0.95),
        },
    )
    p95 = quantile(filed, 0.95)
    yield Figure(
        "approval_to_notice",
        "Freigabe → Bescheid abgelegt, Mittel gebunden",
        f"p95 ≤ {ms(FILED_P95)}",
        f"p50 {ms(median(filed))}, p95 {ms(p95)}",
        is_reached=p95 <= FILED_P95,
        values={"p50_seconds": median(filed), "p95_seconds": p95},
    )


def _is_step(asked: Request) -> bool:
    """Requests that move a process: handing in, and completing a task."""
    return asked.method == "POST" and ("/aufgabe/" in asked.path or asked.path.endswith("/pruefen/"))


def _wait_for_notices(watch: psycopg.Connection) -> float:
    """Until every decided case has its notice and its grant; answers when (seconds since the epoch)."""
    deadline = time.time() + _FILED_SECONDS
    while time.time() < deadline:
        row = watch.execute(
            "SELECT count(*) FROM cases_decision d WHERE d.state = 'decided' AND NOT (EXISTS "
            "(SELECT 1 FROM cases_notice n WHERE n.decision_id = d.id) AND EXISTS "
            "(SELECT 1 FROM grants_grant b WHERE b.case_id = d.case_id)) AND d.notified_at IS NULL"
        ).fetchone()
        if row and row[0] == 0:
            return time.time()
        time.sleep(0.002)
    raise RuntimeError(f"after {_FILED_SECONDS} s notices are still missing")


def _nothing_lost(watch: psycopg.Connection) -> None:
    row = watch.execute(
        "SELECT (SELECT count(*) FROM cases_case WHERE state = 'COMPLETED' AND reference LIKE 'MESSUNG-%'), "
        "(SELECT count(*) FROM cases_notice), (SELECT count(*) FROM grants_grant), "
        "(SELECT count(*) FROM cases_incident)"
    ).fetchone()
    assert row is not None
    completed, notices, bookings, incidents = row
    if not completed == notices == bookings or incidents:
        raise RuntimeError(
            f"{completed} cases, {notices} notices, {bookings} bookings, {incidents} incidents"
        )


def _throughput(rates: list[float], plain_rates: list[float], requests: int) -> Figure:
    ours, plain = median(rates), median(plain_rates)
    as_lifecycles = plain / requests
    ratio = median([a / (b / requests) for a, b in zip(rates, plain_rates, strict=True)])
    return Figure(
        "lifecycle_over_http",
        "Ganzer Durchgang über HTTP, 4 Clients",
        f"≥ {number(OF_D)} D und ≥ {number(PER_SECOND)}/s",
        f"{number(ours)}/s = {number(ratio)} D",
        f"D {number(plain)} Anfragen/s ÷ {requests} = {number(as_lifecycles)}/s",
        ratio >= OF_D and ours >= PER_SECOND,
        {"per_second": ours, "of_d": ratio, "d_requests_per_second": plain, "requests_a_lifecycle": requests},
    )


def _heaviest(site: Site) -> int:
    return max(map(weight, site.workers))


def _worker(weights: list[int], lifecycles: int) -> Figure:
    """Flat is: hardly heavier at the end than in the middle; before that, caches and arenas fill."""
    with one_worker() as alone:
        start_seconds = alone.start_seconds
    light, middle, heavy = weights[0], weights[len(weights) // 2], max(weights)
    is_flat = weights[-1] <= middle * GROWTH
    told = " → ".join(map(_mb, (light, middle, weights[-1])))
    return Figure(
        "web_worker",
        "Web-Prozess",
        "≤ 150 MB, gleichbleibend, Start ≤ 4 s",
        f"{told} MB nach {lifecycles} Durchgängen, Start {number(start_seconds)} s",
        is_reached=heavy <= WORKER_BYTES and is_flat and start_seconds <= START_SECONDS,
        values={
            "bytes_after_each_turn": weights,
            "lifecycles": lifecycles,
            "start_seconds": start_seconds,
        },
    )


def _mb(size: int) -> str:
    return f"{size / 1024 / 1024:.0f}"
