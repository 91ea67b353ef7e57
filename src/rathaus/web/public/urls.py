"""Addresses of what everybody may read. The files answer scripts of any site."""

from __future__ import annotations

from django.urls import path

from rathaus.web.public import files, views

app_name = "public"
urlpatterns = [
    path("foerderungen/", views.grants, name="grants"),
    path("foerderungen/<slug:authority>/<str:reference>/", views.grant, name="grant"),
    path("daten/", views.data, name="data"),
    path("foerderungen.csv", files.as_csv, name="grants_csv"),
    path("foerderungen.json", files.as_json, name="grants_json"),
    path("foerderungen.schema.json", files.schema, name="grants_schema"),
    path("katalog.jsonld", files.catalogue, name="catalogue"),
]
