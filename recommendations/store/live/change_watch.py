"""Watch over what this process holds: the marks of ``fetch.announce``, read at most four times a second."""

import math
import time
from collections.abc import Callable

from recommendations.store.live import fetch

LOOK = 0.25  # seconds between two looks


class Watch:
    """Sees that the mark of one kind has moved. Without Valkey nothing ever seems to move."""

    def __init__(self, kind: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._kind, self._clock = fetch.Changed(kind), clock
        self._mark: str | None = None
        self._looked_at = -math.inf

    def moved(self) -> bool:
        """True once after each move, and at the first look."""
        now = self._clock()
        if now - self._looked_at < LOOK:
            return False
        first, self._looked_at = self._looked_at == -math.inf, now
        marks = fetch.state_of(None, since=None).changed
        if marks is None:
            return first
        before, self._mark = self._mark, marks.get(self._kind)
        return first or before != self._mark
