"""What somebody typed into a form whose session had ended meanwhile: kept until they are back.

The page of the form carries `owner_token` in a hidden field named `FIELD`. A POST without login calls `keep`, then
`access.login_first`. After logging in, the page calls `take` and shows what it gets. Files are not kept.
"""

from __future__ import annotations

import json
import time

from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, QueryDict

FIELD = "kept_for"
LIMIT_BYTES = 64 * 1024
LIMIT_SECONDS = 30 * 60
_KEY = "kept"
_NOT_TYPED = {FIELD, "csrfmiddlewaretoken"}
_signer = Signer(salt="rathaus.web.account.kept")


def owner_token(request: HttpRequest, form_id: str) -> str:
    """Says, signed, whose form this is: on a shared machine the next person must not get what the last one typed."""
    return _signer.sign_object([str(request.user.pk), form_id])


def keep(request: HttpRequest, form_id: str) -> bool:
    """Keep the posted fields in the anonymous session; the latest form replaces an earlier one.

    False, and nothing kept, if the token is missing or not ours, or if more than 64 KiB were typed.
    """
    try:
        owner, known_form = _signer.unsign_object(request.POST.get(FIELD, ""))
    except (BadSignature, ValueError):
        return False
    typed = {name: values for name, values in request.POST.lists() if name not in _NOT_TYPED}
    if known_form != form_id or len(json.dumps(typed)) > LIMIT_BYTES:
        return False
    request.session[_KEY] = {"form": form_id, "owner": owner, "at": time.time(), "typed": typed}
    return True


def is_waiting(request: HttpRequest) -> bool:
    """Whether something is kept in this browser, for the login page to say so."""
    return _KEY in request.session


def take(request: HttpRequest, form_id: str) -> QueryDict | None:
    """What was kept of this form, once, as it was posted; None if there is nothing.

    For half an hour, and for the account alone that had opened the form: anybody else's is thrown away.
    """
    found = request.session.get(_KEY)
    if not found:
        return None
    is_own = request.user.is_authenticated and found["owner"] == str(request.user.pk)
    is_fresh = time.time() - found["at"] <= LIMIT_SECONDS
    if is_own and is_fresh and found["form"] != form_id:
        return None
    del request.session[_KEY]
    if not (is_own and is_fresh):
        return None
    typed = QueryDict(mutable=True)
    for name, values in found["typed"].items():
        typed.setlist(name, values)
    return typed
