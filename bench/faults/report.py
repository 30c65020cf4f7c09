"""Promises that a fault must not break, one row each with what was seen: table, JSON file, and 1 where one broke."""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.meter import Progress


@dataclass(kw_only=True)
class Promise:
    what: str
    seen: str
    kept: bool


@dataclass
class Report:
    """Rows of promises; ``figures`` are the numbers behind the words."""

    name: str
    promises: list[Promise] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    skipped: str = ""

    def promise(self, what: str, seen: object, *, kept: bool) -> None:
        self.promises.append(Promise(what=what, seen=str(seen), kept=kept))

    def end(self, file: Path | None, options: Mapping[str, object]) -> int:
        """Print and write the report; the exit code of the program."""
        lines = [f"\n## {self.name}", self.skipped] if self.skipped else [f"\n## {self.name}", "", *self._table()]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        if file:
            content = asdict(self) | {"options": {name: str(value) for name, value in options.items()}}
            file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        return 0 if all(promise.kept for promise in self.promises) else 1

    def _table(self) -> list[str]:
        rows = [f"| {one.what} | {one.seen} | {'yes' if one.kept else '**NO**'} |" for one in self.promises]
        return ["| promise | seen | kept |", "| --- | --- | --- |", *rows]


def options(text: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--silent", action="store_true", help="no progress on standard error")
    return parser


def progress(arguments: argparse.Namespace) -> Progress:
    return Progress(silent=arguments.silent)


def spread(seconds: list[float]) -> str:
    if not seconds:
        return "–"
    return f"median {median(seconds):.2f} s, most {max(seconds):.2f} s"
