"""The kernel's world, for what grants add to it."""

from tests.casework.conftest import committed_world, run_jobs, world

__all__ = ["committed_world", "run_jobs", "world"]
