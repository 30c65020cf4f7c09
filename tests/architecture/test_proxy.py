"""The shipped proxy in front of a stub: how often one address may ask, and who sees whether we are ready."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.architecture.source import ROOT

PATHS = f"{os.environ.get('NGINX_PATH', '')}:/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin"
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
        r"resolver 127.0.0.11 [^;]+;": "",
        r"server web:8000 resolve;": f"server 127.0.0.1:{upstream};",
        r"listen 127.0.0.1:8081;": f"listen 127.0.0.1:{free_port()};",
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


class Names:
    """A server of names on this machine that says where ``web`` is, for a second."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                asked, who = self._socket.recvfrom(512)
            except OSError:
                return
            end = asked.index(b"\0", 12) + 5
            answer = b"\xc0\x0c\0\x01\0\x01\0\0\0\x01\0\x04" + socket.inet_aton(self.address)
            head = asked[:2] + b"\x81\x80\0\x01\0\x01\0\0\0\0"
            self._socket.sendto(head + asked[12:end] + answer, who)


def _version() -> tuple[int, ...]:
    said = subprocess.run([str(NGINX), "-v"], check=False, capture_output=True, text=True).stderr
    return tuple(map(int, re.findall(r"nginx/(\d+)\.(\d+)\.(\d+)", said)[0]))


def test_a_web_that_was_made_again_elsewhere_is_found_again(tmp_path: Path) -> None:
    if _version() < (1, 27, 3):
        pytest.skip("this nginx looks a name up once; that of the containers does so again")
    tmp_path.chmod(0o755)
    port, first = free_port(), ThreadingHTTPServer(("127.0.0.2", 0), Stub)
    second = ThreadingHTTPServer(("127.0.0.3", first.server_port), Stub)
    names = Names("127.0.0.2")
    text = configured(tmp_path, port=port, upstream=1).read_text(encoding="utf-8")
    text = text.replace("server 127.0.0.1:1;", f"server web:{first.server_port} resolve;")
    text = text.replace("upstream web {", f"resolver 127.0.0.1:{names.port} valid=1s ipv6=off;\n    upstream web {{")
    text = text.replace(f"listen 127.0.0.1:{port} ssl;", f"listen 127.0.0.1:{port};")
    text = re.sub(r"http2 on;|ssl_\w+ [^;]+;", "", text)
    (tmp_path / "nginx.conf").write_text(text, encoding="utf-8")
    threading.Thread(target=first.serve_forever, daemon=True).start()
    threading.Thread(target=second.serve_forever, daemon=True).start()
    with subprocess.Popen(
        [str(NGINX), "-e", "stderr", "-c", str(tmp_path / "nginx.conf"), "-g", "daemon off;"]
    ) as server:
        try:
            _wait_for(port)
            assert _until_200(port)
            names.address = "127.0.0.3"
            first.shutdown()
            first.server_close()
            assert _until_200(port)
        finally:
            server.terminate()
            names.close()
            second.shutdown()
            second.server_close()


def _until_200(port: int) -> bool:
    """Whether the proxy gives an answer of the web within ten seconds."""
    for _ in range(50):
        with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection, suppress(OSError):
            connection.request("GET", "/healthz", headers={"Host": "localhost"})
            with connection.getresponse() as answer:
                if answer.status == 200:
                    return True
        time.sleep(0.2)
    return False
