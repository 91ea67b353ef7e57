"""Who may see a page of the portal that is about somebody: whoever is logged in; the pages ask for the rest."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from rathaus.web.account import kept
from rathaus.web.account.access import login_first

View = Callable[..., HttpResponse]


def for_account(view: View) -> View:
    """Only for people who are logged in. Everybody else goes to the login page, and what they typed is kept until then.

    What is kept goes by the page's address; a page whose form stands elsewhere names it: `keeps_as`.
    """
    return keeps_as(lambda request, **_: request.path)(view)


def keeps_as(form_id: Callable[..., str]) -> Callable[[View], View]:
    """`for_account`, for a form that is kept by what `form_id` says of the request and the parts of its address."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, **parts: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                if request.method == "POST":
                    kept.keep(request, form_id(request, **parts))
                return login_first(request)
            return view(request, **parts)

        return guarded

    return guard
