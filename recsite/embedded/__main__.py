"""``python -m recsite.embedded [--data DIR | --ephemeral] -- COMMAND…``.

Starts what ``DATABASE_URL`` and ``REDIS_URL`` do not already name, runs COMMAND with both set, starts again a server
that dies, and stops all in the end, however it comes. A second run on the same folder shares the servers of the first.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import IO

try:
    import fcntl
except ImportError as missing:
    raise SystemExit("The embedded servers need Linux or macOS; on Windows use WSL or docker-compose.yml.") from missing

from recsite.embedded.folders import demo_secret, demo_seed, demo_vapid_key, remembered_settings, write_private
from recsite.embedded.postgres import Postgres
from recsite.embedded.server import Server, ServerError
from recsite.embedded.valkey import Valkey
from recsite.processes import die_with_parent, keep_private, make_was_interrupted, spawn, stop

_SERVERS: Mapping[str, type[Postgres | Valkey]] = {"DATABASE_URL": Postgres, "REDIS_URL": Valkey}
_SECRETS: Mapping[str, Callable[[Path], Path]] = {
    **dict.fromkeys(("SECRET_KEY", "PSEUDONYM_KEY", "CONTACT_KEYS", "CONTACT_HASH_KEY", "LINK_KEYS"), demo_secret),
    "VAPID_KEY": demo_vapid_key,
    "RECEIPT_KEYS": demo_seed,
    "EXPORT_KEYS": demo_secret,
}
_EPHEMERAL_PREFIX = "recsite-test-"
_PUBLISHED = "servers.json"
_LOG = "embedded.log"
_LOOK_SECONDS = 0.2
_SHARE_SECONDS = 90
_YOUNG_SECONDS = 60  # a run that begins may not hold its lock yet
_COMMAND_SECONDS = 30  # what the command may take to end


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m recsite.embedded", description="Run a command with real servers.")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("DATA", ".local")), help="folder of the servers"
    )
    parser.add_argument("--ephemeral", action="store_true", help="a new folder, removed in the end")
    parser.add_argument("command", nargs="+", metavar="-- COMMAND")
    options = parser.parse_args(argv)
    parent = os.getppid()
    die_with_parent(signal.SIGTERM)
    keep_private()
    leave = partial(_leave, parent=parent, log=None if options.ephemeral else options.data / _LOG)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    try:
        with _folder(options.data, ephemeral=options.ephemeral) as root:
            return _run(options.command, root=root, ephemeral=options.ephemeral)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except ServerError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _leave(number: int, _frame: FrameType | None, *, parent: int, log: Path | None) -> None:
    if os.getppid() != parent:
        _say_that_the_parent_ended(log)
    for later in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # one is enough; nothing may disturb the tidying up
        signal.signal(later, signal.SIG_IGN)
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


def _say_that_the_parent_ended(log: Path | None) -> None:
    """Say why the servers go: of a script whose shell ended nobody else would."""
    text = (
        f"{time.strftime('%Y-%m-%d %H:%M:%S')} The program that started recsite.embedded has ended, so the servers end"
        " with it. Let a script wait for them (`wait`), or let a service manager start them.\n"
    )
    with contextlib.suppress(OSError):  # its terminal may be gone, too
        sys.stderr.write(text)
        sys.stderr.flush()
    if log is not None:
        with contextlib.suppress(OSError), log.open("a", encoding="utf-8") as file:
            file.write(text)


@contextlib.contextmanager
def _folder(data: Path, *, ephemeral: bool) -> Iterator[Path]:
    if not ephemeral:
        if not data.exists():
            data.mkdir(parents=True)
            data.chmod(0o711)  # under root PostgreSQL's own user must get through
        yield data.resolve()
        return
    _sweep()
    root = Path(tempfile.mkdtemp(prefix=_EPHEMERAL_PREFIX))
    root.chmod(0o711)  # as above
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _sweep() -> None:
    """Remove what runs left that were killed before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_EPHEMERAL_PREFIX}*"):
        lock = folder / "lock"
        if (
            not lock.exists()
            or lock.stat().st_uid != os.geteuid()
            or time.time() - lock.stat().st_mtime < _YOUNG_SECONDS
        ):
            continue
        with lock.open("r+") as file:
            if time.time() - lock.stat().st_mtime > _YOUNG_SECONDS and _taken(file):
                shutil.rmtree(folder, ignore_errors=True)


def _taken(lock: IO[str]) -> bool:
    """Take the lock that marks a folder's owner; it is free again when the owner ends, by whatever signal."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _run(command: Sequence[str], *, root: Path, ephemeral: bool) -> int:
    with _servers(root, ephemeral=ephemeral) as (addresses, ours):
        env = {**os.environ, **addresses, "DATA": str(root)}
        env.setdefault("RECSITE_DEMO", "1")
        env = remembered_settings(root / "settings.json", given=env) | env
        for name, make in _SECRETS.items():
            if not any(env.get(f"{each}{by}") for each in (name, f"{name}S") for by in ("", "_FILE")):
                env[f"{name}_FILE"] = str(make(root / name.lower()))
        return _supervise(command, env=env, servers=ours, published=root / _PUBLISHED)


@contextlib.contextmanager
def _servers(root: Path, *, ephemeral: bool) -> Iterator[tuple[dict[str, str], list[Server]]]:
    """Start the servers that nobody named; give their addresses and those that are ours to keep alive."""
    missing = [name for name in _SERVERS if not os.environ.get(name)]
    published = root / _PUBLISHED
    with (root / "lock").open("a") as lock:
        if not _owns(lock, published):
            shared = json.loads(published.read_text(encoding="utf-8"))
            yield {name: shared[name] for name in missing if name in shared}, []
            return
        published.unlink(missing_ok=True)
        servers: dict[str, Server] = {name: _SERVERS[name](root, ephemeral=ephemeral) for name in missing}
        addresses = {name: server.url for name, server in servers.items()}
        try:
            for server in servers.values():
                server.start()
            write_private(published, json.dumps(addresses))
            yield addresses, list(servers.values())
        finally:
            published.unlink(missing_ok=True)
            for server in reversed(servers.values()):
                server.stop()


def _owns(lock: IO[str], published: Path) -> bool:
    """Whether the folder is ours; if not, wait until its owner says where the servers are."""
    end = time.monotonic() + _SHARE_SECONDS
    while not _taken(lock):
        if published.exists():
            return False
        if time.monotonic() > end:
            raise ServerError(f"Another run holds {published.parent} and does not say where its servers are.")
        time.sleep(0.05)
    return True


def _supervise(command: Sequence[str], *, env: Mapping[str, str], servers: Sequence[Server], published: Path) -> int:
    try:
        process = spawn(command, stop=signal.SIGTERM, own_group=False, env=env)
    except OSError as error:
        raise ServerError(f"{command[0]} cannot be run: {error}") from error
    pause = _LOOK_SECONDS
    try:
        while not make_was_interrupted():
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(pause)
            pause = _LOOK_SECONDS if _revive(servers) else min(2 * pause, 10)
        return 128 + signal.SIGINT
    except KeyboardInterrupt:
        _withdraw(published, servers)
        with contextlib.suppress(subprocess.TimeoutExpired):  # the terminal has told the command, too
            process.wait(1)
        raise
    finally:
        _withdraw(published, servers)
        stop(process, number=signal.SIGTERM, seconds=_COMMAND_SECONDS)


def _withdraw(published: Path, servers: Sequence[Server]) -> None:
    """Unpublish servers that are about to go: a run that comes while the command ends waits for the folder."""
    if servers:
        published.unlink(missing_ok=True)


def _revive(servers: Sequence[Server]) -> bool:
    """Start again what died, at the same address. False if that did not work this time."""
    for server in servers:
        if not server.alive():
            sys.stderr.write(f"{type(server).__name__} died; starting it again\n")
            try:
                server.start()
            except ServerError as error:  # a killed PostgreSQL's last processes may still hold its memory
                sys.stderr.write(f"{error}\n")
                return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
