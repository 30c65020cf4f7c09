"""A bound on the memory of this process while it reads what others wrote."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STATUS = Path("/proc/self/status")


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
