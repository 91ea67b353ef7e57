"""Making a page ready to be drawn: each field with its name, text, choices and error."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rathaus.engine.forms import rules, values
from rathaus.engine.forms.importing import FILE_PLACE
from rathaus.engine.forms.model import Element, Field, FieldError, Group, Kind, Sum, Table, Text
from rathaus.engine.forms.places import lookup
from rathaus.engine.forms.views import (
    ElementView,
    FieldView,
    GroupView,
    InputView,
    OptionView,
    RowView,
    TableView,
)

_YES_NO = (("true", "Ja"), ("false", "Nein"))


class PageDrawer:
    """Draws the elements of one page from answers, texts still wrong, and errors."""

    def __init__(
        self,
        answers: Mapping[str, Any],
        applying: frozenset[str],
        sums: Mapping[str, Sum],
        raw: Mapping[str, str],
        errors: Iterable[FieldError],
        authority_name: Callable[[str], str],
        *,
        takes_rows: bool = False,
    ) -> None:
        self.answers = answers
        self.applying = applying
        self.sums = sums
        self.raw = raw
        self.errors = {error.path: error.message for error in errors}
        self.authority_name = authority_name
        self.takes_rows = takes_rows

    def draw(self, elements: Iterable[Element]) -> tuple[ElementView, ...]:
        """The elements that apply; a group of which nothing applies is left out."""
        drawn: list[ElementView] = []
        for element in elements:
            if isinstance(element, Text):
                if rules.holds(element.rules, self.answers, self.applying):
                    drawn.append(element)
            elif isinstance(element, Group):
                inner = self.draw(element.elements)
                if any(not isinstance(view, Text) for view in inner):
                    drawn.append(GroupView(element, inner))
            elif element.path in self.applying:
                drawn.append(self._table(element) if isinstance(element, Table) else self._top(element))
        return tuple(drawn)

    def _top(self, field: Field) -> FieldView:
        return self._field(field, field.path, lookup(self.answers, field.path))

    def _field(self, field: Field, name: str, value: Any) -> FieldView:
        options = self._options(field, name, value)
        inputs = self._inputs(field, name, value)
        return FieldView(
            field=field,
            name=name,
            id=inputs[0].id if inputs else options[0].id if options else _id(name),
            text=self.raw.get(name, self._shown(field, value)),
            is_checked=value is True,
            inputs=inputs,
            options=options,
            files=values.files_of(value),
            error=self._error(field, name),
        )

    def _error(self, field: Field, name: str) -> str:
        if name in self.errors or field.kind is not Kind.AUTHORITIES:
            return self.errors.get(name, "")
        inner = [message for path, message in self.errors.items() if path.startswith(f"{name}.")]
        return " ".join(inner)

    def _shown(self, field: Field, value: Any) -> str:
        text = values.as_text(field, value)
        return self.authority_name(text) if text and field.kind is Kind.AUTHORITY else text

    def _inputs(self, field: Field, name: str, value: Any) -> tuple[InputView, ...]:
        if field.kind is Kind.DATE:
            if name in self.raw:
                return (InputView(name, _id(name), field.label, self.raw[name]),)
            texts = dict(zip(values.DATE_PARTS, values.as_text(field, value).split("."), strict=False))
            return tuple(
                InputView(
                    part_name := f"{name}.{part}",
                    _id(part_name),
                    part.capitalize(),
                    self.raw.get(part_name, texts.get(part, "")),
                )
                for part in values.DATE_PARTS
            )
        if field.kind is not Kind.AUTHORITIES:
            return ()
        entries = value if isinstance(value, list) else []
        shown = [self.authority_name(str(entry)) if entry else "" for entry in entries] or [""]
        return tuple(
            InputView(
                f"{name}.{at}",
                _id(f"{name}.{at}"),
                f"{field.label} {at + 1}",
                self.raw.get(f"{name}.{at}", text),
            )
            for at, text in enumerate(shown)
        )

    def _options(self, field: Field, name: str, value: Any) -> tuple[OptionView, ...]:
        if field.kind is Kind.YES_NO:
            return tuple(
                OptionView(text, label, "", _option_id(name, at), value is (text == "true"))
                for at, (text, label) in enumerate(_YES_NO)
            )
        chosen = value if isinstance(value, list) else [value]
        return tuple(
            OptionView(
                str(choice.value), choice.label, choice.hint, _option_id(name, at), choice.value in chosen
            )
            for at, choice in enumerate(field.choices)
        )

    def _table(self, table: Table) -> TableView:
        answered = lookup(self.answers, table.path)
        rows = (
            [row if isinstance(row, dict) else {} for row in answered] if isinstance(answered, list) else []
        )
        shown = rows + [{}] * (max(table.min_rows, 1) - len(rows))
        return TableView(
            table=table,
            id=_id(table.path),
            rows=tuple(
                RowView(
                    number=at + 1,
                    remove=f"{table.path}.{at}",
                    cells=tuple(
                        self._field(column, f"{table.path}.{at}.{column.key}", row.get(column.key))
                        for column in table.columns
                    ),
                )
                for at, row in enumerate(shown)
            ),
            can_add=len(shown) < table.max_rows,
            sum=self.sums.get(table.path),
            error=self.errors.get(table.path, ""),
            can_import=self.takes_rows and table.may_import,
            not_imported=tuple(self.errors.get(f"{table.path}.{FILE_PLACE}", "").splitlines()),
        )


def _id(name: str) -> str:
    return f"f-{name.replace('.', '-')}"


def _option_id(name: str, at: int) -> str:
    # The first choice has the field's own id, so that a list of errors can link to it.
    return f"{_id(name)}-{at}" if at else _id(name)
