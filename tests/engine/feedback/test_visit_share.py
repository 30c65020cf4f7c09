"""The share of a visit: learned where visits tell something, the usual one where they do not."""

import numpy as np
import pytest
from scipy import sparse

from recommendations.engine.evaluation.accuracy import PerUser
from recommendations.engine.evaluation.visits import SampledVisits
from recommendations.engine.feedback.visit_share import (
    FEWEST,
    SHARES,
    LearnedShare,
    Records,
    joined_records,
    reached_by_share,
)
from recommendations.engine.frames import TrainingSet
from recommendations.engine.ranking.visit_share import SHARE, mixed
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, candidates
from recommendations.engine.recommenders.item_knn import Config, ItemKnn
from tests.shop import Act, everybody, training_set

KINDS, EACH = 6, 8
ITEMS, USERS = KINDS * EACH, 240


def test_what_both_weigh_stays_with_the_record_and_the_shares_add_up() -> None:
    weights = mixed({"a": 0.6, "b": 0.4}, {"c": 0.3, "d": 0.1, "b": 0.6}, visiting=("c", "d"), share=0.5)
    assert weights == pytest.approx({"a": 0.3, "b": 0.2, "c": 0.375, "d": 0.125})
    assert mixed({"a": 1.0}, {"a": 1.0}, visiting=("c",), share=0.5) == {"a": 1.0}  # the visit has nothing to say
    assert mixed({"a": 1.0}, {"c": 1.0}, visiting=("c",), share=0.0)["c"] == 0


def reached(**means: float) -> dict[float, PerUser]:
    """NDCG of 400 visits by share (``s35`` = .35): .05 each way around the mean, up and down alike."""
    waves = np.resize([0.05, -0.05], 400)
    return {share: means.get(f"s{100 * share:.0f}", 0.2) + waves for share in SHARES}


def test_of_few_visits_nothing_is_learned() -> None:
    few = {share: values[: FEWEST - 1] for share, values in reached(s70=0.9).items()}
    assert LearnedShare.of(few, seed=0) == LearnedShare(share=SHARE, visits=FEWEST - 1)


def test_it_moves_only_as_far_as_it_measurably_must() -> None:
    assert LearnedShare.of(reached(), seed=0).share == SHARE
    assert LearnedShare.of(reached(s70=0.3), seed=0).share == 0.7
    moved = LearnedShare.of(reached(s35=0.3, s50=0.3, s70=0.3), seed=0)
    assert moved.share == 0.35  # 0.7 is no better
    assert moved.gain is not None
    assert moved.gain.value == pytest.approx(0.1)
    assert LearnedShare.of(reached(s0=0.4, s10=0.3), seed=0).share == 0.1  # a visit always has a say


def test_a_gain_that_may_be_chance_leaves_the_usual_share() -> None:
    noisy = reached()
    noise = np.random.default_rng(0).normal(0, 0.4, 400)
    noisy[0.7] = noisy[0.7] + noise - noise.mean() + 0.03
    assert LearnedShare.of(noisy, seed=0).share == SHARE


def test_a_share_between_whose_gain_may_be_chance_is_not_chosen() -> None:
    """.5 gains a little of everybody. .35 gains nearly as much on the whole, but of some much and of others less."""
    noisy = reached(s50=0.21)
    noisy[0.35] = noisy[SHARE] + 0.009 + np.resize([0.15, -0.15], 400)
    learned = LearnedShare.of(noisy, seed=0)
    assert learned.share == 0.5
    assert learned.gain is not None
    assert learned.gain.low > 0


@pytest.mark.parametrize(("telling", "expected"), [("visit", {0.35, 0.5, 0.7}), ("record", {SHARE})])
def test_it_learns_whether_the_visit_or_the_record_tells_what_comes(telling: str, expected: set[float]) -> None:
    """Items are of six kinds, bought together. The rest of a visit is of the kind in view, or of the record's."""
    draw = np.random.default_rng(0)
    kind = draw.integers(KINDS, size=USERS)
    acts = [
        Act(user, int(own) * EACH + int(item), basket=10 * user + trip, age=10.0 + trip)
        for user, own in enumerate(kind) for trip in range(4)
        for item in draw.permutation(EACH)[:3]
    ]  # fmt: skip
    training = training_set(acts, n_users=USERS, category_of=[item // EACH for item in range(ITEMS)])
    viewed = (kind + draw.integers(1, KINDS, size=USERS)) % KINDS
    true = viewed if telling == "visit" else kind
    row = np.arange(USERS)
    places = np.repeat(row, 3), np.concatenate([each * EACH + 1 + draw.permutation(EACH - 1)[:3] for each in true])
    spent = sparse.csr_matrix((np.ones(len(places[0]), np.float32), places), shape=(USERS, ITEMS))
    spent.sort_indices()
    seen = np.stack([viewed * EACH, np.full(USERS, -1)], axis=1).astype(np.int32)
    visits = SampledVisits(user=row.astype(np.int32), seen=seen, spent=spent)
    learned = LearnedShare.of(shares_of(visits, training), seed=0)
    assert learned.share in expected


def shares_of(visits: SampledVisits, training: TrainingSet) -> dict[float, PerUser]:
    """NDCG by share, of a record by what is bought together with the history, and of a visit by the same in view."""
    by_history = FittedInstance(name="history", recommender=ItemKnn(Config()).fit(training, seed=0))
    plan = BlendPlan(weights={"history": 1.0}, instances=("history",))
    records = candidates([by_history], everybody(training), plans={"home": plan})["home"]
    in_view = {"in_view": ItemKnn(Config(profile="context")).fit(training, seed=0)}
    joined = joined_records(visits, {"home": Records(records)}, in_view, training)["home"]
    assert joined.instances == ("history", "in_view")
    return reached_by_share(joined, visits, weights={"history": 1.0}, session={"in_view": 1.0}, visiting=("in_view",))
