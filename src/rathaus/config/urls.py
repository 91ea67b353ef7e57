"""All routes: one include an audience."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("amt/", include("rathaus.web.desk.urls")),
    path("transparenz/", include("rathaus.web.public.urls")),
    path("", include("rathaus.web.account.urls")),
    path("", include("rathaus.web.portal.urls")),
]
