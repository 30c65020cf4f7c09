"""The memory of this process: a bound while it reads what others wrote, and what it gives back."""

import ctypes
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STATUS = Path("/proc/self/status")
_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc alone


def give_back() -> None:
    """Give the system what is free: glibc and Arrow keep what lies between other things for the next who asks.

    After fifty million events went by in parts that was 800 MB, which no larger array could have.
    """
    import pyarrow as pa  # noqa: PLC0415 - slow to load

    pa.default_memory_pool().release_unused()
    if _TRIM is not None:
        _TRIM(0)


@contextmanager
def memory_limit(more: int) -> Iterator[None]:
    """Let the process take so many bytes more than it has; what asks for more gets a MemoryError. Linux only."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    if _STATUS.exists():
        kilobytes = int(_STATUS.read_text(encoding="ascii").partition("VmData:")[2].split()[0])
        most = kilobytes * 1024 + more
        resource.setrlimit(resource.RLIMIT_DATA, (most if before[1] < 0 else min(most, before[1]), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
