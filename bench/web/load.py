"""A client that keeps so many connections busy: each sends its next request when it has the whole answer.

``python -m bench.web.load`` reads an ``Order`` as JSON from standard input and writes what it saw as JSON. It runs as
a process of its own, so that it takes nothing from the one that it measures but the core.
"""

import selectors
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import msgspec
import numpy as np

CHUNK = 262_144
WAIT = 30.0  # seconds for an answer


class Order(msgspec.Struct, kw_only=True):
    """Order of a load: ``paths`` are asked for one after the other, in a ring."""

    port: int
    connections: int
    requests: int
    paths: list[str]
    authorization: str = ""
    post: str | None = None  # a body: then every request is a POST of it, a {n} in it the number of the request


class Seen(msgspec.Struct, kw_only=True):
    """Latencies of a load in ms; ``wrong`` counts all that is not 200 or 202, by status, 0 for a broken connection."""

    requests: int
    seconds: float
    p50: float
    p99: float
    wrong: dict[int, int]


@dataclass
class _Line:
    """One connection."""

    sock: socket.socket
    sent_at: float = 0.0
    got: bytearray = field(default_factory=bytearray)
    length: int = -1  # of head and body, once the head is there


def run(order: Order) -> Seen:
    queue = iter(_requests(order))
    waiting = selectors.DefaultSelector()
    took: list[float] = []
    wrong: Counter[int] = Counter()
    started = time.perf_counter()
    open_ = 0
    for _ in range(order.connections):
        sock = socket.create_connection(("127.0.0.1", order.port), WAIT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = _Line(sock)
        if _send_next(line, queue):
            waiting.register(sock, selectors.EVENT_READ, line)
            open_ += 1
    while open_:
        ready = waiting.select(WAIT)
        if not ready:
            wrong[0] += open_
            break
        for key, _ in ready:
            line = key.data
            status = _received(line)
            if status is None:
                continue
            took.append(time.perf_counter() - line.sent_at)
            if status not in {200, 202}:
                wrong[status] += 1
            if status == 0 or not _send_next(line, queue):
                waiting.unregister(line.sock)
                line.sock.close()
                open_ -= 1
    seconds = time.perf_counter() - started
    p50, p99 = np.percentile(np.array(took) * 1_000, [50, 99]).tolist()
    return Seen(requests=len(took), seconds=seconds, p50=p50, p99=p99, wrong=dict(wrong))


def _requests(order: Order) -> list[bytes]:
    head = f" HTTP/1.1\r\nHost: 127.0.0.1:{order.port}\r\n"
    if order.authorization:
        head += f"Authorization: {order.authorization}\r\n"
    requests = []
    for number in range(order.requests):
        path = order.paths[number % len(order.paths)]
        if order.post is None:
            requests.append(f"GET {path}{head}\r\n".encode())
        else:
            body = order.post.replace("{n}", str(number))
            typed = f"Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n\r\n"
            requests.append(f"POST {path}{head}{typed}{body}".encode())
    return requests


def _send_next(line: _Line, queue: object) -> bool:
    request = next(queue, None)  # type: ignore[call-overload]
    if request is None:
        return False
    line.got.clear()
    line.length, line.sent_at = -1, time.perf_counter()
    line.sock.sendall(request)
    return True


def _received(line: _Line) -> int | None:
    """The status of an answer that is there as a whole; 0 where the connection broke; None: more is to come."""
    try:
        part = line.sock.recv(CHUNK)
    except OSError:
        return 0
    if not part:
        return 0
    line.got += part
    if line.length < 0:
        end = line.got.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(line.got[:end]).lower()
        at = head.find(b"content-length:")
        line.length = end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else end + 4
    return int(line.got[9:12]) if len(line.got) >= line.length else None


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(run(msgspec.json.decode(sys.stdin.buffer.read(), type=Order))))
