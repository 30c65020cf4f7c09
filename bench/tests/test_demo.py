"""The demo beside a bench: one that answers is used as it is, and one that does not come says why."""

import json
import signal
import sys
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from bench import demo
from recsite.processes import spawn, stop


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Path]:
    """A folder whose demo answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/"
    (tmp_path / "demo.json").write_text(json.dumps({"url": url}), encoding="utf-8")
    yield tmp_path
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_demo_that_answers_is_used(pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "spawn", None)  # nothing is started
    with demo.running(pages) as missing:
        assert missing == ""
    assert demo.is_running(pages)  # and it is not stopped


def test_a_demo_that_does_not_answer_is_not_running(tmp_path: Path) -> None:
    assert not demo.is_running(tmp_path)
    (tmp_path / "demo.json").write_text(json.dumps({"url": "http://127.0.0.1:9/"}), encoding="utf-8")
    assert not demo.is_running(tmp_path)


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("raise SystemExit(3)", "the demo ended with 3; see `make demo`"),
        ("import time; time.sleep(60)", "the demo did not start within 1 s"),
    ],
)
def test_a_demo_that_does_not_come_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, why: str
) -> None:
    monkeypatch.setattr(demo, "STARTS_IN", 1.0)
    process = spawn([sys.executable, "-c", program], stop=signal.SIGTERM)
    try:
        assert demo._wait(process, tmp_path) == why
    finally:
        stop(process, number=signal.SIGTERM, seconds=5)
