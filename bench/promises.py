"""Every figure that the documents promise, held against what is measured now: ``make promises``.

``bench/promises.toml`` has a row for each promise: what is promised and where, which command measures it, where the
figure stands in the command's JSON, and the bar. A command that serves several promises runs once. It ends with 1
where a promise that was asked for is not kept; one that could not be measured here is not kept either, and says why.
``bench/README.md`` says how a row is added.
"""

import argparse
import json
import math
import operator
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.demo import running
from bench.meter import Progress

ROOT = Path(__file__).resolve().parents[1]
ROWS = Path(__file__).with_suffix(".toml")
SERVERS = {
    "servers": "python -m recsite.embedded --ephemeral --",
    "demo": "python -m recsite.embedded --data {data} --",
}
BARS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
HEAD = "| promise | seen | bar | kept |\n| --- | --- | --- | --- |\n"

type Step = str | int | dict[str, Any]
type Verdict = Literal["yes", "NO", "not run"]


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line to run; ``{json}`` is the file for its figures, ``{data}`` the demo's folder."""

    run: str
    length: Literal["short", "long"]
    needs: Literal["nothing", "servers", "demo", "running demo"] = "nothing"


class Promise(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sentence of a document with its bar, and where the figure stands: a path, or what the command did itself.

    ``over`` is the path of what the figure is divided by. With ``total`` the figures of the path are added up; without
    it each of them has to keep the bar.
    """

    id: str
    sentence: str
    source: str
    command: str
    value: list[Step] | Literal["exit", "seconds", "printed"]
    bar: str
    over: list[Step] | None = None
    total: bool = False


class Book(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The commands by name, and the promises that they measure."""

    commands: dict[str, Command]
    promise: list[Promise]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a command left behind; ``missing`` says why it could not run."""

    exit: int = 0
    seconds: float = 0.0
    printed: str = ""
    figures: Any = None
    missing: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A promise beside what was seen."""

    id: str
    sentence: str
    source: str
    bar: str
    seen: str
    kept: Verdict


class MissingError(Exception):
    """A figure is not there, or is no number that can be compared."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(argv)
    book = read_book(options.rows)
    unknown = set(options.only) - {one.id for one in book.promise} - set(book.commands)
    if unknown:
        parser.error(f"no such promise or command: {', '.join(sorted(unknown))}; --list shows all")
    if options.list:
        sys.stdout.write(listing(book))
        return 0
    outcomes = []
    sys.stdout.write(HEAD)
    for outcome in run_all(book, choose(book, options.only, long=options.long), options.data):
        outcomes.append(outcome)
        sys.stdout.write(row(outcome))
        sys.stdout.flush()
    sys.stdout.write(summary(outcomes))
    if options.json:
        rows = [asdict(one) for one in outcomes]
        options.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0 if all(one.kept == "yes" for one in outcomes) else 1


def read_book(path: Path) -> Book:
    """Read the rows. Raises ``msgspec.ValidationError`` where one is not well-formed."""
    return msgspec.toml.decode(path.read_bytes(), type=Book)


def choose(book: Book, only: Sequence[str], *, long: bool) -> list[Promise]:
    """Choose the promises that are named, by themselves or by their command; else the short ones, or all."""
    if only:
        return [one for one in book.promise if one.id in only or one.command in only]
    return [one for one in book.promise if long or book.commands[one.command].length == "short"]


def run_all(book: Book, promises: Sequence[Promise], data: Path) -> Iterator[Outcome]:
    """Run each command once, and judge its promises. The demo runs only beside the commands that need it."""
    tell = Progress()
    promised = {one.command for one in promises}
    due = [name for name in book.commands if name in promised]
    for needs, names in groupby(due, key=lambda name: book.commands[name].needs):
        with ready(needs, data) as missing:
            for name in names:
                command = book.commands[name]
                tell(f"{name}: {missing or command.run}")
                measured = Measured(missing=missing) if missing else measure(command, data)
                yield from (judge(promise, measured) for promise in promises if promise.command == name)
    tell("done")


def ready(needs: str, data: Path) -> AbstractContextManager[str]:
    """Make ready what commands need; the context is what is not there, or an empty text."""
    if needs.endswith("demo") and not (data / "demo.json").exists():
        return nullcontext("needs `make demo` first")
    return running(data) if needs == "running demo" else nullcontext("")


def measure(command: Command, data: Path) -> Measured:
    """Run a command; its progress and errors go to standard error."""
    with tempfile.TemporaryDirectory(prefix="promises-") as folder:
        file = Path(folder) / "figures.json"
        words = [*shlex.split(SERVERS.get(command.needs, "")), *shlex.split(command.run)]
        places = {"python": sys.executable, "{json}": str(file), "{data}": str(data)}
        argv = [places.get(word, word) for word in words]
        begin = time.perf_counter()
        done = subprocess.run(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        measured = Measured(exit=done.returncode, seconds=time.perf_counter() - begin, printed=done.stdout)
        figures = json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
    skipped = figures.get("skipped", "") if isinstance(figures, dict) else ""
    return replace(measured, figures=figures, missing=skipped)


def judge(promise: Promise, measured: Measured) -> Outcome:
    """Hold what was measured against the bar; of several figures the worst one is told."""
    kept: Verdict = "not run"
    seen = measured.missing
    if not measured.missing:
        try:
            values = values_of(promise, measured)
            kept = "yes" if all(holds(value, promise.bar) for value in values) else "NO"
            seen = as_text(worst(values, promise.bar))
        except MissingError as error:
            kept, seen = "NO", f"{error}; the command ended with {measured.exit}"
    told = {name: getattr(promise, name) for name in ("id", "sentence", "source", "bar")}
    return Outcome(**told, seen=seen, kept=kept)


def values_of(promise: Promise, measured: Measured) -> list[Any]:
    """Give the figures that a promise speaks of, at least one. Raises MissingError."""
    if isinstance(promise.value, str):
        if promise.value != "exit" and measured.exit:
            raise MissingError("it went wrong")
        return [last_number(measured.printed) if promise.value == "printed" else getattr(measured, promise.value)]
    values = list(values_at(measured.figures, promise.value))
    base = sum(values_at(measured.figures, promise.over)) if promise.over else 1
    if not values or not base:
        raise MissingError("there is no figure")
    values = [sum(values)] if promise.total else values
    return [value / base for value in values] if promise.over else values


def values_at(figures: Any, path: Sequence[Step]) -> Iterator[Any]:
    """Yield what stands at the path. Raises MissingError.

    A step is a key, a place, ``*`` for all that is there, or a table: the element of a list that has all its values.
    """
    if not path:
        yield figures
        return
    step, rest = path[0], path[1:]
    if step == "*" and isinstance(figures, (dict, list)):
        for one in figures.values() if isinstance(figures, dict) else figures:
            yield from values_at(one, rest)
        return
    if isinstance(step, dict) and isinstance(figures, list):
        alike = [one for one in figures if isinstance(one, dict) and step.items() <= one.items()]
        figures, step = alike, 0
    try:
        inner = figures[step]
    except (KeyError, IndexError, TypeError) as error:
        raise MissingError(f"there is no figure at {path[0]}") from error
    yield from values_at(inner, rest)


def last_number(printed: str) -> float:
    numbers = re.findall(r"-?\d+(?:\.\d+)?", printed.replace(",", ""))
    if not numbers:
        raise MissingError("no number was printed")
    return float(numbers[-1])


def bar_of(bar: str) -> tuple[Callable[[Any, Any], bool], Any]:
    """Parse ``<= 3.11`` or ``== true``: how to compare, and with what. Raises ValueError."""
    sign, _, literal = bar.partition(" ")
    if sign not in BARS:
        raise ValueError(f"{bar!r} does not begin with one of {' '.join(BARS)}")
    return BARS[sign], json.loads(literal)


def holds(value: Any, bar: str) -> bool:
    compare, limit = bar_of(bar)
    try:
        return bool(compare(value, limit)) and not (isinstance(value, float) and math.isnan(value))
    except TypeError as error:
        raise MissingError(f"{value!r} cannot be compared with {bar}") from error


def worst(values: Sequence[Any], bar: str) -> Any:
    """Choose the figure to show: the first that breaks the bar, else the one that is nearest to it."""
    broken = [value for value in values if not holds(value, bar)]
    if broken or len(values) == 1:
        return (broken or values)[0]
    return max(values) if bar.startswith("<") else min(values)


def as_text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
    return f"{value:,}" if type(value) is int else json.dumps(value, ensure_ascii=False)


def row(one: Outcome) -> str:
    return f"| `{one.id}` {one.sentence} | {one.seen} | {one.bar} | {one.kept} |\n"


def summary(outcomes: Sequence[Outcome]) -> str:
    counts = {word: sum(one.kept == word for one in outcomes) for word in ("yes", "NO", "not run")}
    return f"\n{counts['yes']} kept, {counts['NO']} not kept, {counts['not run']} not run\n"


def listing(book: Book) -> str:
    lines = []
    for one in book.promise:
        command = book.commands[one.command]
        needs = "" if command.needs == "nothing" else f", needs {command.needs}"
        lines.append(f"{one.id}  {one.sentence}  {one.bar}  ({one.source}; {one.command}, {command.length}{needs})")
    return "\n".join(lines) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="ID", help="these promises, or those of these commands"
    )
    parser.add_argument("--long", action="store_true", help="the long ones as well; together they take hours")
    parser.add_argument("--list", action="store_true", help="show all promises and run none")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table there as well")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("DATA", ".local")), help="the demo's folder")
    parser.add_argument("--rows", type=Path, default=ROWS, metavar="FILE", help="other rows (bench/promises.toml)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
