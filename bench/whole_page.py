"""Quality of whole pages: ``make bench-pages`` on the demo's data.

Customers who bought in the test window are shown the home page, and the page of an item that they bought in it, by the
model that ends before the window: once with a question for each placement, once with one question for the page. A page
is judged as one list, its slots in order, an item that stands on it again a miss. ``docs/benchmarks.md`` says more.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import django

CUSTOMERS = 500
HEAD = (
    f"{'page':<6}{'asked':<10}{'customers':>10}{'items':>7}{'twice':>7}{'short':>7}{'NDCG':>9}{'95 % interval':>18}"
    f"{'against singly':>27}{'of the kind':>13}{'CPU ms':>8}"
)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=CUSTOMERS, help=f"drawn by the seed ({CUSTOMERS})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args(argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
    django.setup()
    from bench.page_answers import NothingToMeasureError, measured  # noqa: PLC0415 - after django.setup()

    try:
        rows = [asdict(row) for row in measured(customers=options.customers, seed=options.seed)]
    except NothingToMeasureError as error:
        sys.exit(f"whole_page: {error}; run `make demo` once, with the same DATA")
    sys.stdout.write(table(rows))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 1 if any(row["twice"] for row in rows if row["asked"] == "together") else 0


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join([HEAD, *map(_line, rows)]) + "\n"


def _line(row: Mapping[str, Any]) -> str:
    value, low, high = row["ndcg"]
    gain = row["gain"]
    against = "" if gain is None else "{:+.4f} [{:+.4f}, {:+.4f}]".format(*gain)
    kind = "" if row["of_kind"] is None else f"{row['of_kind']:.1%}"
    return (
        f"{row['page']:<6}{row['asked']:<10}{row['customers']:>10,}{row['items']:>7.2f}{row['twice']:>7,}"
        f"{row['short']:>7,}{value:>9.4f}{f'[{low:.4f}, {high:.4f}]':>18}{against:>27}{kind:>13}{row['cpu_ms']:>8.2f}"
    )


if __name__ == "__main__":
    sys.exit(main())
