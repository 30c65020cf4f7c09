"""Compare two checkouts on the demo's data: every figure and every answer is the same, to the last bit.

    python tools/same_figures.py OLD            # OLD learns and answers; this checkout opens what it left, and answers
    python tools/same_figures.py OLD --learn    # both learn, each in a folder of its own, from the same moment and seed

Compared are the figures of every row of the quality table, 200 answers through both doors of the API, the price tag of
a rule and the waterfall of an answer. Each checkout runs ``figures_of_checkout.py`` with its own environment, the clock
standing still. Ends with 1 where something differs, and says what.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
PROBE = Path(__file__).with_name("figures_of_checkout.py")
SHOWN = 20
KEYS = dict.fromkeys(("PSEUDONYM_KEY", "SECRET_KEY"), "the-same-in-both-0123456789-abcdefghijklmnopqrstuvwxyz")
"""Customers are numbered in the order of their pseudonyms: under other keys a model is learned in another order."""


def probe(checkout: Path, data: Path, now: str, *arguments: str, script: Path = PROBE) -> dict[str, Any]:
    """What a script finds in a checkout, with the embedded servers on ``data``."""
    python, out = str(checkout / ".venv/bin/python"), data / "figures.json"
    argv = [python, "-m", "recsite.embedded", "--data", str(data), "--", python, str(script), now, str(out), *arguments]
    subprocess.run(argv, cwd=checkout, check=True, env=os.environ | KEYS)
    figures: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return figures


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Places where the two are not the same, and what stands there."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted(one.keys() | other.keys()):
            yield from differences(one.get(name), other.get(name), f"{path}/{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, f"{path}/{place}")
    elif one != other:
        yield f"{path}: {str(one)[:200]} ≠ {str(other)[:200]}"


def count(value: Any) -> int:
    """Count the numbers and texts in a value."""
    if isinstance(value, dict):
        return sum(map(count, value.values()))
    return sum(map(count, value)) if isinstance(value, list) else 1


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Compare the figures of two checkouts.")
    parser.add_argument("old", type=Path, help="the other checkout, with its .venv")
    parser.add_argument("--learn", action="store_true", help="this one learns, too, instead of opening what OLD left")
    parser.add_argument("--households", help="only the first so many, for a quick look")
    given = parser.parse_args(argv)
    few = ["--households", given.households] if given.households else []
    now = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0).isoformat()
    with tempfile.TemporaryDirectory(prefix="same-figures-") as folder:
        first, second = Path(folder, "old"), Path(folder, "new" if given.learn else "old")
        for data in {first, second}:
            data.mkdir(mode=0o700)
        before = probe(given.old.resolve(), first, now, "--learn", *few)
        after = probe(HERE, second, now, *(["--learn", *few] if given.learn else []))
    different = list(differences(before, after))
    parts = ", ".join(f"{name} {count(part):,}" for name, part in before.items())
    sys.stdout.write("".join(f"{line}\n" for line in different[:SHOWN]))
    sys.stdout.write(f"{count(before):,} values compared ({parts}); {len(different):,} differ\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
