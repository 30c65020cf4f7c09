"""The budgets of size: what is held, and where it stops."""

import ast
from collections import defaultdict
from statistics import median, quantiles

from tests.architecture.source import ROOT, functions, lines_of, modules

BLOCK = 6  # lines


def p95(values: list[int]) -> float:
    return quantiles(values, n=20)[-1]


def test_function_lines() -> None:
    lines = {place: lines_of(function) for place, function in functions()}
    assert {place: length for place, length in lines.items() if length > 60} == {}
    assert median(lines.values()) <= 8
    assert p95(list(lines.values())) <= 40


def test_file_lines() -> None:
    lines = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in modules()}
    assert {name: length for name, length in lines.items() if length > 400} == {}
    assert p95(list(lines.values())) <= 300


def test_positional_parameters() -> None:
    def count(arguments: ast.arguments) -> int:
        names = [argument.arg for argument in arguments.posonlyargs + arguments.args]
        return len([name for name in names if name not in {"self", "cls"}])

    counts = {place: count(function.args) for place, function in functions()}
    assert {place: number for place, number in counts.items() if number > 5} == {}
    # Two, then keyword-only: at most one function in ten takes more.
    assert len([number for number in counts.values() if number > 2]) <= len(counts) / 10


def test_repeated_blocks() -> None:
    """At most 2.5 blocks of six lines and more that stand in two places, per 1,000 lines."""
    places = defaultdict(set)
    total = 0
    for name in modules():
        text = (ROOT / name).read_text(encoding="utf-8")
        code = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("import", "from"))]
        total += len(code)
        for start in range(len(code) - BLOCK + 1):
            block = tuple(code[start : start + BLOCK])
            if sum(map(len, block)) > 20 * BLOCK:
                places[block].add((name, start))
    repeated = {block: spots for block, spots in places.items() if len(spots) > 1}
    starts = {place for spots in repeated.values() for place in spots}
    # a block that begins one line after another repeated one is its continuation
    begun = [spots for spots in repeated.values() if not all((name, start - 1) in starts for name, start in spots)]
    assert 1000 * len(begun) / total <= 2.5, sorted(sorted(spots) for spots in begun)
