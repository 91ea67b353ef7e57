"""Logging in and out. Of allauth's pages only what we want: nobody signs up, adds an address or sets a first password."""

from __future__ import annotations

from allauth.account import views as account
from allauth.socialaccount import views as social
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.urls import include, path

from rathaus.web.account import views

urlpatterns = [
    path("anmelden/", views.choose, name="anmelden"),
    path("weiter/", views.onward, name="weiter"),
    path("abmelden/", account.logout, name="account_logout"),
    path("konto/login/", account.login, name="account_login"),
    path("konto/inactive/", account.account_inactive, name="account_inactive"),
    path("konto/reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("konto/password/change/", views.change_password, name="account_change_password"),
    path("konto/2fa/", include("allauth.mfa.urls")),
    path(
        "konto/oidc/<str:provider_id>/login/callback/",
        openid_connect.callback,
        name="openid_connect_callback",
    ),
    path("konto/oidc/refused/", views.signup_refused, name="socialaccount_signup"),
    path("konto/oidc/cancelled/", social.login_cancelled, name="socialaccount_login_cancelled"),
]
