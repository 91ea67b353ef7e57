"""The kernel's world, for what grants add to it."""

from tests.casework.conftest import run_jobs, world

__all__ = ["run_jobs", "world"]
