"""Reading the UI schema: pages, groups, fields with their words and options, rules."""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rathaus.engine.forms import limits, rules
from rathaus.engine.forms.model import (
    Choice,
    Condition,
    Element,
    Field,
    Group,
    Kind,
    Page,
    Rule,
    Table,
    Text,
)
from rathaus.engine.forms.schema import Property, SchemaReader, bound

_HELD = ("Group", "VerticalLayout", "HorizontalLayout")
_MEMBERS = {
    "Categorization": {"elements", "pruefungen", "options"},
    "Category": {"label", "elements", "rule", "options"},
    "Group": {"label", "elements", "rule", "options"},
    "VerticalLayout": {"elements", "rule"},
    "HorizontalLayout": {"elements", "rule"},
    "Control": {"scope", "label", "rule", "options"},
    "Label": {"text", "rule"},
}
_OPTIONS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "Categorization": {},
    "Category": {"key": str, "einleitung": str},
    "Group": {"hinweis": str},
    "Control": {
        "hinweis": str,
        "beispiel": str,
        "fehlt": str,
        "fehler": str,
        "einheit": str,
        "autocomplete": str,
        "vorbelegung": str,
        "format": str,
        "multi": bool,
        "accept": list,
        "maxBytes": int,
        "sum": str,
        "zeile": str,
        "detail": dict,
        "import": str,
        "bestaetigen": bool,
    },
}
_SCOPE = re.compile(r"#(/properties/[a-z][a-z0-9_]*)+")
_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+")
_STRING_KINDS = {
    "betrag": Kind.MONEY,
    "date": Kind.DATE,
    "jahrestag": Kind.DAY_OF_YEAR,
    "ags": Kind.AUTHORITY,
    "email": Kind.EMAIL,
    "iban": Kind.IBAN,
}
_PLAIN_KINDS = {"integer": Kind.INTEGER, "number": Kind.NUMBER, "object": Kind.FILE}
_DEFAULT_ACCEPT = ("application/pdf",)


class LayoutReader:
    """Walks a UI schema once; ``pages``, ``items`` by path in the order of the pages, and ``problems``."""

    def __init__(self, ui: Mapping[str, Any], schema: SchemaReader) -> None:
        self.schema = schema
        self.items: dict[str, Field | Table] = {}
        self.problems: list[str] = []
        self.pages: tuple[Page, ...] = ()
        self._read(ui)
        for path, found in schema.properties.items():
            if path not in self.items:
                need = "Die Pflichtangabe" if found.is_required else "Die Eigenschaft"
                self._problem("", f"{need} „{path}“ steht auf keiner Seite.")

    def _read(self, ui: Any) -> None:
        if not isinstance(ui, Mapping) or ui.get("type") != "Categorization":
            self._problem("#", "Die Seiten stehen in einem Element vom Typ „Categorization“.")
            return
        self._members(ui, "Categorization", "#")
        pages: list[Page] = []
        elements = self._elements(ui, "#")
        if not 1 <= len(elements) <= limits.PAGES:
            self._problem("#", f"Ein Formular hat 1 bis {limits.PAGES} Seiten.")
        for place, element in elements[: limits.PAGES]:
            if element.get("type") != "Category":
                self._problem(place, "Hier wird eine Seite vom Typ „Category“ erwartet.")
                continue
            pages.append(self._page(element, place))
        keys = [page.key for page in pages]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            self._problem("#", f"Zwei Seiten haben den Schlüssel „{key}“; setzen Sie options.key.")
        self.pages = tuple(pages)

    def _page(self, element: Mapping[str, Any], place: str) -> Page:
        options = self._members(element, "Category", place)
        title = self._words(element.get("label"), place, "Der Seite fehlt „label“.")
        key = options.get("key", slug(title))
        if not _KEY.fullmatch(key):
            self._problem(place, f"Der Schlüssel „{key}“ besteht nicht aus a-z, 0-9 und „-“.")
        before = len(self.items)
        own = self._rules(element, place)
        held = self._held(element, place, own, depth=1)
        if len(self.items) == before:
            self._problem(place, "Die Seite hat keine Felder.")
        return Page(key, title, held, options.get("einleitung", ""), own)

    def _held(
        self, element: Mapping[str, Any], place: str, inherited: tuple[Rule, ...], *, depth: int
    ) -> tuple[Element, ...]:
        if depth > limits.LAYOUT_DEPTH:
            self._problem(place, f"Gruppen sind tiefer als {limits.LAYOUT_DEPTH} Ebenen verschachtelt.")
            return ()
        found: list[Element] = []
        for inner_place, inner in self._elements(element, place):
            kind = inner.get("type")
            if kind not in ("Control", "Label", *_HELD):
                self._problem(inner_place, f"Der Typ „{kind}“ wird hier nicht unterstützt.")
                continue
            options = self._members(inner, kind, inner_place)
            all_rules = inherited + self._rules(inner, inner_place)
            if kind == "Label":
                text = self._words(inner.get("text"), inner_place, "Dem Text fehlt „text“.")
                found.append(Text(text, all_rules))
            elif kind == "Control":
                if item := self._control(inner, options, inner_place, all_rules):
                    found.append(item)
            else:
                label = inner.get("label", "")
                held = self._held(inner, inner_place, all_rules, depth=depth + 1)
                found.append(
                    Group(
                        label if isinstance(label, str) else "", held, options.get("hinweis", ""), all_rules
                    )
                )
        return tuple(found)

    def _control(
        self, element: Mapping[str, Any], options: Mapping[str, Any], place: str, own: tuple[Rule, ...]
    ) -> Field | Table | None:
        path = self._path(element.get("scope"), place)
        if path is None:
            return None
        if path in self.items:
            self._problem(place, f"„{path}“ steht schon an anderer Stelle.")
            return None
        if len(self.items) >= limits.FIELDS:
            self._problem(place, f"Das Formular hat mehr als {limits.FIELDS} Felder.")
            return None
        found = self.schema.properties[path]
        item = (
            self._table(found, element, options, place, own)
            if found.parts
            else self._field(found, element, options, place, own)
        )
        self.items[path] = item
        return item

    def _field(
        self,
        found: Property,
        element: Mapping[str, Any],
        options: Mapping[str, Any],
        place: str,
        own: tuple[Rule, ...],
    ) -> Field:
        schema = found.schema
        is_list = schema.get("type") == "array"
        one = schema.get("items", {}) if is_list else schema
        kind = self._kind(schema, one, options, place)
        if "pattern" in one and "fehler" not in options:
            self._problem(
                place, "Ein Feld mit „pattern“ braucht options.fehler: den Satz, wenn es nicht passt."
            )
        if kind is Kind.CHOICES and schema.get("uniqueItems") is not True:
            self._problem(place, "Eine Mehrfachauswahl braucht „uniqueItems“: true.")
        if ({"accept", "maxBytes"} & options.keys()) and kind not in (Kind.FILE, Kind.FILES):
            self._problem(place, "options.accept und options.maxBytes gelten nur für Dateien.")
        if "import" in options:
            self._problem(place, "options.import gilt nur für Listen mit Zeilen.")
        if options.get("bestaetigen") and kind not in (Kind.AUTHORITY, Kind.AUTHORITIES):
            self._problem(place, "options.bestaetigen gilt nur für Behörden („ags“).")
        most = limits.FILES if kind is Kind.FILES else limits.LIST_ITEMS
        minimum, maximum, excluded = _bounds(one)
        return Field(
            path=found.path,
            label=self._label(element, schema, place),
            kind=kind,
            hint=options.get("hinweis", schema.get("description", "")),
            optional=not found.is_required,
            choices=_choices(one),
            widget=options.get("format", ""),
            example=options.get("beispiel", ""),
            unit=options.get("einheit", ""),
            autocomplete=options.get("autocomplete", ""),
            min_length=one.get("minLength"),
            max_length=_max_length(kind, one),
            minimum=minimum,
            maximum=maximum,
            excludes_bounds=excluded,
            min_items=schema.get("minItems", 0),
            max_items=min(schema.get("maxItems", most), limits.MOST_ROWS) if is_list else 1,
            accept=self._accept(kind, options, place),
            max_bytes=self._max_bytes(kind, options, place),
            must_be_true=schema.get("const") is True,
            prefill=options.get("vorbelegung", ""),
            asks_to_confirm=options.get("bestaetigen", False),
            if_missing=options.get("fehlt", ""),
            if_wrong=options.get("fehler", ""),
            rules=own,
        )

    def _kind(
        self, schema: Mapping[str, Any], one: Mapping[str, Any], options: Mapping[str, Any], place: str
    ) -> Kind:
        wanted = options.get("format")
        is_list = schema.get("type") == "array"
        if "enum" in one or "oneOf" in one:
            if wanted not in (None, "radio", "select") or (is_list and wanted):
                self._problem(place, "options.format einer Auswahl ist „radio“ oder „select“.")
            return Kind.CHOICES if is_list else Kind.CHOICE
        if schema.get("type") == "boolean":
            if wanted not in (None, "radio"):
                self._problem(place, "options.format eines Ja-Nein-Feldes ist „radio“ oder fehlt.")
            return Kind.YES_NO if wanted == "radio" and "const" not in schema else Kind.CHECKBOX
        if wanted is not None:
            self._problem(place, "options.format gibt es nur bei Auswahl und Ja-Nein-Feldern.")
        kind = _PLAIN_KINDS.get(str(one.get("type")))
        if kind is None:
            kind = _STRING_KINDS.get(
                str(one.get("format")), Kind.TEXTAREA if options.get("multi") else Kind.TEXT
            )
        if not is_list:
            return kind
        listed = {Kind.AUTHORITY: Kind.AUTHORITIES, Kind.FILE: Kind.FILES}
        if kind not in listed:
            self._problem(place, "Listen gibt es von Auswahlantworten, Behörden („ags“), Dateien und Zeilen.")
        return listed.get(kind, Kind.AUTHORITIES)

    def _table(
        self,
        found: Property,
        element: Mapping[str, Any],
        options: Mapping[str, Any],
        place: str,
        own: tuple[Rule, ...],
    ) -> Table:
        columns = self._columns(found, options, place)
        sum_column = options.get("sum", "")
        kinds = {column.key: column.kind for column in columns}
        if sum_column and kinds.get(sum_column) is not Kind.MONEY:
            self._problem(place, f"options.sum: „{sum_column}“ ist keine Spalte mit Beträgen.")
        return Table(
            path=found.path,
            label=self._label(element, found.schema, place),
            columns=columns,
            hint=options.get("hinweis", found.schema.get("description", "")),
            optional=not found.is_required,
            min_rows=found.schema.get("minItems", 0),
            max_rows=found.schema.get("maxItems", limits.ROWS),
            sum_column=sum_column,
            noun=options.get("zeile", "Position"),
            prefill=options.get("vorbelegung", ""),
            may_import=self._may_import(options, place),
            if_missing=options.get("fehlt", ""),
            rules=own,
        )

    def _may_import(self, options: Mapping[str, Any], place: str) -> bool:
        wanted = options.get("import")
        if wanted not in (None, "csv"):
            self._problem(place, "options.import ist „csv“ oder fehlt.")
        return wanted == "csv"

    def _columns(self, found: Property, options: Mapping[str, Any], place: str) -> tuple[Field, ...]:
        parts = {part.path.rpartition(".")[2]: part for part in found.parts}
        detail = options.get("detail")
        if detail is None:
            return tuple(self._field(part, {}, {}, place, ()) for part in found.parts)
        columns: dict[str, Field] = {}
        for inner_place, inner in self._elements(detail, f"{place}/options/detail"):
            if inner.get("type") != "Control" or "rule" in inner:
                self._problem(inner_place, "Eine Spalte ist ein „Control“ ohne Regel.")
                continue
            own = self._members(inner, "Control", inner_place)
            key = str(inner.get("scope", "")).removeprefix("#/properties/")
            if key not in parts or key in columns:
                self._problem(inner_place, f"Die Spalte „{inner.get('scope')}“ gibt es nicht, oder zweimal.")
                continue
            columns[key] = self._field(parts[key], inner, own, inner_place, ())
        for key in parts.keys() - columns.keys():
            self._problem(place, f"Die Spalte „{key}“ fehlt in options.detail.")
        return tuple(columns.values())

    def _rules(self, element: Mapping[str, Any], place: str) -> tuple[Rule, ...]:
        rule = element.get("rule")
        if rule is None:
            return ()
        if not isinstance(rule, Mapping) or rule.get("effect") not in ("SHOW", "HIDE") or len(rule) != 2:
            self._problem(place, "Eine Regel hat „effect“ SHOW oder HIDE und „condition“.")
            return ()
        condition = self._condition(rule.get("condition"), f"{place}/rule/condition", depth=0)
        return (Rule(rule["effect"] == "SHOW", condition),) if condition else ()

    def _condition(self, condition: Any, place: str, *, depth: int) -> Condition | None:
        if not isinstance(condition, Mapping) or depth > 3:
            self._problem(place, "Hier wird eine Bedingung mit „scope“ und „schema“ erwartet.")
            return None
        if condition.get("type") in ("AND", "OR"):
            inner = condition.get("conditions")
            if not isinstance(inner, list) or not 1 <= len(inner) <= 20:
                self._problem(place, "„conditions“ ist keine Liste mit 1 bis 20 Bedingungen.")
                return None
            parts = [self._condition(part, place, depth=depth + 1) for part in inner]
            return Condition(condition["type"], tuple(part for part in parts if part))
        if condition.keys() - {"type", "scope", "schema"} or condition.get("type", "LEAF") != "LEAF":
            self._problem(place, "Eine Bedingung hat nur „scope“ und „schema“.")
        path = self._path(condition.get("scope"), place)
        try:
            fits = rules.compile_condition(condition.get("schema"))
        except ValueError as error:
            self._problem(place, str(error))
            return None
        return Condition("LEAF", path=path, fits=fits) if path else None

    def _path(self, scope: Any, place: str) -> str | None:
        if isinstance(scope, str) and _SCOPE.fullmatch(scope):
            path = scope.removeprefix("#/properties/").replace("/properties/", ".")
            if path in self.schema.properties:
                return path
        self._problem(place, f"Das Feld „{scope}“ gibt es im Schema nicht.")
        return None

    def _accept(self, kind: Kind, options: Mapping[str, Any], place: str) -> tuple[str, ...]:
        if kind not in (Kind.FILE, Kind.FILES):
            return ()
        accept = options.get("accept", list(_DEFAULT_ACCEPT))
        if not accept or not all(isinstance(one, str) and _MEDIA_TYPE.fullmatch(one) for one in accept):
            self._problem(place, "options.accept nennt Medientypen, zum Beispiel „application/pdf“.")
            return _DEFAULT_ACCEPT
        return tuple(accept)

    def _max_bytes(self, kind: Kind, options: Mapping[str, Any], place: str) -> int:
        if kind not in (Kind.FILE, Kind.FILES):
            return 0
        size = options.get("maxBytes", limits.FILE_BYTES)
        if not 0 < size <= limits.MOST_FILE_BYTES:
            self._problem(place, f"options.maxBytes liegt nicht zwischen 1 und {limits.MOST_FILE_BYTES}.")
            return limits.FILE_BYTES
        return int(size)

    def _label(self, element: Mapping[str, Any], schema: Mapping[str, Any], place: str) -> str:
        return self._words(
            element.get("label", schema.get("title")),
            place,
            "Dem Feld fehlt „label“ (oder „title“ im Schema).",
        )

    def _words(self, words: Any, place: str, reason: str) -> str:
        if isinstance(words, str) and words.strip():
            return words.strip()
        self._problem(place, reason)
        return "?"

    def _elements(self, element: Mapping[str, Any], place: str) -> list[tuple[str, Mapping[str, Any]]]:
        elements = element.get("elements")
        if not isinstance(elements, list) or not all(isinstance(inner, Mapping) for inner in elements):
            self._problem(place, "„elements“ ist keine Liste von Elementen.")
            return []
        return [(f"{place}/elements/{at}", inner) for at, inner in enumerate(elements)]

    def _members(self, element: Mapping[str, Any], kind: str, place: str) -> dict[str, Any]:
        """The element's options, after refusing what is unknown: a slip of the pen must not pass unseen."""
        for member in element.keys() - _MEMBERS[kind] - {"type"}:
            self._problem(place, f"„{member}“ wird bei „{kind}“ nicht unterstützt.")
        options = element.get("options", {})
        if not isinstance(options, Mapping):
            self._problem(place, "„options“ ist kein Objekt.")
            return {}
        known = _OPTIONS.get(kind, {})
        right: dict[str, Any] = {}
        for option, value in options.items():
            if option not in known:
                self._problem(place, f"options.{option} wird bei „{kind}“ nicht unterstützt.")
            elif not isinstance(value, known[option]) or (isinstance(value, bool) and known[option] is int):
                self._problem(place, f"options.{option} hat den falschen Typ.")
            else:
                right[option] = value
        return right

    def _problem(self, place: str, reason: str) -> None:
        self.problems.append(f"Seiten {place}: {reason}" if place else reason)


def slug(title: str) -> str:
    """A page's key from its title: „Kosten und Finanzierung“ → ``kosten-und-finanzierung``."""
    plain = title.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    letters = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")


def _choices(schema: Mapping[str, Any]) -> tuple[Choice, ...]:
    if isinstance(schema.get("oneOf"), list):
        return tuple(
            Choice(
                one.get("const", ""), str(one.get("title", one.get("const"))), str(one.get("description", ""))
            )
            for one in schema["oneOf"]
            if isinstance(one, Mapping)
        )
    offered = schema.get("enum")
    return tuple(Choice(value, str(value)) for value in offered) if isinstance(offered, list) else ()


def _bounds(schema: Mapping[str, Any]) -> tuple[Any, Any, tuple[bool, bool]]:
    """Least and greatest answer, and whether each is itself excluded. Money is never negative unless told."""
    if schema.get("type") == "string":
        least = bound(schema, "formatMinimum")
        if least is None and schema.get("format") == "betrag":
            least = Decimal("0.00")
        return least, bound(schema, "formatMaximum"), (False, False)
    excluded = ("exclusiveMinimum" in schema, "exclusiveMaximum" in schema)
    least = schema.get("exclusiveMinimum", schema.get("minimum"))
    most = schema.get("exclusiveMaximum", schema.get("maximum"))
    return _decimal(least), _decimal(most), excluded


def _decimal(number: Any) -> Decimal | None:
    return Decimal(str(number)) if isinstance(number, int | float) else None


def _max_length(kind: Kind, schema: Mapping[str, Any]) -> int | None:
    if kind not in (Kind.TEXT, Kind.TEXTAREA):
        return None
    default = limits.TEXTAREA_LENGTH if kind is Kind.TEXTAREA else limits.TEXT_LENGTH
    return int(schema.get("maxLength", default))
