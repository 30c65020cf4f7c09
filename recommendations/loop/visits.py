"""The share of a visit in a known customer's score, learned on visits of the tuning window; the test window has no say.

What was known when the window began is asked as an answer would ask it: the customer's record of the tuning cut, and
beside it what the recommenders of visits, fitted on that cut, say of the first items of the visit.
"""

from collections.abc import Collection, Mapping

from recommendations.engine.evaluation.measures import MAIN
from recommendations.engine.feedback.visit_share import FEWEST, LearnedShare, Records, joined_records, reached_by_share
from recommendations.engine.preprocess.matrix import TrainingSnapshot
from recommendations.engine.ranking.second_stage import NAME as SECOND_STAGE
from recommendations.engine.ranking.visit_share import SHARE
from recommendations.engine.recommenders.protocol import Recommender
from recommendations.loop.context import RunContext
from recommendations.loop.evaluate import Configuration
from recommendations.store.domain import shop_instances
from recommendations.store.models import model, weight_versions
from recommendations.store.models.records import load_candidates
from recommendations.store.models.visits import (
    load_joined,
    load_visits,
    save_joined,
    save_visit_shares,
)
from recommendations.terms import TASKS, BlendName, Cut


def weighed() -> Collection[str]:
    """The instances that have a say in visits."""
    weights = weight_versions.starting_weights(BlendName.SESSION)
    return [one.name for one in shop_instances(BlendName.SESSION) if weights.get(one.name)]


def join(
    context: RunContext,
    snapshot: TrainingSnapshot,
    recommenders: Mapping[str, Recommender],
) -> int:
    """Leave the records of the visits' customers with what the recommenders of visits say; bytes written."""
    visits = load_visits(context.version.pk)
    if len(visits) < FEWEST:
        return 0
    barred = {BlendName.DISCOVER: snapshot.bought[visits.user]}
    records = load_candidates(context.version.pk, Cut.TUNING)
    of_visits = {blend: Records(of_all.of(visits.user), barred.get(blend)) for blend, of_all in records.items()}
    return save_joined(context.version, joined_records(visits, of_visits, recommenders, snapshot.training))


def learn_visit_shares(context: RunContext) -> Mapping[str, object]:
    """Learn the share for each blend that has records, under the weights that will be served, and keep it."""
    visits, session = load_visits(context.version.pk), weight_versions.starting_weights(BlendName.SESSION)
    lifts = model.load_lifts(context.version.pk, Cut.TUNING)
    learned = {blend: LearnedShare(visits=len(visits)) for blend in TASKS.values()}
    for blend, joined in load_joined(context.version.pk).items():
        weights = weight_versions.default_weights(blend)
        if weights is None:
            continue
        served, own = Configuration.of(weights), {SECOND_STAGE, *(one.name for one in shop_instances(blend))}
        reached = reached_by_share(
            joined, visits, weights=served.weights, session=session,
            visiting=[name for name in joined.instances if name not in own], lifts=lifts, exponents=served.exponents,
        )  # fmt: skip
        learned[blend] = LearnedShare.of(reached, seed=context.run.seed)
    save_visit_shares(context.version, learned)
    for blend, one in learned.items():
        context.report(1, text=f"{blend}: {_line(one)}")
    return {f"{blend}_visit_share": one.share for blend, one in learned.items()}


def _line(learned: LearnedShare) -> str:
    if learned.gain is None:
        return f"a visit makes {learned.share:g} of the score beside a record, as usual: {learned.visits:,} are few"
    tried = ", ".join(f"{share:g} {value:.4f}" for share, value in learned.ndcg.items())
    value, low, high = learned.gain
    return (
        f"a visit makes {learned.share:g} of the score beside a record, {value:+.4f} [{low:+.4f}, {high:+.4f}] against "
        f"the usual {SHARE:g}; {MAIN} of {learned.visits:,} visits by share: {tried}"
    )
