"""A Recsite that notes what it is sent, and a visitor's browser."""

import json
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.test import Client

from oscar_recsite import outgoing

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0"


class FakeRecsite(ThreadingHTTPServer):
    """Recsite that accepts everything, and answers questions with the items in ``listed``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.got: list[tuple[str, str, dict]] = []
        self.listed: list[str] = []
        self.refused: dict[str, tuple[str, str]] = {}
        self.unknown: set[str] = set()
        self.delay, self.status = 0.0, 0

    def handle_error(self, *_args: object) -> None:
        """Silent: who asked did not wait."""

    def asked(self) -> list[tuple[str, str, dict]]:
        """Requests of all kinds but events, in order."""
        while outgoing.queue and outgoing.queue.deliver():
            pass
        return [request for request in self.got if not request[1].endswith("/events/")]

    def events(self) -> list[dict]:
        self.asked()
        return [event for _method, path, body in self.got if path.endswith("/events/") for event in body["events"]]

    def event(self, name: str) -> dict:
        [event] = [event for event in self.events() if event["name"] == name]
        return event

    def sent_items(self) -> dict[str, dict]:
        batches = [body["items"] for _method, path, body in self.asked() if path.endswith("/items/batch/")]
        return {item["item_id"]: item for batch in batches for item in batch}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeRecsite

    def answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(content) if content else {}
        time.sleep(self.server.delay)
        status, reply = (self.server.status, {}) if self.server.status else self.reply(body)
        if not self.server.status:
            self.server.got.append((self.command, self.path, body))
        content = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def reply(self, body: dict) -> tuple[int, dict]:
        server = self.server
        if self.path.endswith("/events/"):
            results = [{"verdict": "accepted", "event_id": event["event_id"]} for event in body["events"]]
            return 202, {"accepted": len(results), "duplicates": 0, "rejected": 0, "results": results}
        if self.path.endswith("/items/batch/"):
            results = [self.verdict(item["item_id"]) for item in body["items"]]
            every = all(result["verdict"] == "rejected" for result in results)
            return (400 if every else 200), {"results": results}
        if self.command == "DELETE":
            item_id = self.path.split("/")[-2]
            return (404 if item_id in server.unknown else 200), {}
        if "/recommend/" in self.path:
            results = [
                {"item_id": item_id, "rank": rank, "reasons": [{"text": "Because <you>"}]}
                for rank, item_id in enumerate(server.listed, 1)
            ]
            return 200, {"recommendation_id": "r-1", "results": results}
        return 200, {"verdict": "accepted"}

    def verdict(self, item_id: str) -> dict:
        if item_id in self.server.refused:
            pointer, reason = self.server.refused[item_id]
            return {"verdict": "rejected", "item_id": item_id, "pointer": pointer, "reason": reason}
        return {"verdict": "created", "item_id": item_id}

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def do_DELETE(self) -> None:
        self.answer()

    def log_message(self, *_args: object) -> None:
        """Silent."""


class Browser:
    """A visitor's browser; what is to be done after a commit is done after each request."""

    def __init__(self, commit: Callable[..., Any], agent: str = BROWSER) -> None:
        self.client, self._commit = Client(HTTP_USER_AGENT=agent), commit

    def get(self, address: str, **given: Any) -> Any:
        with self._commit(execute=True):
            return self.client.get(address, **given)

    def post(self, address: str, data: dict, **given: Any) -> Any:
        with self._commit(execute=True):
            return self.client.post(address, data, **given)

    def sign_in(self, user: Any) -> None:
        user.set_password("correct horse battery")
        user.save()
        form = {"login_submit": "1", "login-username": user.email, "login-password": "correct horse battery"}
        assert self.post("/accounts/login/", form).status_code == 302

    @property
    def cookie(self) -> str:
        return self.client.cookies["recsite_visitor"].value if "recsite_visitor" in self.client.cookies else ""
