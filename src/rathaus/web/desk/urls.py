"""All routes of the desk. Each stands in tests/web/test_routes.py with who may use it."""

from __future__ import annotations

from django.urls import path

from rathaus.web.desk import (
    bulk,
    case,
    claims,
    computation,
    documents,
    exports,
    grant_panel,
    inbox,
    opening,
    payments,
    remedy_views,
    rules,
)
from rathaus.web.desk.programmes import files, setup
from rathaus.web.desk.programmes import views as programmes
from rathaus.web.desk.reviews import case_section, expert, rounds

app_name = "desk"
urlpatterns = [
    path("", inbox.home, name="home"),
    path("behoerde/", inbox.authority, name="authority"),
    path("eingang/", inbox.show, name="inbox"),
    path("eingang/uebernehmen/", inbox.claim, name="claim"),
    path("sammel/", bulk.index, name="bulk"),
    path("sammel/aufgaben/", bulk.tasks, name="bulk_tasks"),
    path("sammel/lauf/<uuid:run>/", bulk.run, name="bulk_run"),
    path("sammel/lauf/<uuid:run>/fortsetzen/", bulk.go_on, name="bulk_resume"),
    path("leistungen/", rules.offers, name="offers"),
    path("leistungen/<slug:slug>/regeln/", rules.show, name="rules"),
    path("leistungen/<slug:slug>/regeln/aendern/", rules.change, name="rules_change"),
    path("leistungen/<slug:slug>/zeitraum/", rules.window, name="window"),
    path("foerderung/", programmes.index, name="programmes"),
    path("foerderung/zinssaetze/", claims.rates, name="base_rates"),
    path("foerderung/neu/", setup.new, name="programme_new"),
    path("foerderung/<slug:key>/", programmes.show, name="programme"),
    path("foerderung/<slug:key>/aufrufe/", programmes.calls, name="programme_calls"),
    path("foerderung/<slug:key>/antraege/", programmes.applied, name="programme_applications"),
    path("foerderung/<slug:key>/foerderungen/", programmes.grants, name="programme_grants"),
    path("foerderung/<slug:key>/nachweise/", programmes.proofs, name="programme_proofs"),
    path("foerderung/<slug:key>/zahlen.csv", files.as_csv, name="programme_csv"),
    path("foerderung/<slug:key>/akte.zip", exports.programme_file, name="programme_zip"),
    path("foerderung/<slug:key>/bericht.pdf", files.report, name="programme_report"),
    path("foerderung/<slug:key>/beschreibung/", setup.describe, name="programme_edit"),
    path("foerderung/<slug:key>/mittel/", setup.money, name="programme_money"),
    path("foerderung/<slug:key>/aufruf/", setup.call, name="programme_call_new"),
    path("foerderung/<slug:key>/mahnen/", bulk.dunning, name="dunning"),
    path("foerderung/<slug:key>/rueckforderungen/", claims.index, name="repayments"),
    path("foerderung/<slug:key>/rueckforderungen/<str:reference>/", claims.show, name="repayment"),
    path("foerderung/<slug:key>/auszahlungen/", payments.show, name="payments"),
    path("foerderung/<slug:key>/auszahlungen/lauf/", payments.prepare, name="payments_prepare"),
    path("foerderung/<slug:key>/auszahlungen/rueckmeldung/", payments.take_return, name="payments_return"),
    path("foerderung/<slug:key>/auszahlungen/zahlung/<uuid:payment>/", payments.payment, name="payment"),
    path("foerderung/<slug:key>/auszahlungen/<int:number>/", payments.run_page, name="payment_run"),
    path(
        "foerderung/<slug:key>/auszahlungen/<int:number>/freigeben/", payments.release, name="payment_release"
    ),
    path(
        "foerderung/<slug:key>/auszahlungen/<int:number>/aufloesen/",
        payments.dissolve,
        name="payment_dissolve",
    ),
    path("foerderung/<slug:key>/auszahlungen/<int:number>/sepa.xml", payments.sepa, name="payment_sepa"),
    path("foerderung/<slug:key>/auszahlungen/<int:number>/zahlungen.csv", payments.csv, name="payment_csv"),
    path("foerderung/<slug:key>/aufruf/<slug:call>/rangliste/", rounds.show, name="ranking"),
    path("foerderung/<slug:key>/aufruf/<slug:call>/rangliste.csv", rounds.as_csv, name="ranking_csv"),
    path("foerderung/<slug:key>/aufruf/<slug:call>/gutachten/", rounds.assign, name="assignments"),
    path("gutachten/", expert.mine, name="reviews"),
    path("gutachten/<uuid:review>/", expert.show, name="review"),
    path("gutachten/<uuid:review>/befangenheit/", expert.declare, name="review_conflict"),
    path("gutachten/<uuid:review>/unterlage/<uuid:document>/", expert.document, name="review_document"),
    path("vorgaenge/", inbox.cases, name="cases"),
    path("vorgang/<str:reference>/", case.show, name="case"),
    path("vorgang/<str:reference>/neu/<slug:slug>/", opening.open_about, name="open"),
    path("vorgang/<str:reference>/aufgabe/<uuid:task>/", case.complete, name="task"),
    path("vorgang/<str:reference>/ausnahme/<uuid:finding>/", case.allow, name="exception"),
    path("vorgang/<str:reference>/rechenweg/", computation.show, name="computation"),
    path("vorgang/<str:reference>/rest-freigeben/", grant_panel.release, name="release_rest"),
    path("vorgang/<str:reference>/nachricht/", case.write, name="message"),
    path("vorgang/<str:reference>/stoerung/<uuid:incident>/", case.retry, name="incident"),
    path("vorgang/<str:reference>/bescheid/<uuid:notice>/rechtsbehelf/", remedy_views.note, name="remedy"),
    path("vorgang/<str:reference>/rechtsbehelf/<uuid:remedy>/", remedy_views.settle, name="settle"),
    path("vorgang/<str:reference>/dokument/<uuid:document>/", documents.download, name="document"),
    path("vorgang/<str:reference>/akte.zip", exports.case_file, name="case_zip"),
    path("vorgang/<str:reference>/votum/", case_section.vote, name="jury"),
    path("vorgang/<str:reference>/begutachtung/", case_section.finish, name="review_finish"),
    path("vorgang/<str:reference>/gutachten/<uuid:review>/", case_section.set_aside, name="review_set_aside"),
    path(
        "vorgang/<str:reference>/gutachten/<uuid:review>/weg/", case_section.unassign, name="review_unassign"
    ),
    path("vorgang/<str:reference>/entwurf/", documents.preview, name="preview"),
]
