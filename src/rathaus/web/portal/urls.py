"""Addresses of the portal, in German as people read them."""

from __future__ import annotations

from django.urls import path

from rathaus.web.portal.views import (
    catalogue,
    confirmation,
    deadlines,
    filling,
    grants,
    mine,
    pages,
    register,
    waiver,
    withdrawal,
)

app_name = "portal"
urlpatterns = [
    path("", catalogue.home, name="home"),
    path("leistungen/", catalogue.services, name="services"),
    path("leistung/<slug:slug>/", catalogue.service, name="service"),
    path("leistung/<slug:slug>/beginnen/", catalogue.begin, name="begin"),
    path("antrag/<uuid:draft>/", filling.resume, name="resume"),
    path("antrag/<uuid:draft>/pruefen/", filling.review, name="review"),
    path("antrag/<uuid:draft>/verwerfen/", filling.discard, name="discard"),
    path("antrag/<uuid:draft>/<str:page>/", filling.step, name="step"),
    path("antrag/<uuid:draft>/<str:page>/vorlage/<str:table>.csv", filling.sheet, name="sheet"),
    path("meine/", mine.overview, name="mine"),
    path("meine/bestaetigung/<uuid:confirmation>/", confirmation.answer, name="confirmation"),
    path("meine/<uuid:case>/", mine.case, name="case"),
    path("meine/<uuid:case>/antwort/", mine.answer, name="answer"),
    path("meine/<uuid:case>/berichtigen/", filling.correct, name="correct"),
    path("meine/<uuid:case>/zurueckziehen/", withdrawal.withdraw, name="withdraw"),
    path("meine/<uuid:case>/eingang/", mine.receipt, name="receipt"),
    path("meine/<uuid:case>/quittung.pdf", mine.receipt_pdf, name="receipt_pdf"),
    path("meine/<uuid:case>/bescheid/<uuid:notice>/", mine.notice, name="notice"),
    path("meine/<uuid:case>/bescheid/<uuid:notice>/verzicht/", waiver.waive, name="waive"),
    path("meine/<uuid:case>/dokument/<uuid:document>", mine.document, name="document"),
    path("foerderungen/", grants.overview, name="grants"),
    path("foerderungen/uebersicht.pdf", grants.board_pdf, name="grants_pdf"),
    path("foerderungen/fristen/", deadlines.choices, name="deadlines"),
    path("foerderungen/fristen/<str:token>/fristen.ics", deadlines.feed, name="deadline_feed"),
    path("foerderungen/<uuid:grant>/", grants.grant, name="grant"),
    path("verzeichnis/", register.register, name="register"),
    path("hilfe/", pages.page, {"template": "portal/help.html"}, name="help"),
    path("datenschutz/", pages.page, {"template": "portal/privacy.html"}, name="privacy"),
    path("barrierefreiheit/", pages.page, {"template": "portal/accessibility.html"}, name="accessibility"),
    path("impressum/", pages.page, {"template": "portal/imprint.html"}, name="imprint"),
]
