"""Stage 6: weights from the tuning window, the hybrid's figures from the test window, and the version goes live whole.

The first turn's weights become the default; later turns only propose, unless staff set the blend to automatic.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from recommendations.engine.evaluation.backtest import backtest
from recommendations.engine.evaluation.breadth import assortment
from recommendations.engine.evaluation.intervals import resamples
from recommendations.engine.evaluation.measures import MAIN
from recommendations.engine.feedback.presets import PRESETS
from recommendations.engine.feedback.tuning import ablation, tuned
from recommendations.loop.evaluate import TASKS, panel_of
from recommendations.loop.turn import TurnContext
from recommendations.models import Blend, BlendWeights, EvaluationRun
from recommendations.store import artefacts, blending, live, measurements, model, versions
from recommendations.store.measurements import described
from recommendations.terms import BlendName, Cut, Task

NOTABLE = 1e-4
"""A proposal must promise at least so much NDCG@10 more than the default on the tuning panel."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    weights: Mapping[str, float]
    expected: Mapping[str, object]
    gain: float  # NDCG@10 on the tuning panel against the default


def adjust_weights_and_go_live(context: TurnContext) -> Mapping[str, object]:
    counts: dict[str, object] = {}
    for number, (task, blend) in enumerate(TASKS.items()):
        proposal = _proposal(context, task, blend, done=number / len(TASKS))
        made = _append(context, blend, proposal) if proposal else None
        counts[f"{blend}_weights"] = made.number if made else None
        counts |= _measure_hybrid(context, task, blend, made)
    for blend in BlendName:
        if blending.default_weights(blend) is None:
            blending.append_weights(
                blend=blend, weights=PRESETS[blend], reason="Shipped preset", expected={},
                author=None, now=context.now, publish=True,
            )  # fmt: skip
    versions.go_live(context.version, now=context.now)
    live.announce("model")
    live.announce("weights")
    context.report(1, text=f"model {context.version} is live")
    artefacts.forget_old_versions()
    return counts


def _proposal(context: TurnContext, task: Task, blend: BlendName, *, done: float) -> Proposal | None:
    """The tuner's result on the tuning panel; None where nobody has truth there."""
    on = panel_of(context, Cut.TUNING, task)
    if on is None:
        context.report(done, text=f"{blend}: no purchases in the tuning window, so the weights stay as they are")
        return None
    start = blending.starting_weights(blend)
    found = tuned(on, seed=context.seed, starts=[start], progress=lambda share: context.report(done + 0.4 * share))
    drawn = resamples(len(on.users), seed=context.seed)
    now, then = on.measure(found.weights), on.measure(start)
    expected = {
        "cut": Cut.TUNING,
        "users": len(on.users),
        "evaluations": found.evaluations,
        "metrics": {name: described(value) for name, value in now.summary(drawn).items()},
        "against_default": {name: described(value) for name, value in now.against(then, drawn).items()},
        "ablation": {name: described(lost) for name, lost in ablation(on, found.weights, drawn).items()},
    }
    gain = now.against(then, drawn)[MAIN].value
    context.report(done, text=f"{blend}: tuned on {len(on.users):,} customers, {MAIN} {gain:+.4f} against the start")
    return Proposal(weights=found.weights, expected=expected, gain=gain)


def _append(context: TurnContext, blend: BlendName, proposal: Proposal) -> BlendWeights | None:
    """A new version: the default where there is none or staff said so, else a proposal worth looking at."""
    first = blending.default_weights(blend) is None
    if not first and proposal.gain < NOTABLE:
        return None
    publish = first or Blend.objects.get(name=blend).automatic
    return blending.append_weights(
        blend=blend, weights=proposal.weights, reason=f"Tuned by turn {context.turn}",
        expected=proposal.expected, author=None, now=context.now, publish=publish,
    )  # fmt: skip


def _measure_hybrid(
    context: TurnContext, task: Task, blend: BlendName, made: BlendWeights | None
) -> Mapping[str, object]:
    """Add the default's row (and the proposal's) to the table of the test window."""
    run = EvaluationRun.objects.filter(version=context.version, cut=Cut.TEST, task=task).first()
    default = blending.default_weights(blend)
    if run is None or default is None:
        return {}
    snapshot, _ = model.load_snapshot(context.version.pk, Cut.TEST)
    truth = model.load_truths(context.version.pk, Cut.TEST)[task]
    hybrids = {"hybrid": default.weights}
    if made and not made.is_default:
        hybrids["hybrid_proposed"] = made.weights
    rows = backtest(
        model.load_candidates(context.version.pk, Cut.TEST)[blend], truth,
        hybrids=hybrids, baselines={}, shop=assortment(snapshot.training),
        drawn=resamples(len(truth.users), seed=context.seed),
    )  # fmt: skip
    rows = [row for row in rows if row.name in hybrids]
    measurements.add_rows(run, rows, fit_seconds={})
    value, low, high = rows[0].metrics[MAIN]
    context.report(0, text=f"{task}: {MAIN} {value:.4f} [{low:.4f}, {high:.4f}] on the test window")
    return {f"{task}_{MAIN}": round(value, 4)}
