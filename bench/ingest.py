"""Throughput of event ingestion, against what the database does with the same lines by itself, in the same run.

It prepares an empty shop in the servers that it is given (``make bench-ingest`` gives it ephemeral ones) and starts a
web process of its own. ``docs/benchmarks.md`` says what is measured.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # as the web processes run
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
os.environ.setdefault("LOG_LEVEL", "WARNING")

import django  # noqa: E402

from bench.meter import Progress  # noqa: E402

ROUNDS = 5
SIZES = {"lines": {1: 400, 100: 20_000, 1_000: 40_000}, "file": 200_000, "months": 1_000_000}
QUICK = {"lines": {1: 20, 100: 1_000, 1_000: 2_000}, "file": 2_000, "months": 20_000}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of which medians are shown ({ROUNDS})")
    parser.add_argument("--connections", type=int, default=4, help="of the client to the web process (4)")
    parser.add_argument("--quick", action="store_true", help="few lines, one round: to see that it works")
    arguments = parser.parse_args(argv)
    django.setup()
    from bench.ingestion.rounds import NotEmptyError, run  # noqa: PLC0415 - models can be read once Django is set up

    sizes = QUICK if arguments.quick else SIZES
    with tempfile.TemporaryDirectory(prefix="ingest-") as folder:
        try:
            rounds = run(
                rounds=1 if arguments.quick else arguments.rounds,
                connections=arguments.connections,
                sizes=sizes,
                folder=Path(folder),
                tell=Progress(),
            )
        except NotEmptyError:
            sys.stderr.write("ingest: the database holds a shop; give it an empty one (make bench-ingest does)\n")
            return 2
    result = summary(rounds, connections=arguments.connections)
    sys.stdout.write(table(result))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def summary(rounds: Sequence[dict[str, float]], *, connections: int) -> dict[str, Any]:
    """Lines per second of each way: the median, and its ratio to each floor as the median of the rounds' ratios.

    Next to it the processor time of the web process.
    """
    spent = {name: statistics.median(one[name] for one in rounds) for name in rounds[0] if _is_cost(name)}
    rounds = [{name: rate for name, rate in one.items() if not _is_cost(name)} for one in rounds]
    ratios = {
        name: {
            floor: round(statistics.median(one[name] / one[floor] for one in rounds), 3)
            for floor in _floors(name, rounds[0])
        }
        for name in rounds[0]
    }
    return {
        "rounds": len(rounds),
        "connections": connections,
        "lines_per_second": {name: round(statistics.median(one[name] for one in rounds)) for name in rounds[0]},
        "ratio_to": {name: row for name, row in ratios.items() if row},
        "web_microseconds_a_line": {name.partition(", ")[2]: round(took, 1) for name, took in spent.items()},
        "each": [{name: round(rate) for name, rate in one.items()} for one in rounds],
    }


_FLOORS_OF_FILES = {
    "import of a file": "floor: COPY of the file",
    "import into free months": "floor: COPY of months 1",
    "import into full months": "floor: COPY of months 2",
}


def _is_cost(name: str) -> bool:
    return name.startswith("web ")


def _floors(name: str, one: dict[str, float]) -> list[str]:
    """Floors that a way of the product is held against: those of its own size."""
    kind, _, size = name.partition(", ")
    if kind == "API":
        return [floor for floor in one if floor.startswith("floor") and floor.endswith(f", {size}")]
    return [_FLOORS_OF_FILES[kind]] if kind in _FLOORS_OF_FILES else []


def table(result: dict[str, Any]) -> str:
    head = f"{'':<26}{'lines/s':>10}{'web CPU, µs':>12}  ratio to"
    lines = [f"median of {result['rounds']} rounds, {result['connections']} connections", head]
    for name, rate in result["lines_per_second"].items():
        ratios = result["ratio_to"].get(name, {})
        cells = ", ".join(f"{ratio:.3f} {floor.removeprefix('floor: ')}" for floor, ratio in ratios.items())
        cost = result["web_microseconds_a_line"].get(name.removeprefix("API, "), "")
        lines.append(f"{name:<26}{rate:>10,}{cost:>12}  {cells}".rstrip())
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
