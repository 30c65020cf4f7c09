"""Points of acts that a run proposes: learned from outcomes, refitted, and compared with the points of now.

Nothing changes by itself: staff accept a proposal (``services/operations/event_points.py``), and the next run uses it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.accuracy import judge, ndcg
from recommendations.engine.evaluation.gate import gate_result
from recommendations.engine.evaluation.intervals import measures, resamples
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.feedback.act_outcomes import act_outcomes
from recommendations.engine.feedback.event_weights import LearnedPoints, learn_points
from recommendations.engine.frames import IdArray
from recommendations.engine.preprocess.clean import Parts
from recommendations.engine.preprocess.matrix import TrainingSnapshot
from recommendations.engine.preprocess.popularity import trend
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, candidates
from recommendations.engine.rng import generator
from recommendations.loop.context import RunContext
from recommendations.loop.event_parts import of_customers
from recommendations.loop.gate import LIVE, K
from recommendations.models import ModelVersion
from recommendations.store.domain import shop_instances
from recommendations.store.models import measurements, weight_versions
from recommendations.store.models.event_points import with_learned
from recommendations.store.models.model import everyone_and_a_stranger
from recommendations.store.models.truth_sample import first_drawn
from recommendations.terms import BlendName, Cut

NOTABLE = 0.1
"""Points by which one act must differ for a proposal."""


MOST_EVENTS = 4_000_000
"""Events by which points are learned and tried: where there are more, those of some customers have to do."""


class TrainedOn(NamedTuple):
    """A cut's training set under some points, and what its customers bought after it."""

    made: TrainingSnapshot
    truth: Truth


class PointsTrial(NamedTuple):
    """A cut under the points of now and under the proposed ones."""

    now: TrainedOn
    proposed: TrainedOn


class TrialNdcg(NamedTuple):
    """NDCG of each customer of both truths of a trial, under the points of now and under the proposed ones."""

    now: NDArray[np.float32]
    proposed: NDArray[np.float32]


class PointsLesson(NamedTuple):
    """Points that were learned, and the customers by whose acts; None: by those of all."""

    points: Mapping[str, LearnedPoints]
    customers: IdArray | None = None


def lesson(
    context: RunContext, left: Parts, people: IdArray, points: Mapping[str, float], *, kept: int
) -> PointsLesson:
    """Learn points from the events that are ``left`` of those that were ``kept``; none before there are weights to try
    them under.
    """
    if weight_versions.default_weights(BlendName.HOME) is None:
        return PointsLesson({})
    customers = _customers_asked(context, people, events=kept)
    return PointsLesson(learned_points(context, of_customers(left, customers), points), customers)


def _customers_asked(context: RunContext, people: IdArray, *, events: int) -> IdArray | None:
    """The keys of those by whose acts points are learned and tried; None: all are asked.

    Where they have too many ``events``, as many are drawn by the seed and their pseudonyms as have about the most.
    """
    if events <= MOST_EVENTS:
        return None
    few = len(people) * MOST_EVENTS // events
    context.report(
        0.4, text=f"event weights: {few:,} of {len(people):,} customers are asked, drawn by their pseudonyms"
    )
    return np.sort(first_drawn(people, seed=context.run.seed, most=few))


def learned_points(context: RunContext, events: Parts, points: Mapping[str, float]) -> dict[str, LearnedPoints]:
    """Points learned at the tuning cut; empty where too little is known, or none differs notably from those of now."""
    draw = generator(context.run.seed, "event points")
    learned = learn_points(act_outcomes(events, cut=context.windows.cuts[Cut.TUNING], draw=draw))
    differ = any(abs(one.points.value - points.get(name, 0.0)) >= NOTABLE for name, one in learned.items())
    return {str(name): one for name, one in learned.items()} if differ else {}


def proposed_points(points: Mapping[str, float], learned: Mapping[str, LearnedPoints]) -> dict[str, float]:
    """The points of now with those that were learned in their place."""
    return with_learned(points, {name: one.points.value for name, one in learned.items()})


def compared(context: RunContext, trial: PointsTrial) -> TrialNdcg:
    """What a trial reaches under the weights of the default."""
    now, proposed = (_ndcg(context, each) for each in trial)
    ids = [each.made.users.ids[each.truth.users] for each in trial]
    _, of_now, of_proposed = np.intersect1d(ids[0], ids[1], return_indices=True)
    return TrialNdcg(now[of_now], proposed[of_proposed])


def propose(context: RunContext, learned: Mapping[str, LearnedPoints], reached: Mapping[Cut, TrialNdcg]) -> None:
    """Keep a proposal with the version: paired NDCG on the tuning window, and the gate's word on the test window."""
    now, then = reached[Cut.TUNING]
    again = resamples(len(now), seed=context.run.seed)
    gain = measures((then - now)[:, None].astype(np.float64), again)[0]
    judged = gate_result(reached[Cut.TEST].proposed, {LIVE: reached[Cut.TEST].now}, seed=context.run.seed)
    told: dict[str, Any] = {
        "points": {name: _described(one) for name, one in learned.items()},
        "gain": measurements.described(gain),
        "users": len(now),
        "gate": measurements.described_gate_result(judged, version=context.version),
    }
    ModelVersion.objects.filter(pk=context.version.pk).update(points_proposal=told)
    words = ", ".join(f"{name} {one.points.value:.2f}" for name, one in learned.items())
    context.report(1, text=f"event weights are proposed to staff: {words}")


def _described(one: LearnedPoints) -> dict[str, Any]:
    shares = {"pairs": one.pairs, "bought": round(one.bought, 6), "expected": round(one.expected, 6)}
    return {"points": measurements.described(one.points), **shares}


def _ndcg(context: RunContext, trained: TrainedOn) -> NDArray[np.float32]:
    (made, truth), served = trained, weight_versions.starting_weights(BlendName.HOME)
    wanted = [one for one in shop_instances() if served.get(one.name)]
    fitted = [
        FittedInstance(
            name=one.name, recommender=one.build().fit(made.training, seed=context.run.seed), trend_exponent=one.trend
        )
        for one in wanted
    ]
    weights = {one.name: served[one.name] for one in wanted}
    plan = BlendPlan(weights=weights, instances=tuple(weights))
    records = candidates(
        fitted, everyone_and_a_stranger(made.training).of(truth.users), plans={BlendName.HOME: plan},
        trend=trend(made.training.teaching),
    )  # fmt: skip
    ranked = records[BlendName.HOME].ranked(weights, K)
    return ndcg(judge(ranked, truth.per_user), K).astype(np.float32)
