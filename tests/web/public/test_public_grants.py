"""Who got what, for everybody: the list, its filters, its pages, and what must not be in it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import jsonschema_rs
import pytest
from django.db import connection
from django.test import Client
from tests.casework.conftest import World, make_world
from tests.web.queries import counted

from rathaus.casework.cases.actions.submission import submit_application
from rathaus.casework.cases.models import Case
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.models import Award, AwardYear, Call, Grant
from rathaus.domains.grants.queries.public import CHUNK, PAGE, Choice, places, public_grants
from rathaus.web.public.records import COLUMNS

LIST, CSV, JSON = (
    "/transparenz/foerderungen/",
    "/transparenz/foerderungen.csv",
    "/transparenz/foerderungen.json",
)
DAY = date(2021, 5, 25)


@pytest.fixture
def world(db: None) -> World:
    world = make_world()
    world.lahnau.kind = world.waldsolms.kind = "municipality"
    return world


@pytest.fixture
def grant(world: World) -> Callable[..., Grant]:
    """Makes a grant whose award stands in the books of nobody: what is public does not depend on them."""

    def make(**changes: Any) -> Grant:
        given: dict[str, Any] = {
            "recipient": world.lahnau, "recipient_name": "Gemeinde Lahnau", "title": "Neue Akte",
            "amount": Decimal("0.00"), "awarded_on": DAY, "notified_on": DAY,
        }  # fmt: skip
        case = submit_application(
            by=world.lahnau_officer, offer=world.offer, party=world.lahnau_party,
            answers={"titel": "Neue Akte", "betrag": "900.00", "ausgaben": "1000.00"}, submission=new_id(),
        )  # fmt: skip
        with Actor.system(world.ministry.id).acting():
            return Grant.objects.create(
                authority=world.ministry, case=case, call=Call.objects.get(offer=world.offer),
                party=world.lahnau_party, reference=case.reference, **(given | changes),
            )  # fmt: skip

    return make


def page(path: str = LIST, status: int = 200, client: Client | None = None) -> str:
    answer = (client or Client()).get(path)
    assert answer.status_code == status, answer.content.decode()[:1500]
    return answer.content.decode()


def body(path: str) -> str:
    answer = Client().get(path)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()


def rows_of(path: str = CSV) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body(path), newline="")))


def test_only_what_was_notified_to_an_authority_is_there(world: World, grant: Callable[..., Grant]) -> None:
    grant(title="Sichtbar")
    grant(title="Ohne Bescheid", notified_on=None)
    grant(title="Für eine Person", recipient=None, recipient_name="Petra Muster")
    for text in (page(), body(CSV), body(JSON)):
        assert "Sichtbar" in text
        assert "Ohne Bescheid" not in text
        assert "Petra Muster" not in text
    hidden = Client()
    with Actor.system(world.ministry.id).acting():
        others = list(Grant.objects.exclude(title="Sichtbar").values_list("reference", flat=True))
    for reference in others:
        page(f"{LIST}ministerium/{reference}/", 404, hidden)


def test_staff_see_the_same_page_as_everybody(world: World, grant: Callable[..., Grant]) -> None:
    """The database would show the ministry its own; the page shows what is public."""
    grant(title="Ohne Bescheid", notified_on=None)
    grant(title="Für eine Person", recipient=None, recipient_name="Petra Muster")
    client = Client()
    client.force_login(Account.objects.get(pk=world.clerk.account))
    found = page(client=client)
    assert "Ohne Bescheid" not in found
    assert "Petra Muster" not in found
    assert "private" in client.get(LIST).headers["Cache-Control"]


def test_the_database_itself_shows_no_more(grant: Callable[..., Grant], world: World) -> None:
    """Without any filter of ours: the policy alone."""
    grant()
    grant(notified_on=None)
    grant(recipient=None, recipient_name="Petra Muster")
    assert Grant.objects.count() == 1
    assert not Award.objects.exists()
    assert not AwardYear.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM grants_grant WHERE recipient_name = 'Petra Muster'")
        assert cursor.fetchone() == (0,)


PUBLIC_COLUMNS = {
    "id", "authority_id", "case_id", "call_id", "party_id", "recipient_id", "recipient_name", "reference", "title",
    "partners", "state", "amount", "years", "begins_on", "ends_on", "proof_due_on", "earmarked_until", "awarded_on",
    "notified_on", "closed_on",
}  # fmt: skip


def test_what_a_public_row_holds_was_decided_on() -> None:
    """Whoever adds a column to the grant makes it public: it must be added here, too, on purpose."""
    assert {field.column for field in Grant._meta.concrete_fields} == PUBLIC_COLUMNS


def test_the_database_keeps_the_years_of_the_newest_award(world: World, grant: Callable[..., Grant]) -> None:
    found = grant()
    with Actor.system(world.ministry.id).acting():
        of: dict[str, Any] = {"authority": world.ministry, "party": world.lahnau_party}

        def award(number: int, **years: str) -> dict[str, str]:
            made = Award.objects.create(
                **of, grant=found, number=number, case=found.case, financing="anteil", amount=0, cost=0
            )
            AwardYear.objects.bulk_create(
                AwardYear(**of, award=made, year=int(year[1:]), amount=Decimal(amount))
                for year, amount in years.items()
            )
            kept: dict[str, str] = Grant.objects.get(id=found.id).years
            return kept

        assert award(1, y2021="100.00", y2022="50.50") == {"2021": "100.00", "2022": "50.50"}
        assert award(2, y2022="75.00") == {"2022": "75.00"}
        assert award(3) == {}  # revoked whole: nothing of the years before stays
        AwardYear.objects.create(**of, award=Award.objects.get(grant=found, number=1), year=2030, amount=1)
        assert Grant.objects.get(id=found.id).years == {}  # an old version says nothing any more


def test_an_award_through_the_kernel_is_found_by_everybody(world: World) -> None:
    from tests.core.conftest import decide_fully

    case = world.submit(titel="Radweg")
    decide_fully(world, world.clerk, world.approver, case)
    with Actor.system(world.ministry.id).acting():
        Grant.objects.update(
            notified_on=DAY
        )  # the package of the kernel's tests does not tell grants of its notice
    (row,) = rows_of()
    assert (row["vorhaben"], row["betrag"], row["jahre"]) == ("Radweg", "900.00", "2025=900.00")
    assert row["adresse"].endswith(f"/transparenz/foerderungen/ministerium/{case.reference}/")
    found = page(row["adresse"].removeprefix("http://localhost:8000"))
    assert "900,00" in found
    assert "2025" in found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"Akte", "Weg", "Alt"}),
        ("q=akte", {"Akte"}),
        ("q=WALDSOLMS", {"Weg"}),
        ("q=%25", set()),
        ("q=%00", {"Akte", "Weg", "Alt"}),
        ("q=--", set()),
        ("kommune=06532022", {"Weg"}),
        ("kommune=06532015", {"Akte", "Alt"}),
        ("programm=programm", {"Akte", "Weg", "Alt"}),
        ("programm=x", set()),
        ("land=HE", {"Akte", "Weg", "Alt"}),
        ("land=TH", set()),
        ("jahr=2021", {"Akte", "Weg"}),
        ("jahr=2019", {"Alt"}),
        ("jahr=0", {"Akte", "Weg", "Alt"}),
        ("jahr=99999999999", {"Akte", "Weg", "Alt"}),
        ("behoerde=ministerium", {"Akte", "Weg", "Alt"}),
        ("behoerde=gemeinde-lahnau", set()),
        ("q=akte&jahr=2019", set()),
    ],
)
def test_filters_choose_the_same_in_page_and_files(
    world: World, grant: Callable[..., Grant], query: str, expected: set[str]
) -> None:
    grant(title="Akte", amount=Decimal("0.00"))
    grant(title="Weg", recipient=world.waldsolms, recipient_name="Gemeinde Waldsolms")
    grant(title="Alt", notified_on=date(2019, 12, 31))
    found = page(f"{LIST}?{query}")
    assert {title for title in ("Akte", "Weg", "Alt") if f">{title}</a>" in found} == expected
    assert {row["vorhaben"] for row in rows_of(f"{CSV}?{query}")} == expected
    assert {row["vorhaben"] for row in json.loads(body(f"{JSON}?{query}"))["foerderungen"]} == expected


def fill(world: World, number: int) -> None:
    """Many grants at once, past the kernel; nothing in the books, so nothing awarded."""
    with Actor.system(world.ministry.id).acting():
        like = Case.objects.order_by("id").last()
        call = Call.objects.get(offer=world.offer)
        assert like is not None
        cases = [
            Case(
                authority=world.ministry, offer=world.offer, terms_id=like.terms_id, party=world.lahnau_party,
                party_name="L", reference=f"X-{index:05}", title="T",
            )
            for index in range(number)
        ]  # fmt: skip
        Case.objects.bulk_create(cases, batch_size=2000)
        Grant.objects.bulk_create(
            [
                Grant(
                    authority=world.ministry, case=case, call=call, party=world.lahnau_party,
                    recipient=world.lahnau if index % 2 else world.waldsolms, recipient_name=f"Name {index:05}",
                    reference=case.reference, title=f"Vorhaben {index:05}", amount=Decimal(0),
                    partners=["06532022"], awarded_on=DAY, notified_on=DAY - timedelta(days=index // 7),
                )
                for index, case in enumerate(cases)
            ],
            batch_size=2000,
        )  # fmt: skip


def test_pages_follow_each_other_without_gap_or_repetition(world: World, grant: Callable[..., Grant]) -> None:
    grant()
    fill(world, 2 * PAGE + 3)
    seen: list[str] = []
    path = LIST
    for _ in range(10):
        found = page(path)
        seen += [part.partition("<")[0] for part in found.split(f'class="rh-title" href="{LIST}')[1:]]
        if "Weitere anzeigen" not in found:
            break
        path = found.rsplit('">Weitere anzeigen', 1)[0].rsplit('href="', 1)[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 2 * PAGE + 4


@pytest.mark.parametrize("key", ["x", "2021-05-25", "2021-05-25_x", "_", "2021-13-45_0"])
def test_a_key_of_no_page_is_no_address(db: None, key: str) -> None:
    page(f"{LIST}?nach={key}", 404)


def test_the_list_needs_few_statements_however_many_there_are(
    world: World, grant: Callable[..., Grant]
) -> None:
    grant()
    fill(world, 120)
    with counted() as statements:
        page()
    assert len(statements) <= 4, "\n".join(statements)


def test_map_table_and_sum_say_the_same(world: World, grant: Callable[..., Grant]) -> None:
    from tests.core.conftest import decide_fully

    decide_fully(world, world.clerk, world.approver, world.submit())
    decide_fully(
        world,
        world.clerk,
        world.approver,
        world.submit(by=world.waldsolms_officer, party=world.waldsolms_party),
    )
    with Actor.system(world.ministry.id).acting():
        Grant.objects.update(notified_on=DAY)
    found = page()
    assert "Gemeinde Lahnau: 900,00" in found.replace("&nbsp;", " ") or "Lahnau: 900,00" in found
    assert found.count("1.800,00") == 2  # glance and sum of the table
    assert [(place.label, place.grants, str(place.amount)) for place in places(Choice())] == [
        ("Gemeinde Lahnau", 1, "900.00"),
        ("Gemeinde Waldsolms", 1, "900.00"),
    ]


EVIL = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]


@pytest.mark.parametrize("title", EVIL)
def test_no_cell_runs_as_a_formula(grant: Callable[..., Grant], title: str) -> None:
    grant(title=title, recipient_name=title)
    (row,) = rows_of()
    for name in ("vorhaben", "empfaenger"):
        assert row[name] == f"'{title}"
    assert json.loads(body(JSON))["foerderungen"][0]["vorhaben"] == title


def test_marks_and_quotes_come_through_whole(grant: Callable[..., Grant]) -> None:
    title = 'Ä "neu", <script>alert(1)</script>\n2. Zeile; 5 €'
    grant(title=title)
    (row,) = rows_of()
    assert row["vorhaben"] == title
    assert body(CSV).startswith(",".join(column.name for column in COLUMNS) + "\r\n")
    assert "<script>alert" not in page()


def test_the_json_file_is_what_its_schema_says(world: World, grant: Callable[..., Grant]) -> None:
    grant(partners=["06532022", "00000000"], begins_on=DAY, ends_on=date(2023, 1, 1))
    grant()
    schema = json.loads(Client().get("/transparenz/foerderungen.schema.json").content)
    check = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    found = json.loads(body(JSON))
    assert list(check.iter_errors(found)) == []
    assert found["lizenz"]["kennung"] == "dl-de/by-2-0"
    first = found["foerderungen"][0]
    assert first["partner_namen"] == ["Gemeinde Waldsolms", "00000000"]
    assert list(first) == [column.name for column in COLUMNS]
    found["foerderungen"][0]["iban"] = "DE02120300000000202051"
    assert list(check.iter_errors(found))
    assert list(check.iter_errors(json.loads(body(f"{JSON}?land=TH")))) == []


def test_files_may_be_kept_and_read_by_any_site(grant: Callable[..., Grant]) -> None:
    grant()
    for path in (CSV, JSON, "/transparenz/foerderungen.schema.json", "/transparenz/katalog.jsonld"):
        answer = Client().get(path)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "public" in answer.headers["Cache-Control"]
        assert "max-age=3600" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers
        assert Client().post(path).status_code == 405
        assert Client().head(path).status_code == 200


def test_ten_thousand_rows_stream_in_pieces(world: World, grant: Callable[..., Grant]) -> None:
    grant()
    fill(world, 10_000)
    with counted() as statements:
        pieces = list(Client().get(CSV).streaming_content)
    assert sum(piece.count(b"\r\n") for piece in pieces) == 10_002
    assert max(map(len, pieces)) < 100_000
    assert len(statements) <= 2 * (10_001 // CHUNK + 1) + 1
    assert len(json.loads(body(JSON))["foerderungen"]) == 10_001
    assert public_grants().count() == 10_001


def test_the_catalogue_has_what_data_portals_demand(grant: Callable[..., Grant]) -> None:
    grant()
    found = json.loads(Client().get("/transparenz/katalog.jsonld").content)
    for key in ("dct:title", "dct:description", "dct:publisher"):
        assert found[key]
    (dataset,) = found["dcat:dataset"]
    assert dataset["dct:publisher"]["foaf:name"]["@value"] == "Ministerium"
    for file in dataset["dcat:distribution"]:
        assert file["dct:license"] == {"@id": "http://dcat-ap.de/def/licenses/dl-by-de/2.0"}
        assert file["dcatde:licenseAttributionByText"]["@value"] == "Ministerium"
        path = file["dcat:accessURL"]["@id"].removeprefix("http://localhost:8000")
        assert "Neue Akte" in body(path)
    assert json.loads(Client().get("/transparenz/katalog.jsonld").content) == found


def test_the_page_of_open_data_explains_every_column(db: None) -> None:
    found = page("/transparenz/daten/")
    for column in COLUMNS:
        assert f">{column.name}</td>" in found
    assert "Namensnennung" in found


def test_every_page_of_the_portal_leads_to_open_data(db: None) -> None:
    found = page("/")
    assert 'href="/transparenz/daten/">Offene Daten</a>' in found
    assert 'href="/transparenz/foerderungen/"' in found
