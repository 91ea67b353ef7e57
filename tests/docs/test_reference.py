"""The reference of docs/service-packages.md names what the code knows: no more, no less."""

from __future__ import annotations

import json
import re
import tomllib
import types
from dataclasses import MISSING, fields
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import click
import pytest
from tests.docs.replay import blocks
from tests.docs.tables import codes, names_of, section, tables

from rathaus.casework.cases.actions.tasks import FORMS
from rathaus.casework.cases.enums import Outcome
from rathaus.casework.cases.steps import REPLY
from rathaus.casework.services import operations, parameters, samples
from rathaus.casework.services.manifest import RESULTS, Manifest, Result
from rathaus.casework.services.packages import CASE_DATA, KERNEL_FORMS
from rathaus.casework.services.permissions import DESIGNER, HEAD
from rathaus.cli.commands import service
from rathaus.core.authorities.enums import AuthorityKind
from rathaus.engine.decisions import Aggregation, HitPolicy
from rathaus.engine.decisions.table import KINDS
from rathaus.engine.expressions import FUNCTIONS, compile_expression
from rathaus.engine.forms import Kind, layout, rules, schema
from rathaus.engine.forms.formats import FORMATS
from rathaus.engine.workflow import definition, elements, names
from rathaus.web.portal.filling import profile_of

PAGE = Path(__file__).resolve().parents[2] / "docs/service-packages.md"
BRIEF = Path(layout.__file__).parents[1] / "letters/vorlage/brief.typ"


def rows(title: str, table: int = 0) -> list[list[str]]:
    return tables(section(PAGE, title))[table]


def test_manifest() -> None:
    kinds = {
        "str": "text",
        "int": "whole number",
        "bool": "true or false",
        "tuple": "list",
        "Mapping": "table",
    }
    code = {
        field.name: (
            kinds[str(field.type).split("[")[0]],
            field.default is MISSING and field.default_factory is MISSING,
        )
        for field in fields(Manifest)
    }
    assert {codes(entry)[0]: (kind, must == "yes") for entry, kind, must, _ in rows("Manifest")} == code
    about = {codes(entry)[0]: codes(words) for entry, _, _, words in rows("Manifest")}
    assert about["ergebnisse"] == [*RESULTS, *(field.name for field in fields(Result))]
    assert set(RESULTS) == set(Outcome.values) - {Outcome.WITHDRAWN}  # the applicant says that, not a package
    assert set(about["zustaendig"]) <= set(AuthorityKind.values)


def test_parameters() -> None:
    """Each kind of value that the page shows is one that a manifest may give, and what it refuses is refused."""
    text = section(PAGE, "Parameters")
    assert {parameters.SCHEMA, parameters.UI, parameters.FIXED, DESIGNER, HEAD} <= set(codes(text))
    shown = {codes(row[0])[0] for row in tables(text)[0] if codes(row[0])}
    values = {value: tomllib.loads(value if value.startswith("[[") else f"x = {value}") for value in shown}
    for value, found in values.items():
        given = found.get("parameter", found)
        assert not list(parameters.shape_problems(given)), value
    for wrong in ("1.5", "2021-12-31", "{ a = 1 }"):
        assert list(parameters.shape_problems(tomllib.loads(f"x = {wrong}"))), wrong


def test_form_kinds() -> None:
    assert names_of(section(PAGE, "Kinds of fields")) == {kind.value for kind in Kind}
    text = section(PAGE, "Kinds of fields")
    assert set(re.findall(r"`format: (\w+)`", "".join(row[1] for row in tables(text)[0]))) == {
        *FORMATS,
        "datei",
    }


def test_form_keywords() -> None:
    said = {codes(kind)[0]: set(codes(keywords)) for kind, keywords in rows("Keywords of the schema")}
    assert said == {kind: set(known - schema._ABOUT) for kind, known in schema._KEYWORDS.items()}
    heading = section(PAGE, "Keywords of the schema").strip().splitlines()[0]
    assert set(codes(heading)) == schema._ABOUT


def test_form_elements_and_options() -> None:
    said = {codes(name)[0]: set(codes(members)) for name, members, _ in rows("Elements of the pages")}
    assert said == layout._MEMBERS
    options = {codes(name)[0]: set(codes(listed)) for name, _, listed in rows("Elements of the pages")}
    options["Control"] = names_of(section(PAGE, "Elements of the pages"), table=1)
    assert {name: listed for name, listed in options.items() if listed} == {
        name: set(known) for name, known in layout._OPTIONS.items() if known
    }
    prose = section(PAGE, "Elements of the pages").partition("Its schema knows")[2].partition(".\n")[0]
    assert set(codes(prose)) == rules._KEYWORDS


def test_prefill() -> None:
    party = SimpleNamespace(name="", street="", postal_code="", city="", email="")
    known = profile_of(cast(Any, party), cast(Any, SimpleNamespace(name="", email="")))
    places = {f"{group}.{name}" for group, inner in known.items() for name in inner}
    words = {codes(row[0])[0]: row[1] for row in rows("Elements of the pages", 1)}
    assert set(codes(words["vorbelegung"])) == places


def test_process_elements() -> None:
    said = {codes(name)[0]: events for name, _, events in rows("Elements")}
    assert set(said) == definition.ACTIVITIES | definition.GATEWAYS | definition.EVENTS
    events = {name: tuple(listed.split(", ")) for name, listed in said.items() if listed}
    assert {name: set(listed) for name, listed in events.items()} == {
        name: set(known) for name, known in elements.EVENTS_KNOWN.items()
    }
    assert f"`{REPLY}` is the applicant's answer" in section(PAGE, "Elements")


def test_process_attributes() -> None:
    said = {name.removeprefix("r:") for name in names_of(section(PAGE, "Our attributes"))}
    assert said == names.OWN_ATTRIBUTES | {"collection", "element"}
    assert names.RATHAUS in section(PAGE, "Elements")


def test_process_forms() -> None:
    assert names_of(section(PAGE, "Forms of user tasks")) == KERNEL_FORMS == set(FORMS)


def test_names_of_expressions() -> None:
    assert names_of(section(PAGE, "Names that expressions may read")) == {*CASE_DATA, "result"}


def test_operations() -> None:
    """Those of the product; what a measurement registers for itself is no part of it."""
    words = {
        str: "text",
        Decimal: "amount",
        date: "day",
        int: "whole number",
        bool: "true or false",
        list: "list",
    }
    code = {}
    for name in operations.names():
        found = operations.find(name)
        if not found.run.__module__.startswith(
            ("rathaus.casework.", "rathaus.domains.", "rathaus.integrations.")
        ):
            continue
        arguments = set()
        for argument, kind in found.parameters.items():
            if isinstance(kind, types.UnionType):
                kind = next(one for one in kind.__args__ if one is not types.NoneType)
            said = f"`{argument}` {words[kind]}"
            arguments.add(said if argument in found.required else f"[{said}]")
        when = "later, as a job" if found.later else "at once"
        code[name] = (arguments, when + ("; decides without a person" if found.decides else ""))
    assert {
        codes(name)[0]: (set(filter(None, arguments.split(", "))), when)
        for name, arguments, _, when in rows("Operations")
    } == code


def test_tables() -> None:
    text = section(PAGE, "Tables")
    assert names_of(text, table=0) == {policy.value for policy in HitPolicy}
    assert names_of(text, table=1) == {found.value for found in Aggregation}
    assert names_of(text, table=2) == set(KINDS)


def test_expression_functions() -> None:
    said = {codes(name)[0]: codes(also) for name, also, *_ in rows("Expressions")}
    assert {*said, *(one for also in said.values() for one in also)} == set(FUNCTIONS)
    for name, also in said.items():
        assert all(FUNCTIONS[one] is FUNCTIONS[name] for one in also)


@pytest.mark.parametrize("row", rows("Expressions"), ids=lambda row: codes(row[0])[0])
def test_expression_examples(row: list[str]) -> None:
    example, result = codes(row[3])
    data = next(block for block in blocks(PAGE.read_text(encoding="utf-8")) if block.about == "names")
    context = json.loads(data.text)
    assert example.startswith(codes(row[0])[0] + "(")
    assert compile_expression(example).evaluate(context) == compile_expression(result).evaluate({})


def test_letter_functions() -> None:
    brief = BRIEF.read_text(encoding="utf-8")
    public = set(re.findall(r"^#let ([a-z][\w-]*)\(", brief, re.MULTILINE))
    assert names_of(section(PAGE, "Letters")) == public
    # A signature ends where its body begins.
    for name, words in ((codes(row[0])[0], codes(row[1])) for row in rows("Letters")):
        signature = brief.partition(f"#let {name}(")[2].partition(") =")[0]
        assert not words or set(words) == set(re.findall(r"(\w+):", signature)) - {"size"}, name


def test_samples() -> None:
    assert names_of(section(PAGE, "Samples")) == set(samples._KINDS)


def test_commands() -> None:
    text = section(PAGE, "Commands")
    said = {codes(row[0])[0].split()[2]: codes(row[1]) for row in tables(text)[0]}
    assert set(said) == set(service.commands)
    publish = service.commands["publish"]
    options = {option for param in publish.params if isinstance(param, click.Option) for option in param.opts}
    shown = {word.split()[0] for word in said["publish"]} | {"--authority"}
    assert shown == options
