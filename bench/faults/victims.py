"""The processes of a shop by what they do, and how they are killed: found below our own child, never by name alone."""

import os
import random
import signal
from contextlib import suppress

from bench.faults.shop import Shop, children_of

ROLES = {  # what the command lines of its processes hold
    "web": ("granian",), "loop": ("-Q loop",), "worker": ("-Q default",), "beat": ("recsite beat",),
    "postgresql": ("bin/postgres -D", "postgres: "), "valkey": ("valkey-server",),
}  # fmt: skip
OF_PUSH = {"post": ("recsite.post",)}
ONE_OF = {"web": "granian", "loop": "-Q loop", "worker": "-Q default", "postgresql": "recsite [local]"}
"""Roles with several processes: sometimes one of these is killed, and the others have to cope."""


def members(shop: Shop, role: str) -> dict[int, str]:
    lines = children_of(shop.pid).items()
    return {
        pid: line
        for pid, line in lines
        if any(words in line for words in (ROLES | OF_PUSH)[role]) and "recsite.embedded" not in line
    }


def kill(shop: Shop, role: str, rng: random.Random, *, alone: bool) -> set[int]:
    """Kill all processes of the role at once, or one of them."""
    processes = members(shop, role)
    several = [pid for pid, line in processes.items() if ONE_OF.get(role, "-") in line]
    victims = {rng.choice(several)} if alone and several else set(processes)
    for pid in sorted(victims):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return victims
