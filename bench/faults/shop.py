"""A small learned shop on servers of its own, in a folder of its own: nothing that runs elsewhere is touched."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg

from recsite.embedded.postgres import Postgres
from recsite.embedded.valkey import Valkey
from recsite.processes import spawn, stop

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 600  # a busy machine
TRIES = 5  # of what a busy machine kept waiting too long
_OF_OTHERS = ("DATABASE_URL", "REDIS_URL", "ARTEFACTS", "ARTEFACT_CACHE")


class NotInTimeError(Exception):
    """A condition did not come true in time; the message says which."""


@dataclass(kw_only=True)
class Shop:
    """A shop; ``env`` is what its processes are started with, ``facts`` what ``inside.py open`` said."""

    folder: Path
    env: dict[str, str]
    port: int
    facts: dict[str, Any] = field(default_factory=dict)
    pid: int = 0  # of the process that all others descend from, where there is one

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Api-Key {self.facts['key']}", "Content-Type": "application/json"}

    def inside(self, *arguments: str, servers: Sequence[str] = ()) -> dict[str, Any]:
        """Answer of a command of ``inside.py``; ``servers`` is a program in front that brings them."""
        argv = [*servers, sys.executable, "-m", "bench.faults.inside", *arguments]
        for _ in range(TRIES):
            done = subprocess.run(argv, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)
            if "couldn't get a connection" not in done.stderr:
                break
        if done.returncode:
            raise RuntimeError(f"inside {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def database(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.env["DATABASE_URL"], autocommit=True, connect_timeout=2)

    def web(self, *, port: int | None = None) -> subprocess.Popen[bytes]:
        """Start one web process, as the demo runs it."""
        argv = (
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
            *("--port", str(port or self.port), "--workers", "1", "--blocking-threads", "4"),
            *("--log-level", "warning", "recsite.wsgi:application"),
        )
        return self.child(argv, name="web")

    def child(self, argv: Sequence[str], *, name: str) -> subprocess.Popen[bytes]:
        """Start a program that ends with us; what it says is kept in the shop's folder."""
        with (self.folder / f"{name}.log").open("ab") as output:
            return spawn(argv, stop=signal.SIGTERM, output=output, env=self.env)

    def tail(self, name: str) -> str:
        log = self.folder / f"{name}.log"
        return log.read_text(encoding="utf-8", errors="replace")[-3000:] if log.exists() else ""


@contextlib.contextmanager
def a_folder() -> Iterator[Path]:
    signal.signal(signal.SIGTERM, _leave)
    folder = Path(tempfile.mkdtemp(prefix="recsite-faults-"))
    folder.chmod(0o711)  # under root PostgreSQL's own user must get through
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def family(*, seeds: Sequence[int] = (1,), env: Mapping[str, str] | None = None) -> Iterator[Shop]:
    """Start all that ``make demo`` runs: servers that start again, and the supervisor's web, workers and beat."""
    with a_folder() as folder:
        shop = Shop(folder=folder, env=_environment(folder) | dict(env or {}), port=free_port())
        servers = (sys.executable, "-m", "recsite.embedded", "--data", str(folder), "--")
        shop.facts = shop.inside("open", *(str(seed) for seed in seeds), servers=servers)
        with brought_up(shop, servers=servers):
            shop.env |= json.loads((folder / "servers.json").read_text(encoding="utf-8"))
            yield shop


@contextlib.contextmanager
def brought_up(shop: Shop, *, servers: Sequence[str] = ()) -> Iterator[None]:
    """Start the supervisor with all that it starts; ``servers`` is a program in front that brings those."""
    argv = (sys.executable, "-m", "recsite.supervisor", "--port", str(shop.port), "--data", str(shop.folder))
    process = shop.child((*servers, *argv, "--patience", str(READY_SECONDS)), name="family")
    with running(process, seconds=60):
        if servers:
            shop.pid = process.pid

        def is_ready() -> bool:
            if process.poll() is not None:
                raise NotInTimeError(f"the supervisor ended:\n{shop.tail('family')}")
            return responds(f"{shop.url}readyz")

        until(is_ready, "web process", seconds=READY_SECONDS)
        yield


@dataclass(kw_only=True)
class Servers:
    """PostgreSQL and Valkey that stay away until they are told to come back."""

    postgres: Postgres
    valkey: Valkey


@contextlib.contextmanager
def with_servers(*, seeds: Sequence[int] = (1,), learned: bool = True) -> Iterator[tuple[Shop, Servers]]:
    """Open the shop on servers that the script itself starts and kills; no other process runs yet."""
    with a_folder() as folder:
        servers = Servers(postgres=Postgres(folder, ephemeral=False), valkey=Valkey(folder, ephemeral=False))
        shop = Shop(folder=folder, env=_environment(folder), port=free_port(), pid=os.getpid())
        shop.env |= {"DATABASE_URL": servers.postgres.url, "REDIS_URL": servers.valkey.url}
        try:
            servers.postgres.start()
            servers.valkey.start()
            if learned:
                shop.facts = shop.inside("open", *(str(seed) for seed in seeds))
            yield shop, servers
        finally:
            servers.valkey.stop()
            servers.postgres.stop()


@contextlib.contextmanager
def running(process: subprocess.Popen[bytes], *, seconds: float = 20) -> Iterator[subprocess.Popen[bytes]]:
    """Context of a process, which ends with the block."""
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            stop(process, number=signal.SIGTERM, seconds=seconds)
            os.killpg(process.pid, signal.SIGKILL)  # what it left of its group


def kill_group(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def until(true: Callable[[], object], what: str, *, seconds: float = 60) -> float:
    """Wait until it comes true; the seconds that took."""
    begin = time.monotonic()
    while not true():
        if time.monotonic() - begin > seconds:
            raise NotInTimeError(f"{what}: not within {seconds:g} s")
        time.sleep(0.05)
    return time.monotonic() - begin


def responds(url: str) -> bool:
    """Whether a GET of ``/healthz`` or ``/readyz`` answers 200."""
    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    try:
        with socket.create_connection((name, int(port)), 2) as connection:
            connection.sendall(f"GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            return b" 200" in connection.recv(64)
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def children_of(pid: int) -> dict[int, str]:
    """Every living descendant with its command line, from Linux' process table."""
    table: dict[int, tuple[int, str]] = {}
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            fields = (place / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            line = (place / "cmdline").read_text(encoding="utf-8", errors="replace").replace("\0", " ")
            if fields[0] != "Z":
                table[int(place.name)] = (int(fields[1]), line)
    pids = {pid}
    while grown := {one for one, (parent, _) in table.items() if parent in pids} - pids:
        pids |= grown
    return {one: table[one][1] for one in pids - {pid} if one in table}


def _leave(number: int, _frame: FrameType | None) -> None:
    """Tidy up, as on Ctrl-C."""
    raise SystemExit(128 + number)


def _environment(folder: Path) -> dict[str, str]:
    ours = {name: text for name, text in os.environ.items() if name not in _OF_OTHERS and not name.endswith("_FILE")}
    return ours | {
        "DATA": str(folder),
        "DJANGO_SETTINGS_MODULE": "recsite.settings",
        "RECSITE_DEMO": "1",
        "LOG_LEVEL": "WARNING",
        "SECRET_KEY": "demo-" + "0123456789" * 6,
        "PSEUDONYM_KEY": "demo-" + "9876543210" * 6,
        **dict.fromkeys(("CONTACT_KEYS", "CONTACT_HASH_KEY", "LINK_KEYS"), "demo-" + "0246813579" * 6),
        "PYTHONPATH": str(ROOT),
    }
