"""The demo's supervisor: what dies starts again, what is ended is ended with all that it started."""

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from recsite import supervisor
from recsite.supervisor import Child
from tests.recsite.processes import wait_for

SLEEPER = (
    "import subprocess, sys; child = subprocess.Popen(['sleep', '60']); print(child.pid, flush=True); child.wait()"
)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.fixture
def child() -> Iterator[Child]:
    sleeper = Child("sleeper", [sys.executable, "-c", SLEEPER], stop=signal.SIGTERM, orphaned=signal.SIGKILL)
    yield sleeper
    sleeper.end_rest()


def grandchild(child: Child, capsys: pytest.CaptureFixture[str]) -> int:
    """Keep the child alive until it says what it started."""
    lines: list[str] = []

    def look() -> bool:
        child.keep_alive()
        lines.extend(line.removeprefix("sleeper | ") for line in capsys.readouterr().out.splitlines())
        return any(line.isdecimal() for line in lines)

    assert wait_for(look, seconds=20), lines
    return int(next(line for line in lines if line.isdecimal()))


def test_lines_carry_the_name_and_a_dead_child_starts_again(child: Child, capsys: pytest.CaptureFixture[str]) -> None:
    first = grandchild(child, capsys)
    os.kill(os.getpgid(first), signal.SIGKILL)
    second = grandchild(child, capsys)
    assert second != first
    assert not alive(first)


def test_a_stopped_child_leaves_no_process(child: Child, capsys: pytest.CaptureFixture[str]) -> None:
    pid = grandchild(child, capsys)
    child.ask_to_stop()
    child.wait(10)
    assert wait_for(lambda: not alive(pid), seconds=10)


class Answer(BaseHTTPRequestHandler):
    status, body = 200, b"{}"

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_args: object) -> None:
        """Silent."""


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b'{"status": "ready"}', {}),
        (503, b'{"missing": {"valkey": "does not answer"}}', {"valkey": "does not answer"}),
        (500, b"oops", {"web": "answers with 500"}),
    ],
)
def test_missing_parts_are_read_from_readyz(status: int, body: bytes, expected: dict[str, str]) -> None:
    handler = type("Handler", (Answer,), {"status": status, "body": body})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert supervisor.missing(f"http://127.0.0.1:{server.server_port}/") == expected
        server.shutdown()


def test_no_answer_is_not_ready() -> None:
    assert supervisor.missing("http://127.0.0.1:1/") is None


def test_credentials_appear_when_the_pages_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PUSH_EMAIL_URL", raising=False)
    credentials = {
        "url": "http://127.0.0.1:8000/",
        "shop_url": "http://127.0.0.1:8001/",
        "username": "a@b.example",
        "password": "pw",
        "api_key": "all.powerful",
        "read_key": "p.s",
    }
    (tmp_path / "demo.json.pending").write_text(json.dumps(credentials), encoding="utf-8")
    supervisor._announce(tmp_path)
    assert json.loads((tmp_path / "demo.json").read_text(encoding="utf-8")) == credentials
    printed = capsys.readouterr().out
    secret = credentials.pop("api_key")
    assert all(value in printed for value in credentials.values())
    assert secret not in printed
    assert "http://127.0.0.1:8000/mailbox/" in printed
    monkeypatch.setenv("PUSH_EMAIL_URL", "smtp://mail.shop.example")
    supervisor._announce(tmp_path)
    assert "mailbox" not in capsys.readouterr().out


def test_a_port_that_another_program_took_ends_it_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_PORT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        child = Child("web", ["sleep", "60"], stop=signal.SIGTERM, orphaned=signal.SIGKILL, port=port)
        monkeypatch.setattr(supervisor, "children", lambda **_given: [child])
        assert supervisor.run(port=port, shop_port=None, data=tmp_path, patience=20) == 1
    assert f"Port {port}, on which web should listen, is taken" in capsys.readouterr().err


def test_the_programs_of_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUSH_EMAIL_URL", raising=False)
    programs = supervisor.children(port=8000, shop_port=8001, data=Path("data"))
    assert [child.name for child in programs] == ["post", "web", "pages", "loop", "worker", "beat", "shop"]


def test_mail_goes_to_the_post_office_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUSH_EMAIL_URL", raising=False)
    post, *others, shop = supervisor.children(port=8000, shop_port=8001, data=Path("data"))
    assert {child._env["PUSH_EMAIL_URL"] for child in others} == {f"smtp://127.0.0.1:{post._port}"}
    assert all(child._env["POST_OFFICE"] == child._env["PUSH_EMAIL_URL"] for child in others)
    assert post._argv[-4:] == ("--folder", "data/post", "--port", str(post._port))
    assert "PUSH_EMAIL_URL" not in post._env | shop._env


def test_the_push_service_is_the_post_offices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUSH_EMAIL_URL", raising=False)
    monkeypatch.setenv("PUSH_SERVICE_HOSTS", "push.example.com")
    post, *others, shop = supervisor.children(port=8000, shop_port=8001, push_port=8002, data=Path("data"))
    assert post._argv[-2:] == ("--web-port", "8002")
    origin = "http://127.0.0.1:8002"
    assert {child._env["PUSH_SERVICE_HOSTS"] for child in others} == {f"push.example.com,{origin}"}
    assert {child._env["WEBHOOK_HOSTS"] for child in others} == {origin}
    assert shop._env["STOREFRONT_PUSH"] == origin


def test_who_sends_real_mail_has_no_post_office(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether that may be, the settings say, which every program reads."""
    monkeypatch.setenv("PUSH_EMAIL_URL", "smtp://mail.example")
    programs = supervisor.children(port=8000, shop_port=8001, data=Path("data"))
    assert [child.name for child in programs] == ["web", "pages", "loop", "worker", "beat", "shop"]
    assert {child._env["PUSH_EMAIL_URL"] for child in programs} == {"smtp://mail.example"}
