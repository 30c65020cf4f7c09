"""Child processes that do not outlive us: Linux ends them when we die, by whatever signal; and limits of our own."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

MANY_FILES = 65_536
_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None  # looked up before a fork, not after


def die_with_parent(number: signal.Signals) -> None:
    """Ask Linux to send this process ``number`` when its parent dies; other systems have no such thing."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def _prepare(number: signal.Signals) -> Callable[[], None]:
    return lambda: die_with_parent(number)


def spawn(
    argv: Sequence[str | Path],
    *,
    stop: signal.Signals,
    output: int | IO[bytes] | None = None,
    own_group: bool = True,
    user: int | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program that gets ``stop`` when we die. In a group of its own it does not see the terminal's Ctrl-C.

    ``user`` is a user id to run as (root only); standard input is empty unless the program shares our group.
    """
    return subprocess.Popen(
        [str(part) for part in argv],
        stdin=subprocess.DEVNULL if own_group else None,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        process_group=0 if own_group else None,
        # Runs in the child after the change of user, which would clear the death signal.
        preexec_fn=_prepare(stop),  # noqa: PLW1509 - one prctl call, no lock is taken
        user=user,
        env=env,
    )


def keep_private() -> None:
    """Give what this process and its children write to its own user only."""
    os.umask(0o077)


def allow_many_files() -> None:
    """Raise the limit of open files of this process as far as it may: each array of a model is a mapped file, and many
    systems begin with 1,024.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < MANY_FILES:  # −1: no limit
        most = MANY_FILES if hard < 0 else min(hard, MANY_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def stop(process: subprocess.Popen[bytes], *, number: signal.Signals, seconds: float) -> None:
    """Ask a process to end, wait, then kill it; one that has ended already is only reaped."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def command_line(pid: int) -> str:
    """The command line of a process; empty if there is no such process or it is dead and not reaped yet."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").replace("\0", " ")
        except OSError:
            return ""
    return subprocess.run(["ps", "-p", str(pid), "-o", "args="], capture_output=True, text=True, check=False).stdout


def make_was_interrupted() -> bool:
    """Whether GNU make, our parent, was told to stop by a signal that it does not pass on.

    Of Ctrl-C (SIGINT) and SIGHUP make takes it that the terminal tells everybody, and waits for its recipe, for ever if
    the signal came to make alone. While it waits it holds that signal blocked, which Linux shows.
    """
    parent = Path(f"/proc/{os.getppid()}")
    try:
        if (parent / "comm").read_text(encoding="utf-8").strip() not in {"make", "gmake"}:
            return False
        status = (parent / "status").read_text(encoding="utf-8")
    except OSError:
        return False
    blocked = int(status.partition("SigBlk:")[2].split()[0], base=16)
    return any(blocked >> (number - 1) & 1 for number in (signal.SIGINT, signal.SIGHUP))
