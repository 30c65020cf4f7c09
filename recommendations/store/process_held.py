"""What a process holds of its servers, all of it dropped in one place: a test that ends leaves nothing to the next."""

from collections.abc import Callable
from typing import Protocol

_drops: list[Callable[[], object]] = []


class Watching(Protocol):
    def moved(self) -> bool: ...


class ProcessHeld[T]:
    """A value of this process, made at its first use, and made again when its mark of change has moved."""

    def __init__(
        self,
        make: Callable[[], T],
        *,
        watch: Callable[[], Watching] | None = None,
        end: Callable[[T], object] | None = None,
    ) -> None:
        """``watch`` sees the mark of change (``live.change_watch``); ``end`` gets a value that is dropped."""
        self._make, self._watch, self._end = make, watch, end
        self._watching: Watching | None = None
        self._held: list[T] = []  # the value, once it is made
        at_drop(self.drop)

    def __call__(self) -> T:
        if self._watch is not None:
            if self._watching is None:
                self._watching = self._watch()
            if self._watching.moved():
                self._held = []
        held = self._held  # another thread may drop it meanwhile
        if not held:
            held = self._held = [self._make()]
        return held[0]

    def drop(self) -> None:
        """Hold nothing, as a new process does."""
        held, self._held, self._watching = self._held, [], None
        if self._end is not None:
            for value in held:
                self._end(value)


def at_drop(reset: Callable[[], object]) -> None:
    """Have something that is no ``ProcessHeld`` reset with the others."""
    _drops.append(reset)


def drop_all() -> None:
    """Hold nothing of any server, as a new process does."""
    for drop in _drops:
        drop()
