"""Figures of a bench beside the bars that they have to keep."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """A measured figure and the range that it has to lie in; both ends may be left out."""

    words: str
    value: float
    least: float | None = None
    most: float | None = None

    @property
    def holds(self) -> bool:
        above = self.least is None or self.value >= self.least
        return above and (self.most is None or self.value <= self.most)

    @property
    def bar(self) -> str:
        if self.least is not None and self.most is not None:
            return f"{self.least:g} … {self.most:g}"
        if self.least is not None:
            return f"≥ {self.least:g}"
        return f"≤ {self.most:g}" if self.most is not None else ""

    def line(self, width: int) -> str:
        mark = "" if not self.bar else ("kept" if self.holds else "NOT KEPT")
        return f"{self.words:<{width}} {self.value:>9.4g}   {self.bar:<14} {mark}".rstrip()


def say(line: str = "") -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def report(figures: Sequence[Figure], *, protocol: Mapping[str, object], path: Path | None, judged: bool = True) -> int:
    """Print the figures with their bars and write them, where a path is given.

    1 where a bar is not kept, else 0; also 0 where they are not ``judged``, as too few runs were made to tell.
    """
    width = max(len(figure.words) for figure in figures)
    for figure in figures:
        say(figure.line(width))
    holds = all(figure.holds for figure in figures)
    if path:
        rows = [asdict(figure) | {"holds": figure.holds} for figure in figures]
        path.write_text(json.dumps({"protocol": dict(protocol), "figures": rows}, indent=1) + "\n", encoding="utf-8")
    say("all bars kept" if holds else "NOT ALL BARS KEPT")
    return 0 if holds or not judged else 1
