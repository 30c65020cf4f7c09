"""Stage 4: fit every registered instance on one cut, and leave each customer's candidates."""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.evaluation.split import without
from recommendations.engine.frames import IdArray, Sparse, TrainingSet
from recommendations.engine.interests.item_sums import item_sums
from recommendations.engine.interests.shared_buyers import Bought
from recommendations.engine.preprocess.matrix import TrainingSnapshot
from recommendations.engine.preprocess.popularity import trend
from recommendations.engine.preprocess.promotions import lift
from recommendations.engine.ranking.goals import goal_lifts
from recommendations.engine.ranking.scores import Lifts
from recommendations.engine.recommenders.hybrid import BlendPlan
from recommendations.engine.recommenders.registry import leaning_of
from recommendations.loop import challenger, push_models, second_stage, visits
from recommendations.loop.context import RunContext
from recommendations.loop.fitting import Asked, fit_instances
from recommendations.loop.part_trainer import trainer_of
from recommendations.models import ModelVersion
from recommendations.store.domain import shop_instances
from recommendations.store.models import model, records
from recommendations.store.models.artefacts import save_arrays
from recommendations.store.models.visits import load_visits
from recommendations.store.models.work_folders import forget_work
from recommendations.terms import BlendName, Cut, Lift

RANKED = (BlendName.HOME, BlendName.DISCOVER)
"""The blends that have a record per customer; the others are scored from the items in view."""

FITTED = 0.4
"""Share of the stage's time that fitting takes."""


def fit_recommenders(context: RunContext) -> Mapping[str, object]:
    """Fit the instances and leave the cut's candidate records; nothing of it is served before the version goes live."""
    cut = context.the_cut
    snapshot, _ = model.load_snapshot(context.version.pk, cut)
    if not snapshot.training.n_users:
        context.report(1, text=f"{cut}: no history before this cut, so nothing is fitted on it")
        return {"skipped": "no history before this cut"}
    before = challenger.changed() if cut is Cut.TEST else {}
    heard = visits.weighed() if cut is Cut.TUNING else ()
    wanted = [one for one in shop_instances() if cut is not Cut.TUNING or one.blends & {*RANKED} or one.name in heard]
    wanted = [one for one in wanted if one.can_learn(snapshot.training)]
    wanted += [replace(one, name=f"{one.name}{challenger.CHAMPION}") for one in before.values()]
    trainer = trainer_of(context, snapshot.training)
    fitted, seconds = fit_instances(context, trainer, wanted, share=FITTED)
    started = time.monotonic()
    plans = plans_of(snapshot)
    as_live = challenger.plans_as_live(before, plans)
    model.save_lifts(context.version, cut, _lifts(snapshot.training))
    champions, everyone = challenger.ChampionLists(context, as_live), model.everyone_and_a_stranger(snapshot.training)
    asked = np.arange(len(everyone)) if cut is Cut.LIVE else _asked(context, snapshot)
    asking = Asked(
        wanted=wanted,
        fitted=fitted,
        queries=everyone if cut is Cut.LIVE else everyone.of(asked),
        plans={name: plan.of(asked) for name, plan in {**plans, **as_live}.items()},
        trend=trend(snapshot.training.teaching),
    )
    scored_blocks = trainer.blocks(asking, progress=lambda share: context.report(FITTED + (0.95 - FITTED) * share))
    with closing(scored_blocks) as blocks:
        own = ({BlendName(name): block[name] for name in plans} for block in map(champions.take, blocks))
        records.save_candidates(context.version, cut, own, n_records=len(asked))
    scored = time.monotonic() - started
    staged = second_stage.add_second_stages(context, snapshot.training)
    size = records.stored_bytes(context.version.pk, cut)
    if cut is Cut.TUNING:
        size += visits.join(context, snapshot, {name: fitted[name] for name in heard})
    champions.keep(asked)
    recommenders = {name: recommender for name, recommender in fitted.items() if not name.endswith(challenger.CHAMPION)}
    if cut is not Cut.TUNING:
        size += model.save_recommenders(context.version, cut, recommenders)
        size += model.save_item_sums(context.version, cut, item_sums(snapshot.training))
    forget_work(context.version)
    if cut is Cut.LIVE:
        size += model.save_bought(context.version, cut, Bought.of(snapshot.training.teaching))
        push_models.learn_from_history(context, snapshot.training)
    ModelVersion.objects.filter(pk=context.version.pk).update(instances=challenger.settings())
    context.report(1, text=f"{cut}: {len(recommenders)} recommenders, {size / 1e6:,.0f} MB, scored in {scored:.0f} s")
    scoring = {name: round(took, 2) for name, took in trainer.score_seconds.items() if name in seconds}
    return {
        "fit_seconds": seconds | staged.fit_seconds, "score_seconds": scoring | staged.score_seconds, "bytes": size,
        "customers": len(asked) - 1, **trainer.counts,
    }  # fmt: skip


def _asked(context: RunContext, snapshot: TrainingSnapshot) -> IdArray:
    """Rows of the customers of whom this cut is asked, which are kept, and the stranger's."""
    truths = model.load_truths(context.version.pk, context.the_cut).values()
    users: list[NDArray[np.integer]] = [truth.users for truth in truths]
    if context.the_cut is Cut.TUNING:
        users.append(load_visits(context.version.pk).user)
    asked = np.unique(np.concatenate(users)).astype(np.int64)
    save_arrays(context.version, context.the_cut, {records.ASKED: asked.astype(np.int32)})
    return np.append(asked, len(snapshot.users))


def _lifts(training: TrainingSet) -> Lifts:
    """Lifts by the promotion plan, where there is one, and by the goals of which the shop tells anything."""
    plan = {} if training.promotions is None else {Lift.PROMOTION: lift(training)}
    return {**plan, **goal_lifts(training)}


def plans_of(snapshot: TrainingSnapshot) -> dict[str, BlendPlan]:
    """Plans of the blends that have a record per customer, for everyone and a stranger."""
    bought = _with_stranger([snapshot.bought, snapshot.disliked])
    disliked = _with_stranger([snapshot.disliked]) if snapshot.disliked.nnz else None
    return {
        blend: BlendPlan(
            weights=second_stage.first_stage_weights(blend),
            instances=tuple(instance.name for instance in shop_instances(blend)),
            excluded=bought if blend is BlendName.DISCOVER else disliked,
            leaning=leaning_of(blend),
        )
        for blend in RANKED
    }


def _with_stranger(parts: Sequence[Sparse]) -> Sparse:
    """Union of the places of all parts, and an empty row for the stranger."""
    total = parts[0]
    for part in parts[1:]:
        total = total + without(part, total) if part.nnz else total
    starts = np.append(total.indptr, total.indptr[-1])
    return sparse.csr_matrix((total.data, total.indices, starts), shape=(total.shape[0] + 1, total.shape[1]))
