"""Cost of every stage of the engine from a million interactions to fifty: seconds and memory.

The data are invented (``synthetic.py``). ``docs/scale.md`` says what is measured and shows the result.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.growth.loglog import Line, drawn
from bench.growth.stages import once, run
from bench.meter import Progress

MILLION = 1_000_000
PICTURED = 5  # recommenders that have a line of their own, the dearest at the largest size

type Result = dict[str, Any]


def main(argv: Sequence[str] | None = None) -> int:
    arguments = options().parse_args(argv)
    if arguments.stage:
        sys.stdout.write(json.dumps(run(arguments.stage, arguments.folder, rows=round(arguments.rows[0] * MILLION))))
        return 0
    tell = Progress()
    if arguments.read:
        results = json.loads(arguments.read.read_text(encoding="utf-8"))
    else:
        results = [measured(size, arguments.folder, tell) for size in arguments.rows]
    sys.stdout.write(table(results))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if arguments.picture:
        arguments.picture.write_text(picture(results), encoding="utf-8")
    return 0


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=sizes, default=[1.0, 10.0, 50.0], help="millions of interactions (1,10,50)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--picture", type=Path, help="SVG file for the chart")
    parser.add_argument("--read", type=Path, help="table and chart of figures measured before (a file of --json)")
    parser.add_argument("--folder", type=Path, help="where the data lie meanwhile, 10 GB for 50 million; kept if given")
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    return parser


def sizes(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


def measured(millions: float, folder: Path | None, tell: Progress) -> Result:
    """Measure every stage of one size; a stage that was measured in a kept folder is not measured again."""
    with tempfile.TemporaryDirectory(prefix="scale-") as fleeting:
        place = (folder or Path(fleeting)) / f"{millions:g}"
        place.mkdir(parents=True, exist_ok=True)
        figures = {}
        for stage in stages():
            file = place / f"{stage}.json"
            if not file.exists():
                tell(f"{millions:g} million: {stage}")
                file.write_text(child(stage, place, millions), encoding="utf-8")
            figures[stage] = json.loads(file.read_text(encoding="utf-8"))
        return {"millions": millions, "stages": figures}


def stages() -> Iterator[str]:
    yield from ("generate", "matrices")
    yield from (f"fit {instance.name}" for instance in once())
    yield from ("score", "tuning", "evaluation")


def child(stage: str, folder: Path, millions: float) -> str:
    argv = [sys.executable, str(Path(__file__)), "--stage", stage, "--folder", str(folder), "--rows", str(millions)]
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout


def table(results: Sequence[Result]) -> str:
    """Table in Markdown: per stage and size CPU seconds, seconds on the clock, and the peak of memory."""
    generated = [result["stages"]["generate"] for result in results]
    head = [f"{one['rows'] / MILLION:.1f} M rows, {one['users']:,} × {one['items']:,}" for one in generated]
    lines = ["| stage | " + " | ".join(head) + " |", "| --- |" + " ---: |" * len(head)]
    for stage in results[0]["stages"]:
        cells = [cell(result["stages"][stage]) for result in results]
        lines.append(f"| {stage} | " + " | ".join(cells) + " |")
    totals = [sum(figures["cpu_seconds"] for figures in result["stages"].values()) for result in results]
    lines.append("| **all** | " + " | ".join(f"**{total:,.0f} s**" for total in totals) + " |")
    return "\n".join(lines) + "\n"


def cell(figures: dict[str, float]) -> str:
    return f"{figures['cpu_seconds']:,.1f} s ({figures['wall_seconds']:,.0f}), {figures['peak_mb'] / 1000:.2f} GB"


def picture(results: Sequence[Result]) -> str:
    largest = results[-1]["stages"]
    fits = sorted((s for s in largest if s.startswith("fit ")), key=lambda stage: -largest[stage]["cpu_seconds"])
    kinds = {one.name: one.kind.__name__ for one in once()}
    pictured: dict[str, str] = {}
    for stage in fits:
        if kinds[stage[4:]] not in pictured.values() and len(pictured) < PICTURED:
            pictured[stage] = kinds[stage[4:]]
    others = [stage for stage in fits if kinds[stage[4:]] not in pictured.values()]
    groups = [(f"fit {stage[4:]}", [stage]) for stage in pictured] + [("all other fits", others)]
    groups += [("candidates of 10,000 customers", ["score"]), ("tuning", ["tuning"]), ("evaluation", ["evaluation"])]
    lines = [
        Line(
            label,
            [result["stages"]["generate"]["rows"] for result in results],
            [sum(result["stages"][stage]["cpu_seconds"] for stage in members) for result in results],
        )
        for label, members in groups
    ]
    return drawn(lines, title="CPU seconds of each stage against interactions")


if __name__ == "__main__":
    sys.exit(main())
