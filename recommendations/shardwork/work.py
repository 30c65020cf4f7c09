"""The work of parts: what a process does of an order, and what is known of it afterwards."""

import resource
import socket
import sys
import time
import uuid
from functools import cached_property

from threadpoolctl import threadpool_limits

from recommendations.shardwork.kernels import KERNELS, Prepared
from recommendations.shardwork.order import Done, WorkOrder, code_digest
from recommendations.shardwork.storage import Storage

DONE, BEGUN = "done", "begun"


class OtherCodeError(Exception):
    """This process has other code than the one that made the order."""


class Work:
    """An order of which a process does parts, one after the other. Raises OtherCodeError."""

    def __init__(self, order: WorkOrder, storage: Storage) -> None:
        if order.code != code_digest():
            raise OtherCodeError("the code of the engine differs from that of the run: install the same version here")
        self._order, self._storage = order, storage

    def do(self, number: int) -> Done:
        """Do a part, and leave its arrays and then its ``Done`` in the storage. Raises ArrayDamagedError."""
        order, storage = self._order, self._storage
        storage.write_text(f"{order.folder}/{BEGUN}/{number}/{uuid.uuid4().hex}", "")
        began, cpu = time.perf_counter(), time.process_time()
        with threadpool_limits(1, user_api="blas"):
            left = self._prepared(*order.borders[number : number + 2])
        done = Done(
            number=number,
            arrays={
                name: storage.save(f"{order.folder}/{number}/{name}.npy", array) for name, array in left.arrays.items()
            },
            timed=left.seconds,
            tries=len(storage.names(f"{order.folder}/{BEGUN}/{number}")),
            seconds=time.perf_counter() - began,
            cpu_seconds=time.process_time() - cpu,
            peak_mb=_peak_mb(),
            host=socket.gethostname(),
        )
        storage.write_text(f"{order.folder}/{DONE}/{number}.json", done.to_json())
        return done

    @cached_property
    def _prepared(self) -> Prepared:
        return KERNELS[self._order.kernel](self._order.settings, self._storage.load_all(self._order.inputs))


def done_of(order: WorkOrder, storage: Storage) -> dict[int, Done]:
    """The parts of an order that were done, by whomever."""
    names = storage.names(f"{order.folder}/{DONE}")
    texts = [storage.read_text(f"{order.folder}/{DONE}/{name}") for name in sorted(names)]
    return {done.number: done for done in (Done.from_json(text) for text in texts if text)}


def numbers_done(order: WorkOrder, storage: Storage) -> set[int]:
    """Numbers of the parts of an order that were done."""
    return {int(name.removesuffix(".json")) for name in storage.names(f"{order.folder}/{DONE}")}


def _peak_mb() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
