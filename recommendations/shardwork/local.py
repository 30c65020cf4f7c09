"""The engine of one machine: processes that do parts one after the other, and give their memory back as they end."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Self

from recommendations.shardwork.order import Done, Heard, PartFailedError, WorkOrder
from recommendations.shardwork.storage import Storage
from recommendations.shardwork.work import done_of, numbers_done

KILLED = {-signal.SIGKILL, 128 + signal.SIGKILL}
TRIES = 2  # of a part whose process is killed
EVERY_SECONDS = 0.2  # it is asked whether to go on
_ROOT = Path(__file__).resolve().parents[2]


class LocalEngine:
    """The engine has as many processes at once for an order as there are ``lanes``."""

    place = ""

    def __init__(self, storage: Storage, *, lanes: int = 1) -> None:
        self._storage, self._lanes = storage, lanes

    def run(self, order: WorkOrder, numbers: Sequence[int], *, heard: Heard) -> Iterator[Done]:
        """Do these parts. Raises PartFailedError, and whatever ``heard`` raises, after which none is at work."""
        left = [[*numbers[lane :: self._lanes]] for lane in range(min(self._lanes, len(numbers)))]
        with ExitStack() as opened:
            said = [opened.enter_context(TemporaryFile()) for _ in left]
            lanes = [
                opened.enter_context(_Lane(order, own, self._storage, file))
                for own, file in zip(left, said, strict=True)
            ]
            while [lane for lane in lanes if lane.goes_on()]:
                heard(len(numbers_done(order, self._storage)))
                time.sleep(EVERY_SECONDS)
        done = done_of(order, self._storage)
        yield from (done[number] for number in numbers)


class _Lane:
    """A process that does parts, and another one after it where it was killed."""

    def __init__(self, order: WorkOrder, numbers: Sequence[int], storage: Storage, said: IO[bytes]) -> None:
        self._order, self._left, self._storage, self._said, self._tried = order, [*numbers], storage, said, 1
        self._process = self._begun()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()

    def goes_on(self) -> bool:
        """Whether there is something left to do. Raises PartFailedError."""
        code = self._process.poll()
        if code is None:
            return True
        if not self._left:
            return False
        done, first = numbers_done(self._order, self._storage), self._left[0]
        self._left = [number for number in self._left if number not in done]
        if not self._left:
            return False
        self._tried = self._tried + 1 if self._left[0] == first else 2
        if code not in KILLED or self._tried > TRIES:
            what = f"part {self._left[0]} of {len(self._order.parts)} of {self._order.name}"
            raise PartFailedError(f"{what} failed: {self._why(code)}")
        self._process.communicate()
        self._process = self._begun()
        return True

    def _begun(self) -> subprocess.Popen[bytes]:
        """A process that is told what is left, and holds on to its standard input as long as this one lives."""
        argv = [sys.executable, "-m", "recommendations.shardwork.worker", self._storage.url]
        argv += [str(self._storage.cache or ""), *map(str, self._left)]
        self._said.truncate(0)
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=self._said, stderr=self._said, cwd=_ROOT)
        assert process.stdin is not None  # noqa: S101 - for the type checker: it is a pipe
        with suppress(BrokenPipeError):  # it has ended already, and says why
            process.stdin.write(f"{self._order.to_json()}\n".encode())
            process.stdin.flush()
        return process

    def _why(self, code: int) -> str:
        """Why the process ended."""
        if code in KILLED:
            return f"its process was killed {TRIES} times. It needs more memory than there is: give the loop more."
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"its process ended with {code}"
