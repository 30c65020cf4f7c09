"""Cost of a move of a weight for the server, and whether the panel says what the batch evaluation says.

On the live version of an install: its database and artefacts are found as every command finds them. The answers are
those of the weights page; nothing is stored. ``docs/benchmarks.md`` says what is measured.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # as the web processes run
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")

import django  # noqa: E402

MOVES = 40
HEAD = (
    f"{'task':<9}{'diversity':>10}{'customers':>10}{'x cand.':>8}{'x inst.':>8}{'MB':>7}{'equal':>8}"
    f"{'answers':>9}{'median ms':>10}{'p95 ms':>8}{'CPU median':>11}{'CPU p95':>8}"
)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--moves", type=int, default=MOVES, help=f"of each kind ({MOVES})")
    parser.add_argument("--seed", type=int, default=0, help="of the moves (0)")
    arguments = parser.parse_args(argv)
    results = on_the_live_version(moves=arguments.moves, seed=arguments.seed)
    if not results:
        sys.stderr.write("what_if: there is nothing to measure; run the loop on more data first\n")
        return 2
    sys.stdout.write(table(results))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0 if all(result["customers_equal"] == result["customers"] for result in results) else 1


def on_the_live_version(*, moves: int, seed: int) -> list[dict[str, Any]]:
    django.setup()
    from bench.moves import run  # noqa: PLC0415 - models can be read once Django is set up

    return run(moves=moves, seed=seed)


def table(results: Sequence[dict[str, Any]]) -> str:
    lines = [
        "ms of the whole answer of the service: 10 metrics of every customer, coverage, 1,000 resamples, 6 movers",
        HEAD,
    ]
    for row in results:
        wall, cpu = row["wall_ms"], row["processor_ms"]
        lines.append(
            f"{row['task']:<9}{row['diversity']:>10}{row['customers']:>10,}{row['candidates']:>8}{row['instances']:>8}"
            f"{row['panel_mb']:>7}{row['customers_equal'] / row['customers']:>8.2%}"
            f"{row['answers_equal']:>5}/{row['moves']:<3}{wall['median']:>10}{wall['p95']:>8}"
            f"{cpu['median']:>11}{cpu['p95']:>8}"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
