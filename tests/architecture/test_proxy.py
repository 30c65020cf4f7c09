"""The shipped proxy in front of a stub: how often one address may ask, and who sees whether we are ready."""

import json
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.architecture.source import ROOT

PATHS = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin"
NGINX, OPENSSL = shutil.which("nginx", path=PATHS), shutil.which("openssl")
pytestmark = pytest.mark.skipif(not (NGINX and OPENSSL), reason="it needs nginx and openssl on this machine")


class Stub(BaseHTTPRequestHandler):
    """A web process that answers everything."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Reply(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class Proxy:
    """The proxy as one address sees it."""

    def __init__(self, port: int, certificate: Path) -> None:
        tls = ssl.create_default_context(cafile=str(certificate))
        self._connection = HTTPSConnection("localhost", port, context=tls, timeout=10)

    def ask(self, path: str, **headers: str) -> Reply:
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        return Reply(answer.status, dict(answer.headers), answer.read())

    def statuses(self, path: str, *, times: int, **headers: str) -> list[int]:
        return [self.ask(path, **headers).status for _ in range(times)]

    def close(self) -> None:
        self._connection.close()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def configured(folder: Path, *, port: int, upstream: int) -> Path:
    """The shipped configuration with places and ports of the test; the machine itself is not the inner network."""
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"    {what}_temp_path {folder}/{what};\n" for what in names)
    changes = {
        r"pid \S+;": f"pid {folder}/pid;",
        r"http \{\n": f"http {{\n{temporary}",
        r"server web:8000;": f"server 127.0.0.1:{upstream};",
        r"listen 80;": f"listen 127.0.0.1:{free_port()};",
        r"listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        r"/run/secrets/tls_certificate": f"{folder}/certificate.pem",
        r"/run/secrets/tls_key": f"{folder}/key.pem",
        r"allow 127.0.0.0/8;": "",
    }
    text = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")
    for pattern, other in changes.items():
        text, places = re.subn(pattern, lambda _, other=other: other, text)  # type: ignore[misc]
        assert places == 1, pattern
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    return folder / "nginx.conf"


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    make = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost")
    files = ("-keyout", folder / "key.pem", "-out", folder / "certificate.pem")
    names = ("-addext", "subjectAltName=DNS:localhost")
    subprocess.run([*make, *names, *files], check=True, capture_output=True)
    port, stub = free_port(), ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    threading.Thread(target=stub.serve_forever, daemon=True).start()
    configuration = configured(folder, port=port, upstream=stub.server_port)
    argv = (str(NGINX), "-e", "stderr", "-c", str(configuration))
    tested = subprocess.run([*argv, "-t"], check=False, capture_output=True, text=True)
    assert tested.returncode == 0, tested.stderr
    with subprocess.Popen([*argv, "-g", "daemon off;"], stderr=subprocess.DEVNULL) as server:
        try:
            _wait_for(port)
            with closing(Proxy(port, folder / "certificate.pem")) as client:
                yield client
        finally:
            server.terminate()
            stub.shutdown()
            stub.server_close()


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("nginx did not start")


@pytest.mark.parametrize(("path", "burst"), [("/login/", 20), ("/api/docs/", 20), ("/api/v1/items/A/1/tile.svg", 200)])
def test_one_address_asks_so_often_and_no_more(proxy: Proxy, path: str, burst: int) -> None:
    statuses = proxy.statuses(path, times=3 * burst)
    assert statuses[:burst] == [200] * burst
    assert set(statuses) == {200, 429}


def test_who_forgot_the_password_shares_the_limit_of_the_login(proxy: Proxy) -> None:
    proxy.statuses("/login/", times=60)
    assert 429 in proxy.statuses("/password/", times=3)


def test_a_refusal_is_a_problem_that_says_when_to_come_back(proxy: Proxy) -> None:
    answer = next(reply for reply in (proxy.ask("/api/schema/") for _ in range(60)) if reply.status == 429)
    assert answer.headers["Retry-After"] == "60"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert json.loads(answer.body)["status"] == 429


def test_pages_are_counted_by_address_and_servers_by_their_key(proxy: Proxy) -> None:
    assert 429 in proxy.statuses("/api/v1/events/", times=400, Origin="https://shop.example")
    assert set(proxy.statuses("/api/v1/events/", times=200)) == {200}
    assert set(proxy.statuses("/api/v1/placements/home/recommend/", times=200)) == {200}


def test_readiness_is_told_to_the_inner_network_alone(proxy: Proxy) -> None:
    assert proxy.ask("/readyz").status == 403
    assert proxy.ask("/healthz").status == 200
