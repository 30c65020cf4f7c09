"""Certificates of servers on a network of their own: the names that they prove, and who is refused without.

The embedded servers speak no TLS: a front does it for them, with certificates as ``docker-compose.yml`` has them made.
"""

import os
import select
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from kombu import Connection
from kombu.exceptions import OperationalError

from recommendations.store.live.valkey import Link, ValkeyAwayError
from recsite.celery import app
from tests.architecture.source import ROOT

SCRIPT = ROOT / "deploy/certificates.sh"
ASKED_FOR_TLS = (8).to_bytes(4) + (80_877_103).to_bytes(4)
"""What libpq says first, and PostgreSQL answers with a letter."""
OPENSSL = subprocess.run(["openssl", "version"], capture_output=True, check=False, text=True).stdout
pytestmark = pytest.mark.skipif(not OPENSSL.startswith("OpenSSL"), reason="the script needs OpenSSL")


def make(folder: Path) -> Path:
    subprocess.run(["sh", SCRIPT, folder, str(os.getuid()), "localhost", "elsewhere"], check=True)
    return folder


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of the same names, of another authority."""
    return make(tmp_path_factory.mktemp("theirs"))


@contextmanager
def front(folder: Path, name: str, *, postgresql: bool) -> Iterator[int]:
    """The port of this machine at which a server is found behind TLS, under the certificate of a name."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")

    class OneConnection(BaseRequestHandler):
        def handle(self) -> None:
            if postgresql:
                assert self.request.recv(8) == ASKED_FOR_TLS
                self.request.sendall(b"S")
            with (
                suppress(OSError),  # who does not believe the certificate hangs up
                context.wrap_socket(self.request, server_side=True) as outer,
                server_behind(postgresql=postgresql) as inner,
            ):
                hand_on(outer, inner)

    with ThreadingTCPServer(("localhost", 0), OneConnection) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def server_behind(*, postgresql: bool) -> socket.socket:
    if not postgresql:
        place = urlsplit(settings.REDIS_URL)
        return socket.create_connection((place.hostname, place.port))
    behind = socket.socket(socket.AF_UNIX)
    behind.connect(f"{connection.settings_dict['HOST']}/.s.PGSQL.5432")
    return behind


def hand_on(outer: ssl.SSLSocket, inner: socket.socket) -> None:
    """Hand on what either says to the other, until one of them ends, or both are silent for seconds."""
    other: dict[socket.socket, socket.socket] = {outer: inner, inner: outer}
    while ready := [outer] if outer.pending() else select.select([*other], [], [], 5)[0]:
        for one in ready:
            if not (part := one.recv(1 << 16)):
                return
            other[one].sendall(part)


def test_keys_are_their_owners_and_that_of_the_authority_is_gone(ours: Path) -> None:
    modes = {each.name: each.stat().st_mode & 0o777 for each in ours.iterdir()}
    public, secret = ("ca.pem", "localhost.pem", "elsewhere.pem"), ("localhost.key", "elsewhere.key")
    assert modes == dict.fromkeys(public, 0o644) | dict.fromkeys(secret, 0o600)
    before = {each: each.read_bytes() for each in ours.iterdir()}
    make(ours)
    assert before == {each: each.read_bytes() for each in ours.iterdir()}


def test_what_was_interrupted_is_made_anew(ours: Path, tmp_path: Path) -> None:
    (tmp_path / "localhost.pem").write_text("half")
    make(tmp_path)
    assert {each.name for each in tmp_path.iterdir()} == {each.name for each in ours.iterdir()}
    assert "BEGIN CERTIFICATE" in (tmp_path / "localhost.pem").read_text()


REFUSED = pytest.mark.parametrize(
    ("signed", "name", "why"),
    [
        ("ours", "localhost", ""), ("theirs", "localhost", "certificate verify failed"),
        ("ours", "elsewhere", "does not match host name|Hostname mismatch"),
    ],
)  # fmt: skip


@REFUSED
def test_postgresql_proves_its_name(
    ours: Path, request: pytest.FixtureRequest, signed: str, name: str, why: str
) -> None:
    with front(request.getfixturevalue(signed), name, postgresql=True) as port:
        url = f"postgresql://{connection.settings_dict['USER']}@localhost:{port}/postgres"
        url += f"?sslmode=verify-full&sslrootcert={ours / 'ca.pem'}"
        if why:
            with pytest.raises(psycopg.OperationalError, match=why):
                psycopg.connect(url, connect_timeout=5)
        else:
            with psycopg.connect(url) as own:
                assert own.execute("SELECT 1").fetchone() == (1,)


@REFUSED
def test_valkey_proves_its_name(ours: Path, request: pytest.FixtureRequest, signed: str, name: str, why: str) -> None:
    """To what answers, and to the queue: Celery reads the address by itself."""
    with front(request.getfixturevalue(signed), name, postgresql=False) as port:
        place = urlsplit(settings.REDIS_URL)
        url = f"rediss://:{place.password}@localhost:{port}/0?ssl_ca_certs={ours / 'ca.pem'}"
        queue = Connection(url, transport_options=app.conf.broker_transport_options)
        if why:
            with pytest.raises(ValkeyAwayError):
                Link(url).answers([("PING",)])
            with queue, pytest.raises(OperationalError, match=why):
                queue.ensure_connection(max_retries=1, interval_start=0)
        else:
            assert Link(url).answers([("PING",)]) == [b"PONG"]
            with queue:
                assert queue.ensure_connection(max_retries=1).connected
