"""Firefox on this machine, pointed at a push service of its own: Mozilla's leg to the browser, and the posts to it.

The browser makes its keys, opens what comes and wakes the shop's service worker; what that would show is told back, as
a browser without a screen has nowhere to show it.
"""

import base64
import hashlib
import json
import os
import queue
import shutil
import socket
import struct
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any, ClassVar

from py_vapid import Vapid02

FIREFOX = os.environ.get("FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
WORKER = Path(__file__).parents[2] / "clients/javascript/recsite-worker.js"
MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # of RFC 6455
PAGE = """<!doctype html><title>shop</title><script>
const say = (told) => fetch("/said", {method: "POST", body: JSON.stringify(told)});
(async () => {
  const worker = await navigator.serviceWorker.register("/worker.js"); await navigator.serviceWorker.ready;
  // Asked before the browser's push service is up, subscribe() never answers.
  for (let tries = 0; tries < 10; tries++) {
    const wait = new Promise((done) => setTimeout(done, 8000));
    await new Promise((done) => setTimeout(done, 2000));
    const asked = {userVisibleOnly: true, applicationServerKey: "KEY"};
    const subscription = await Promise.race([worker.pushManager.subscribe(asked), wait]);
    if (subscription) return say(subscription.toJSON());
  }
  throw new Error("subscribe() never answered");
})().catch((error) => say({failed: String(error)}));
</script>"""
SAYS = """self.registration.showNotification = (title, options) =>
  fetch("/said", {method: "POST", body: JSON.stringify({title, ...options})});
importScripts("/recsite-worker.js");"""
PREFERENCES = {
    "dom.push.testing.allowInsecureServerURL": True, "dom.push.testing.ignorePermission": True,
    "permissions.default.desktop-notification": 1, "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False, "network.manage-offline-status": False, "network.proxy.type": 0,
    "browser.shell.checkDefaultBrowser": False, "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False, "toolkit.telemetry.enabled": False, "dom.push.connection.enabled": True,
}  # fmt: skip


@dataclass
class Places:
    """What the servers know: lines to browsers by channel, and what was said to the shop."""

    key: str
    said: "queue.Queue[dict[str, Any]]" = field(default_factory=queue.Queue)
    lines: dict[str, "Socket"] = field(default_factory=dict)
    origin: str = ""


class Socket:
    """One end of a websocket: texts alone, each in a frame."""

    def __init__(self, reader: IO[bytes], writer: IO[bytes]) -> None:
        self._reader, self._writer = reader, writer

    def send(self, told: object) -> None:
        text = json.dumps(told).encode()
        size = struct.pack("!B", len(text)) if len(text) < 126 else struct.pack("!BH", 126, len(text))
        self._writer.write(b"\x81" + size + text)
        self._writer.flush()

    def texts(self) -> Iterator[dict[str, Any]]:
        while len(head := self._reader.read(2)) == 2:
            size = head[1] & 127
            if size == 126:
                [size] = struct.unpack("!H", self._reader.read(2))
            mask = self._reader.read(4)
            text = bytes(byte ^ mask[place % 4] for place, byte in enumerate(self._reader.read(size)))
            if head[0] & 15 == 8:
                return
            if head[0] & 15 == 1:
                yield json.loads(text)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    places: ClassVar[Places]

    def log_message(self, *_args: object) -> None:
        pass

    def answer(self, status: int, body: str = "", kind: str = "text/html") -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_GET(self) -> None:
        if "Sec-WebSocket-Key" in self.headers:
            self._line_to_browser()
            return
        scripts = {"/worker.js": SAYS, "/recsite-worker.js": WORKER.read_text(encoding="utf-8")}
        if self.path in scripts:
            self.answer(200, scripts[self.path], "text/javascript")
        else:
            self.answer(200, PAGE.replace("KEY", self.places.key))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/said":
            self.places.said.put(json.loads(body))
            self.answer(204)
            return
        line = self.places.lines.get(self.path.rpartition("/")[2])
        if not _is_signed(self.headers.get("Authorization", "")):
            self.answer(401)
        elif line is None:
            self.answer(404)
        else:
            data = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
            line.send({
                "messageType": "notification", "channelID": self.path.rpartition("/")[2], "version": uuid.uuid4().hex,
                "data": data, "headers": {"encoding": self.headers["Content-Encoding"]},
            })  # fmt: skip
            self.answer(201)

    def _line_to_browser(self) -> None:
        accepted = hashlib.sha1(f"{self.headers['Sec-WebSocket-Key']}{MAGIC}".encode(), usedforsecurity=False).digest()
        self.send_response(101)
        for name, value in {
            "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Protocol": "push-notification",
            "Sec-WebSocket-Accept": base64.b64encode(accepted).decode(),
        }.items():  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        line = Socket(self.rfile, self.wfile)
        with suppress(OSError):
            for told in line.texts():
                self._hear(line, told)

    def _hear(self, line: Socket, told: dict[str, Any]) -> None:
        kind, channel = told.get("messageType"), told.get("channelID", "")
        if kind == "hello":
            line.send({"messageType": "hello", "uaid": told.get("uaid") or uuid.uuid4().hex, "status": 200,
                       "use_webpush": True, "broadcasts": {}})  # fmt: skip
        elif kind == "register":
            self.places.lines[channel] = line
            line.send({"messageType": "register", "channelID": channel, "status": 200,
                       "pushEndpoint": f"{self.places.origin}/push/{channel}"})  # fmt: skip
        elif not told:
            line.send({})


def _is_signed(authorization: str) -> bool:
    with suppress(Exception):
        return bool(Vapid02.verify(authorization))
    return False


@contextmanager
def firefox_at(key: str, folder: Path) -> Iterator[Places]:
    """A browser that opens a page of a shop, which subscribes it under a key; what it says stands in ``said``."""
    places = Places(key=key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"places": places}))
    server.daemon_threads = True
    places.origin = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    own = {**PREFERENCES, "dom.push.serverURL": f"ws://127.0.0.1:{server.server_port}/"}
    lines = [f'user_pref("{name}", {json.dumps(value)});\n' for name, value in own.items()]
    (folder / "user.js").write_text("".join(lines))
    env = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    browser = subprocess.Popen(
        [str(FIREFOX), "--headless", "--no-remote", "--profile", str(folder), f"{places.origin}/"],
        env=env | {"HOME": str(folder), "MOZ_HEADLESS": "1"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield places
    finally:
        browser.kill()
        browser.wait()
        with suppress(OSError):
            server.socket.shutdown(socket.SHUT_RDWR)
        server.shutdown()
        server.server_close()
