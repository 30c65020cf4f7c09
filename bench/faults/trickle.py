"""Clients that trickle their bodies, and bodies without end, in front of the shipped proxy and without it.

The proxy is nginx with ``deploy/nginx.conf``; only ports, certificate, upstream and the places of its files are other
ones. The control sends the same trickle to the web process itself, whose few threads it holds.
"""

import argparse
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.faults.client import Client, Dropped
from bench.faults.report import Report, options, progress
from bench.faults.shop import READY_SECONDS, ROOT, Shop, children_of, free_port, responds, running, until, with_servers
from bench.meter import Progress

PATH = "/api/v1/placements/home/recommend/?user_id=u1"
HELD = 0.9  # of the requests a second without slow clients
FLAT_MB = 20
BLOCK = b"[" * 65_536
ENDLESS = 60_000_000  # bytes until we stop sending what has no end
REFUSED = {HTTPStatus.BAD_REQUEST, HTTPStatus.LENGTH_REQUIRED, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _options().parse_args(argv)
    report, tell = Report("Trickling clients and bodies without end"), progress(arguments)
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    if nginx is None or shutil.which("openssl") is None:
        report.skipped = "Skipped: it needs nginx and openssl on this machine, and one of them is not installed."
        return report.end(arguments.json, vars(arguments))
    with with_servers() as (shop, _), ExitStack() as stack:
        shop.env["BEHIND_PROXY"] = "1"
        web = stack.enter_context(running(shop.web()))
        until(lambda: responds(f"{shop.url}readyz"), "web process", seconds=READY_SECONDS)
        with proxy(shop, nginx) as (port, tls):
            behind = Door(shop, port, tls)
            trickled(behind, report, tell, arguments)
            oversized(behind, web.pid, report)
        directly(Door(shop, shop.port, None), report, tell, arguments)
    return report.end(arguments.json, vars(arguments))


def _options() -> argparse.ArgumentParser:
    parser = options(__doc__)
    parser.add_argument("--slow", type=int, default=32, help="trickling clients")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=2, help="measurements with and without slow clients, in turn")
    return parser


class Door:
    """An address of the shop: the proxy with TLS, or the web process."""

    def __init__(self, shop: Shop, port: int, tls: ssl.SSLContext | None) -> None:
        self.shop, self._port, self._tls = shop, port, tls

    def client(self, *, patience: float = 10) -> Client:
        return Client(self._port, self.shop.headers, patience=patience, tls=self._tls)

    def connect(self) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self._port), 10)
        return self._tls.wrap_socket(plain, server_hostname="localhost") if self._tls else plain

    def begin_body(self, connection: socket.socket, framing: str) -> None:
        lines = [f"{name}: {text}" for name, text in {"Host": "localhost", **self.shop.headers}.items()]
        head = "\r\n".join(["POST /api/v1/events/ HTTP/1.1", *lines, framing, "", ""])
        connection.sendall(head.encode())


@contextmanager
def proxy(shop: Shop, nginx: str) -> Iterator[tuple[int, ssl.SSLContext]]:
    """Run nginx with the shipped configuration; its port and what trusts its certificate."""
    folder, port = shop.folder / "nginx", free_port()
    folder.mkdir(mode=0o755)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    make = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost")
    names = ("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    subprocess.run([*make, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    temporary = "".join(
        f"    {what}_temp_path {folder}/{what};\n" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    changes = {
        r"pid \S+;": f"pid {folder}/pid;",
        r"http \{\n": f"http {{\n{temporary}",
        r"resolver 127.0.0.11 [^;]+;": "",
        r"server web:8000 resolve;": f"server 127.0.0.1:{shop.port};",
        r"listen 127.0.0.1:8081;": f"listen 127.0.0.1:{free_port()};",
        r"listen 80;": f"listen 127.0.0.1:{free_port()};",
        r"listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        r"/run/secrets/tls_certificate": str(certificate),
        r"/run/secrets/tls_key": str(key),
    }
    text = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")
    for pattern, other in changes.items():
        text, places = re.subn(pattern, lambda _, other=other: other, text)  # type: ignore[misc]
        if places != 1:
            raise SystemExit(f"deploy/nginx.conf: {pattern} is there {places} times; this script has to learn it anew")
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    with running(shop.child([nginx, "-c", str(folder / "nginx.conf"), "-g", "daemon off;"], name="nginx")):
        tls = ssl.create_default_context(cafile=str(certificate))
        probe = Client(port, {"Host": "localhost"}, patience=2, tls=tls)
        until(lambda: _is_alive(probe), "nginx", seconds=20)
        yield port, tls


def _is_alive(client: Client) -> bool:
    try:
        return client.send("GET", "/healthz").status == HTTPStatus.OK
    except Dropped:
        return False


@contextmanager
def trickling(door: Door, number: int) -> Iterator[None]:
    """Trickle from so many clients: each sends a byte of a long body now and then, until the block ends."""
    over = threading.Event()
    with ExitStack() as stack:
        connections = [stack.enter_context(door.connect()) for _ in range(number)]
        for connection in connections:
            door.begin_body(connection, "Content-Length: 100000")

        def trickle() -> None:
            while not over.wait(1):
                for connection in connections:
                    with suppress(OSError):
                        connection.sendall(b"[")

        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def rate(door: Door, seconds: float) -> tuple[float, int]:
    """Measure good answers a second to four clients, and how many were no good answers."""
    good, bad = [0] * 4, [0] * 4
    end = time.monotonic() + seconds

    def ask(number: int) -> None:
        client = door.client(patience=seconds)
        while time.monotonic() < end:
            try:
                fine = client.send("GET", PATH).status == HTTPStatus.OK
            except Dropped:
                fine = False
            good[number] += fine
            bad[number] += not fine
        client.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(good) / seconds, sum(bad)


def trickled(door: Door, report: Report, tell: Progress, arguments: argparse.Namespace) -> None:
    rate(door, 1)
    alone, beside, wrong = [], [], 0
    for _ in range(arguments.rounds):
        good, bad = rate(door, arguments.seconds)
        alone.append(good)
        with trickling(door, arguments.slow):
            time.sleep(1)
            slow, also = rate(door, arguments.seconds)
        beside.append(slow)
        wrong += bad + also
        tell(f"through the proxy: {good:.0f} answers/s, with {arguments.slow} slow clients {slow:.0f}")
    ratio = median(beside) / median(alone)
    report.figures |= {"alone": alone, "beside_slow": beside, "ratio": ratio, "errors": wrong}
    seen = f"{median(beside):.0f} answers/s beside them, {median(alone):.0f} alone: {ratio:.2f} ×"
    what = f"through the proxy, {arguments.slow} trickling clients cost others nothing (≥ {HELD} ×)"
    report.promise(what, f"{seen}; {wrong} errors", kept=ratio >= HELD and not wrong)


def directly(door: Door, report: Report, tell: Progress, arguments: argparse.Namespace) -> None:
    alone, _ = rate(door, arguments.seconds)
    with trickling(door, arguments.slow):
        time.sleep(1)
        beside, _ = rate(door, arguments.seconds)
    tell(f"without the proxy: {alone:.0f} answers/s, with {arguments.slow} slow clients {beside:.0f}")
    report.figures["directly"] = {"alone": alone, "beside_slow": beside}
    seen = f"{beside:.0f} answers/s beside them, {alone:.0f} alone"
    report.promise("the control (no proxy): the same clients freeze the web process", seen, kept=beside < alone / 2)


def oversized(door: Door, web: int, report: Report) -> None:
    before = _memory_mb(web)
    replies = {
        "10 MB": _refusal(door, "Content-Length: 10485760", 10_485_760, chunked=False),
        "chunks without end": _refusal(door, "Transfer-Encoding: chunked", ENDLESS, chunked=True),
    }
    grown = _memory_mb(web) - before
    for what, (status, sent) in replies.items():
        kept = status in REFUSED
        report.promise(f"a body of {what} is refused", f"{status} after {sent / 1e6:.1f} MB", kept=kept)
    report.figures |= {"refused": replies, "grown_mb": grown}
    report.promise(f"memory of the web process stays flat (< {FLAT_MB} MB)", f"{grown:+.1f} MB", kept=grown < FLAT_MB)


def _refusal(door: Door, framing: str, size: int, *, chunked: bool) -> tuple[int, int]:
    """Send a body that is too large: status of the answer (0: none) and how many bytes we could send before it came."""
    sent = 0
    with door.connect() as connection:
        door.begin_body(connection, framing)
        connection.settimeout(15)
        with suppress(OSError):
            while sent < size:
                part = BLOCK[: size - sent]
                connection.sendall(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
                sent += len(part)
        with suppress(OSError):
            answer = connection.recv(64)
            return int(answer.split(b" ", 2)[1]) if answer else 0, sent
    return 0, sent


def _memory_mb(pid: int) -> float:
    total = 0
    for one in {pid, *children_of(pid)}:
        with suppress(OSError):
            for line in Path(f"/proc/{one}/status").read_text(encoding="ascii").splitlines():
                total += int(line.split()[1]) if line.startswith("VmRSS:") else 0
    return total * 1024 / 1e6


if __name__ == "__main__":
    sys.exit(main())
