from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import pytest

from rathaus.engine.decisions import Decision, parse_dmn

NAMESPACE = "https://www.omg.org/spec/DMN/20191111/MODEL/"

Columns = Sequence[tuple[str, str]]
Write = Callable[..., bytes]


def write_table(
    inputs: Columns,
    outputs: Columns,
    rules: Sequence[Sequence[str]],
    *,
    policy: str = "UNIQUE",
    aggregation: str = "",
    input_values: str = "",
    output_values: str = "",
    default: str = "",
    notes: Sequence[str] = (),
    namespace: str = NAMESPACE,
) -> bytes:
    """A DMN file as editors write it. Columns are pairs of expression (or name) and kind."""

    def text(tag: str, content: str) -> str:
        return f"<{tag}><text>{escape(content)}</text></{tag}>" if content else ""

    parts = [
        f'<input id="i{n}" label="{escape(text_)}"><inputExpression id="e{n}" typeRef="{kind}">'
        f"<text>{escape(text_)}</text></inputExpression>{text('inputValues', input_values)}</input>"
        for n, (text_, kind) in enumerate(inputs)
    ]
    parts += [
        f'<output id="o{n}" name="{name}" typeRef="{kind}">{text("outputValues", output_values)}'
        f"{text('defaultOutputEntry', default)}</output>"
        for n, (name, kind) in enumerate(outputs)
    ]
    for number, rule in enumerate(rules):
        note = f"<description>{escape(notes[number])}</description>" if number < len(notes) else ""
        cells = [
            f"<{'inputEntry' if at < len(inputs) else 'outputEntry'}><text>{escape(cell)}</text>"
            f"</{'inputEntry' if at < len(inputs) else 'outputEntry'}>"
            for at, cell in enumerate(rule)
        ]
        parts.append(f'<rule id="r{number}">{note}{"".join(cells)}</rule>')
    aggregated = f' aggregation="{aggregation}"' if aggregation else ""
    body = "\n".join(parts)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<definitions xmlns="{namespace}" id="d" name="d">\n'
        f'<decision id="tabelle" name="Tabelle">\n<decisionTable id="t" hitPolicy="{policy}"{aggregated}>\n'
        f"{body}\n</decisionTable></decision></definitions>"
    ).encode()


@pytest.fixture(scope="session")
def write() -> Write:
    return write_table


@pytest.fixture
def table() -> Callable[..., Decision]:
    def make(*args: object, **options: object) -> Decision:
        return parse_dmn(write_table(*args, **options))["tabelle"]  # type: ignore[arg-type]

    return make


@pytest.fixture
def one_cell(table: Callable[..., Decision]) -> Callable[..., Decision]:
    """A table with one rule: is ``x`` what the cell says?"""

    def make(cell: str, kind: str = "Any") -> Decision:
        return table([("x", kind)], [("ja", "boolean")], [[cell, "true"]])

    return make
