"""The one table that the page writes to."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Entry(models.Model):
    """A line that a request leaves."""

    text = models.CharField(max_length=200)
    written_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar = models.Manager()

    class Meta:
        app_label = "plain"
