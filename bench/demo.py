"""The demo beside a bench: the one that runs on the folder, else one that is started and stopped again."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recsite.processes import spawn, stop

PORT = 8900  # the shop takes the one after it
STARTS_IN = 180.0  # seconds
ENDS_IN = 60.0


def is_running(data: Path) -> bool:
    """Whether the pages of the demo of this folder answer."""
    file = data / "demo.json"
    if not file.exists():
        return False
    try:
        urllib.request.urlopen(json.loads(file.read_text(encoding="utf-8"))["url"], timeout=10).close()  # noqa: S310
    except OSError:
        return False
    return True


@contextmanager
def running(data: Path) -> Iterator[str]:
    """Run the demo of this folder, where ``make demo`` ran once; yields why it does not run, or an empty text."""
    if is_running(data):
        yield ""
        return
    servers = [sys.executable, "-m", "recsite.embedded", "--data", str(data), "--"]
    argv = [*servers, sys.executable, "manage.py", "demo", "--port", str(PORT)]
    process = spawn(argv, stop=signal.SIGTERM, output=subprocess.DEVNULL)
    try:
        yield _wait(process, data)
    finally:
        stop(process, number=signal.SIGTERM, seconds=ENDS_IN)


def _wait(process: subprocess.Popen[bytes], data: Path) -> str:
    """Wait for the pages; why they do not come, or an empty text."""
    until = time.monotonic() + STARTS_IN
    while time.monotonic() < until:
        if process.poll() is not None:
            return f"the demo ended with {process.returncode}; see `make demo`"
        if is_running(data):
            return ""
        time.sleep(0.5)
    return f"the demo did not start within {STARTS_IN:.0f} s"
