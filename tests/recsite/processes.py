"""Processes that a program started, and whether they still live; read from Linux' process table."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def wait_for(condition: Callable[[], object], *, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())


class Family:
    """A program with all its descendants, also those that were adopted by somebody else meanwhile."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._seen: dict[int, str] = {}

    def members(self) -> dict[int, str]:
        """Living members by id, with their command lines."""
        table = _table()
        pids = {pid for pid, (_parent, born, _line) in table.items() if self._seen.get(pid) == born}
        pids.add(self.process.pid)
        while grown := {pid for pid, (parent, _born, _line) in table.items() if parent in pids} - pids:
            pids |= grown
        living = {pid: table[pid] for pid in pids if pid in table}
        self._seen |= {pid: born for pid, (_parent, born, _line) in living.items()}
        return {pid: line for pid, (_parent, _born, line) in living.items()}

    def find(self, words: str) -> int:
        """The oldest member whose command line holds ``words``; 0 if there is none."""
        return min((pid for pid, line in self.members().items() if words in line), default=0)

    def is_gone(self, *, seconds: float) -> bool:
        self.process.poll()
        return wait_for(lambda: self.process.poll() is not None and not self.members(), seconds=seconds)

    def end(self) -> None:
        """Kill all members, for the end of a test, however it ended."""
        for pid in self.members():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait(10)


def _table() -> dict[int, tuple[int, str, str]]:
    """Parent, time of birth and command line of every living process."""
    table = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            line = (folder / "cmdline").read_text(encoding="utf-8", errors="replace").replace("\0", " ")
        except OSError:
            continue
        if fields[0] != "Z":
            table[int(folder.name)] = (int(fields[1]), fields[19], line)
    return table
