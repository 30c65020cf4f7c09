"""Price tags on the trained grocery: what they predict is what the published book does, customer by customer."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from recommendations.engine.evaluation.accuracy import LENGTH, judge, ndcg
from recommendations.loop.evaluate import panel_of
from recommendations.models import (
    Audience,
    AudienceMember,
    BlendWeights,
    Customer,
    LiveProfile,
    ModelVersion,
    RuleBook,
    ShopPage,
    Slate,
)
from recommendations.services.rules.books import book_with, publish_rules, roll_back_rules
from recommendations.services.rules.editing import drafted, save_rule
from recommendations.services.rules.price_tags import (
    MEASURED,
    NoModelError,
    Silence,
    UnknownPlacementError,
    before_after,
    price_tag,
)
from recommendations.serving.pipeline import prepare, recommend, select_candidates
from recommendations.serving.types import ResolvedRequest
from recommendations.simulation import asked_length
from recommendations.simulation.panel import batch
from recommendations.simulation.rerank import Batch
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.live.state import NOTHING
from recommendations.store.models.model import load_model, load_truths
from recommendations.store.rules.conditions import FrozenRule, default_book
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import Cut, Task

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
NOW = timezone.now()
ON_PAGES = {"home": 12, "discover": 6}
"""Items that the pages of the shop show: so many of a list are measured."""


def of_taste(*tastes: str) -> list[dict[str, Any]]:
    return [{"attribute": "category", "operator": "is", "values": [f"FOOD > {taste}" for taste in tastes]}]


def of_ids(*ids: str) -> list[dict[str, Any]]:
    return [{"attribute": "item", "operator": "is", "values": list(ids)}]


def of_brand(number: int) -> list[dict[str, Any]]:
    return [{"attribute": "brand", "operator": "is", "values": [f"Brand {number}"]}]


def values(action: str, items: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    return {"name": f"{action} of the test", "placement": "home", "action": action, "items": items, **fields}


def rule(action: str, items: list[dict[str, Any]], **fields: Any) -> FrozenRule:
    return drafted(rule=None, values=values(action, items, **fields))


def fresh() -> Snapshot:
    """Snapshot as a process that has just begun reads it from the record."""
    snapshot_holder.drop()
    return snapshot_holder().current(None)


def at(cut: Cut, snapshot: Snapshot) -> Snapshot:
    assert snapshot.model is not None
    return replace(snapshot, model=load_model(snapshot.model.version_id, cut))


@pytest.mark.parametrize("task", list(Task))
def test_without_rules_the_batch_is_the_what_if_panel(task: Task) -> None:
    weights = BlendWeights.objects.defaults().get(blend__name=str(task))
    panel = panel_of(ModelVersion.objects.get().pk, Cut.TUNING, task)
    assert panel is not None
    expected = replace(panel, length=20).measure(
        weights.weights, exponents=weights.exponents, diversity=weights.diversity
    )
    cohort = batch(fresh(), str(task), now=NOW)
    slates = cohort.answers(fresh().rules, at=NOW)
    assert len(slates) == len(panel.users) == 60
    accuracy = cohort.figures(slates)[:, MEASURED.index("accuracy")]
    assert accuracy == pytest.approx(expected.of("accuracy"), abs=1e-12)


RULES: Sequence[Sequence[FrozenRule | dict[str, Any]]] = (
    [values("boost", of_taste("TEA"), strength=80), values("boost", of_taste("WINE"), strength=-60)],
    [values("exclude", of_taste("BREAD", "CHEESE")), values("pin", of_ids("soap-3"), slot=2)],
    [values("include_only", of_taste("SOAP")), values("pin", of_ids("soap-9"), slot=7)],
    [values("cap", [], most=1, per="category"), values("minimum_share", of_taste("FRUIT"), share=0.5)],
    [values("cap", of_taste("TEA", "WINE"), most=2, per="brand"), values("boost", of_taste("WINE"), strength=100)],
)


@pytest.mark.parametrize("placement", ["home", "discover", "buy_again"])
@pytest.mark.parametrize("rules", RULES)
def test_the_batch_answers_as_the_shop_would(placement: str, rules: Sequence[dict[str, Any]]) -> None:
    book = [{**drafted(rule=None, values={**one, "placement": None}), "id": key} for key, one in enumerate(rules)]
    snapshot = fresh().with_rules(book)
    cohort = batch(snapshot, placement, cut=Cut.TEST, now=NOW)
    slates = cohort.answers(snapshot.rules, at=NOW)
    as_tested = at(Cut.TEST, snapshot)
    for place, question in enumerate(cohort.questions):
        ask = ResolvedRequest(placement=placement, customer=question.customer, explore=False)
        answer = recommend(ask, snapshot=as_tested, state=NOTHING, now=NOW)
        expected = [snapshot.stock.row_of[one.product.shop_id] for one in answer.shown]
        assert [row for row in slates[place].tolist() if row >= 0] == expected, (question.customer, rules)


def published(draft: dict[str, Any]) -> RuleBook:
    row = save_rule(rule=None, values=draft, revision=None, by=None, now=NOW)
    default = default_book()
    return publish_rules(
        rules=[row.pk], based_on=default.number if default else 0, note="test", by=None, now=timezone.now()
    )


def measured(placement: str) -> tuple[Batch, np.ndarray[Any, np.dtype[np.int32]]]:
    """Batch and answers of the batch evaluator, from what the record has published."""
    snapshot = fresh()
    cohort = batch(snapshot, placement, now=timezone.now(), length=ON_PAGES[placement])
    return cohort, cohort.answers(snapshot.rules, at=timezone.now())


@pytest.mark.parametrize(
    "draft",
    [
        values("boost", of_brand(0), strength=-100),
        values("exclude", of_taste("BREAD")),
        values("pin", of_ids("soap-1"), slot=1, placement="discover"),
        values("include_only", of_taste("BREAD", "TEA"), placement=None),
        values("cap", [], most=2, per="category"),
        values("pin", of_ids("wine-1"), slot=3, segment=2),
        values("exclude", of_taste("TEA", "WINE", "BREAD", "FRUIT"), segment=1),
    ],
    ids=lambda draft: f"{draft['action']}-{draft['placement']}",
)
def test_the_price_tag_equals_the_effect_of_the_published_book(draft: dict[str, Any]) -> None:
    """Both agree to 1e-6 on the same panel; the second path reads the default book and the weights from the record."""
    published(values("boost", of_taste("FRUIT"), strength=40))  # something is served already
    placement = draft["placement"] or "home"
    tag = price_tag(rules=book_with([drafted(rule=None, values=draft)]), placement=placement)
    _, before = measured(placement)
    book = published(draft)
    cohort, after = measured(placement)
    for name, effect in tag.effects.items():
        column = MEASURED.index(name)
        was, becomes = (cohort.figures(slates)[:, column].mean() for slates in (before, after))
        assert effect.was == pytest.approx(was, abs=1e-6)
        assert effect.difference.value == pytest.approx(becomes - was, abs=1e-6)
        assert effect.difference.low <= effect.difference.value <= effect.difference.high
    assert tag.slots_touched == int((before != after).sum()) > 0
    assert tag.customers_touched == int((before != after).any(axis=1).sum())
    assert (tag.customers, tag.cut, tag.silent) == (60, Cut.TUNING, {})
    roll_back_rules(book=RuleBook.objects.get(number=book.number - 1), note="test", by=None, now=timezone.now())
    assert (measured(placement)[1] == before).all()


def test_the_figures_equal_those_of_the_shop_s_answers() -> None:
    """A third path: what the shop would choose for every customer of the truth, held against the truth by hand."""
    tag = price_tag(rules=[rule("boost", of_brand(0), strength=-100)], placement="home")
    published(values("boost", of_brand(0), strength=-100))
    snapshot = at(Cut.TUNING, fresh())
    learned = snapshot.model
    assert learned is not None
    truth = load_truths(learned.version_id, Cut.TUNING)[Task.HOME]
    ranked = np.full((len(truth.users), LENGTH), -1, np.int32)
    for place, customer in enumerate(learned.users.ids[truth.users].tolist()):
        ask = ResolvedRequest(placement="home", n=12, customer=customer, explore=False)
        chosen = select_candidates(prepare(ask, snapshot=snapshot, state=NOTHING, now=NOW))
        assert chosen is not None
        ranked[place, : len(chosen.items)] = learned.items.rows(snapshot.stock.ids.ids[chosen.items])
    assert tag.effects["accuracy"].becomes == pytest.approx(
        float(ndcg(judge(ranked, truth.per_user), 12).mean()), abs=1e-6
    )
    assert tag.effects["accuracy"].becomes < tag.effects["accuracy"].was  # a third of what people buy


def test_a_rule_for_one_customer_touches_that_customer_only() -> None:
    customer = Customer.objects.order_by("pk")[7].pk
    tag = price_tag(rules=[rule("pin", of_ids("soap-5"), slot=1, customer=customer)], placement="home")
    assert (tag.customers_touched, tag.touched) == (1, (customer,))
    assert (tag.slots_touched, tag.slots_replaced, tag.displaced) == (12, 1, 1)  # all moved down, the last one out
    assert tag.slots == 60 * 12


def served_lists(count: int, *, length: int, replay: bool = False) -> None:
    Slate.objects.bulk_create(
        Slate(
            served_at=NOW - timedelta(seconds=number), recommendation_id=f"{length}-{number}", placement="home",
            source="model", personalised=True, items=list(range(length)), scores=[0.0] * length,
            propensities=[1.0] * length, replay=replay,
        )
        for number in range(count)
    )  # fmt: skip


def test_only_the_slots_that_the_shop_asks_for_count() -> None:
    """The placement has twenty items, and a page shows twelve of them: what happens below nobody sees."""
    below = price_tag(rules=[rule("pin", of_ids("soap-5"), slot=20)], placement="home")
    assert (below.length, below.slots, below.customers_touched) == (12, 60 * 12, 0)
    shown_by_itself = price_tag(rules=[rule("pin", of_ids("bread-0"), slot=20)], placement="home")
    assert (shown_by_itself.customers_touched, shown_by_itself.displaced) == (0, 0)
    seen = price_tag(rules=[rule("pin", of_ids("soap-5"), slot=12)], placement="home")
    assert (seen.customers_touched, seen.slots_touched) == (60, 60)
    [lists] = before_after(
        rules=[rule("pin", of_ids("soap-5"), slot=12)],
        placement="home",
        customers=[Customer.objects.order_by("pk")[7].pk],
    )
    assert len(lists.before) == len(lists.after) == 12


def test_a_few_calls_of_a_developer_do_not_move_what_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty calls with another number changed every price tag of the shop."""
    monkeypatch.setattr(asked_length, "KEPT", 0.0)
    prepare_partitions(NOW, NOW)
    home = fresh().placements["home"]
    served_lists(asked_length.FEWEST - 1, length=5)
    served_lists(asked_length.FEWEST, length=10, replay=True)
    assert asked_length.asked_length(home) == 12
    Slate.objects.filter(replay=True).delete()
    served_lists(asked_length.FEWEST, length=8)
    assert asked_length.asked_length(home) == 8
    ShopPage.objects.all().delete()
    Slate.objects.all().delete()
    assert asked_length.asked_length(home) == home.n == 20


def test_a_rule_for_a_segment_touches_its_customers() -> None:
    members = set(LiveProfile.objects.filter(segment__number=3).values_list("customer", flat=True))
    tag = price_tag(rules=[rule("pin", of_ids("soap-5"), slot=1, segment=3)], placement="home")
    assert tag.customers_touched == len(members) > 0
    assert set(tag.touched) <= members


def test_a_rule_for_an_audience_touches_its_members_before_it_was_ever_saved() -> None:
    audience = Audience.objects.create(name="Some", generation=1)
    chosen = Customer.objects.order_by("pk")[:9]
    AudienceMember.objects.bulk_create([AudienceMember(audience=audience, customer=one) for one in chosen])
    book = book_with([rule("pin", of_ids("soap-3"), slot=1, audience=audience.pk)])
    tag = price_tag(rules=book, placement="home")
    asked = set(batch(fresh(), "home", now=NOW).customers.tolist())
    assert tag.customers_touched == len(asked & {one.pk for one in chosen}) > 0
    assert {lists.customer for lists in before_after(rules=book, placement="home")} <= {one.pk for one in chosen}
    AudienceMember.objects.all().delete()
    Audience.objects.update(generation=2)
    assert price_tag(rules=book, placement="home").silent == {0: Silence.NOBODY}


def test_a_silent_rule_says_why_it_cannot_show() -> None:
    moment = timezone.now()
    gone = {"ends_at": moment - timedelta(days=1)}
    stranger = Customer.objects.create(pseudonym=b"s" * 32)
    silent = {
        Silence.OTHER_PLACEMENT: rule("boost", of_taste("TEA"), strength=50, placement="discover"),
        Silence.CONTEXT: rule("boost", of_taste("TEA"), strength=50, context=of_taste("WINE")),
        Silence.NOT_IN_FORCE: rule("boost", of_taste("TEA"), strength=50, **gone),
        Silence.NOBODY: rule("boost", of_taste("TEA"), strength=50, customer=stranger.pk),
    }
    for reason, one in silent.items():
        tag = price_tag(rules=[one], placement="home")
        assert (tag.silent, tag.slots_touched, tag.effects["accuracy"].difference.value) == ({0: reason}, 0, 0)


def test_a_rule_that_begins_later_is_priced_at_its_beginning() -> None:
    begins = timezone.now() + timedelta(days=9)
    later = rule("pin", of_ids("soap-5"), slot=1, starts_at=begins)
    tag = price_tag(rules=[later], placement="home")
    assert (tag.at, tag.customers_touched) == (begins, 60)


def test_a_placement_without_truth_has_slots_and_no_figures() -> None:
    tag = price_tag(rules=[rule("boost", of_brand(1), strength=-100, placement="item")], placement="item")
    assert (tag.cut, tag.effects) == (Cut.LIVE, {})
    assert 0 < tag.customers_touched <= tag.customers == 60
    beside = rule("pin", of_ids("soap-5"), slot=1, placement="item", context=of_taste("TEA"))
    assert price_tag(rules=[beside], placement="item").customers_touched == 60  # all are asked beside tea
    everybody = price_tag(rules=[rule("pin", of_ids("soap-5"), slot=1, placement="trending")], placement="trending")
    assert (everybody.customers_touched, everybody.cut) == (60, Cut.LIVE)


def test_lists_before_and_after_are_the_answers_of_the_shop() -> None:
    book = [rule("pin", of_ids("soap-5"), slot=1), {**rule("exclude", of_taste("BREAD")), "id": -1}]
    lists = before_after(rules=book, placement="home")
    assert [one.customer for one in lists] == [one.customer for one in before_after(rules=book, placement="home")]
    assert len({one.customer for one in lists}) == 3
    served, changed = fresh(), fresh().with_rules(book)
    for one in lists:
        ask = ResolvedRequest(placement="home", n=12, customer=one.customer, explore=False)
        for placed, snapshot in ((one.before, served), (one.after, changed)):
            answer = recommend(ask, snapshot=snapshot, state=NOTHING, now=NOW)
            assert [each.shown.item for each in placed] == [each.item for each in answer.shown]
        assert one.entered[0].shown.product.shop_id == "soap-5"
        assert len(one.entered) == len(one.left) > 0
        assert all(placed.becomes is None and placed.was for placed in one.left)
    chosen = before_after(rules=book, placement="home", customers=[lists[2].customer])
    assert [one.customer for one in chosen] == [lists[2].customer]


def test_a_price_tag_is_stored_as_json_with_the_book() -> None:
    tag = price_tag(rules=[rule("boost", of_taste("SOAP"), strength=100)], placement="home")
    stored = tag.described()
    assert stored["effects"]["accuracy"]["value"] == tag.effects["accuracy"].difference.value
    row = save_rule(rule=None, values=values("exclude", of_taste("TEA")), revision=None, by=None, now=NOW)
    book = publish_rules(rules=[row.pk], based_on=None, note="x", by=None, now=NOW, expected=stored)
    assert RuleBook.objects.get(pk=book.pk).expected == stored


def test_an_unknown_placement_and_a_missing_model_are_refused() -> None:
    with pytest.raises(UnknownPlacementError):
        price_tag(rules=[], placement="nowhere")
    with pytest.raises(UnknownPlacementError):
        before_after(rules=[], placement="nowhere")
    ModelVersion.objects.update(is_live=False)
    snapshot_holder.drop()
    with pytest.raises(NoModelError):
        price_tag(rules=[], placement="home")
    with pytest.raises(NoModelError):
        before_after(rules=[], placement="home")
