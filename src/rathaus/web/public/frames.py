"""What stands around the public pages."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from rathaus.web.parts import Frame, Link, Masthead, User

MASTHEAD = Masthead(name="Verwaltungsportal", area="Transparenz")


def frame_of(request: HttpRequest, *, current: str = "") -> Frame:
    """The frame; `current` is the address of the link that the page belongs to."""
    links = [
        ("Dienste", reverse("portal:services")),
        ("Förderungen", reverse("public:grants")),
        ("Offene Daten", reverse("public:data")),
    ]
    user = None
    if request.user.is_authenticated:
        user = User(name=request.user.name or request.user.email, url=reverse("portal:mine"))
    return Frame(
        masthead=MASTHEAD,
        navigation=tuple(Link(label, url, is_current=url == current) for label, url in links),
        user=user,
        help_url=reverse("portal:help"),
        privacy_url=reverse("portal:privacy"),
        accessibility_url=reverse("portal:accessibility"),
        imprint_url=reverse("portal:imprint"),
    )
