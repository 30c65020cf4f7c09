"""Engines and processes of tests of work in parts."""

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

from recommendations.shardwork.order import Done, Heard, WorkOrder
from recommendations.shardwork.storage import Storage
from recommendations.shardwork.tasks import do_part
from recommendations.shardwork.work import Work


class Here:
    """An engine within this process, which knows what it was asked to do."""

    place = ""

    def __init__(self, storage: Storage) -> None:
        self.storage, self.asked = storage, list[tuple[str, int]]()

    def run(self, order: WorkOrder, numbers: Sequence[int], *, heard: Heard) -> Iterator[Done]:
        work = Work(order, self.storage)
        for place, number in enumerate(numbers):
            heard(place)
            self.asked.append((order.digest, number))
            yield work.do(number)


class Elsewhere:
    """An engine whose parts other processes do, of which it knows no more than what a cluster is told."""

    place = "elsewhere"

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def run(self, order: WorkOrder, numbers: Sequence[int], *, heard: Heard) -> Iterator[Done]:
        text, url = order.to_json(), self._storage.url
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
            parts = [processes.submit(do_part, text, url, "", number) for number in numbers]
            for place, part in enumerate(parts):
                heard(place)
                yield Done.from_json(part.result())


def nothing(_told: object) -> None:
    """Go on."""


def workers(folder: Path) -> list[int]:
    """Processes that do parts of orders in a folder."""
    found = []
    for told in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            argv = told.read_bytes().split(b"\0")
            if b"recommendations.shardwork.worker" in argv and str(folder).encode() in argv:
                found.append(int(told.parent.name))
    return found


class Killer:
    """Somebody who kills processes that do parts in a folder, each as soon as it is seen, so many at most."""

    def __init__(self, folder: Path, *, most: int) -> None:
        self.folder, self.most, self.killed = folder, most, set[int]()

    def __call__(self, _parts: int) -> None:
        for pid in {*workers(self.folder)} - self.killed:
            if len(self.killed) < self.most:
                os.kill(pid, signal.SIGKILL)
                self.killed.add(pid)
