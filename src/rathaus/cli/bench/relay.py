"""Counting round trips where they happen: on the way between the driver and PostgreSQL."""

from __future__ import annotations

import select
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection


class Relay(threading.Thread):
    """Passes bytes between one client and the server's socket; counts how often the client speaks after the server."""

    def __init__(self, listen: Path, server: Path) -> None:
        super().__init__(daemon=True)
        self.trips = 0
        self._server = server
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(listen))
        self._listener.listen(1)

    def run(self) -> None:
        client, _ = self._listener.accept()
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.connect(str(self._server))
        other = {client: server, server: client}
        last = server
        with client, server, self._listener:
            while True:
                for source in select.select([client, server], [], [])[0]:
                    if not (content := source.recv(65536)):
                        return
                    if source is client and last is server:
                        self.trips += 1
                    last = source
                    other[source].sendall(content)


@contextmanager
def counting_relay() -> Iterator[Relay]:
    """Django's connection goes through a relay meanwhile."""
    settings = connection.settings_dict["OPTIONS"]  # the embedded server's address is its socket's folder
    host = settings["host"]
    with tempfile.TemporaryDirectory() as folder:
        name = ".s.PGSQL.5432"
        relay = Relay(Path(folder) / name, Path(host) / name)
        relay.start()
        connection.close()
        settings["host"] = folder
        try:
            yield relay
        finally:
            connection.close()
            settings["host"] = host
            relay.join(timeout=5)
