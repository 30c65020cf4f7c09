"""The web side of the post office, on this machine alone: browsers' endpoints, what waits for a page, webhooks."""

import json
import threading
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from recsite.post.push_service import PushService
from recsite.post.webhooks import WebhookReceiver

HOST = "127.0.0.1"
LARGEST = 1_000_000  # bytes of a body
PATIENCE = 10  # seconds


class PostServer(ThreadingHTTPServer):
    """Server of both; pages of the demo's shop ask it from another origin."""

    daemon_threads = True

    def __init__(self, folder: Path, *, port: int) -> None:
        super().__init__((HOST, port), _Handler)
        self.pushes = PushService(folder, origin=f"http://{HOST}:{self.server_port}")
        self.hooks = WebhookReceiver(folder, secret=folder / "webhook-secret")

    def begin(self) -> None:
        threading.Thread(target=self.serve_forever, daemon=True, name="post-web").start()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of who hung up."""


class _Handler(BaseHTTPRequestHandler):
    server: PostServer
    timeout = PATIENCE
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        now, [first, *rest] = datetime.now(UTC), self._parts()
        headers = {name.lower(): value for name, value in self.headers.items()}
        if first == "hooks":
            self._answer(self.server.hooks.take(headers, body, now=now))
        elif first == "push" and len(rest) == 1:
            posted = self.server.pushes.take(rest[0], headers, body, now=now)
            self._answer(posted.status, {"detail": posted.reason}, Location=posted.location)
        elif first == "subscriptions":
            endpoint = self.server.pushes.register(body.decode(errors="replace").strip())
            status = HTTPStatus.CREATED if endpoint else HTTPStatus.BAD_REQUEST
            self._answer(status, {"endpoint": endpoint})
        else:
            self._answer(HTTPStatus.NOT_FOUND)

    def do_GET(self) -> None:
        [first, *rest] = self._parts()
        after = parse_qs(urlsplit(self.path).query).get("after", [""])[0]
        is_asked = first == "push" and len(rest) == 2 and rest[1] == "waiting"
        notes = self.server.pushes.waiting(rest[0], after=after, now=datetime.now(UTC)) if is_asked else None
        if notes is None:
            self._answer(HTTPStatus.NOT_FOUND)
        else:
            self._answer(HTTPStatus.OK, [{"key": each.key, "body": each.body} for each in notes])

    def do_DELETE(self) -> None:
        [first, *rest] = self._parts()
        ended = first == "push" and len(rest) == 1 and self.server.pushes.end(rest[0])
        self._answer(HTTPStatus.NO_CONTENT if ended else HTTPStatus.NOT_FOUND)

    def _parts(self) -> list[str]:
        return urlsplit(self.path).path.strip("/").split("/")

    def _body(self) -> bytes | None:
        """The body; None where it is answered already that it has no length or is too large."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            self.close_connection = True
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE if length else HTTPStatus.LENGTH_REQUIRED)
            return None
        return self.rfile.read(int(length))

    def _answer(self, status: HTTPStatus, told: object = None, **headers: str) -> None:
        content = b"" if status is HTTPStatus.NO_CONTENT else json.dumps(told).encode()
        self.send_response_only(status)
        always = {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
        for name, value in (always | headers).items():
            if value:
                self.send_header(name, value)
        if status is not HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Silent: an endpoint in an address is somebody's."""
