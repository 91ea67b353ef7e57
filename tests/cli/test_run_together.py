"""Programs beside each other: one that fails ends the others and is not hidden."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from rathaus.cli.commands import run_together

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture(autouse=True)
def _own_handlers() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def ends_with(code: int) -> list[str]:
    return [sys.executable, "-c", f"raise SystemExit({code})"]


def test_an_error_of_one_is_the_error_of_all() -> None:
    begun = time.monotonic()
    with pytest.raises(SystemExit) as ended:
        run_together([SLEEP, ends_with(3)])
    assert ended.value.code == 3
    assert time.monotonic() - begun < 20


def test_one_that_is_done_ends_the_others() -> None:
    run_together([SLEEP, ends_with(0)])


def test_being_told_to_end_is_no_error() -> None:
    script = f"from rathaus.cli.commands import run_together; run_together([{SLEEP!r}, {SLEEP!r}])"
    process = subprocess.Popen([sys.executable, "-c", script])
    time.sleep(1.5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
