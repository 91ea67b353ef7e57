"""Pages of a ministry that looks after many grants, of a municipality that has some of them, and of everybody: one client.

Then how long it takes to check all books from the postings alone.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from rathaus.cli.bench import grant_filling
from rathaus.cli.bench.client import over_http
from rathaus.cli.bench.crew import People
from rathaus.cli.bench.figures import Figure, Sizes, count, median, ms, number, quantile
from rathaus.cli.bench.grant_place import PROGRAMME, furnish_grants
from rathaus.cli.bench.place import ROOT, Place
from rathaus.cli.bench.servers import rathaus_site
from rathaus.core.authorities.actions import keys_of, load_register
from rathaus.core.identity.actions import party_of_authority
from rathaus.core.identity.models import Account, Party
from rathaus.core.identity.queries import actor_of
from rathaus.domains.grants.queries import check_invariants

P95, CHECK_SECONDS = 0.200, 60
_WARM = 5
_CREW = 1  # the party of the first one holds what `payments` measures
_DESK = f"/amt/foerderung/{PROGRAMME}/"
_MINISTRY = {
    "programme": ("Programmübersicht", _DESK),
    "grants": ("Liste der Förderungen", f"{_DESK}foerderungen/"),
    "payments": ("Auszahlungen", f"{_DESK}auszahlungen/"),
    "proofs": ("Nachweise", f"{_DESK}nachweise/"),
    "grant_case": ("Vorgang mit Zuwendung", ""),
}
_OTHERS = {
    "own_grants": ("Unsere Förderungen", "/foerderungen/"),
    "public_grants": ("Öffentliche Liste", "/transparenz/foerderungen/"),
}


def measure(sizes: Sizes, place: Place) -> Iterator[Figure]:
    """Fill, ask for all pages in turns, check the books."""
    grants = furnish_grants(place)
    begun = time.perf_counter()
    filled = grant_filling.fill_lived(
        grants, count=sizes.grants, rates=sizes.rates, parties=_parties(place, sizes.applicants)
    )
    filling_seconds = time.perf_counter() - begun
    with rathaus_site() as site:
        people = People(f"http://127.0.0.1:{site.port}", lambda: over_http(site.port), {}, place.offer.slug)
        people.log_in(place.crews[_CREW])
        taken = _pages(people, sizes)
    there = {"grants": filled.grants, "postings": filled.postings, "payments": filled.payments}
    for name, (title, _) in (_MINISTRY | _OTHERS).items():
        p95 = quantile(taken[name], 0.95)
        yield Figure(
            f"{name}_page",
            f"{title} bei {count(filled.grants)} Förderungen, {count(filled.postings)} Buchungen",
            f"p95 ≤ {ms(P95)}",
            f"p50 {ms(median(taken[name]))}, p95 {ms(p95)}",
            is_reached=p95 <= P95,
            values={"p50": median(taken[name]), "p95": p95, **there},
        )
    yield _books(place, filled, filling_seconds)


def _parties(place: Place, towns: int) -> list[Party]:
    """Municipalities of the register as applicants, and the one whose people log in."""
    register = {authority.ags: authority for authority in load_register(ROOT / "daten/register")}
    keys = keys_of(ROOT / "daten/register/gemeinden_hessen_2021-01-01.csv")[: towns - 1]
    who = actor_of(Account.objects.get(email=place.crews[_CREW].applicant).pk)
    with who.acting():
        own = Party.objects.get(id__in=who.parties)
    return [own, *(party_of_authority(register[key]) for key in keys)]


def _pages(people: People, sizes: Sizes) -> dict[str, list[float]]:
    """Seconds of each request, the pages in turns; cases at random."""
    chance = random.Random(443)  # noqa: S311  which case is looked at
    taken: dict[str, list[float]] = {name: [] for name in _MINISTRY | _OTHERS}
    for turn in range(_WARM + sizes.pages):
        reference = grant_filling.reference(chance.randint(1, sizes.grants), sizes.rates)
        for name, (_, path) in (_MINISTRY | _OTHERS).items():
            browser = people.clerk if name in _MINISTRY else people.applicant
            begun = time.perf_counter()
            browser.get(path or f"/amt/vorgang/{reference}/")
            if turn >= _WARM:
                taken[name].append(time.perf_counter() - begun)
    return taken


def _books(place: Place, filled: grant_filling.Filled, filling_seconds: float) -> Figure:
    begun = time.perf_counter()
    checked = check_invariants(place.clerk)
    seconds = time.perf_counter() - begun
    if checked.faults:
        raise RuntimeError(f"the books are wrong: {checked.faults[:3]}")
    return Figure(
        "books_checked",
        f"Alle Bücher prüfen: {count(checked.grants)} Förderungen, {count(filled.postings)} Buchungen",
        f"≤ {CHECK_SECONDS} s",
        f"{number(seconds)} s, kein Fehler",
        f"gefüllt in {number(filling_seconds)} s",
        seconds <= CHECK_SECONDS,
        {
            "seconds": seconds,
            "filling_seconds": filling_seconds,
            "grants": checked.grants,
            "postings": filled.postings,
        },
    )
