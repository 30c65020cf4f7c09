"""Seconds and peak memory of a piece of work, and lines that tell how far a long run is."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")
PEAK_OF_NOW = "5"  # written to ``clear_refs`` it makes the highest resident size start again from the present one


@dataclass(kw_only=True)
class Cost:
    """What a piece of work took; ``peak_mb`` is of the whole process while it ran, the data included."""

    seconds: float = 0.0
    peak_mb: float = 0.0


@contextmanager
def metered() -> Iterator[Cost]:
    """Meter the block; its cost is there at the end. Where Linux does not tell, the peak is the process's so far."""
    cost = Cost()
    if RESET.exists():
        RESET.write_text(PEAK_OF_NOW)
    started = time.perf_counter()
    try:
        yield cost
    finally:
        cost.seconds = time.perf_counter() - started
        cost.peak_mb = peak_mb()


def peak_mb() -> float:
    """Highest resident size since it was last reset, in MB of 10⁶ bytes."""
    if STATUS.exists():
        for line in STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


class Progress:
    """Progress of a long run: lines on standard error, each with the seconds since the start."""

    def __init__(self, *, silent: bool = False) -> None:
        self.started, self.silent = time.monotonic(), silent

    def __call__(self, text: str) -> None:
        if not self.silent:
            sys.stderr.write(f"[{time.monotonic() - self.started:7.1f} s] {text}\n")
            sys.stderr.flush()
