"""The numbers of the house: how long, how full and how plainly named it is, and the limits that it keeps.

    python tools/house.py                 # the table; ends with 1 where a limit is passed
    python tools/house.py --root OLD      # beside it, what another checkout has
    python tools/house.py --list words    # the places behind a number

``make lint`` runs it. The limits are what was reached, with room for a hundred lines: who passes one mends the
cause, or says here why it may grow.
"""

import argparse
import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("recommendations", "analytics", "demo", "recsite", "storefront", "clients")
PARTICIPLES = frozenset({"found", "told", "made", "kept", "known", "shown", "read", "counted"})
"""No name of a function: they say that something was done, and not what."""
ANYWHERE = frozenset({"Config", "Command", "Filters", "Meta", "Migration"})
"""Names of classes that Django or a protocol asks for in every module."""
HEADLESS = re.compile(
    r"(Of|As|By|With|Without|In|Into|To|For|From|On|At|Under|Beside|Behind|That|Those|Which|And|But|Than|Until|After|"
    r"Before|Over|Among|Also|Else|The same|Not|Nothing but|Again|So)\b"
)
"""How a docstring begins that cannot be read without the name above it."""

type Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class House:
    """A checkout: its tracked Python files and their syntax trees."""

    root: Path

    @cached_property
    def files(self) -> tuple[str, ...]:
        argv = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
        names = subprocess.run(argv, cwd=self.root, check=True, capture_output=True, text=True).stdout.split()
        return tuple(name for name in names if (self.root / name).is_file())

    @cached_property
    def trees(self) -> Mapping[str, ast.Module]:
        """Of the product, without migrations and tests."""
        names = (name for name in self.files if name.startswith(tuple(f"{folder}/" for folder in PRODUCT)))
        plain = [name for name in names if "/migrations/" not in name and "/tests/" not in name]
        return {name: ast.parse((self.root / name).read_text(encoding="utf-8")) for name in plain}

    def lines(self, folder: str, *, migrations: bool = False) -> int:
        names = [name for name in self.files if name.startswith(f"{folder}/")]
        chosen = [name for name in names if ("/migrations/" in name) == migrations]
        return sum(len((self.root / name).read_text(encoding="utf-8").splitlines()) for name in chosen)

    def functions(self) -> Iterator[tuple[str, Function]]:
        for name, tree in self.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{name}:{node.lineno} {node.name}", node

    def docstrings(self) -> Iterator[tuple[str, str]]:
        for name, tree in self.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    text = ast.get_docstring(node)
                    if text:
                        yield f"{name}:{getattr(node, 'lineno', 1)} {getattr(node, 'name', 'module')}", text

    # --- what is counted: the places behind each number

    def fullest(self) -> list[str]:
        """Files of the fullest folder."""
        folders: dict[str, list[str]] = defaultdict(list)
        for name in self.trees:
            folders[name.rpartition("/")[0]].append(name)
        return max(folders.values(), key=len)

    def fullest_but_one(self) -> list[str]:
        folders: dict[str, list[str]] = defaultdict(list)
        for name in self.trees:
            folders[name.rpartition("/")[0]].append(name)
        return sorted(folders.values(), key=len)[-2]

    def names_in(self, modules: int) -> list[str]:
        """Names of classes that stand in so many modules, or in more."""
        places: dict[str, set[str]] = defaultdict(set)
        for name, tree in self.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and node.name not in ANYWHERE:
                    places[node.name].add(name)
        often = {name: sorted(where) for name, where in places.items() if len(where) >= modules}
        return [f"{name}: {', '.join(where)}" for name, where in sorted(often.items())]

    def participles(self) -> list[str]:
        return [place for place, node in self.functions() if node.name.strip("_") in PARTICIPLES]

    def assigned_found(self) -> list[str]:
        return [
            f"{name}:{node.lineno}"
            for name, tree in self.trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and node.id == "found" and isinstance(node.ctx, ast.Store)
        ]

    def headless(self) -> list[str]:
        return [f"{place}: {text.splitlines()[0]}" for place, text in self.docstrings() if HEADLESS.match(text)]


@dataclass(frozen=True, kw_only=True)
class Number:
    """A line of the table; ``limit`` is the most that it may be."""

    words: str
    limit: int
    count: Callable[[House], int]
    places: Callable[[House], list[str]] | None = None


NUMBERS: Mapping[str, Number] = {
    "recommendations": Number(
        words="lines of recommendations without migrations", limit=117_900,
        count=lambda house: house.lines("recommendations"),
    ),
    "migrations": Number(
        words="lines of its migrations", limit=5_200,
        count=lambda house: house.lines("recommendations", migrations=True),
    ),
    "analytics": Number(words="lines of analytics", limit=35_600, count=lambda house: house.lines("analytics")),
    "fullest": Number(
        words="files of the fullest folder", limit=28, count=lambda house: len(house.fullest()), places=House.fullest
    ),
    "second": Number(
        words="files of the fullest but that one", limit=27, count=lambda house: len(house.fullest_but_one()),
        places=House.fullest_but_one,
    ),
    "classes3": Number(
        words="class names in three modules or more", limit=0, count=lambda house: len(house.names_in(3)),
        places=lambda house: house.names_in(3),
    ),
    "classes2": Number(
        words="class names in two modules", limit=70, count=lambda house: len(house.names_in(2)),
        places=lambda house: house.names_in(2),
    ),
    "participles": Number(
        words="functions named by a bare participle", limit=0, count=lambda house: len(house.participles()),
        places=House.participles,
    ),
    "found": Number(
        words="assignments to “found”", limit=2, count=lambda house: len(house.assigned_found()),
        places=House.assigned_found,
    ),
    "words": Number(
        words="docstrings without a subject", limit=0, count=lambda house: len(house.headless()),
        places=House.headless,
    ),
}  # fmt: skip


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="The numbers of the house and their limits.")
    parser.add_argument("--root", type=Path, help="another checkout, to stand beside this one")
    parser.add_argument("--list", choices=[name for name, number in NUMBERS.items() if number.places], dest="listed")
    given = parser.parse_args(argv)
    here, there = House(ROOT), House(given.root.resolve()) if given.root else None
    if given.listed and (places := NUMBERS[given.listed].places):
        sys.stdout.write("\n".join(places(there or here)) + "\n")
        return 0
    passed = 0
    for number in NUMBERS.values():
        value = number.count(here)
        before = f"{number.count(there):>8,} → " if there else ""
        passed += value > number.limit
        mark = "  TOO MANY" if value > number.limit else ""
        sys.stdout.write(f"{number.words:<46}{before}{value:>8,}   at most {number.limit:,}{mark}\n")
    return 1 if passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
