"""What an engine of several machines calls on each of them: parts of orders, and facts that tell whether it may."""

import json
import os
import platform
import resource
import socket
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Self

from recommendations.shardwork.order import WORK, WorkOrder, code_digest
from recommendations.shardwork.storage import Storage
from recommendations.shardwork.work import Work

PROBE, ASKED = f"{WORK}/probe", "asked"
"""A folder of the storage, with one for each check, through whose files machines show each other that they share it;
and the name of the file of who asks.
"""
PACKAGES = ("numpy", "pyarrow", "scipy")
CLOCKS_SECONDS = 60.0  # by which two machines may differ


@lru_cache(maxsize=1)
def _work(order: str, url: str, cache: str) -> Work:
    """The work of an order, kept while its parts follow each other: its inputs are proved once."""
    return Work(WorkOrder.from_json(order), Storage(url, cache=Path(cache) if cache else None))


def do_part(order: str, url: str, cache: str, number: int) -> str:
    """Do a part of an order, both as JSON. Raises OtherCodeError and ArrayDamagedError."""
    return _work(order, url, cache).do(number).to_json()


@dataclass(frozen=True, kw_only=True)
class MachineFacts:
    """What one machine says of itself."""

    host: str
    python: str  # minor version
    code: str
    packages: dict[str, str]
    clock: float  # seconds since 1970
    shares: bool  # it reads what the run wrote
    cores: int
    memory_gb: float
    is_limited: bool  # a task may have so many addresses and no more, mapped files included

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))

    def problems(self, here: "MachineFacts", *, url: str) -> Iterator[str]:
        """Why this machine can do no part of a run that is led from here; each with its remedy."""
        if self.python != here.python:
            yield f"{self.host} has Python {self.python} and the run has {here.python}: give both the same"
        if self.code != here.code:
            yield f"{self.host} has another version of Recsite: install the one of the run there"
        for name, own in here.packages.items():
            if _numbers(self.packages[name]) < _numbers(own):
                yield f"{self.host} has {name} {self.packages[name]}, which is older than {own}: install that there"
        if abs(self.clock - here.clock) > CLOCKS_SECONDS:
            yield f"the clock of {self.host} differs by {abs(self.clock - here.clock):,.0f} s: let it follow a server"
        if self.is_limited:
            yield (
                f"{self.host} limits the addresses of a task, in which mapped files count: leave"
                " spark.executor.pyspark.memory out, and raise spark.executor.memoryOverhead instead"
            )
        if not self.shares:
            yield f"{self.host} does not see {url}: ARTEFACTS must be a folder that all machines share, under one path"


def facts_of(url: str, cache: str, probe: str) -> MachineFacts:
    """Facts of this machine, which reads the probe of a check and leaves one of its own."""
    storage = Storage(url, cache=Path(cache) if cache else None)
    shares = storage.read_text(f"{PROBE}/{probe}/{ASKED}") == probe
    if shares:
        storage.write_text(f"{PROBE}/{probe}/{uuid.uuid4().hex}", "")
    return MachineFacts(
        host=socket.gethostname(), python=".".join(platform.python_version_tuple()[:2]), code=code_digest(),
        packages={name: version(name) for name in PACKAGES}, clock=time.time(), shares=shares,
        cores=len(os.sched_getaffinity(0)),
        memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        is_limited=resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY,
    )  # fmt: skip


def told_facts(url: str, cache: str, probe: str) -> str:
    """Facts of this machine as JSON."""
    return facts_of(url, cache, probe).to_json()


def _numbers(text: str) -> list[int]:
    """The first two numbers of a version."""
    return [int(number) for number in text.split(".")[:2]]
