"""Web processes of a bench: started as the product starts its own, with the CPU time that their tree has used."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from recsite.processes import spawn, stop

TICKS = os.sysconf("SC_CLK_TCK")
UP = 120.0  # seconds to wait for the first answer
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, kw_only=True)
class Server:
    port: int
    process: subprocess.Popen[bytes]

    @property
    def cpu_seconds(self) -> float:
        """CPU time of the process and all its children, user and system."""
        return sum(_cpu(pid) for pid in tree(self.process.pid))


@contextmanager
def web(
    application: str, *, up: str, env: Mapping[str, str] | None = None, log: Path | None = None, threads: int = 4
) -> Iterator[Server]:
    """Run one granian worker with so many blocking threads, as ``recsite.supervisor`` runs it; ``up`` is an address
    that answers when it may be used.
    """
    port = free_port()
    argv = (
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1", "--blocking-threads", str(threads), "--log-level", "warning", application),
    )
    whole = os.environ | dict.fromkeys(THREADS, "1") | {"LOG_LEVEL": "WARNING"} | dict(env or {})
    with (log or Path(os.devnull)).open("ab") as output:
        process = spawn(argv, stop=signal.SIGTERM, output=output, env=whole)
        try:
            _wait_for(f"http://127.0.0.1:{port}{up}", process)
            yield Server(port=port, process=process)
        finally:
            stop(process, number=signal.SIGTERM, seconds=10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + UP
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the web process ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - an http address of our own
                return
        except urllib.error.HTTPError as error:
            if error.code < 500:  # it answers, if only that a key is missing
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise TimeoutError(f"{url} does not answer")


def tree(root: int) -> list[int]:
    """A process and all that descends from it."""
    pids = [root]
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            with suppress(OSError):  # it has ended meanwhile
                pids += map(int, task.read_text(encoding="ascii").split())
    return pids


def _cpu(pid: int) -> float:
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / TICKS
