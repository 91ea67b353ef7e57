"""What Typst says, in German and with the line of the template."""

import re

_LINE = re.compile(r"__typst_py_bytes__\.typ:(\d+):\d+")
_GLYPH = re.compile(
    r'the text (?:contains the disallowed codepoint )?`"((?:[^"\\]|\\.)*)"`(?: could not be displayed)?'
)
_ESCAPE = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)")

# The commonest faults, so that a process designer reads German; anything else is passed on word by word.
_REASONS = [
    (
        r"file not found|escape the project root|is a directory|failed to load",
        "Eine Vorlage darf keine Dateien lesen.",
    ),
    (r"package", "Eine Vorlage darf keine Typst-Pakete laden."),
    (r'dictionary does not contain key "(.*)"', "In den Daten fehlt die Angabe „{}“."),
    (r"unknown variable: (.*)", "Den Namen „{}“ gibt es nicht."),
    (r"unexpected argument: (.*)", "Die Angabe „{}“ ist hier nicht vorgesehen."),
    (r"missing argument: (.*)", "Die Angabe „{}“ fehlt."),
    (
        r"unclosed (?:delimiter|string|raw text)",
        "Eine Klammer oder ein Anführungszeichen wird nicht geschlossen.",
    ),
    (
        r"maximum .* depth exceeded|loop seems to be infinite|condition is always true",
        "Die Vorlage läuft endlos.",
    ),
    (r"assertion failed: (.*)", "{}."),
    (
        r"missing document title|document title",
        "Die Vorlage benutzt „brief“ nicht: Der Titel des Dokuments fehlt.",
    ),
    (r'the text (?:contains .*)?`"([^`]*)"`', "Für „{}“ gibt es in der Schrift kein Zeichen."),
]


def in_german(message: str) -> str:
    """Typst's `message` as a German sentence; an unknown one is quoted."""
    for pattern, sentence in _REASONS:
        found = re.search(pattern, message)
        if found:
            return sentence.format(*found.groups())
    return f"Der Brief lässt sich nicht setzen ({message})."


def problems_in(diagnostic: str) -> list[tuple[str, int | None]]:
    """Each error of Typst's `diagnostic` as German reason and line of the template, counted from 1."""
    problems = []
    for part in re.split(r"^error: ", diagnostic, flags=re.MULTILINE)[1:]:
        found = _LINE.search(part)
        problem = (in_german(part.splitlines()[0]), int(found.group(1)) if found else None)
        if problem not in problems:
            problems.append(problem)
    return problems


def undisplayable(diagnostic: str) -> set[str]:
    """The pieces of text without a glyph, if that is all that Typst complains of; else nothing."""
    errors = [line for line in diagnostic.splitlines() if line.startswith("error:")]
    found = [_GLYPH.search(line) for line in errors]
    pieces = {_unescape(match.group(1)) for match in found if match}
    return pieces if errors and all(found) else set()


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else match[2], text)
