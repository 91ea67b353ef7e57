"""Server processes beside us, on free loopback ports, as `rathaus serve` starts them; and what they weigh."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

WORKERS, THREADS = 2, 2  # as `rathaus serve`


@dataclass(frozen=True)
class Site:
    """A server that answers. `start_seconds` is from its start to its first answer."""

    port: int
    process: int
    start_seconds: float

    @property
    def workers(self) -> list[int]:
        """The processes of gunicorn that answer requests."""
        return [
            child
            for master in _descendants(self.process)
            if "gunicorn" in _command(master)
            for child in _children(master)
            if "gunicorn" in _command(child)
        ]


@contextmanager
def rathaus_site() -> Iterator[Site]:
    """The site with two web workers and one job worker."""
    port = free_port()
    command = [sys.executable, "-m", "rathaus", "serve", "--port", str(port), "--workers", str(WORKERS)]
    with _running(command, port, {"RATHAUS_URL": f"http://127.0.0.1:{port}"}) as site:
        yield site


@contextmanager
def plain_site(database_url: str) -> Iterator[Site]:
    """Yardstick D with the same server settings, on an empty database of its own."""
    port = free_port()
    environment = {"PLAIN_DATABASE_URL": database_url}
    subprocess.run(
        [sys.executable, "-m", "rathaus.cli.bench.plain.site"], env={**os.environ, **environment}, check=True
    )
    command = [sys.executable, "-m", "gunicorn", "rathaus.cli.bench.plain.site", "--bind", f"127.0.0.1:{port}",
               "--workers", str(WORKERS), "--threads", str(THREADS), "--timeout", "60"]  # fmt: skip
    with _running(command, port, environment) as site:
        yield site


@contextmanager
def one_worker() -> Iterator[Site]:
    """The site's web server with a single worker, to see what one process takes to start."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "rathaus.config.wsgi", "--bind", f"127.0.0.1:{port}",
               "--workers", "1", "--threads", str(THREADS)]  # fmt: skip
    with _running(command, port, {}) as site:
        yield site


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def weight(process: int) -> int:
    """Proportional set size of a process in bytes: its own memory and its share of what it shares (Linux)."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError("smaps_rollup without Pss")


@contextmanager
def _running(command: Sequence[str], port: int, environment: dict[str, str]) -> Iterator[Site]:
    log = Path(os.environ["RATHAUS_VAR"]) / "server.log"
    begun = time.perf_counter()
    with log.open("ab") as into:
        process = subprocess.Popen(  # noqa: S603  our own programs
            command, env={**os.environ, **environment}, stdout=into, stderr=into
        )
    try:
        _wait_for(port, process)
        yield Site(port, process.pid, time.perf_counter() - begun)
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for(port: int, process: subprocess.Popen) -> None:
    for _ in range(2000):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            asked = HTTPConnection("127.0.0.1", port, timeout=30)
            asked.request("GET", "/")
            asked.getresponse().read()
            return
        except ConnectionRefusedError:
            time.sleep(0.02)
        finally:
            asked.close()
    raise RuntimeError("the server did not answer")


def _children(process: int) -> list[int]:
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    except FileNotFoundError:
        return []
    return [int(child) for child in text.split()]


def _descendants(process: int) -> list[int]:
    found = [process]
    for parent in found:
        found.extend(_children(parent))
    return found


def _command(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8").replace("\0", " ")
    except FileNotFoundError:
        return ""
