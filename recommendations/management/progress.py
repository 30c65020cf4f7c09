"""A line on the terminal that says how far a bulk step is, how fast it goes and how long it will take."""

import time
from typing import Protocol

REDRAW_SECONDS = 0.1


class Output(Protocol):
    def write(self, msg: str, *, ending: str | None = None) -> object: ...

    def flush(self) -> None: ...

    def isatty(self) -> bool: ...


class Bar:
    """Progress bar, called with the step's name, what is done and the whole; silent where nobody watches a terminal.

    ``seconds``: how long each step took, in their order.
    """

    def __init__(self, output: Output) -> None:
        self._output, self._watched = output, output.isatty()
        self._step, self._begin, self._drawn = "", 0.0, 0.0
        self.seconds: dict[str, float] = {}

    def __call__(self, step: str, done: int, total: int) -> None:
        now = time.monotonic()
        if step != self._step:
            self._step, self._begin, self._drawn = step, now, 0.0
        self.seconds[step] = now - self._begin
        if not self._watched or (now - self._drawn < REDRAW_SECONDS and done < total):
            return
        self._drawn = now
        self._output.write(f"\r{line(step, done, total, seconds=now - self._begin)}", ending="")
        if done >= total:
            self._output.write("")
        self._output.flush()


def line(step: str, done: int, total: int, *, seconds: float, width: int = 20) -> str:
    """Line of the bar: ``reading  [#####---------------]  25 %  250,000 of 1,000,000  125,000/s  6 s left``."""
    share = done / total if total else 1.0
    full = int(share * width)
    rate = done / seconds if seconds > 0 else 0.0
    left = f"{(total - done) / rate:,.0f} s left" if rate else ""
    parts = [f"{step:<12}[{'#' * full}{'-' * (width - full)}]", f"{share:>4.0%}", f"{done:,} of {total:,}"]
    return "  ".join([*parts, f"{rate:,.0f}/s", left]).ljust(100)
