"""What is free goes back to the system."""

import platform
import subprocess
import sys

import pytest

HELD = """
from pathlib import Path
from recommendations.store.memory import give_back

def own():
    return int(Path("/proc/self/status").read_text().partition("RssAnon:")[2].split()[0]) // 1024

given = [bytearray(b"x" * 65_536) for _ in range(4_000)]
last = given.pop()
given.clear()
free = own()
give_back()
print(free - own())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are not asked")
def test_what_lies_between_other_things_goes_back() -> None:
    done = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 200  # of 250 MB
