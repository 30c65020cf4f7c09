"""Watch over what this process holds: the marks of ``fetch.announce``, read at most four times a second."""

import math
import time
from collections.abc import Callable
from functools import lru_cache, wraps

from recommendations.store.live import fetch
from recommendations.store.process_held import ProcessHeld

LOOK = 0.25  # seconds between two looks
ALONE = 5.0  # seconds for which what is held of people is believed while Valkey is away


class Watch:
    """Sees that the mark of one kind has moved. Without Valkey nothing ever seems to move, or, where ``alone`` is
    given, something does every so many seconds.
    """

    def __init__(self, kind: str, *, alone: float = math.inf, clock: Callable[[], float] = time.monotonic) -> None:
        self._kind, self._alone, self._clock = fetch.Changed(kind), alone, clock
        self._mark: str | None = None
        self._looked_at = self._told_at = -math.inf

    def moved(self) -> bool:
        """True once after each move, and at the first look."""
        now = self._clock()
        if now - self._looked_at < LOOK:
            return False
        first, self._looked_at = self._looked_at == -math.inf, now
        marks = fetch.state_of(None, since=None).changed
        if marks is None:
            if lasted := first or now - self._told_at >= self._alone:
                self._told_at = now
            return lasted
        self._told_at = now
        before, self._mark = self._mark, marks.get(self._kind)
        return first or before != self._mark


class Erasures:
    """Erasures that this process heard of: one look serves all that it holds of people."""

    def __init__(self) -> None:
        self._watch = Watch(fetch.Changed.PEOPLE, alone=ALONE)
        self._heard = 0

    def heard(self) -> int:
        """How often somebody was erased, as far as this process heard."""
        if self._watch.moved():
            self._heard += 1
        return self._heard


_erasures = ProcessHeld(Erasures)


class PeopleWatch:
    """Sees that somebody was erased, of what one holder has."""

    def __init__(self) -> None:
        self._heard: tuple[Erasures, int] | None = None

    def moved(self) -> bool:
        """True once after each erasure, and at the first look."""
        erasures = _erasures()
        before, self._heard = self._heard, (erasures, erasures.heard())
        return before != self._heard


class HeldOfPeople[T](ProcessHeld[T]):
    """A value of this process that is about people, and so is made anew when one of them was erased."""

    def __init__(self, make: Callable[[], T], *, end: Callable[[T], object] | None = None) -> None:
        super().__init__(make, watch=PeopleWatch, end=end)


def people_cache[**P, T](most: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """``lru_cache`` of what is about people: it is empty again when one of them was erased."""

    def held(function: Callable[P, T]) -> Callable[P, T]:
        cached, watch = lru_cache(most)(function), PeopleWatch()

        @wraps(function)
        def asked(*args: P.args, **kwargs: P.kwargs) -> T:
            if watch.moved():
                cached.cache_clear()
            return cached(*args, **kwargs)  # type: ignore[arg-type]  # they are hashable, as for lru_cache

        return asked

    return held
