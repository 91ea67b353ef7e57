"""Logging in at a real provider: who gets in, as whom, how well known, and who does not."""

from __future__ import annotations

import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from tests.integrations.demo_idp.steps import LogIn, at_provider, back_at, to_provider

from rathaus.core.authorities.enums import AuthorityKind
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actions import add_member
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account, Party
from rathaus.core.identity.queries import entering
from rathaus.integrations.demo_idp import people
from rathaus.integrations.demo_idp.accounts import account_of

PETRA, JONAS, MIRA = "vorschau-petra-muster", "vorschau-jonas-beispiel", "vorschau-mira-neumann"


def test_the_first_login_makes_account_and_party(log_in: LogIn, platform: Client) -> None:
    answer = log_in(MIRA)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/weiter/")
    account = Account.objects.get()
    assert (account.email, account.name, account.trust_level) == (
        "mira.neumann@lahnau.example",
        "Mira Neumann",
        3,
    )
    assert not account.has_usable_password()
    with entering(account.pk) as actor:
        party = Party.objects.get(id__in=actor.parties)
        assert party.address == ["Am Versuchsfeld 8", "35633 Lahnau"]
    assert platform.get("/weiter/").headers["Location"] == "/meine/"


def test_nothing_but_the_level_is_kept_outside_row_level_security(log_in: LogIn) -> None:
    log_in(MIRA)
    assert SocialAccount.objects.get().extra_data == {"trust_level": 3}


def test_the_second_login_finds_the_same_account(log_in: LogIn, platform: Client) -> None:
    log_in(MIRA)
    account = Account.objects.get()
    platform.post("/abmelden/")
    assert "_auth_user_id" not in platform.session
    Account.objects.filter(pk=account.pk).update(trust_level=1)
    log_in(MIRA)
    assert Account.objects.get().pk == account.pk
    assert Account.objects.get().trust_level == 3
    assert platform.session["trust_level"] == 3


def test_accounts_made_beforehand_are_found_by_subject(log_in: LogIn, platform: Client) -> None:
    account = account_of(people.person_of(PETRA))
    assert account_of(people.person_of(PETRA)) == account
    log_in(PETRA)
    assert platform.session["_auth_user_id"] == str(account.pk)
    assert Account.objects.count() == 1


def test_the_level_of_the_login_counts(log_in: LogIn, platform: Client) -> None:
    account = account_of(people.person_of(JONAS))
    Account.objects.filter(pk=account.pk).update(trust_level=4)
    log_in(JONAS)
    account.refresh_from_db()
    assert account.trust_level == platform.session["trust_level"] == 1


def test_an_address_of_somebody_else_leads_to_nobodys_account(log_in: LogIn, platform: Client) -> None:
    victim = Account.objects.create_user("Mira.Neumann@lahnau.example", "ein langes Passwort", name="Amt")
    answer = log_in(MIRA)
    assert answer.status_code == 403
    assert "gehört hier schon zu einem anderen Konto" in answer.content.decode()
    assert "_auth_user_id" not in platform.session
    assert list(Account.objects.all()) == [victim]
    assert not SocialAccount.objects.exists()
    victim.refresh_from_db()
    assert victim.has_usable_password()


def test_neither_does_a_second_address_of_somebody_else(log_in: LogIn, platform: Client) -> None:
    victim = Account.objects.create_user("amt@lahnau.example", name="Amt")
    EmailAddress.objects.create(user=victim, email="mira.neumann@lahnau.example", verified=True)
    assert log_in(MIRA).status_code == 403
    assert "_auth_user_id" not in platform.session


def test_a_closed_account_stays_closed(log_in: LogIn, platform: Client) -> None:
    account = account_of(people.person_of(PETRA))
    Account.objects.filter(pk=account.pk).update(is_active=False)
    answer = log_in(PETRA)
    assert answer.headers["Location"] == "/konto/inactive/"
    assert "_auth_user_id" not in platform.session
    assert "gesperrt" in platform.get("/konto/inactive/").content.decode()


def test_the_wanted_page_comes_next_unless_it_is_elsewhere(log_in: LogIn, platform: Client) -> None:
    assert log_in(PETRA, next="/antrag/1?seite=2").headers["Location"] == "/antrag/1?seite=2"
    platform.post("/abmelden/")
    assert log_in(PETRA, next="//boese.example").headers["Location"] == "/weiter/"


def test_staff_come_to_their_desk(log_in: LogIn, platform: Client) -> None:
    authority = Authority.objects.create(
        name="Lahnau",
        label="Gemeinde Lahnau",
        kind=AuthorityKind.MUNICIPALITY,
        slug="lahnau",
        sort_key="lahnau",
    )
    account = account_of(people.person_of("vorschau-hanna-krug"))
    add_member(
        by=Actor.system(authority.id),
        authority=authority,
        account=account,
        roles=["sachbearbeitung"],
        function="Steueramt",
    )
    log_in("vorschau-hanna-krug")
    assert platform.get("/weiter/").headers["Location"] == "/amt/"
    assert platform.get("/weiter/?next=/meine/").headers["Location"] == "/meine/"


def test_each_login_asks_anew(provider: str, platform: Client) -> None:
    """No single sign-on at the provider: whoever shows several people is never somebody else by accident."""
    first = to_provider(platform)
    with requests.Session() as browser:
        page = browser.get(first, timeout=20)
        assert "Vorschau-Servicekonto" in page.text
        assert "keine echten Daten" in page.text
    url = at_provider(first, "petra.muster@lahnau.example")
    back_at(platform, url)
    assert (
        "Anmelden am Vorschau-Servicekonto"
        in requests.get(to_provider(Client(headers={"host": "localhost:8000"})), timeout=20).text
    )


def test_a_code_works_once_and_in_one_browser(provider: str, platform: Client) -> None:
    url = at_provider(to_provider(platform), "petra.muster@lahnau.example")
    stranger = Client(headers={"host": "localhost:8000"})
    assert back_at(stranger, url).status_code == 401
    assert "_auth_user_id" not in stranger.session
    assert back_at(platform, url).status_code == 302
    again = back_at(platform, url)
    assert again.status_code == 401
    assert "nicht geklappt" in again.content.decode()


def test_a_forged_code_and_a_refusal_of_the_provider(provider: str, platform: Client) -> None:
    state = to_provider(platform).split("state=")[1].split("&")[0]
    path = "/konto/oidc/servicekonto/login/callback/"
    assert platform.get(path, {"code": "erfunden", "state": state}).status_code == 401
    state = to_provider(platform).split("state=")[1].split("&")[0]
    cancelled = platform.get(path, {"error": "access_denied", "state": state})
    assert cancelled.headers["Location"] == "/konto/oidc/cancelled/"
    assert "abgebrochen" in platform.get("/konto/oidc/cancelled/").content.decode()
    assert platform.get("/konto/oidc/anderer/login/callback/").status_code == 404


def test_a_provider_that_does_not_answer(provider: str, platform: Client, settings: object) -> None:
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]  # type: ignore[attr-defined]
    app["settings"]["server_url"] = "http://localhost:1"
    answer = platform.post("/anmelden/", {"weg": "servicekonto"})
    assert answer.status_code == 503
    assert "antwortet gerade nicht" in answer.content.decode()
