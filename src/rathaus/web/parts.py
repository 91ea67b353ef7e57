"""What the shared templates show, as data: views fill these, no template meets a missing variable."""

from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Link:
    """A link with its German words; `icon` is a KERN icon name, `count` what waits behind it („99+“; empty for nothing)."""

    label: str
    url: str
    icon: str = ""
    is_current: bool = False
    count: str = ""
    is_bad: bool = False


@dataclass(frozen=True, slots=True)
class LinkGroup:
    """Links under one heading of the desk's side bar."""

    title: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Masthead:
    """The authority in front: full and short name, what the site is ("Förderportal"), letter of its arms."""

    name: str
    area: str
    short_name: str = ""
    url: str = "/"
    address: tuple[str, ...] = ()

    @property
    def letter(self) -> str:
        """The letter on the arms: the first of the name proper ("Gemeinde Lahnau" → L)."""
        words = [
            word
            for word in self.name.split()
            if word not in {"Gemeinde", "Stadt", "Landkreis", "Kreis", "Amt"}
        ]
        return (words or self.name.split() or ["R"])[0][0].upper()


@dataclass(frozen=True, slots=True)
class User:
    """Who is signed in: name as shown, two to four letters for the desk's round badge."""

    name: str
    initials: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything around a page. `navigation` for residents, `sidebar` for the desk."""

    masthead: Masthead
    navigation: tuple[Link, ...] = ()
    sidebar: tuple[LinkGroup, ...] = ()
    user: User | None = None
    login_url: str = "/anmelden/"
    logout_url: str = "/abmelden/"
    search_url: str = ""
    search_text: str = ""
    help_url: str = "/hilfe/"
    privacy_url: str = "/datenschutz/"
    accessibility_url: str = "/barrierefreiheit/"
    imprint_url: str = "/impressum/"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a form or a station of a case: `state` is "done", "now", "wait" (on the reader) or "open"."""

    label: str
    state: str = "open"
    url: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A word with its value: on service pages, in the strip of a case, in description lists."""

    term: str
    value: str
    note: str = ""
    url: str = ""
    is_next: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to open: name, address, and what is said below it ("PDF, 84 KB")."""

    name: str
    url: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message of the talk between authority and applicant."""

    sender: str
    sent_at: datetime
    text: str
    is_mine: bool = False
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class DateView:
    """A date of the applicant's list: what happens, and a word on it."""

    day: date
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An event in words; `is_key` marks those that changed the course."""

    text: str
    at: datetime
    actor: str = ""
    is_key: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule as it came out; `limit` with its source, `level` "ok", "hint", "over" (exception) or "bad"."""

    title: str
    level: str
    value: str
    limit: str = ""
    note: str = ""
    reason: str = ""
    decided: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a plain table."""

    label: str
    is_numeric: bool = False


@dataclass(frozen=True, slots=True)
class PlainTable:
    """A table to read: `caption` for screen readers, cells as text, `total` as last row if given."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] = field(default=())
