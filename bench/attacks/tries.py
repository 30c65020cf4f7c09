"""Attacks that are tried so many times, one kind after the other, and how often each worked."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path

from bench.demo import running

type Attacks = Callable[[Path, int], Iterable["Attack"]]
"""Tries each kind so many times on the demo of a folder; an attack is told of as soon as it is over."""


@dataclass
class Attack:
    """An attack, how often it was tried, how often it worked, and how often honest orders did not count after it."""

    name: str
    tries: int = 0
    worked: int = 0
    not_counted: int = 0

    @classmethod
    def tried(cls, name: str, way: Callable[[str], bool], *, victims: Iterable[str], times: int) -> "Attack":
        """Try it on one victim after the other."""
        return cls(name, times, sum(way(victim) for victim in islice(cycle(victims), times)))

    def __str__(self) -> str:
        stopped = "  honest orders stopped" if self.not_counted else ""
        return f"{self.name:<30}{self.worked:>5} of {self.tries}{stopped}"


def told(description: str | None, attacks: Attacks, *, tries: int) -> int:
    """Run as a program: 0 where nothing worked; ``tries``: how often each kind is tried, if nothing is said."""
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=Path(".local"), help="folder of a demo that was started once")
    options.add_argument("--tries", type=int, default=tries, help="of each kind")
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    over = []
    with running(given.data) as why_not:
        if why_not:
            sys.stderr.write(f"{why_not}\n")
            return 1
        for attack in attacks(given.data, given.tries):
            over.append(attack)
            sys.stdout.write(f"{attack}\n")
            sys.stdout.flush()
    every = Attack("all", *(sum(getattr(one, name) for one in over) for name in ("tries", "worked", "not_counted")))
    sys.stdout.write(f"{every}\n")
    if given.json:
        given.json.write_text(json.dumps([asdict(one) for one in over]), encoding="utf-8")
    return 1 if every.worked or every.not_counted else 0
