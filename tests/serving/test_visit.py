"""A visit since the model was made counts in the next answer: it makes all of a visitor's, a share of a customer's."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from recommendations.engine.evaluation.visits import SampledVisits
from recommendations.engine.feedback.visit_share import FEWEST, LearnedShare, Records, joined_records
from recommendations.engine.ranking.visit_share import SHARE, mixed
from recommendations.event_types import EventName
from recommendations.loop import visits
from recommendations.loop.context import RunContext
from recommendations.models import Artefact, Customer, Item, ModelVersion
from recommendations.serving.candidates import candidate_source
from recommendations.serving.pipeline import recommend
from recommendations.serving.types import Answer, ResolvedRequest
from recommendations.serving.visit import visit, visits_of
from recommendations.store.domain import shop_instances
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live.state import NOTHING, Act, LiveState
from recommendations.store.models.model import load_snapshot
from recommendations.store.serving.snapshot import Snapshot, WeightsKey
from recommendations.store.serving.snapshot_holder import SnapshotHolder
from recommendations.terms import TASKS, BlendName, Cut, Fallback, Reason, Source
from recommendations.wording.reasons import reason_text
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture
def snapshot() -> Snapshot:
    return SnapshotHolder().current(None)


@pytest.fixture
def visitor() -> int:
    return Customer.objects.create(pseudonym=b"v" * 32).pk


def known() -> int:
    """Key of a customer who buys bread."""
    return Customer.objects.get(pseudonym=pseudonym("u0")).pk


def item(shop_id: str) -> int:
    return Item.objects.get(shop_id=shop_id).pk


def looked_at(*shop_ids: str, name: EventName = EventName.VIEW_ITEM, **ago: float) -> LiveState:
    """Acts on items: the first one a minute ago (and ``ago``), each other one a minute earlier."""
    before = NOW - timedelta(**ago)
    return LiveState(
        recent=tuple(
            Act(item(shop_id), name, (before - timedelta(minutes=minutes)).timestamp())
            for minutes, shop_id in enumerate(shop_ids, start=1)
        )
    )


def answer(snapshot: Snapshot, key: int | None, state: LiveState = NOTHING, *, placement: str = "home") -> Answer:
    ask = ResolvedRequest(placement=placement, customer=key, recommendation_id="r-1")
    return recommend(ask, snapshot=snapshot, state=state, now=NOW)


def tastes(found: Answer, n: int = 8) -> set[str]:
    return {shown.product.title.split()[0] for shown in found.shown[:n]}


def rows(snapshot: Snapshot, state: LiveState, *, known: bool) -> list[str]:
    """Shop ids of a visit, the newest first."""
    assert snapshot.model
    seen = visit(candidate_source(snapshot.model), state, known=known)
    ids = dict(Item.objects.values_list("pk", "shop_id"))
    return [ids[int(snapshot.model.items.ids[row])] for row in seen]


def test_the_first_view_of_a_visitor_makes_the_answer(snapshot: Snapshot, visitor: int) -> None:
    before, reply = answer(snapshot, visitor), answer(snapshot, visitor, looked_at("tea-0"))
    assert (before.source, before.fallback_reason) == (Source.POPULAR, Fallback.NO_HISTORY)
    assert (reply.source, reply.fallback_reason, reply.personalised) == (Source.SESSION, None, True)
    assert tastes(reply, 3) == {"Tea"} != tastes(before, 3)
    assert item("tea-0") not in {shown.item for shown in reply.shown}
    session = snapshot.weights_for(BlendName.SESSION, segment=-1)
    assert session
    assert reply.weights_version == session.version
    assert set(reply.shown[0].contributions) <= set(session.weights)
    for shown in reply.shown:
        assert sum(shown.contributions.values()) == pytest.approx(shown.score, abs=1e-6)
    reasons = [(one.code, one.evidence.get("item_id")) for shown in reply.shown[:3] for one in shown.reasons]
    assert "tea-0" in {shop_id for _, shop_id in reasons}


def test_the_reason_names_what_was_viewed_or_bought(snapshot: Snapshot, visitor: int) -> None:
    only = replace(snapshot.weights_for(BlendName.SESSION, segment=-1), weights={"session_knn": 1.0})  # type: ignore[type-var]
    snapshot = replace(snapshot, weights={**snapshot.weights, WeightsKey(BlendName.SESSION): only})
    viewed = answer(snapshot, visitor, looked_at("tea-0")).shown[0].reasons[0]
    assert (viewed.code, viewed.evidence["item_id"]) == (Reason.BECAUSE_YOU_VIEWED, "tea-0")
    assert reason_text(viewed.code, viewed.evidence) == "Because you viewed Tea 0"
    bought = LiveState(bought={item("tea-0"): NOW.timestamp()})
    assert answer(snapshot, visitor, bought).shown[0].reasons[0].code is Reason.BECAUSE_YOU_BOUGHT


def test_the_newest_view_weighs_most(snapshot: Snapshot, visitor: int) -> None:
    first = answer(snapshot, visitor, looked_at("tea-0", "wine-0")).shown
    then = answer(snapshot, visitor, looked_at("wine-0", "tea-0")).shown
    assert first[0].product.title.startswith("Tea")
    assert then[0].product.title.startswith("Wine")


def test_a_visitor_discovers_nothing_that_they_bought(snapshot: Snapshot, visitor: int) -> None:
    state = LiveState(bought={item("tea-0"): NOW.timestamp()}, recent=looked_at("tea-1").recent)
    reply = answer(snapshot, visitor, state, placement="discover")
    assert reply.source is Source.SESSION
    assert not {item("tea-0"), item("tea-1")} & {shown.item for shown in reply.shown}
    again = answer(snapshot, visitor, state, placement="buy_again")
    assert [shown.item for shown in again.shown] == [item("tea-0")]


def test_without_weights_of_the_session_the_history_is_folded_in(snapshot: Snapshot, visitor: int) -> None:
    weights = {key: one for key, one in snapshot.weights.items() if key[0] is not BlendName.SESSION}
    reply = answer(replace(snapshot, weights=weights), visitor, looked_at("tea-0", "tea-1"))
    assert (reply.source, tastes(reply, 3)) == (Source.SESSION, {"Tea"})


def test_a_customer_s_visit_is_a_share_of_the_answer(snapshot: Snapshot) -> None:
    record, reply = answer(snapshot, known()), answer(snapshot, known(), looked_at("wine-3", "wine-4"))
    assert (reply.source, reply.weights_version) == (Source.MODEL, record.weights_version)
    assert reply.shown[0].product.title.startswith("Bread")  # what they always buy
    assert tastes(reply, 20) - tastes(record, 3) >= {"Wine"}
    before = {shown.item: shown.rank for shown in record.shown}
    wine = next(shown for shown in reply.shown if shown.product.title.startswith("Wine"))
    assert wine.rank < before.get(wine.item, 21)
    assert "session_knn" in wine.contributions
    assert {one.evidence.get("item_id") for one in wine.reasons} & {"wine-3", "wine-4"}
    for shown in reply.shown:
        assert sum(shown.contributions.values()) == pytest.approx(shown.score, abs=1e-6)


def test_views_that_the_record_knows_or_a_purchase_settled_are_no_visit(snapshot: Snapshot) -> None:
    assert snapshot.model
    old = looked_at("wine-3", days=20)
    assert rows(snapshot, old, known=True) == []
    assert rows(snapshot, old, known=False) == ["wine-3"]
    assert answer(snapshot, known(), old).shown == answer(snapshot, known()).shown
    settled = replace(looked_at("wine-3", "wine-4"), bought={item("wine-3"): NOW.timestamp()})
    assert rows(snapshot, settled, known=True) == ["wine-4"]
    assert rows(snapshot, settled, known=False) == ["wine-3", "wine-4"]
    taken_back = replace(settled, refunded={item("wine-3"): NOW.timestamp() + 1})
    assert rows(snapshot, taken_back, known=False) == ["wine-3", "wine-4"]  # it was looked at all the same
    assert visit(candidate_source(snapshot.model), NOTHING, known=True) == ()


def test_without_personalisation_there_is_no_visit(snapshot: Snapshot, visitor: int) -> None:
    everybodys = answer(snapshot, None).shown
    for key in (visitor, known()):
        state = replace(looked_at("tea-0"), objected=True)
        reply = answer(snapshot, key, state)
        assert (reply.shown, reply.fallback_reason) == (everybodys, Fallback.NOT_PERSONALISED)
        ask = ResolvedRequest(placement="home", customer=key, recommendation_id="r-1", personalise=False)
        impersonal = recommend(ask, snapshot=snapshot, state=looked_at("tea-0"), now=NOW)
        assert (impersonal.shown, impersonal.personalised) == (everybodys, False)


def test_weights_of_a_joined_pool_add_up(snapshot: Snapshot) -> None:
    assert snapshot.model
    pools = candidate_source(snapshot.model)
    state = looked_at("wine-3")
    joined = visits_of(pools.model).joined(BlendName.HOME, 0, visit(pools, state, known=True))
    assert joined
    assert joined.visiting == {"session_knn", "also_bought", "item_knn_context", "content_context", "sequence_context"}
    weights = mixed(
        {"buy_again": 0.6, "popularity_home": 0.4},
        {"session_knn": 0.3, "popularity_home": 0.7},
        visiting=joined.visiting,
        share=SHARE,
    )
    assert weights == pytest.approx({
        "buy_again": 0.6 * (1 - SHARE), "popularity_home": 0.4 * (1 - SHARE), "session_knn": SHARE,
        "also_bought": 0, "item_knn_context": 0, "content_context": 0, "sequence_context": 0,
    })  # fmt: skip


@pytest.mark.parametrize("blend", TASKS.values())
def test_the_share_is_learned_on_the_very_pools_that_answers_have(snapshot: Snapshot, blend: BlendName) -> None:
    assert snapshot.model
    model, seen = snapshot.model, np.array([[4, -1], [9, 2], [0, 30]], np.int32)
    row = np.arange(3, dtype=np.int32)
    sampled = SampledVisits(user=row, seen=seen, spent=model.training.interactions.matrix()[row])
    recommenders = {
        one.name: model.recommenders[one.name]
        for one in shop_instances(BlendName.SESSION)
        if one.can_learn(model.training)
    }
    records = {blend: Records(model.candidates[blend].of(row))}
    learned_on = joined_records(sampled, records, recommenders, model.training)[blend]
    for user, items in zip(row.tolist(), seen, strict=True):
        served = visits_of(model).joined(blend, user, tuple(items[items >= 0].tolist()))
        assert served
        assert served.instances == learned_on.instances
        np.testing.assert_array_equal(served.items, learned_on.items[user][learned_on.items[user] >= 0])
        np.testing.assert_array_equal(served.z, learned_on.z[user][:, : len(served.items)])


def test_the_share_is_the_version_s_own_and_the_usual_where_it_learned_none(snapshot: Snapshot) -> None:
    assert snapshot.model
    state = looked_at("wine-3", "wine-4")

    def part_of_the_visit(shares: Mapping[BlendName, LearnedShare]) -> float:
        assert snapshot.model
        served = replace(snapshot, model=replace(snapshot.model, visit_shares=shares))
        shown = answer(served, known(), state).shown
        wine = next(one for one in shown if one.product.title.startswith("Wine"))
        return wine.contributions["session_knn"]

    usual = part_of_the_visit({})
    assert part_of_the_visit({BlendName.HOME: LearnedShare(share=0.7)}) == pytest.approx(usual * 0.7 / SHARE, rel=1e-3)
    assert part_of_the_visit({BlendName.DISCOVER: LearnedShare(share=0.7)}) == usual


def test_a_run_learns_the_shares_and_of_a_few_visits_keeps_the_usual(snapshot: Snapshot) -> None:
    assert snapshot.model
    assert {blend: one.share for blend, one in snapshot.model.visit_shares.items()} == dict.fromkeys(
        TASKS.values(), SHARE
    )
    assert {one.visits < FEWEST for one in snapshot.model.visit_shares.values()} == {True}


def test_a_run_that_was_begun_before_visits_were_cut_ends_with_the_usual_shares(snapshot: Snapshot) -> None:
    version = ModelVersion.objects.live().get()
    Artefact.objects.filter(version=version, name__startswith="visits/").delete()
    context = RunContext.of(version.run, cut=None, report=lambda share, *, text="": None)
    assert visits.learn_visit_shares(context) == {"home_visit_share": SHARE, "discover_visit_share": SHARE}
    training, _ = load_snapshot(version.pk, Cut.TUNING)
    assert visits.join(context, training, {}) == 0
