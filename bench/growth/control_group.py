"""A limit of memory over all processes of a piece of work: a control group of Linux, of either version."""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
GONE_SECONDS = 10.0  # that a group may take to be empty after its last process was waited for


class NoControlGroupError(Exception):
    """This machine lets us make no control group that limits memory; the message says why."""


@dataclass(frozen=True)
class ControlGroup:
    """A group; ``times`` is where its CPU time is told, which the first version has in a hierarchy of its own."""

    folder: Path
    times: Path
    version: int

    def inside(self, argv: Sequence[str]) -> list[str]:
        """A command that runs this one, and all that it starts, within the group."""
        enter = "".join(f'echo $$ >"{folder}/cgroup.procs" && ' for folder in {self.folder, self.times})
        return ["/bin/sh", "-c", f'{enter}exec "$@"', "sh", *argv]

    @property
    def pids(self) -> list[int]:
        return [int(line) for line in (self.folder / "cgroup.procs").read_text(encoding="ascii").split()]

    @property
    def peak(self) -> int:
        """Bytes at most so far, the cache of files included, which gives way where memory is wanted."""
        name = "memory.max_usage_in_bytes" if self.version == 1 else "memory.peak"
        path = self.folder / name
        return int(path.read_text(encoding="ascii")) if path.exists() else 0

    @property
    def kills(self) -> int:
        """Processes that were killed because the limit was reached."""
        name = "memory.oom_control" if self.version == 1 else "memory.events"
        return _table(self.folder / name).get("oom_kill", 0)

    @property
    def resident(self) -> int:
        """Bytes that processes hold now: of their own, shared, and of mapped files."""
        told = _table(self.folder / "memory.stat")
        if self.version == 1:
            return told["total_rss"] + told["total_mapped_file"]
        return told["anon"] + told["file_mapped"]

    @property
    def own(self) -> int:
        """Bytes that processes hold now and that lie in no file: of their own, and shared."""
        told = _table(self.folder / "memory.stat")
        return told["total_rss"] + told.get("total_shmem", 0) if self.version == 1 else told["anon"] + told["shmem"]

    @property
    def cpu_seconds(self) -> float:
        if self.version == 1:
            return int((self.times / "cpuacct.usage").read_text(encoding="ascii")) / 1e9
        return _table(self.times / "cpu.stat")["usage_usec"] / 1e6


@contextlib.contextmanager
def control_group(limit: int) -> Iterator[ControlGroup]:
    """Make a group whose processes may hold ``limit`` bytes together, without swap; it goes when they have ended.

    Raises NoControlGroupError.
    """
    group = _group()
    try:
        try:
            _limit(group, limit)
        except OSError as error:
            text = f"no control group with a limit of memory can be made here ({error}); that takes root"
            raise NoControlGroupError(text) from error
        yield group
    finally:
        for folder in {group.folder, group.times}:
            _remove(folder)


def _group() -> ControlGroup:
    name = f"recsite-bench-{os.getpid()}"
    if (ROOT / "memory/memory.limit_in_bytes").exists():
        return ControlGroup(ROOT / "memory" / name, ROOT / "cpuacct" / name, 1)
    return ControlGroup(ROOT / name, ROOT / name, 2)


def _limit(group: ControlGroup, limit: int) -> None:
    if group.version == 1:
        needed, others = {"memory.limit_in_bytes": limit}, {"memory.memsw.limit_in_bytes": limit}
    else:
        (ROOT / "cgroup.subtree_control").write_text("+memory +cpu", encoding="ascii")
        needed, others = {"memory.max": limit}, {"memory.swap.max": 0}
    for folder in {group.folder, group.times}:
        folder.mkdir()
    for file, value in needed.items():
        (group.folder / file).write_text(str(value), encoding="ascii")
    for file, value in others.items():
        if (group.folder / file).exists():  # else Linux was built without swap
            (group.folder / file).write_text(str(value), encoding="ascii")


def _remove(folder: Path) -> None:
    end = time.monotonic() + GONE_SECONDS
    while folder.exists():
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def _table(path: Path) -> Mapping[str, int]:
    lines = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return {parts[0]: int(parts[1]) for parts in lines if len(parts) == 2}
