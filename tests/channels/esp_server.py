"""A mail service for tests, as Postmark speaks: it takes mail, or answers as it is told."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TAKEN = {"ErrorCode": 0, "Message": "OK", "MessageID": "id-1", "To": "ann@example.com"}

TALK = b"x" * 10_000


class MailService:
    port = 0

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.status, self.answer, self.retry_after = 200, json.dumps(TAKEN), ""
        self.more = 0  # bytes of an answer that goes on
        self.hangs_up = ""  # or "after" the mail, or "never" answers


@contextmanager
def mail_service() -> Iterator[MailService]:
    service = MailService()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.got.append(json.loads(body) | {"key": self.headers["X-Postmark-Server-Token"]})
            if service.hangs_up == "never":
                time.sleep(2)
            if service.hangs_up:
                self.connection.close()
                return
            self.send_response(service.status)
            self.send_header("Content-Type", "application/json")
            if service.retry_after:
                self.send_header("Retry-After", service.retry_after)
            self.send_header("Content-Length", str(len(service.answer.encode()) + service.more))
            self.end_headers()
            self.wfile.write(service.answer.encode())
            with suppress(OSError):  # who has heard enough hangs up
                for _ in range(service.more // len(TALK)):
                    self.wfile.write(TALK)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield service
        server.shutdown()
