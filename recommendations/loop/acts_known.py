"""How good the lists are by how much is known of a customer, measured on the test cut without those who are asked."""

from collections.abc import Mapping

import numpy as np

from recommendations.engine.evaluation.acts_known import FEWEST, BandFigures, by_acts_known, left_out, without
from recommendations.engine.recommenders.hybrid import FittedInstance
from recommendations.engine.recommenders.registry import leaning_of
from recommendations.engine.rng import generator
from recommendations.loop.context import RunContext
from recommendations.store.domain import shop_instances
from recommendations.store.models import measurements, model
from recommendations.terms import TASKS, Cut, Task


def measure_by_acts_known(context: RunContext, weights: Mapping[str, float]) -> None:
    """Measure the home blend on histories cut to few acts, and keep it with the evaluation of the test cut.

    What the blend weighs is fitted once more, without a part of the customers, and these are judged. The second stage,
    lifts and rules are left out: they need a record, or act on everybody alike.
    """
    leaning = leaning_of(TASKS[Task.HOME])
    snapshot, _categories = model.load_snapshot(context.version.pk, Cut.TEST)
    training, truth = snapshot.training, model.load_truths(context.version.pk, Cut.TEST)[Task.HOME]
    seed = context.run.seed
    out = left_out(training, generator(seed, "acts known"))
    people = np.intersect1d(np.flatnonzero(out), truth.users)
    figures: list[BandFigures] = []
    if leaning is not None and len(people) >= FEWEST:
        taught = without(training, out)
        wanted = {name for name, weight in weights.items() if weight > 0} | {leaning.popular}
        chosen = [one for one in shop_instances(TASKS[Task.HOME]) if one.name in wanted]
        fitted = []
        for one in chosen:
            fitted.append(FittedInstance(name=one.name, recommender=one.build().fit(taught, seed=seed)))
            context.report(0.9)  # may stop here
        histories = training.interactions.of_users(people)
        figures = [*by_acts_known(fitted, histories, truth.spent[people], weights=weights, leaning=leaning, seed=seed)]
    measurements.save_acts_known(context.version, Cut.TEST, Task.HOME, figures, left_out=int(out.sum()))
    if figures:
        first = figures[0]
        context.report(0.9, text=f"by acts known: {len(figures)} bands over {first.people:,} customers left out")
