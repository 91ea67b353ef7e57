"""The shared parts of all pages: what they say, that they escape, that screen readers find hint and error."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from django.template import Context, Engine, Template

from rathaus.engine.forms.model import (
    Choice,
    Field,
    FieldError,
    FileAnswer,
    Group,
    Kind,
    Sum,
    SummaryItem,
    SummarySection,
    SummaryTable,
    Table,
    Text,
)
from rathaus.engine.forms.views import (
    FieldView,
    GroupView,
    InputView,
    OptionView,
    RowView,
    TableView,
)
from rathaus.web.parts import (
    Fact,
    Finding,
    Frame,
    HistoryEntry,
    Link,
    LinkGroup,
    Masthead,
    MessageView,
    Step,
    User,
)

EVIL = "<script>alert(1)</script>\" onfocus='x'"
ENGINE = Engine.get_default()


class Page(HTMLParser):
    """Tags with their attributes, in order; fails on anything that a strict policy would block."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        for tag, attributes in self.tags:
            assert "style" not in attributes
            assert not [name for name in attributes if name.startswith("on")]
            assert tag != "style"
            assert tag != "script" or "src" in attributes

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def ids(self) -> list[str | None]:
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]

    def controls(self) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in {"input", "select", "textarea"}]


def render(source: str, **context: Any) -> str:
    return Template(source, engine=ENGINE).render(Context(context))


def plain(html: str) -> str:
    return html.replace("\u00a0", " ")


def view(kind: Kind, **given: Any) -> FieldView:
    field = Field(
        "feld", EVIL, kind, hint=EVIL, choices=given.pop("choices", ()),
        accept=("application/pdf",), max_bytes=20 * 1024**2, unit=given.pop("unit", ""),
    )  # fmt: skip
    return FieldView(field, "feld", "f-feld", **given)


OPTIONS = tuple(OptionView(EVIL, EVIL, EVIL, f"f-feld-{n}" if n else "f-feld", n == 1) for n in range(3))
INPUTS = tuple(InputView(f"feld.{n}", f"f-feld-{n}" if n else "f-feld", EVIL, EVIL) for n in range(3))


@pytest.mark.parametrize("error", ["", EVIL])
@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_field_is_safe_and_described(kind: Kind, error: str) -> None:
    html = render(
        "{% element view %}",
        view=view(
            kind, text=EVIL, error=error, inputs=INPUTS, options=OPTIONS, unit=EVIL,
            choices=(Choice(EVIL, EVIL),), files=(FileAnswer(EVIL, "ab", 1_258_291, "application/pdf"),),
        ),
    )  # fmt: skip
    page = Page(html)
    assert "<script" not in html
    ids = page.ids()
    assert len(ids) == len(set(ids))
    described = [
        name for _, attributes in page.tags for name in (attributes.get("aria-describedby") or "").split()
    ]
    assert set(described) <= set(ids)
    assert "f-feld-hinweis" in described
    assert ("f-feld-fehler" in described) == bool(error)
    shown = page.controls()
    assert "f-feld" in ids
    assert shown
    assert all((control.get("aria-invalid") == "true") == bool(error) for control in shown)
    labels = {attributes.get("for") for tag, attributes in page.tags if tag == "label"}
    assert {control["id"] for control in shown} <= labels


def test_typed_text_comes_back_unchanged() -> None:
    shown = Page(render("{% element view %}", view=view(Kind.MONEY, text="118.500.00"))).controls()
    assert shown[0]["value"] == "118.500.00"
    html = render("{% element view %}", view=view(Kind.TEXTAREA, text="\nZeile <1>\n"))
    assert 'rows="5">\n\nZeile &lt;1&gt;\n</textarea>' in html


def table_view() -> TableView:
    columns = (
        Field("kosten.art", "Kostenart", Kind.CHOICE),
        Field("kosten.wofuer", "Wofür?", Kind.TEXT),
        Field("kosten.am", "Wann?", Kind.DATE),
        Field("kosten.betrag", "Betrag", Kind.MONEY),
    )
    rows = []
    for number in range(2):
        cells = tuple(
            FieldView(
                column, f"kosten.{number}.{column.key}", f"f-{number}-{column.key}", text=EVIL,
                options=tuple(replace(option, id=f"{option.id}-{number}") for option in OPTIONS)
                if column.kind is Kind.CHOICE else (),
                inputs=tuple(replace(part, id=f"{part.id}-{number}") for part in INPUTS)
                if column.kind is Kind.DATE else (),
                error="Der Betrag fehlt." if column.kind is Kind.MONEY and number else "",
            )
            for column in columns
        )  # fmt: skip
        rows.append(RowView(number + 1, f"kosten.{number}", cells))
    table = Table("kosten", "Ausgaben", columns, sum_column="betrag")
    return TableView(table, "f-kosten", tuple(rows), True, Sum(Decimal("1234.50"), (1, 2, 4)))


def test_growing_table_labels_every_cell_and_names_what_the_sum_leaves_out() -> None:
    html = render("{% element view %}", view=table_view())
    page = Page(html)
    ids = page.ids()
    assert len(ids) == len(set(ids))
    labels = {attributes.get("for") for tag, attributes in page.tags if tag == "label"}
    assert {control["id"] for control in page.controls()} <= labels
    assert "1.234,50" in html
    assert "ohne Position 1, 2 und 4" in html
    assert 'name="remove" value="kosten.1"' in html
    assert 'name="add" value="kosten"' in html
    wrong = [control for control in page.controls() if control.get("aria-invalid")]
    assert [control["aria-describedby"] for control in wrong] == ["f-1-betrag-fehler"]
    assert "f-1-betrag-fehler" in ids


def test_error_summary_links_to_the_controls() -> None:
    views = [GroupView(Group("Kosten", ()), (table_view(), view(Kind.TEXT))), Text("Absatz")]
    errors = [
        FieldError("kosten.1.betrag", "Der Betrag fehlt.", "kosten.1.betrag", "Position 2: Betrag"),
        FieldError("feld", "Füllen Sie „Titel“ aus.", "feld", "Titel"),
        FieldError("weg", EVIL, "weg"),
        "Die Summen stimmen nicht überein.",
    ]
    html = render("{% error_summary errors views %}", errors=errors, views=views)
    assert "Bitte prüfen Sie vier Angaben" in html
    assert '<a href="#f-1-betrag">Position 2: Betrag: Der Betrag fehlt.</a>' in html
    assert '<a href="#f-feld">Füllen Sie „Titel“ aus.</a>' in html
    assert "<script" not in html
    assert render("{% error_summary errors views %}", errors=[], views=[]).strip() == ""
    assert "Bitte prüfen Sie eine Angabe<" in render("{% error_summary errors %}", errors=["Nein."])


TODAY = date(2021, 6, 14)


@pytest.mark.parametrize(
    ("day", "words", "css"),
    [
        (date(2021, 6, 11), "überfällig", "rh-due--bad"),
        (date(2021, 6, 14), "heute", "rh-due--warn"),
        (date(2021, 6, 15), "morgen", '"rh-due"'),
        (date(2021, 6, 18), "in 4 Tagen", '"rh-due"'),
    ],
)
def test_due_says_it_in_words_with_the_date(day: date, words: str, css: str) -> None:
    html = render("{{ day|due:today }}", day=day, today=TODAY)
    assert words in html
    assert css in html
    assert f"{day:%d.%m.}</small>" in html
    assert render("{{ day|due:today }}", day=None, today=TODAY) == "–"


def test_due_names_another_year() -> None:
    html = render("{{ day|due:today }}", day=date(2019, 4, 1), today=TODAY)
    assert "überfällig" in html
    assert "01.04.2019</small>" in html


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2021, 6, 30), "Mi, 30. Juni 2021 (noch 16 Tage)"),
        (date(2021, 6, 15), "Di, 15. Juni 2021 (noch ein Tag)"),
        (date(2021, 6, 14), "Mo, 14. Juni 2021 (heute)"),
        (date(2021, 6, 13), "So, 13. Juni 2021 (seit einem Tag überfällig)"),
    ],
)
def test_deadline_in_one_line(day: date, words: str) -> None:
    assert plain(render("{{ day|frist:today }}", day=day, today=TODAY)) == words


def test_german_notation() -> None:
    winter = datetime(2021, 11, 22, 9, 42, tzinfo=UTC)
    late = datetime(2021, 6, 30, 22, 5, tzinfo=UTC)
    shown = render(
        "{{ a|euro }};{{ a|betrag }};{{ b|zahl }};{{ c|datum }};{{ c|tag }};{{ d|zeitpunkt }};{{ e|moment }};"
        "{{ e|datum }};{{ f|groesse }};{{ g|groesse }};"
        "{{ n|euro }}{{ n|zahl }}{{ n|datum }}{{ n|tag }}{{ n|zeitpunkt }}{{ n|moment }}",
        a=Decimal("483660"), b=8181, c=date(2021, 5, 25), d=winter, e=late, f=86_016, g=1_258_291, n=None,
    )  # fmt: skip
    assert plain(shown) == (
        "483.660,00 €;483.660,00;8.181;25. Mai 2021;25.05.2021;Mo, 22.11.2021, 10:42 Uhr;"
        "1. Juli 2021, 0:05 Uhr;1. Juli 2021;86 KB;1,3 MB;"
    )


def test_a_number_stays_with_what_it_counts() -> None:
    assert render("{{ t|fest }}", t="Höchstens 24 Monate, § 44, 2,5 Millionen, Nr. 5. Mai") == (
        "Höchstens 24\u00a0Monate, §\u00a044, 2,5\u00a0Millionen, Nr. 5. Mai"
    )


def test_states_read_differently_for_applicant_and_staff() -> None:
    assert "Rückfrage an Sie" in render('{% state "ACTION_REQUIRED" %}')
    staff = render('{% state "action_required" for_staff=True %}')
    assert ">Rückfrage<" in staff
    assert "kern-badge--warning" in staff
    assert "rh-badge--neutral" in render('{% state "PROCESSING" %}')
    with pytest.raises(KeyError):
        render('{% state "ERFUNDEN" %}')


FRAME = Frame(
    Masthead(f"Gemeinde Lahnau {EVIL}", "Digitales Rathaus", address=("Rathausstraße 1", "35633 Lahnau")),
    navigation=(Link("Dienste", "/dienste/", is_current=True),),
    sidebar=(LinkGroup("Arbeit", (Link("Eingang", "/eingang/", "mail", count=3, is_bad=True),)),),
    user=User(EVIL, "D3-2", "/konto/"),
    search_url="/suche/",
)


@pytest.mark.parametrize("vorschau", [True, False])
@pytest.mark.parametrize("user", [None, FRAME.user])
@pytest.mark.parametrize("base", ["portal", "form", "desk"])
def test_frames(base: str, user: User | None, vorschau: bool) -> None:
    frame = Frame(FRAME.masthead, FRAME.navigation, FRAME.sidebar, user, search_url="/suche/")
    source = (
        "{% extends 'web/base_" + base + ".html' %}{% block page_title %}Probe{% endblock %}"
        "{% block content %}<h1>Probe</h1>{% endblock %}"
    )
    html = render(source, frame=frame, vorschau=vorschau)
    page = Page(html)
    assert ("html", {"lang": "de"}) in page.tags
    assert page.ids().count("inhalt") == 1
    assert ("a", {"class": "rh-skip", "href": "#inhalt"}) in page.tags
    assert "<script>" not in html
    assert ("Vorschau" in html) == vorschau
    assert ("Abmelden" in html) == (user is not None)
    assert "Erklärung zur Barrierefreiheit" in html or base == "desk"


def test_letter_of_the_arms_is_that_of_the_name() -> None:
    letters = [
        Masthead(name, "").letter
        for name in ("Gemeinde Lahnau", "Stadt Aßlar", "Lahn-Dill-Kreis", "Stadt", "")
    ]
    assert letters == ["L", "A", "L", "S", "R"]


@pytest.mark.parametrize(
    "name", ["400.html", "403.html", "404.html", "413.html", "500.html", "web/csrf.html"]
)
def test_error_pages_need_no_context(name: str) -> None:
    html = ENGINE.get_template(name).render(Context())
    Page(html)
    assert "<h1" in html
    assert 'href="/"' in html


def test_parts_show_everything_and_escape() -> None:
    now = datetime(2021, 6, 14, 9, 20, tzinfo=UTC)
    html = render(
        "{% steps steps evil %}{% line steps %}{% facts facts %}{% glance facts %}{% description facts %}"
        "{% summary section 1 '/a/' %}{% talk messages %}{% history entries %}{% findings findings %}"
        "{% day today %}"
        "{% alert 'danger' evil %}{{ evil }}{% endalert %}{% empty evil %}{{ evil }}{% endempty %}"
        "{% more evil %}{{ evil }}{% endmore %}{% badge evil 'info' 'check' %}",
        evil=EVIL,
        today=TODAY,
        steps=[Step("Vorhaben", "done", "/1/"), Step(EVIL, "wait", note=EVIL), Step("Ende")],
        facts=[Fact("Wer", EVIL, EVIL, "/wer/", True), Fact("Was", "Nichts")],
        section=SummarySection(
            "a", EVIL,
            (
                SummaryItem("t", "Titel", (EVIL, "zwei")),
                SummaryItem("u", "Leer", ()),
                SummaryTable(
                    "k", "Ausgaben", ("Wofür", "Art", "Betrag"), (False, False, True),
                    ((EVIL, "b", "1,00 €"),), "1,00 €",
                ),
            ),
        ),
        messages=[MessageView(EVIL, now, f"{EVIL}\nzweite Zeile")],
        entries=[HistoryEntry(EVIL, now, EVIL, True)],
        findings=[Finding(EVIL, level, *[EVIL] * 5) for level in ("ok", "hint", "over", "bad")],
    )  # fmt: skip
    Page(html)
    assert "<script" not in html
    for word in (
        "erfüllt",
        "Ausnahme zugelassen",
        "nicht erfüllt",
        "Keine Angabe",
        "Summe",
        "14. Juni 2021, 11:20",
    ):
        assert word in plain(html)
