"""The one application object of Procrastinate, and how jobs retry."""

from __future__ import annotations

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

__all__ = ["MAIL_RETRY", "RETRY", "app"]

RETRY = RetryStrategy(max_attempts=5, exponential_wait=3)  # 3, 9, 27, 81, 243 seconds
MAIL_RETRY = RetryStrategy(
    max_attempts=9, exponential_wait=3
)  # the last after 5 hours: a mail server may be down
