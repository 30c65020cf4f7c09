"""Estimates of drafts beside the truth, and the A/A, on a demo's data: ``make bench-replay-estimates``.

In the replay of the demo customers buy what they bought, and click whatever of it stands in their list. So how often
another list would have been clicked is known, and the estimate of a draft, which sees the clicks alone, is held against
it. Five drafts give ever more of the weights to another recommender; they are not stored. Their intervals hold the
truth, or they are refused. The A/A that ran with the replay finds nothing. Ends with 1 where a bar is not kept.
"""

import argparse
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

from bench.bars import Figure, report, say

if TYPE_CHECKING:
    from datetime import datetime

    from recommendations.store.serving.snapshot import ServedWeights

PARTS = (0.05, 0.2, 0.5, 0.8, 1.0)
"""Of the weights that go to the recommender that has the second most."""


@dataclass(frozen=True, kw_only=True)
class DraftBeside:
    """A draft's estimate and its truth, as shares of the clicks that are live."""

    part: float
    changed: float
    value: float
    low: float
    high: float
    truth: float
    refusal: str
    worth: float
    eta: float

    @property
    def inside(self) -> bool:
        return self.low <= self.truth <= self.high


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args(argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
    django.setup()
    from django.utils import timezone  # noqa: PLC0415 - Django is set up by now

    now = timezone.now()
    log, drafts = _estimated(now)
    if not drafts:
        sys.exit("replay_estimates: there is no replay to estimate from; run `make demo` once, with the same DATA")
    say(f"{log['answers']:,.0f} replayed answers, {log['shuffled']:,.0f} of them shuffled; in per cent of the clicks")
    say(
        f"{'moved':>6} {'of 10':>6} {'estimate':>9} {'interval':>18} {'true':>7} {'holds':>6} {'worth':>7} {'η':>6}"
        "  refused"
    )
    for one in drafts:
        say(
            f"{one.part:6.0%} {10 * one.changed:6.1f} {one.value:+9.2%} {f'{one.low:+.2%} … {one.high:+.2%}':>18}"
            f" {one.truth:+7.2%} {'yes' if one.inside else 'NO':>6} {one.worth:7,.0f} {one.eta:6.2f}  {one.refusal}"
        )
    say()
    eta = Figure("η by all answers, in its standard errors from 0", log["eta"] / log["eta_se"], least=-3, most=3)
    figures = [*_figures(drafts), Figure("η by all answers", log["eta"]), eta, *_aa_figures()]
    return report(figures, protocol={**log, "parts": PARTS}, path=options.json)


def _estimated(now: "datetime") -> tuple[dict[str, float], list[DraftBeside]]:
    """Facts of the log, and the drafts; none where nothing was replayed."""
    from recommendations.engine.experiments.attention import steepness  # noqa: PLC0415
    from recommendations.engine.experiments.past_choices import past_arrays  # noqa: PLC0415
    from recommendations.services.weights.draft_estimates import figures_of  # noqa: PLC0415
    from recommendations.simulation.past_rankings import ComparedWeights, past_sample  # noqa: PLC0415
    from recommendations.store.experiments.logged_answers import answer_log  # noqa: PLC0415
    from recommendations.store.models.weight_versions import served_weights  # noqa: PLC0415
    from recommendations.store.serving.snapshot import ServedWeights, WeightsKey  # noqa: PLC0415
    from recommendations.store.serving.snapshot_holder import current_snapshot  # noqa: PLC0415
    from recommendations.terms import BlendName  # noqa: PLC0415

    log, row = answer_log("home", now=now), served_weights(BlendName.HOME, None)
    if row is None or not log.replay:
        return {}, []
    live, whose = ServedWeights.of(row), WeightsKey.of(BlendName.HOME, None)
    facts: dict[str, float] = {}
    drafts = []
    for part in PARTS:
        compared = ComparedWeights(whose=whose, draft=_draft(live, part), live=live)
        sample = past_sample(log, compared, live=current_snapshot(), now=now, progress=lambda _share: None)
        result = figures_of(sample, log)
        facts = {name: float(result[name]) for name in ("answers", "shuffled", "unmakeable")}
        if sample.choices:
            facts["eta"], facts["eta_se"] = steepness(past_arrays(sample.choices).plain)
        if result.get("clicks") and result["clicks"]["live"]:
            drafts.append(_beside(part, result))
    return facts, drafts


def _draft(live: "ServedWeights", part: float) -> "ServedWeights":
    """What is live with so much of all weights given to the recommender that has the second most."""
    second = sorted(live.weights, key=lambda name: -live.weights[name])[1]
    weights = {name: (1 - part) * weight for name, weight in live.weights.items()}
    return replace(live, weights=weights | {second: weights[second] + part}, key=None, version=0)


def _beside(part: float, result: Mapping[str, Any]) -> DraftBeside:
    clicks, attention, refusal = result["clicks"], result["attention"], result["refusal"]
    live = clicks["live"]
    return DraftBeside(
        part=part, changed=clicks["changed"], value=clicks["value"] / live, low=clicks["low"] / live,
        high=clicks["high"] / live, truth=result["known"] / live, refusal=refusal["code"] if refusal else "",
        worth=clicks["worth"], eta=attention["eta"],
    )  # fmt: skip


def _figures(drafts: Sequence[DraftBeside]) -> Iterator[Figure]:
    held = sum(one.inside or bool(one.refusal) for one in drafts)
    yield Figure("drafts whose interval holds the truth, or that are refused", held, least=len(PARTS))
    yield Figure("  of them refused", sum(bool(one.refusal) for one in drafts))
    yield Figure("  intervals that hold it, of the refused as well", sum(one.inside for one in drafts))
    given = [one for one in drafts if not one.refusal]
    if given:
        yield Figure("largest error of those given, of the clicks", max(abs(one.value - one.truth) for one in given))
    yield Figure("largest effect that is true, of the clicks", max(abs(one.truth) for one in drafts))


def _aa_figures() -> Iterator[Figure]:
    from demo.models import Replay  # noqa: PLC0415
    from recommendations.engine.experiments.decision import VerdictCode  # noqa: PLC0415
    from recommendations.engine.experiments.mismatch import ALARM, log_evidence  # noqa: PLC0415
    from recommendations.models import Unit  # noqa: PLC0415
    from recommendations.wording.experiments import verdict_text  # noqa: PLC0415

    replay = Replay.objects.select_related("experiment").first()
    test = replay.experiment if replay else None
    if test is None or not test.decision:
        return
    code, facts = test.decision["code"], test.decision["facts"]
    say(f"{test}: {verdict_text(code, facts, primary=test.primary, kind=test.kind)}")
    arms = list(test.arms.order_by("position"))
    counts = [Unit.objects.filter(experiment=test, arm=arm, mixed=False).count() for arm in arms]
    differs = code in {VerdictCode.SHIP, VerdictCode.KEEP}
    yield Figure("A/A that found a difference", float(differs), most=0)
    evidence = log_evidence(counts, [arm.share for arm in arms])
    yield Figure(f"its split, {' : '.join(map(str, counts))}: evidence against, ln e", evidence, most=math.log(ALARM))


if __name__ == "__main__":
    sys.exit(main())
