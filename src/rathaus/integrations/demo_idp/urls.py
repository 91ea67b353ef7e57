"""Logging in, and what OpenID Connect asks for. Nothing else of allauth: no signing up, no resetting."""

from __future__ import annotations

from allauth.account import views as account
from django.urls import include, path

from rathaus.integrations.demo_idp import views

urlpatterns = [
    path("", views.start, name="start"),
    path("anmelden/", account.login, name="account_login"),
    path("abmelden/", account.logout, name="account_logout"),
    path("gesperrt/", account.account_inactive, name="account_inactive"),
    path("identity/o/authorize", views.authorize),
    path("", include("allauth.idp.urls")),
]
