"""A web process as the supervisor starts it, and connections to it that cost the machine as little as can be."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from recsite.supervisor import children, missing

READY_SECONDS = 180
STOP_SECONDS = 10
LENGTH = b"content-length:"


class Connection:
    """HTTP/1.1, kept alive; requests are bytes made beforehand."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._socket = socket.create_connection((host, port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        self._socket.sendall(request)
        head, body = self._head()
        length = int(head.lower().partition(LENGTH)[2].split(b"\r\n", 1)[0])
        while len(body) < length:
            body += self._more()
        return int(head[9:12]), body

    def close(self) -> None:
        self._socket.close()

    def _head(self) -> tuple[bytes, bytes]:
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        return head, body

    def _more(self) -> bytes:
        part = self._socket.recv(262_144)
        if not part:
            raise ConnectionError("the server has closed the connection")
        return part


def processor_seconds() -> float:
    """Of the processes that this one has started and that live, with theirs; read from Linux' process table."""
    parents, spent = dict[int, int](), dict[int, int]()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            parents[int(folder.name)], spent[int(folder.name)] = int(fields[1]), int(fields[11]) + int(fields[12])
    ours, found = {os.getpid()}, set[int]()
    while ours:
        ours = {pid for pid, parent in parents.items() if parent in ours}
        found |= ours
    return sum(spent[pid] for pid in found) / os.sysconf("SC_CLK_TCK")


def request(method: str, path: str, *, key: str, body: bytes | None = None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Api-Key {key}"]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "\r\n"]).encode() + (body or b"")


@contextmanager
def web_process(*, data: Path) -> Iterator[int]:
    """One worker with four threads, at a port of its own, while the block runs; gives the port."""
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    web = next(child for child in children(port=port, shop_port=0, data=data) if child.name == "web")
    web.keep_alive()
    try:
        _wait(port)
        yield port
    finally:
        web.ask_to_stop()
        web.wait(STOP_SECONDS)


def _wait(port: int) -> None:
    """Until it answers, whatever it lacks."""
    end = time.monotonic() + READY_SECONDS
    while missing(f"http://127.0.0.1:{port}/") is None:
        if time.monotonic() > end:
            raise SystemExit(f"The web process did not answer within {READY_SECONDS} s.")
        time.sleep(0.1)
