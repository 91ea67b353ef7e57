"""The one application object of Procrastinate, and how jobs retry."""

from __future__ import annotations

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

__all__ = ["RETRY", "app"]

RETRY = RetryStrategy(max_attempts=5, exponential_wait=3)
