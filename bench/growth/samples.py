"""Memory and CPU time of all processes of a piece of work, twice a second, from Linux' own tables."""

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.growth.control_group import ControlGroup

EVERY = 0.5  # seconds
TICKS = os.sysconf("SC_CLK_TCK")
KINDS = {"recsite.embedded": "servers' keeper", "run_loop": "loop", "postgres": "PostgreSQL", "valkey": "Valkey"}


class Use(NamedTuple):
    """What the processes of a kind hold together, in bytes, ``private`` in no file; seconds of CPU time so far."""

    private: int = 0
    resident: int = 0
    cpu: float = 0.0

    def plus(self, other: "Use") -> "Use":
        return Use(self.private + other.private, self.resident + other.resident, self.cpu + other.cpu)


class Sample(NamedTuple):
    """A look at all processes at a moment (``time.time``); ``own`` and ``resident`` are of the whole, in bytes.

    ``kills`` are processes killed so far because the group's limit was reached.
    """

    at: float
    own: int
    resident: int
    cpu: float
    kinds: Mapping[str, Use]
    kills: int = 0


@dataclass
class Samples:
    """Samples of a piece of work: those of a group, or of a tree of processes where there is none.

    They are written to ``file``, a line each. Where it holds some already, the work goes on with what was broken off:
    they come first, and CPU time and kills are counted on from theirs.
    """

    pids: Callable[[], Sequence[int]]
    group: ControlGroup | None = None
    seen: list[Sample] = field(default_factory=list)
    file: Path | None = None
    _cpu: dict[tuple[int, str], float] = field(default_factory=dict)
    _before: Sample = field(default=Sample(0.0, 0, 0, 0.0, {}), init=False)

    def __post_init__(self) -> None:
        if self.file and self.file.exists():
            self.seen = [_sample(line) for line in self.file.read_text(encoding="utf-8").splitlines()]
            self._before = self.seen[-1] if self.seen else self._before

    def take(self) -> None:
        now, kinds = time.time(), dict[str, Use]()
        for pid in self.pids():
            with contextlib.suppress(OSError, LookupError):  # it has ended meanwhile
                kind, use = _look(pid)
                kinds[kind] = kinds.get(kind, Use()).plus(use)
                self._cpu[pid, kind] = use.cpu
        for kind in {kind for _, kind in self._cpu}:
            spent = sum(cpu for (_, of), cpu in self._cpu.items() if of == kind)
            kinds[kind] = kinds.get(kind, Use())._replace(cpu=spent)
        own, resident = sum(use.private for use in kinds.values()), sum(use.resident for use in kinds.values())
        cpu, kills = sum(self._cpu.values()), 0
        if self.group:
            own, resident, cpu = self.group.own, self.group.resident, self.group.cpu_seconds
            kills = self.group.kills
        before = self._before
        self.seen.append(Sample(now, own, resident, before.cpu + cpu, kinds, before.kills + kills))
        if self.file:
            with self.file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(self.seen[-1]) + "\n")

    @contextlib.contextmanager
    def being_taken(self) -> Iterator[None]:
        """Context in which a thread takes them."""
        ended = threading.Event()

        def go_on() -> None:
            while not ended.wait(EVERY):
                self.take()

        self.take()
        thread = threading.Thread(target=go_on, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self.take()

    def between(self, begin: float, end: float) -> list[Sample]:
        """Samples of a stretch of time, the last before it and the first after it included."""
        before = [sample for sample in self.seen if sample.at <= begin][-1:]
        after = [sample for sample in self.seen if sample.at >= end][:1]
        return [*before, *(sample for sample in self.seen if begin < sample.at < end), *after]


def _sample(line: str) -> Sample:
    sample = Sample(*json.loads(line))
    return sample._replace(kinds={kind: Use(*use) for kind, use in sample.kinds.items()})


def private_and_shared(pid: int) -> dict[str, float]:
    """MB (2²⁰ bytes) of a process: ``private`` to it, ``pss`` with its part of what it shares, ``resident``."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    told = {name: int(rest.split()[0]) / 1024 for name, _, rest in (line.partition(":") for line in lines)}
    return {
        "private": told["Private_Clean"] + told["Private_Dirty"],
        "anonymous": told["Anonymous"], "pss": told["Pss"], "resident": told["Rss"],
    }  # fmt: skip


def _look(pid: int) -> tuple[str, Use]:
    folder = Path(f"/proc/{pid}")
    line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    kind = next((kind for word, kind in KINDS.items() if word in line), "other")
    told = dict(row.split(":", 1) for row in (folder / "status").read_text(encoding="utf-8").splitlines() if ":" in row)
    private, files, shared = (int(told[name].split()[0]) * 1024 for name in ("RssAnon", "RssFile", "RssShmem"))
    after_name = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return kind, Use(private, private + files + shared, (int(after_name[11]) + int(after_name[12])) / TICKS)
