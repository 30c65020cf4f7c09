"""Watches on planted changes: are they seen, how soon, and whose doing are they? ``make bench-watches``.

Rates with a rhythm of day and week fall by a tenth, a fifth or two fifths after eight weeks; lists change because one
part of the system did; interests have a patience, and acts a worth, that are known. The bars: a rate that does not
change is alarmed about in at most 5 % of eight weeks, a fall by a fifth is found within three days in at least 90 %,
50 of 50 causes are named. It ends with 1 where one is not reached.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.changes import causes, interests, rates
from bench.meter import Progress
from recommendations.engine.evaluation.stability import rbo, shapley

RUNS, QUICK = 2_000, 100
FITS_PER_RUN = 0.05
PLANTED = 50
PATIENCES = (5.0, 12.0, 40.0)
PAIRS = 20_000
EARLY, SOON, SUM = 0.05, 0.90, 1e-12
MOST_SECONDS = 5.0
LISTED = 500


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar, the figure beside it, and whether it is reached."""

    words: str
    seen: float
    bar: str
    reached: bool


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} runs in place of {RUNS}: for a first look")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    runs = QUICK if arguments.quick else RUNS
    results = run(runs, seed=arguments.seed, tell=Progress())
    bars = bars_of(results)
    sys.stdout.write("\n".join(lines(results, bars)) + "\n")
    if arguments.json:
        shown = {name: [asdict(one) for one in part] for name, part in {**results, "bars": bars}.items()}
        written = json.dumps({"seed": arguments.seed, "runs": runs, **shown}, indent=1)
        arguments.json.write_text(written + "\n", encoding="utf-8")
    return 0 if all(bar.reached for bar in bars) else 1


def run(runs: int, *, seed: int, tell: Progress) -> dict[str, list[Any]]:
    """Run all parts: their readings by name."""
    results: dict[str, list[Any]] = {"rates": []}
    for placement in rates.PLACEMENTS:
        tell(f"rates of a {placement.name} placement, {runs} runs")
        results["rates"] += rates.readings([placement], runs=runs, seed=seed)
    tell("causes")
    results["causes"] = [causes.reading(planted=PLANTED, others=far, seed=seed) for far in (0.0, causes.SMALL)]
    tell("patience and points")
    fewer = max(round(runs * FITS_PER_RUN), 1)
    results["patience"] = [interests.patience(kappa, pairs=PAIRS, runs=fewer, seed=seed) for kappa in PATIENCES]
    results["points"] = interests.points(pairs=3 * PAIRS, runs=fewer, seed=seed)
    return results


def bars_of(results: dict[str, list[Any]]) -> list[Bar]:
    busy = {one.factor: one for one in results["rates"] if one.placement == rates.PLACEMENTS[0].name}
    early, soon = busy[1.0].early, busy[0.8].soon
    alone, seconds = results["causes"][0], shapley_seconds()
    gap = max(one.gap for one in results["causes"])
    return [
        Bar(words="alarms in eight weeks without a change", seen=early, bar="≤ 5 %", reached=early <= EARLY),
        Bar(words="falls by a fifth found within three days", seen=soon, bar="≥ 90 %", reached=soon >= SOON),
        Bar(words="single causes named", seen=alone.named, bar="50 of 50", reached=alone.named == alone.planted),
        Bar(words="shares add up to the whole but for", seen=gap, bar=f"< {SUM:g}", reached=gap < SUM),
        Bar(words="seconds of RBO and shares, 500 lists", seen=seconds, bar="≤ 5", reached=seconds <= MOST_SECONDS),
    ]


def shapley_seconds() -> float:
    """Seconds to share out the change of 500 lists of ten over the parts; the lists are there already."""
    draw = np.random.default_rng(0)
    ranked = [draw.permuted(np.tile(np.arange(80, dtype=np.int32), (LISTED, 1)), axis=1)[:, :10] for _ in range(32)]
    number = {part: 1 << place for place, part in enumerate(causes.PARTS)}
    started = time.perf_counter()
    shapley(lambda parts: float(rbo(ranked[0], ranked[sum(number[part] for part in parts)]).mean()), causes.PARTS)
    return time.perf_counter() - started


def lines(results: dict[str, list[Any]], bars: Sequence[Bar]) -> list[str]:
    """Tables in Markdown."""
    text = ["| placement | rate × | early | found | within 72 h | median hours | median onset |", "|---|" + "---:|" * 6]
    for one in results["rates"]:
        row = f"| {one.placement} | {one.factor:g} | {one.early:.1%} |"
        seen = f"{one.found:.1%} | {one.soon:.1%} | {_hours(one.hours)} | {_hours(one.onset)}"
        text.append(f"{row} {seen if one.factor < 1 else '– | – | – | –'} |")
    text += ["", "| other parts moved by | causes named | least share of the cause |", "|---:|---:|---:|"]
    text += [f"| {one.others:g} | {one.named} of {one.planted} | {one.smallest:.0%} |" for one in results["causes"]]
    text += ["", "| κ | median fit | 10th and 90th percentile |", "|---:|---:|---:|"]
    text += [f"| {one.kappa:g} | {one.median:.1f} | {one.low:.1f}, {one.high:.1f} |" for one in results["patience"]]
    text += ["", "| act | points | mean learned | intervals that hold them | without matching |", "|---|" + "---:|" * 4]
    text += [
        f"| {one.act} | {one.truth:.2f} | {one.mean:.2f} | {one.held:.0%} | {one.unmatched:.2f} |"
        for one in results["points"]
    ]
    text += ["", "| bar | seen | | |", "|---|---:|---:|---|"]
    text += [f"| {bar.words} | {bar.seen:.3g} | {bar.bar} | {'yes' if bar.reached else 'NO'} |" for bar in bars]
    return text


def _hours(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


if __name__ == "__main__":
    sys.exit(main())
