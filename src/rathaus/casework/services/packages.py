"""A service package: read from a folder or a stored version, compiled once, checked whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from rathaus.casework.services import facts, operations, parameters
from rathaus.casework.services.enums import Opening
from rathaus.casework.services.manifest import Manifest, ManifestError
from rathaus.casework.services.parameters import ParameterForm
from rathaus.engine.decisions import Decision, DecisionError, parse_dmn
from rathaus.engine.expressions import Expression, ExpressionError, compile_expression
from rathaus.engine.forms import Field, Form, FormError, Kind
from rathaus.engine.letters import LetterProblem, check_letter
from rathaus.engine.workflow import Definition, DefinitionError, compile_bpmn
from rathaus.engine.workflow.definition import Node

MANIFEST, SCHEMA, UI, PROCESS, TABLES = (
    "leistung.toml",
    "formular.schema.json",
    "formular.ui.json",
    "prozess.bpmn",
    "regeln.dmn",
)
KERNEL_FORMS = frozenset({"kern:pruefung", "kern:vorschlag", "kern:freigabe"})
CASE_DATA = ("antrag", "parameter", "fall")  # what expressions of a process may read besides its variables
PROFILE = ("konto", "partei")  # what a form may begin with besides facts
_TOTAL_LIMIT = 2_000_000


@dataclass(frozen=True)
class Problem:
    """What is wrong with a package: file, line where known, a German sentence."""

    file: str
    line: int | None
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.reason}"


class PackageRefused(Exception):
    """The package is refused whole; `problems` has everything that was found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True)
class Package:
    """A compiled package. `title` and `amount` name a case; `samples` are its sample applications."""

    manifest: Manifest
    form: Form
    definition: Definition
    decisions: Mapping[str, Decision]
    letters: Mapping[str, str]
    samples: Mapping[str, dict[str, Any]]
    title: Expression
    amount: Expression | None
    hash: str
    files: Mapping[str, str]
    facts: frozenset[str]  # names of the facts that any part reads

    @property
    def form_facts(self) -> frozenset[str]:
        """The facts that the form tells or begins with, by their whole names (`zuwendung.offen`)."""
        named = self.form.placeholders | self.form.prefills
        return frozenset(name for name in named if name.partition(".")[0] in self.facts)

    @property
    def naming_facts(self) -> frozenset[str]:
        """The names of the facts that title and amount of a case are worked out from."""
        return self.facts & (self.title.names | (self.amount.names if self.amount else frozenset()))

    @cached_property
    def parameters(self) -> ParameterForm:
        """What an authority may set, as a form: the package's own, or one by the kinds of its parameters."""
        return _parameters(self.manifest, self.files, []) or parameters.generic(self.manifest.parameter)


def read_folder(folder: Path) -> dict[str, str]:
    """The package's files as text, by path. Raises PackageRefused for what is not text or too large."""
    if not folder.is_dir():
        raise PackageRefused([Problem(str(folder), None, "Diesen Ordner gibt es nicht.")])
    files: dict[str, str] = {}
    total = 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():  # what it leads to is not the package's content
            raise PackageRefused([Problem(name, None, "Ein Paket darf keine Verknüpfung enthalten.")])
        if not path.is_file() or path.name.startswith("."):
            continue
        content = path.read_bytes()
        total += len(content)
        if total > _TOTAL_LIMIT:
            raise PackageRefused([Problem(name, None, "Das Paket ist größer als 2 MB.")])
        try:
            files[name] = content.decode("utf-8")
        except UnicodeDecodeError as wrong:
            raise PackageRefused([Problem(name, None, "Die Datei ist kein UTF-8-Text.")]) from wrong
    return files


def content_hash(files: Mapping[str, str]) -> str:
    """The address of a package: SHA-256 over all paths and contents."""
    return hashlib.sha256(json.dumps(dict(sorted(files.items())), ensure_ascii=False).encode()).hexdigest()


def compile_package(files: Mapping[str, str], *, check_letters: bool = True) -> Package:
    """Compile every part. Raises PackageRefused with all problems; nothing of a package runs as Python."""
    problems: list[Problem] = []
    for name in (MANIFEST, SCHEMA, UI, PROCESS):
        if name not in files:
            problems.append(Problem(name, None, "Diese Datei fehlt."))
    if problems:
        raise PackageRefused(problems)
    manifest = _manifest(files, problems)
    form = _form(files, problems)
    decisions = _decisions(files, problems)
    definition = _definition(files, decisions, problems)
    letters = {name: text for name, text in files.items() if name.endswith(".typ")}
    if check_letters:
        problems += [
            Problem(name, found.line, found.reason)
            for name, text in letters.items()
            for found in letter_problems(text)
        ]
    read = frozenset(_facts(files, problems))
    if form is not None:
        problems += _unknown_places(form)
    samples = dict(_samples(files, problems))
    title = amount = None
    if manifest is not None:
        title = _expression(manifest.vorgangstitel, "vorgangstitel", problems)
        amount = _expression(manifest.betrag, "betrag", problems) if manifest.betrag else None
        if form is not None and title is not None and manifest.opening == Opening.OFFICE:
            problems += _inside(form, title)
        if definition is not None:
            problems += _cross_check(manifest, definition, letters)
        _parameters(manifest, files, problems)
    if problems or manifest is None or form is None or definition is None or title is None:
        raise PackageRefused(problems)
    return Package(
        manifest,
        form,
        definition,
        decisions,
        letters,
        samples,
        title,
        amount,
        content_hash(files),
        dict(files),
        read,
    )


@lru_cache(maxsize=256)
def letter_problems(template: str, data: str = "") -> tuple[LetterProblem, ...]:
    """What is wrong with a letter, set with `data` (JSON) if given. It takes a process of its own, so it is kept."""
    return tuple(check_letter(template, json.loads(data) if data else None))


@lru_cache(maxsize=64)
def _compiled(version: UUID) -> Package:
    from rathaus.casework.services.models import ServiceVersion

    return compile_package(ServiceVersion.objects.get(id=version).files, check_letters=False)


def package_of(version: UUID) -> Package:
    """The compiled package of a published version; each process compiles a version once."""
    return _compiled(version)


# --- the parts ---------------------------------------------------------------------------------------------------


def _manifest(files: Mapping[str, str], problems: list[Problem]) -> Manifest | None:
    try:
        return Manifest.parse(files[MANIFEST])
    except ManifestError as wrong:
        problems += [Problem(MANIFEST, None, reason) for reason in wrong.problems]
        return None


def _json(files: Mapping[str, str], name: str, problems: list[Problem]) -> dict[str, Any] | None:
    try:
        found = json.loads(files[name])
    except (json.JSONDecodeError, RecursionError) as wrong:
        line = wrong.lineno if isinstance(wrong, json.JSONDecodeError) else None
        problems.append(Problem(name, line, "Kein gültiges JSON."))
        return None
    if not isinstance(found, dict):
        problems.append(Problem(name, None, "Die Datei enthält kein JSON-Objekt."))
        return None
    return found


def _form(files: Mapping[str, str], problems: list[Problem]) -> Form | None:
    schema, ui = _json(files, SCHEMA, problems), _json(files, UI, problems)
    if schema is None or ui is None:
        return None
    try:
        return Form.load(schema, ui)
    except FormError as wrong:
        problems += [Problem(UI, None, str(problem)) for problem in wrong.problems]
        return None


def _parameters(
    manifest: Manifest, files: Mapping[str, str], problems: list[Problem]
) -> ParameterForm | None:
    """The form for the parameters that the package brings; None without one, or where it is wrong."""
    names = [name for name in (parameters.SCHEMA, parameters.UI) if name in files]
    if len(names) == 1:
        problems.append(
            Problem(names[0], None, f"Zum Formular gehören {parameters.SCHEMA} und {parameters.UI}.")
        )
    if len(names) < 2:
        return None
    schema, ui = _json(files, parameters.SCHEMA, problems), _json(files, parameters.UI, problems)
    if schema is None or ui is None:
        return None
    try:
        return parameters.load(schema, ui, manifest.parameter)
    except FormError as wrong:
        problems += [Problem(parameters.UI, None, problem) for problem in wrong.problems]
        return None


def _decisions(files: Mapping[str, str], problems: list[Problem]) -> dict[str, Decision]:
    if TABLES not in files:
        return {}
    try:
        return parse_dmn(files[TABLES].encode())
    except DecisionError as wrong:
        problems += [Problem(TABLES, p.line, f"{p.element or ''} {p.reason}".strip()) for p in wrong.problems]
        return {}


def _definition(
    files: Mapping[str, str], decisions: Mapping[str, Decision], problems: list[Problem]
) -> Definition | None:
    try:
        return compile_bpmn(
            files[PROCESS].encode(),
            decisions=decisions,
            operations=operations.names(),
            data={*CASE_DATA, *facts.names()},
        )
    except DefinitionError as wrong:
        problems += [
            Problem(PROCESS, p.line, f"{p.element}: {p.reason}" if p.element else p.reason)
            for p in wrong.problems
        ]
        return None


def _facts(files: Mapping[str, str], problems: list[Problem]) -> Iterator[str]:
    """The names of the facts that the package reads. A value that the domain does not tell is a slip of the pen."""
    for name, text in files.items():
        if name.startswith("beispiele/"):
            continue
        for line, root, inner in facts.read_in(text):
            known = facts.find(root).names
            if inner in known:
                yield root
            else:
                reason = f"„{root}.{inner}“ gibt es nicht. Es gibt: {', '.join(sorted(known))}."
                problems.append(Problem(name, line, reason))


def _unknown_places(form: Form) -> Iterator[Problem]:
    """What the form tells or begins with must come from the account, the applicant or the facts of a domain."""
    for name in sorted(form.placeholders | form.prefills):
        root = name.partition(".")[0]
        if root not in facts.names() and not (root in PROFILE and name in form.prefills):
            yield Problem(UI, None, f"„{name}“ ist nichts, was bekannt wäre.")


def _inside(form: Form, title: Expression) -> Iterator[Problem]:
    """What the office writes down stays inside; how the case is called, the applicant reads some day."""
    if "antrag" in title.names:
        reason = "vorgangstitel: Der Titel eines Vorgangs von Amts wegen verrät nichts aus „antrag“."
        yield Problem(MANIFEST, None, reason)
    for path, item in form.items.items():
        if isinstance(item, Field) and item.kind in (Kind.FILE, Kind.FILES):
            yield Problem(UI, None, f"„{path}“: Was die Behörde eröffnet, nimmt keine Dateien.")


def _samples(files: Mapping[str, str], problems: list[Problem]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in files:
        if name.startswith("beispiele/") and name.endswith(".json"):
            found = _json(files, name, problems)
            if found is not None:
                yield name, found


def _expression(text: str, where: str, problems: list[Problem]) -> Expression | None:
    try:
        return compile_expression(text)
    except ExpressionError as wrong:
        problems.append(Problem(MANIFEST, None, f"{where}: {wrong}"))
        return None


def _cross_check(manifest: Manifest, definition: Definition, letters: Mapping[str, str]) -> Iterator[Problem]:
    """What only shows when the parts are seen together: roles, forms, letters, automatic decisions."""
    for element in definition.nodes.values():
        yield from _too_long(element)
        if element.kind == "userTask":
            if element.role not in manifest.rollen:
                yield Problem(
                    PROCESS,
                    element.line,
                    f"{element.id}: Die Rolle „{element.role}“ steht nicht in {MANIFEST}.",
                )
            if element.form not in KERNEL_FORMS:
                yield Problem(
                    PROCESS, element.line, f"{element.id}: Das Formular „{element.form}“ gibt es nicht."
                )
        if element.operation:
            called = operations.find(element.operation)
            for reason in called.problems({name for name, _ in element.arguments}):
                yield Problem(PROCESS, element.line, f"{element.id}: {reason}")
            if called.decides and (manifest.ermessen or not manifest.automatik):
                yield Problem(
                    PROCESS,
                    element.line,
                    f"{element.id}: Automatisch entscheiden darf nur eine Leistung ohne Ermessen, die in "
                    f"{MANIFEST} unter „automatik“ sagt, warum (§ 35a VwVfG).",
                )
            if element.operation == "letters.issue" and "bescheid.typ" not in letters:
                yield Problem(PROCESS, element.line, f"{element.id}: bescheid.typ fehlt.")


_LONGEST = {
    "id": 80,
    "name": 120,
    "role": 60,
    "message": 80,
    "operation": 80,
}  # what tasks and subscriptions can keep


def _too_long(element: Node) -> Iterator[Problem]:
    for name, longest in _LONGEST.items():
        if len(getattr(element, name) or "") > longest:
            shown = f"{element.id[:40]}: „{name}“"
            yield Problem(PROCESS, element.line, f"{shown} ist länger als {longest} Zeichen.")
