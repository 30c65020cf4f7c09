"""A web server on this machine that takes posts and gets, and answers as it is told, also as no server should."""

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

LARGE, PART = 10_000_000, 100_000  # bytes


@dataclass(frozen=True, kw_only=True)
class Post:
    """What came in; names of headers in small letters."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(kw_only=True)
class WebServer:
    """What is answered. ``conduct``: "" as one should, or ``cut_before`` or ``cut_after`` the body, ``drips``, ``drips
    head``, ``drips greeting`` (of TLS), ``large``, ``silent``.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    made: Callable[[bytes], bytes] | None = None  # the body, of what was posted
    files: dict[str, bytes] | None = None  # bodies by path; what lies at none is not found
    conduct: str = ""
    cuts_every: int = 0  # hangs up after so many posts were taken, before it says so
    tls: ssl.SSLContext | None = None
    port: int = 0
    posts: list[Post] = field(default_factory=list)
    connections: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def origin(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    def serve(self, line: socket.socket) -> None:
        self.connections += 1
        with suppress(OSError, ValueError), line:
            if self.conduct == "drips greeting":
                self._drip(line, b"\x16\x03\x03\xff")
                return
            with self.tls.wrap_socket(line, server_side=True) if self.tls else line as own, own.makefile("rb") as said:
                while self._answer(own, said):
                    pass

    def _answer(self, line: socket.socket, said: IO[bytes]) -> bool:
        first = said.readline()
        if not first:
            return False
        headers = dict(iter(lambda: said.readline().decode().strip().partition(": ")[::2], ("", "")))
        headers = {name.lower(): value for name, value in headers.items()}
        if self.conduct == "cut_before":
            return False
        body = said.read(int(headers.get("content-length", "0")))
        self.posts.append(Post(path=first.decode().split(" ")[1], headers=headers, body=body))
        if self.made is not None:
            self.body = self.made(body)
        status, content = self._status_and_body(self.posts[-1].path)
        if self.cuts_every and len(self.posts) % self.cuts_every == 0:
            return False
        if self.conduct in {"cut_after", "silent"}:
            if self.conduct == "silent":
                self.ended.wait(30)
            return False
        size = LARGE if self.conduct == "large" else 1_000 if self.conduct == "drips" else len(content)
        named = {"Content-Length": str(size), **self.headers}
        head = f"HTTP/1.1 {status} So\r\n" + "".join(f"{name}: {value}\r\n" for name, value in named.items())
        if self.conduct == "drips head":
            self._drip(line, head.encode() + b"X-Slow: ")
            return False
        line.sendall(head.encode() + b"\r\n")
        if self.conduct == "drips":
            self._drip(line, b"")
            return False
        for _ in range(size // PART if self.conduct == "large" else 0):
            line.sendall(b"x" * PART)
        line.sendall(b"" if self.conduct == "large" else content)
        return True

    def _status_and_body(self, path: str) -> tuple[int, bytes]:
        """What is answered at a path; two may be asked for at once."""
        if self.files is None:
            return self.status, self.body
        body = self.files.get(path, b"")
        return self.status if body else 404, body

    def _drip(self, line: socket.socket, first: bytes) -> None:
        line.sendall(first)
        while not self.ended.wait(0.02):
            line.sendall(b"x")


@contextmanager
def web_server(**wishes: Any) -> Iterator[WebServer]:
    own, door = WebServer(**wishes), socket.create_server(("127.0.0.1", 0))
    own.port = door.getsockname()[1]

    def listen() -> None:
        with suppress(OSError):
            while True:
                line, _ = door.accept()
                threading.Thread(target=own.serve, args=[line], daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield own
    finally:
        own.ended.set()
        door.shutdown(socket.SHUT_RDWR)
        door.close()


def certificate(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The TLS of a server that has these names or addresses, and of a client that believes it alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = datetime.datetime.now(datetime.UTC)
    alternatives = [
        x509.IPAddress(ipaddress.ip_address(each)) if each[0].isdigit() else x509.DNSName(each) for each in names
    ]
    built = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )  # fmt: skip
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(built.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(chain, secret)
    return server, ssl.create_default_context(cafile=str(chain))
