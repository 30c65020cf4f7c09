"""PostgreSQL on a socket that nobody but its own user can reach."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from recsite.embedded.folders import open_to_all, reachable_programs, side_folder
from recsite.embedded.server import ServerError, package_folder, tail, wait_until
from recsite.processes import command_line, spawn, stop

_LONGEST_SOCKET_FOLDER = 85  # a socket's path may have 107 bytes
_SYSTEM_USER = "embedded_postgres"
_STOP_SECONDS = 20

_OPTIONS = {
    "listen_addresses": "",  # the socket only
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "max_wal_size": "4GB",  # a load of 1.5 million rows without a checkpoint in the middle
    "checkpoint_timeout": "15min",
    "wal_level": "minimal",  # nobody replicates an embedded server
    "max_wal_senders": "0",
    "jit": "off",
    "log_min_error_statement": "panic",  # a statement holds order numbers and pseudonyms
    "log_error_verbosity": "terse",  # as the detail of an error does
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}


class Postgres:
    """One cluster with the database ``recsite``. ``ephemeral``: fast, and forgotten by a crash."""

    def __init__(self, root: Path, *, ephemeral: bool) -> None:
        self._ephemeral = ephemeral
        self._log = root / "postgres.log"
        self._programs = package_folder("embedded_postgres") / "pginstall" / "bin"
        self._user: int | None = None
        base = root
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self._user = _system_user()
            self._programs = reachable_programs(self._programs)
            base = root if open_to_all(root) else _beside(root)
        self._data, self._socket = base / "pgdata", base / "run"
        if len(os.fsencode(self._socket)) > _LONGEST_SOCKET_FOLDER:
            self._socket = side_folder(root) / "run"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self._address("recsite")

    def start(self) -> None:
        self._private(self._socket)
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        self._refuse_a_strangers_folder()
        self._end_an_earlier_run()
        options = _OPTIONS | (_FORGETFUL if self._ephemeral else {})
        argv: list[str | Path] = [self._programs / "postgres", "-D", self._data, "-k", self._socket]
        argv += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as output:
            self._process = spawn(argv, stop=signal.SIGINT, output=output, user=self._user)
        wait_until(self._answers, process=self._process, log=self._log)

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process, number=signal.SIGINT, seconds=_STOP_SECONDS)  # "fast"; SIGTERM waits for clients

    def _address(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._socket}"

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self._address("postgres"), autocommit=True, connect_timeout=2) as connection:
                if not connection.execute("select 1 from pg_database where datname = 'recsite'").fetchone():
                    connection.execute("create database recsite")
        except psycopg.OperationalError:
            return False
        return True

    def _private(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        if self._user is not None:
            os.chown(folder, self._user, -1)

    def _initialise(self) -> None:
        draft = self._data.with_name("pgdata.new")  # renamed when whole: a killed initdb leaves no half cluster
        shutil.rmtree(draft, ignore_errors=True)
        self._private(draft)
        argv: list[str | Path] = [
            self._programs / "initdb",
            "-D",
            draft,
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
        ]
        argv += ["--locale=C.UTF-8", "--no-instructions", *(["--no-sync"] if self._ephemeral else [])]
        with self._log.open("ab") as output:
            process = spawn(argv, stop=signal.SIGKILL, output=output, user=self._user)
        if process.wait():
            raise ServerError(f"initdb ended with {process.returncode}:\n{tail(self._log)}")
        draft.rename(self._data)

    def _refuse_a_strangers_folder(self) -> None:
        owner, ours = self._data.stat().st_uid, os.geteuid() if self._user is None else self._user
        if owner != ours:
            raise ServerError(f"{self._data} belongs to user {owner}, not {ours}; choose another folder with DATA=….")

    def _end_an_earlier_run(self) -> None:
        """Stop a server that a killed run left on this folder, and forget a lock that names some other program.

        On Linux such a server is stopping already; on macOS nothing told it that its parent died. After a restart of
        the machine the id in ``postmaster.pid`` may be anybody's, which PostgreSQL takes for a running server.
        """
        lock, end = self._data / "postmaster.pid", time.monotonic() + _STOP_SECONDS
        while time.monotonic() < end and (pid := _first_number(lock)):
            line = command_line(pid)
            if not line:  # PostgreSQL itself sees that this one is dead
                return
            if str(self._data) not in line:
                lock.unlink()
                (self._socket / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
                return
            argv: list[str | Path] = [self._programs / "pg_ctl", "-D", self._data, "-m", "fast", "-W", "stop"]
            spawn(argv, stop=signal.SIGKILL, output=subprocess.DEVNULL, user=self._user).wait()
            time.sleep(0.2)


def _beside(root: Path) -> Path:
    """A folder elsewhere for the cluster of a closed ``root``, which points to it; who removes the link forgets it."""
    base, link = side_folder(root), root / "pgdata"
    if not link.is_symlink():
        shutil.rmtree(base / "pgdata", ignore_errors=True)
        link.symlink_to(base / "pgdata")
    return base


def _first_number(lock: Path) -> int:
    """The process id that a lock file begins with; 0 if there is none."""
    try:
        return int(lock.read_text(encoding="utf-8").partition("\n")[0])
    except (FileNotFoundError, ValueError):
        return 0


def _system_user() -> int:
    try:
        return pwd.getpwnam(_SYSTEM_USER).pw_uid
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", _SYSTEM_USER], check=True)
        return pwd.getpwnam(_SYSTEM_USER).pw_uid
