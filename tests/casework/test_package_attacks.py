"""Packages from another town: refused whole at the check, and refused again by the engine should one get in."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.utils import timezone
from tests.casework.conftest import World
from tests.casework.packages import LETTER, MANIFEST, PROCESS, SAMPLE, SCHEMA, UI, probe

from rathaus.casework.cases.actions.notices import letter_data
from rathaus.casework.cases.actions.submission import submit_application
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Application, Case, Decision, ReferenceCounter, Task
from rathaus.casework.services.actions import DESIGNER, offer_service, publish_package
from rathaus.casework.services.letters import sample_letter_data
from rathaus.casework.services.models import Offer, Service, ServiceVersion
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import PackageRefused, content_hash, package_of, read_folder
from rathaus.cli.commands import service_check
from rathaus.core.audit.models import Event
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.tenancy import new_id

BOMB = """<?xml version="1.0"?>
<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">&c;&c;&c;&c;</definitions>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">&a;</definitions>"""
DMN = """<?xml version="1.0"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:d">
 <decision id="regel" name="Regel"><decisionTable id="t" hitPolicy="UNIQUE">
  <input id="i"><inputExpression id="e" typeRef="number"><text>antrag.betrag</text></inputExpression></input>
  <output id="o" name="satz" typeRef="number"/>
  <rule id="r1"><inputEntry id="x1"><text>&gt; 0</text></inputEntry><outputEntry id="y1"><text>{}</text></outputEntry></rule>
 </decisionTable></decision>
</definitions>"""
ESCAPES = [
    "().__class__.__bases__[0].__subclasses__()",
    "antrag.__class__",
    "__import__('os').system('id')",
    "open('/etc/passwd')",
    "eval('1')",
    "exec('1')",
    "globals()",
    "getattr(antrag, 'x')",
    "(lambda: 1)()",
    "[x for x in antrag]",
    "'{0.__class__}'.format(antrag)",
    "f'{antrag}'",
    "antrag.titel.format(1)",
    "'a' * 10 ** 9",
    "9 ** 9 ** 9",
    "(" * 300 + "1" + ")" * 300,
    "'" + "x" * 100_000 + "'",
    "(y := 1)",
    "import os",
    "1; 2",
]
CONDITION = "<bpmn:conditionExpression>vollstaendig</bpmn:conditionExpression>"


def xml(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def in_gateway(escape: str) -> dict[str, str]:
    text = CONDITION.replace("vollstaendig", xml(escape))
    return probe(prozess__bpmn=PROCESS.replace(CONDITION, text))


def in_script(escape: str) -> dict[str, str]:
    """A script task between the rules and the clerk."""
    process = PROCESS.replace(
        'sourceRef="regeln" targetRef="pruefen"', 'sourceRef="skript" targetRef="pruefen"'
    )
    script = (
        '<bpmn:scriptTask id="skript" name="Rechnen" scriptFormat="rathaus"><bpmn:script>x = '
        f"{xml(escape)}</bpmn:script></bpmn:scriptTask>"
        '<bpmn:sequenceFlow id="f2b" sourceRef="regeln" targetRef="skript"/>'
    )
    return probe(
        prozess__bpmn=process.replace('<bpmn:userTask id="pruefen"', script + '<bpmn:userTask id="pruefen"')
    )


def in_cell(escape: str) -> dict[str, str]:
    return {**probe(), "regeln.dmn": DMN.replace("{}", xml(escape))}


def in_title(escape: str) -> dict[str, str]:
    return probe(leistung__toml=MANIFEST.replace('"antrag.titel"', json.dumps(escape)))


def in_argument(escape: str) -> dict[str, str]:
    return probe(prozess__bpmn=PROCESS.replace('value="antrag.betrag"', f'value="{xml(escape)}"'))


def in_output(escape: str) -> dict[str, str]:
    return probe(prozess__bpmn=PROCESS.replace('value="result.vollstaendig"', f'value="{xml(escape)}"'))


PLACES = {
    "gateway": (in_gateway, "prozess.bpmn:"),
    "script": (in_script, "prozess.bpmn:"),
    "cell": (in_cell, "regeln.dmn:"),
    "title": (in_title, "leistung.toml"),
    "argument": (in_argument, "prozess.bpmn:"),
    "output": (in_output, "prozess.bpmn:"),
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def check(folder: Path) -> str:
    """What `rathaus service check` says of a folder that it must refuse."""
    result = CliRunner().invoke(service_check, [str(folder)])
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result.output


def test_the_untouched_places_are_fine(tmp_path: Path) -> None:
    """So that what is refused below is refused for the escape alone."""
    for number, (build, _) in enumerate(PLACES.values()):
        plain = (
            "vollstaendig"
            if build is in_gateway
            else "antrag.titel"
            if build is in_title
            else "antrag.betrag"
        )
        plain = "5" if build is in_cell else "result.vollstaendig" if build is in_output else plain
        folder = write(tmp_path / str(number), build(plain))
        result = CliRunner().invoke(service_check, [str(folder)])
        assert result.exit_code == 0, (build.__name__, result.output)


@pytest.mark.parametrize("place", PLACES)
def test_escapes_are_refused_at_the_check(place: str, tmp_path: Path) -> None:
    build, where = PLACES[place]
    for number, escape in enumerate(ESCAPES):
        said = check(write(tmp_path / str(number), build(escape)))
        assert where in said, (escape[:40], said[:500])
        if where.endswith(":"):
            line = said.split(where, 1)[1].split(":", 1)[0]
            assert line.isdigit(), said[:300]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("prozess.bpmn", "Das ist kein XML", "prozess.bpmn:1:"),
        ("prozess.bpmn", "", "prozess.bpmn"),
        ("prozess.bpmn", PROCESS[:500], "prozess.bpmn:"),
        ("prozess.bpmn", "<html/>", "prozess.bpmn:1:"),
        ("prozess.bpmn", BOMB, "prozess.bpmn"),
        ("prozess.bpmn", OUTSIDE, "prozess.bpmn"),
        ("regeln.dmn", BOMB, "regeln.dmn"),
        ("regeln.dmn", "kein XML", "regeln.dmn:1:"),
        ("prozess.bpmn", PROCESS.replace("grants.check", "os.system"), "os.system"),
        ("prozess.bpmn", PROCESS.replace('name="betrag"', 'name="bertag"'), "bertag"),
        ("prozess.bpmn", PROCESS.replace("kern:freigabe", "kern:alles"), "kern:alles"),
        ("prozess.bpmn", PROCESS.replace('name="Freigabe"', 'name="Chefin"'), "Chefin"),
        ("prozess.bpmn", PROCESS.replace("bpmn:serviceTask", "bpmn:manualTask"), "prozess.bpmn:"),
        ("prozess.bpmn", PROCESS.replace('targetRef="ende"', 'targetRef="nirgends"'), "prozess.bpmn:51:"),
        ("prozess.bpmn", PROCESS.replace("grants.award", "decisions.automatic"), "§ 35a VwVfG"),
        ("formular.schema.json", "{", "formular.schema.json:1:"),
        ("formular.schema.json", "[]", "formular.schema.json"),
        ("formular.schema.json", "[" * 100_000, "formular.schema.json"),
        ("formular.schema.json", json.dumps({**SCHEMA, "$ref": "http://localhost/x"}), "formular"),
        (
            "formular.ui.json",
            json.dumps(UI).replace("properties/titel", "properties/nichts"),
            "formular.ui.json",
        ),
        ("leistung.toml", "schluessel = ", "leistung.toml"),
        ("leistung.toml", MANIFEST.replace('kuerzel = "PRB"', ""), "kuerzel"),
        ("leistung.toml", MANIFEST.replace('"PRB"', '"PRB/1"'), "kuerzel"),
        ("leistung.toml", MANIFEST.replace('"PRB"', '"ABCDEFGHIJKLM"'), "kuerzel"),
        ("leistung.toml", MANIFEST.replace('"probe"', '"Pro be"'), "schluessel"),
        ("leistung.toml", MANIFEST.replace('fassung = "1"', f'fassung = "{"1" * 21}"'), "fassung"),
        ("leistung.toml", MANIFEST.replace('"Probe"', f'"{"x" * 201}"'), "titel"),
        ("leistung.toml", MANIFEST.replace('"Probe"', '" "'), "titel"),
        ("leistung.toml", MANIFEST.replace("bearbeitung_tage = 14", "bearbeitung_tage = 0"), "bearbeitung"),
        ("leistung.toml", "stichworte = [1]\n" + MANIFEST, "stichworte"),
        ("leistung.toml", 'schritte = [{titel = "x"}]\n' + MANIFEST, "schritte"),
        ("prozess.bpmn", PROCESS.replace("Freigeben", "x" * 121), "länger als 120"),
        ("prozess.bpmn", PROCESS.replace("regeln", "r" * 81), "länger als 80"),
        ("prozess.bpmn", PROCESS.replace('"antwort"', f'"{"a" * 81}"'), "länger als 80"),
        ("leistung.toml", "fremd = 1\n" + MANIFEST, "fremd"),
        ("bescheid.typ", LETTER + '#read("/etc/passwd")', "bescheid.typ"),
        ("bescheid.typ", LETTER + '#image("../../../secret.png")', "bescheid.typ"),
        ("bescheid.typ", LETTER + '#import "@preview/cetz:0.3.0": canvas', "bescheid.typ"),
        ("bescheid.typ", LETTER + "#while true {}", "bescheid.typ"),
        ("bescheid.typ", LETTER + "#unbekannt", "bescheid.typ"),
        ("beispiele/bewilligt.json", "kaputt", "beispiele/bewilligt.json:1:"),
        ("beispiele/bewilligt.json", json.dumps({**SAMPLE, "fremd": 1}), "beispiele/bewilligt.json"),
        ("beispiele/bewilligt.json", json.dumps({**SAMPLE, "antrag": {}}), "beispiele/bewilligt.json"),
        ("beispiele/bewilligt.json", json.dumps({**SAMPLE, "pfad": ["warten"]}), "warten"),
        ("beispiele/bewilligt.json", json.dumps({**SAMPLE, "schritte": []}), "pruefen"),
        ("beispiele/bewilligt.json", json.dumps({**SAMPLE, "antrag": []}), "beispiele/bewilligt.json"),
        ("beispiele/bewilligt.json", json.dumps({**SAMPLE, "schritte": "x"}), "beispiele/bewilligt.json"),
        ("beispiele/bewilligt.json", json.dumps({**SAMPLE, "schritte": [1]}), "beispiele/bewilligt.json"),
        ("beispiele/bewilligt.json", json.dumps({**SAMPLE, "parameter": 1}), "beispiele/bewilligt.json"),
        ("beispiele/bewilligt.json", json.dumps({**SAMPLE, "pfad": 1}), "beispiele/bewilligt.json"),
        ("beispiele/bewilligt.json", json.dumps({**SAMPLE, "entscheidung": [1]}), "beispiele/bewilligt.json"),
        ("beispiele/bewilligt.json", json.dumps({**SAMPLE, "operationen": [1]}), "beispiele/bewilligt.json"),
    ],
)
def test_a_bad_part_is_refused_with_file_and_reason(
    name: str, text: str, expected: str, tmp_path: Path
) -> None:
    said = check(write(tmp_path / "probe", {**probe(), name: text}))
    assert expected in said, said[:600]


def test_folders_that_are_no_packages(tmp_path: Path) -> None:
    assert "gibt es nicht" in check(tmp_path / "nirgends")
    (tmp_path / "leer").mkdir()
    assert "leistung.toml" in check(tmp_path / "leer")
    binary = write(tmp_path / "binary", probe())
    (binary / "bild.png").write_bytes(b"\x89PNG\xff")
    assert "kein UTF-8-Text" in check(binary)
    big = write(tmp_path / "big", probe())
    (big / "gross.txt").write_text("x" * 2_100_000)
    assert "größer als 2 MB" in check(big)


def test_a_link_does_not_bring_files_from_elsewhere(tmp_path: Path) -> None:
    folder = write(tmp_path / "probe", probe())
    (tmp_path / "geheim.txt").write_text("geheim")
    (folder / "harmlos.txt").symlink_to(tmp_path / "geheim.txt")
    with pytest.raises(PackageRefused, match="Verknüpfung"):
        read_folder(folder)


def test_letters_are_set_with_what_the_kernel_will_give_them(world: World) -> None:
    """The check's data has the shape of a real notice's, so that a letter that passes can be made."""
    case = world.submit()
    complete_task(by=world.clerk, task=world.task(case).id, answers={"vollstaendig": True})
    proposal = {"ergebnis": "granted", "betrag": Decimal("900.00"), "begruendung": "Gut."}
    complete_task(by=world.clerk, task=world.task(case).id, answers=proposal)
    package = package_of(world.offer.version_id)
    data = {"antrag": {"titel": "Neue Akte"}, "parameter": {}}
    with world.clerk.acting():
        real = letter_data(Case.objects.get(id=case.id), Decision.objects.get())
    checked = sample_letter_data(package, data, proposal, date(2025, 3, 3))
    assert shape(checked) == shape(real)


def shape(data: dict[str, Any]) -> dict[str, Any]:
    own = {"antrag", "parameter", "einzelheiten", "behoerden"}  # of the case, not of the kernel
    return {
        key: shape(value) if isinstance(value, dict) and key not in own else None
        for key, value in data.items()
    }


# --- publishing --------------------------------------------------------------------------------------------------


def test_only_designers_publish_and_offer(world: World) -> None:
    for by in (world.clerk, world.lahnau_officer):
        with pytest.raises(NotAllowed):
            publish_package(by=by, files=probe())
        with pytest.raises(NotAllowed):
            offer_service(by=by, authority=world.ministry, version=world.offer.version, slug="anders")
    designer = Actor(account=world.clerk.account, authority=world.waldsolms.id, roles=frozenset({DESIGNER}))
    with pytest.raises(NotAllowed):
        offer_service(by=designer, authority=world.ministry, version=world.offer.version, slug="anders")


def test_a_refused_package_leaves_nothing(world: World) -> None:
    by = Actor.system(world.ministry.id)
    with by.acting():
        events = Event.objects.count()
    files = in_gateway("__import__('os')")
    with pytest.raises(PackageRefused):
        publish_package(by=by, files={**files, "leistung.toml": MANIFEST.replace('"probe"', '"neu"')})
    assert not Service.objects.filter(key="neu").exists()
    assert ServiceVersion.objects.count() == 1
    with by.acting():
        assert Event.objects.count() == events


def test_a_published_number_keeps_its_content(world: World) -> None:
    by = Actor.system(world.ministry.id)
    assert publish_package(by=by, files=probe()).id == world.offer.version_id
    with pytest.raises(PackageRefused, match="Erhöhen Sie"):
        publish_package(by=by, files=probe(bescheid__typ=LETTER + "\nNeu."))
    with pytest.raises(PackageRefused, match="Unbekannte Parameter"):
        offer_service(
            by=by, authority=world.ministry, version=world.offer.version, slug="probe", parameters={"x": 1}
        )
    with pytest.raises(Refused, match="ein Wert wie 90"):
        offer_service(
            by=by,
            authority=world.ministry,
            version=world.offer.version,
            slug="probe",
            parameters={"foerdersatz": "90"},
        )


def test_a_prefix_is_taken_once_an_authority(world: World) -> None:
    by = Actor.system(world.ministry.id)
    with pytest.raises(Refused, match="benutzt schon „probe“"):
        offer_service(by=by, authority=world.ministry, version=world.offer.version, slug="zweite")


def test_what_is_not_given_stays_as_the_offer_has_it(world: World) -> None:
    by, version = Actor.system(world.ministry.id), world.offer.version
    opens = timezone.now()
    for given in ({"prefix": "XY", "opens_at": opens, "parameters": {"foerdersatz": 80}}, {}):
        offer = offer_service(by=by, authority=world.ministry, version=version, slug="probe", **given)
        assert (offer.prefix, offer.opens_at, offer.closes_at) == ("XY", opens, None)
        assert (offer.parameters["foerdersatz"], offer.parameters["mindestbetrag"]) == (80, "100.00")


def test_an_offer_of_another_authority_cannot_be_taken_over(world: World) -> None:
    by = Actor.system(world.waldsolms.id)
    Authority.objects.filter(id=world.waldsolms.id).update(kind="ministry")
    world.waldsolms.refresh_from_db()
    with pytest.raises(Refused, match="andere Behörde"):
        offer_service(by=by, authority=world.waldsolms, version=world.offer.version, slug=world.offer.slug)
    assert Offer.objects.get(slug=world.offer.slug).authority_id == world.ministry.id


# --- forced into the database --------------------------------------------------------------------------------------


def forced(world: World, files: dict[str, str]) -> Offer:
    """A version that nobody checked, written past all checks, and offered."""
    version = ServiceVersion.objects.create(
        service_id="probe", number=str(new_id())[-12:], hash=content_hash(files), files=files
    )
    with Actor.system(world.ministry.id).acting():
        Offer.objects.filter(id=world.offer.id).update(version=version)
        return Offer.objects.get(id=world.offer.id)


def submit(world: World, offer: Offer) -> Case:
    return submit_application(
        by=world.lahnau_officer,
        offer=offer,
        party=world.lahnau_party,
        answers={"titel": "Neue Akte", "betrag": "900.00", "ausgaben": "1000.00"},
        submission=new_id(),
    )


@pytest.mark.parametrize("place", PLACES)
def test_escapes_that_got_in_are_refused_by_the_engine(place: str, world: World) -> None:
    for escape in ESCAPES[:6] + ESCAPES[13:17]:
        offer = forced(world, PLACES[place][0](escape))
        with pytest.raises(PackageRefused):
            submit(world, offer)
        with world.clerk.acting():
            assert not Case.objects.exists()
            assert not Application.objects.exists()
            assert not ReferenceCounter.objects.exists()


def test_a_process_that_never_rests_is_stopped(world: World) -> None:
    loop = (
        PROCESS.replace('sourceRef="regeln" targetRef="pruefen"', 'sourceRef="regeln" targetRef="dreh1"')
        .replace(
            '<bpmn:userTask id="pruefen"',
            '<bpmn:exclusiveGateway id="dreh1"/><bpmn:exclusiveGateway id="dreh2" default="d3"/>'
            '<bpmn:sequenceFlow id="d1" sourceRef="dreh1" targetRef="dreh2"/>'
            '<bpmn:sequenceFlow id="d2" sourceRef="dreh2" targetRef="dreh1">'
            "<bpmn:conditionExpression>antrag.betrag > 0</bpmn:conditionExpression></bpmn:sequenceFlow>"
            '<bpmn:sequenceFlow id="d3" sourceRef="dreh2" targetRef="pruefen"/>'
            '<bpmn:userTask id="pruefen"',
        )
    )  # fmt: skip
    offer = forced(world, probe(prozess__bpmn=loop))
    with pytest.raises((Refused, PackageRefused)):
        submit(world, offer)
    with world.clerk.acting():
        assert not Case.objects.exists()


def test_an_expression_that_fails_on_these_answers_is_a_clear_refusal(world: World) -> None:
    """The check plays samples only: a title may fail on what a sample did not have."""
    files = probe(leistung__toml=MANIFEST.replace('"antrag.titel"', '"antrag.titel + antrag.anlage.name"'))
    with pytest.raises(Refused):
        submit(world, forced(world, files))
    with world.clerk.acting():
        assert not Case.objects.exists()


def test_an_amount_that_does_not_fit_is_a_clear_refusal(world: World) -> None:
    for formula in (
        "0 - antrag.betrag",
        "antrag.betrag * 100000000000000",
        "antrag.titel",
    ):
        files = probe(leistung__toml=MANIFEST.replace('"antrag.betrag"', f'"{formula}"'))
        with pytest.raises(Refused):
            submit(world, forced(world, files))


def test_an_automatic_decision_with_discretion_that_got_in_decides_nothing(world: World) -> None:
    process = PROCESS.replace('r:operation="grants.award"', 'r:operation="decisions.automatic"').replace(
        'name="Mittel binden"', 'name="Entscheiden"'
    )
    with pytest.raises(PackageRefused, match="35a"):
        submit(world, forced(world, probe(prozess__bpmn=process)))


def test_running_cases_stay_on_their_version(world: World) -> None:
    case = world.submit()
    by = Actor.system(world.ministry.id)
    files = probe(
        leistung__toml=MANIFEST.replace('fassung = "1"', 'fassung = "2"'),
        prozess__bpmn=PROCESS.replace("Vollständigkeit prüfen", "Ganz anders"),
    )
    version = publish_package(by=by, files=files)
    world.offer = offer_service(by=by, authority=world.ministry, version=version, slug="probe")
    complete_task(by=world.clerk, task=world.task(case).id, answers={"vollstaendig": True})
    complete_task(
        by=world.clerk,
        task=world.task(case).id,
        answers={"ergebnis": "granted", "betrag": Decimal("900.00"), "begruendung": "Gut."},
    )
    complete_task(
        by=world.approver, task=world.task(case).id, answers={"freigegeben": False, "grund": "Nein."}
    )
    assert world.task(case).title == "Entscheidung vorschlagen"
    assert world.task(world.submit()).title == "Ganz anders"
    with world.clerk.acting():
        assert Task.objects.filter(title="Vollständigkeit prüfen").count() == 1
    assert package_of(version.id).manifest.fassung == "2"
