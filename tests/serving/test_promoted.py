"""The promotion plan on its way to the customer: learned by a run, a line of its own in the score, told in words."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
import pytest_django

from recommendations.engine.frames import Promotions
from recommendations.models import Customer, Item, Promotion, Run
from recommendations.serving.pipeline import recommend
from recommendations.serving.types import Answer, ResolvedRequest
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live.state import NOTHING
from recommendations.store.models.model import load_lifts, load_snapshot
from recommendations.store.serving.snapshot import ServedWeights, Snapshot, WeightsKey
from recommendations.store.serving.snapshot_holder import SnapshotHolder
from recommendations.terms import BlendName, Cut, Lift, Reason, Stage
from recommendations.wording.reasons import reason_text
from tests.trained import NOW, trained_shop

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 9, 14)  # the day before NOW
WEEK = timedelta(days=7)


def plan_bread() -> None:
    """Plan bread every other week until last week, this week in half of the stores, and next week in all leaflets."""
    bread, other = (Item.objects.get(shop_id=name) for name in ("bread-0", "bread-5"))
    weeks = [Promotion(item=bread, week=MONDAY - number * WEEK, display=1, mailer=1) for number in (2, 4, 6, 8, 10)]
    weeks.append(Promotion(item=bread, week=MONDAY, display=0.5, mailer=0))
    weeks.append(Promotion(item=bread, week=MONDAY + WEEK, display=0, mailer=1))
    weeks.append(Promotion(item=bread, week=MONDAY + 5 * WEEK, mailer=1))
    weeks += [Promotion(item=other, week=MONDAY + number * WEEK, mailer=1) for number in (-3, -2, 1)]
    Promotion.objects.bulk_create(weeks)


@pytest.fixture(scope="module", autouse=True)
def shop(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    with trained_shop(django_db_blocker, furnished=plan_bread):
        yield


@pytest.fixture
def snapshot() -> Snapshot:
    return SnapshotHolder().current(None)


def wanting(snapshot: Snapshot, *, exponent: float, lift: dict[str, float] | None = None) -> Snapshot:
    """Snapshot with buy_again alone and this exponent; and with these lifts by shop id instead of the learned."""
    model = snapshot.model
    assert model is not None
    if lift is not None:
        values = np.ones(len(model.items), np.float32)
        for shop_id, value in lift.items():
            values[row(snapshot, shop_id)] = value
        model = replace(model, lifts={Lift.PROMOTION: values})
    weights = ServedWeights(version=99, weights={"buy_again": 1.0}, diversity=0.0, exploration=0.0, promotion=exponent)
    return replace(snapshot, model=model, weights={**snapshot.weights, WeightsKey(BlendName.HOME): weights})


def row(snapshot: Snapshot, shop_id: str) -> int:
    assert snapshot.model is not None
    return int(snapshot.model.items.rows(np.array([Item.objects.get(shop_id=shop_id).pk]))[0])


def answer(snapshot: Snapshot, *, later: timedelta = timedelta(0)) -> Answer:
    """Answer for the first customer, who buys bread every week."""
    customer = Customer.objects.get(pseudonym=pseudonym("u0")).pk
    ask = ResolvedRequest(placement="home", customer=customer, recommendation_id="r-1")
    return recommend(ask, snapshot=snapshot, state=NOTHING, now=NOW + later)


def test_a_run_learns_from_the_plan_as_it_was_known_at_each_cut(snapshot: Snapshot) -> None:
    counts = Run.objects.get().stages.get(stage=Stage.PREPROCESS).counts
    assert counts["promotions"] == 10  # the eleventh begins after the 28 days
    starts = {}
    for cut in Cut:
        stored, _ = load_snapshot(snapshot.model.version_id, cut)  # type: ignore[union-attr]
        assert stored.training.promotions is not None
        starts[cut] = np.sort(stored.training.promotions.start)
    shift = starts[Cut.LIVE][0] - starts[Cut.TEST][0]
    assert shift == pytest.approx(-28)
    assert [len(starts[cut]) for cut in (Cut.TUNING, Cut.TEST, Cut.LIVE)] == [4, 8, 10]
    assert all(weeks.max() < 28 for weeks in starts.values())


def test_the_lift_of_the_live_cut_is_served_by_row_of_the_stock(snapshot: Snapshot) -> None:
    assert snapshot.model is not None
    stored = load_lifts(snapshot.model.version_id, Cut.LIVE)[Lift.PROMOTION]
    bread, other = row(snapshot, "bread-0"), row(snapshot, "bread-5")
    served = snapshot.lifts[Lift.PROMOTION][snapshot.stock_rows[[bread, other]]]
    assert served.tolist() == stored[[bread, other]].tolist()
    assert (served != 1).all()
    assert np.count_nonzero(snapshot.lifts[Lift.PROMOTION] != 1) == 2


def test_the_plan_has_a_line_of_its_own_and_the_lines_add_up(snapshot: Snapshot) -> None:
    plain = {shown.product.shop_id: shown for shown in answer(wanting(snapshot, exponent=0)).shown}
    lifts = {"bread-0": 4.0, "bread-1": 0.25}
    lifted = {shown.product.shop_id: shown for shown in answer(wanting(snapshot, exponent=0.5, lift=lifts)).shown}
    for shop_id, shown in lifted.items():
        assert sum(shown.contributions.values()) == pytest.approx(shown.score, abs=1e-9)
        assert (Lift.PROMOTION in shown.contributions) == (shop_id in lifts and plain[shop_id].score > 0)
    before = plain["bread-0"].score
    assert before > 0
    assert lifted["bread-0"].contributions[Lift.PROMOTION] == pytest.approx(before)  # 4 ** 0.5 − 1
    assert lifted["bread-0"].score == pytest.approx(2 * before)
    assert lifted["bread-1"].score == pytest.approx(plain["bread-1"].score / 2)
    assert not any(Lift.PROMOTION in shown.contributions for shown in plain.values())


@pytest.mark.parametrize(
    ("later", "words"),
    [
        (timedelta(0), "On display this week"),
        (timedelta(days=6), "In this week's leaflet"),
        (timedelta(days=20), None),
    ],
)
def test_a_promotion_reason_is_worded_as_of_the_moment_of_the_answer(
    snapshot: Snapshot, later: timedelta, words: str | None
) -> None:
    reply = answer(wanting(snapshot, exponent=1, lift={"bread-0": 4}), later=later)
    bread = next(shown for shown in reply.shown if shown.product.shop_id == "bread-0")
    texts = [reason_text(one.code, one.evidence) for one in bread.reasons if one.code is Reason.PROMOTED]
    assert texts == ([words] if words else [])


@pytest.mark.parametrize(
    ("start", "display", "mailer", "words"),
    [
        (-1.0, 0.1, 0.9, "In this week's leaflet"),
        (3.0, 0.0, 0.5, "In next week's leaflet"),
        (10.0, 0.0, 0.5, "Soon in the leaflet"),
        (3.0, 0.5, 0.1, "On display next week"),
        (10.0, 0.5, 0.1, "Soon on display"),
    ],
)
def test_a_promotion_reason_names_what_more_of_the_stores_do(
    snapshot: Snapshot, start: float, display: float, mailer: float, words: str
) -> None:
    snapshot = wanting(snapshot, exponent=1, lift={"bread-0": 4})
    assert snapshot.model is not None
    plan = Promotions(
        item=np.array([row(snapshot, "bread-0")], np.int32),
        start=np.array([start], np.float32),
        display=np.array([display], np.float32),
        mailer=np.array([mailer], np.float32),
    )
    model = replace(snapshot.model, training=replace(snapshot.model.training, promotions=plan))
    reply = answer(replace(snapshot, model=model), later=timedelta(days=1) - timedelta(hours=6))
    bread = next(shown for shown in reply.shown if shown.product.shop_id == "bread-0")
    assert words in [reason_text(one.code, one.evidence) for one in bread.reasons]


def test_the_plan_does_not_count_for_popular_items(snapshot: Snapshot) -> None:
    lifted = wanting(snapshot, exponent=1, lift={"bread-0": 4})
    ask = ResolvedRequest(placement="home", customer=None, recommendation_id="r-1")
    reply = recommend(ask, snapshot=lifted, state=NOTHING, now=NOW)
    assert not any(Lift.PROMOTION in shown.contributions for shown in reply.shown)
