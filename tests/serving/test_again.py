"""A past answer is made again exactly, whatever has changed since; and not where it must not be, or cannot."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from recommendations.event_types import EventName
from recommendations.models import (
    AnswerState,
    Artefact,
    AuditEntry,
    BlendWeights,
    Category,
    Customer,
    Item,
    ModelVersion,
    PageSlot,
    Placement,
    RuleBook,
    ShopPage,
    Slate,
)
from recommendations.services.access import audit
from recommendations.services.catalogue import editing
from recommendations.serving.past.again import Again, CannotMakeError, Instead, Missing, Part, Reconstruction, Sameness
from recommendations.serving.past.again import again as made_again
from recommendations.serving.past.past_parts import past_models
from recommendations.serving.serve import serve, serve_page
from recommendations.serving.types import Filter, PageRequest, Request
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch, writes
from recommendations.store.live.state import LiveEvent
from recommendations.store.process_held import drop_all
from recommendations.store.serving.answer_parts import forget_parts
from recommendations.store.serving.slates import write_slates
from recommendations.store.serving.snapshot_holder import current_snapshot, snapshot_holder
from recommendations.store.serving.stock import load_stock
from recommendations.store.serving.stock_at import MOST_HELD, past_stocks, stock_at
from recommendations.terms import Availability, Way

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture(autouse=True)
def _live_state_is_whole(_empty_valkey: None) -> None:
    writes.rebuild()
    BlendWeights.objects.filter(is_default=True).update(exploration=0.4, cards=0.5, diversity=0.2)
    rule = {
        "id": 1, "name": "Soap", "placement": None, "segment": None, "customer": None, "context": [],
        "starts_at": None, "ends_at": None, "items": [{"attribute": "item", "operator": "is", "values": ["soap-3"]}],
        "action": "pin", "slot": 2, "strength": None, "most": None, "per": "", "share": None,
    }  # fmt: skip
    RuleBook.objects.create(number=1, is_default=True, rules=[rule])
    fetch.announce(*fetch.Changed)


def acts(user: str, name: str, item: str) -> None:
    key = Customer.objects.get(pseudonym=pseudonym(user)).pk
    event = LiveEvent(customer=key, name=name, item=Item.objects.get(shop_id=item).pk, at=timezone.now())
    writes.remember([event])


def requests() -> Iterator[Request]:
    """Requests of every kind: known and new people, visits, context, filters, few items, many items, no person."""
    for number in range(6):
        for placement in ("home", "discover", "buy_again", "trending", "new"):
            yield Request(placement=placement, user_id=f"u{number}", n=8)
    yield Request(placement="home", user_id="nobody yet")
    yield Request(placement="home")
    yield Request(placement="item", user_id="u1", item_ids=("tea-1",))
    yield Request(placement="cart", user_id="u2", basket=("tea-1", "cheese-2"), exclude_item_ids=("tea-2", "none"))
    yield Request(placement="category", user_id="u3", categories=("FOOD > TEA",))
    yield Request(placement="search", user_id="u3", search_term="tea")
    yield Request(placement="home", user_id="u4", n=72)
    yield Request(placement="home", user_id="u4", n=9, filter=Filter(price_to=Decimal(8), in_stock=True))
    yield Request(placement="home", user_id="u5", diversity=0.7, explain=False, fill=False)


def served() -> list[Slate]:
    acts("u1", EventName.VIEW_ITEM, "cheese-1")
    acts("u2", EventName.PURCHASE, "tea-3")
    acts("u3", EventName.DISLIKE_ITEM, "tea-4")
    answers = [serve(request, now=timezone.now()) for request in requests()]
    write_slates()
    slates = Slate.objects.in_bulk()
    by_id = {slate.recommendation_id: slate for slate in slates.values()}
    return [by_id[answer.recommendation_id] for answer in answers]


def one(user: str = "u0", **more: Any) -> Slate:
    answer = serve(Request(placement="home", user_id=user, n=8, **more), now=timezone.now())
    write_slates()
    return Slate.objects.get(recommendation_id=answer.recommendation_id)


def again(slate: Slate, *, instead: Instead | None = None) -> Again:
    return made_again(Reconstruction.of(slate, live=current_snapshot(), now=timezone.now()), instead=instead)


def sure(result: Again) -> bool:
    return result.sameness is Sameness.EXACT and not result.missing and not result.differences


def test_every_kind_of_answer_is_made_again_exactly() -> None:
    slates = served()
    assert {slate.way for slate in slates} == set(Way)
    wrong = [(slate.placement, slate.way) for slate in slates if not sure(again(slate))]
    assert wrong == []


def change_weights() -> None:
    BlendWeights.objects.filter(is_default=True).update(is_default=False)
    for row in BlendWeights.objects.filter(blend__name="home"):
        other = {"blend": row.blend, "number": row.number + 50, "weights": {"als": 1.0}, "status": "published"}
        BlendWeights.objects.create(**other, is_default=True, reason="test")
        break


def change_rules() -> None:
    RuleBook.objects.update(is_default=False)
    RuleBook.objects.create(number=2, is_default=True, rules=[])


def change_catalogue() -> None:
    now = timezone.now()
    for item in Item.objects.filter(shop_id__in=["tea-0", "tea-1", "cheese-0"]):
        editing.update_item(item=item, changes={"price": Decimal("77.5"), "title": "Other"}, by=None, now=now)
    category = Category.objects.get(path="FOOD > CHEESE")
    editing.update_item(item=Item.objects.get(shop_id="tea-2"), changes={"categories": [category]}, by=None, now=now)
    keys = list(Item.objects.filter(shop_id__in=["tea-5", "cheese-3"]).values_list("pk", flat=True))
    editing.set_availability(items=keys, availability=Availability.OUT_OF_STOCK, by=None, now=now)
    editing.retire(items=list(Item.objects.filter(shop_id="tea-6").values_list("pk", flat=True)), by=None, now=now)


def change_placement() -> None:
    Placement.objects.filter(name="home").update(n=3, repeat="exclude", explores=False)


def change_acts() -> None:
    for user in ("u0", "u1", "u2"):
        acts(user, EventName.PURCHASE, "cheese-4")
        acts(user, EventName.VIEW_ITEM, "tea-7")


@pytest.mark.parametrize(
    "change",
    [change_weights, change_rules, change_catalogue, change_placement, change_acts],
    ids=lambda one: one.__name__,
)
def test_an_answer_of_before_a_change_is_made_again_exactly_after_it(change: Callable[[], None]) -> None:
    slates = served()
    change()
    fetch.announce(*fetch.Changed)
    snapshot_holder.drop()
    assert [slate.placement for slate in slates if not sure(again(slate))] == []


def visit() -> None:
    for user in ("u0", "u4", "u5"):
        acts(user, EventName.VIEW_ITEM, "tea-7")


def everything() -> None:
    for change in (change_weights, change_rules, change_catalogue, change_placement, change_acts, visit):
        change()


@pytest.mark.parametrize("change", [visit, everything], ids=lambda one: one.__name__)
def test_the_answer_of_now_is_what_the_same_request_gets(change: Callable[[], None]) -> None:
    BlendWeights.objects.update(exploration=0, cards=0)  # which the id of each answer settles
    fetch.announce(*fetch.Changed)
    slates = served()
    change()
    fetch.announce(*fetch.Changed)
    snapshot_holder.drop()
    others = []
    for request, slate in zip(requests(), slates, strict=True):
        now = timezone.now()
        made_of = Reconstruction.of(slate, live=current_snapshot(), now=now)
        answers = made_of.answer(Instead(now=made_of.changed)), serve(replace(request, dry_run=True), now=now)
        then, today = ([shown.item for shown in answer.shown] for answer in answers)
        if then != today:
            others.append((request.placement, request.user_id))
    assert others == []


def test_pages_are_made_again_slot_by_slot() -> None:
    page = ShopPage.objects.create(name="front")
    for position, name in enumerate(("home", "discover", "buy_again"), 1):
        PageSlot.objects.create(page=page, placement=Placement.objects.get(name=name), position=position, n=5)
    fetch.announce(fetch.Changed.PLACEMENTS)
    for user in ("u0", "u1", "nobody yet"):
        asked = PageRequest(name="front", shared=Request(placement="", user_id=user), counts=(("discover", 3),))
        serve_page(asked, write=lambda answer: answer.placement.encode(), now=timezone.now())
    write_slates()
    slates = list(Slate.objects.order_by("served_at"))
    assert len(slates) == 9
    PageSlot.objects.filter(page=page).delete()
    assert all(sure(again(slate)) for slate in slates)
    slates[0].delete()
    other = next(slate for slate in slates if slate.served_at == slates[1].served_at and slate != slates[0])
    assert refused(other) is Missing.PAGE_INCOMPLETE


def refused(slate: Slate) -> Missing:
    with pytest.raises(CannotMakeError) as error:
        again(slate)
    return error.value.missing


def test_what_stands_instead_shows_what_it_would_have_changed() -> None:
    slate = one()
    assert again(slate, instead=Instead(rules=0)).answer.shown[1].product.shop_id != "soap-3"
    weights = BlendWeights.objects.create(
        blend=BlendWeights.objects.get(blend__name="home", is_default=True).blend, number=80, weights={"als": 1.0},
        status="published", reason="test",
    )  # fmt: skip
    other = again(slate, instead=Instead(weights=weights.pk))
    assert other.sameness is Sameness.DIFFERENT
    assert other.answer.weights_version == 80


@pytest.mark.parametrize("what", ["price", "act", "rule", "weight"])
def test_it_is_not_exact_after_one_thing_it_was_made_of_is_altered(what: str) -> None:
    acts("u0", EventName.VIEW_ITEM, "cheese-1")
    slate = one()
    match what:
        case "price":  # outside of the trail
            Item.objects.filter(pk=slate.items[0]).update(price="999.00")
            drop_all()  # as in a process that starts after it
            assert again(slate).missing == [Missing.CATALOGUE_UNKNOWN]
            return
        case "act":
            acts("u0", EventName.DISLIKE_ITEM, Item.objects.get(pk=slate.items[0]).shop_id)
            assert again(slate, instead=Instead(now=[Part.CUSTOMER])).sameness is Sameness.DIFFERENT
            return
        case "rule":
            RuleBook.objects.filter(number=1).update(rules=[])
        case "weight":
            BlendWeights.objects.filter(is_default=True, blend__name="home").update(weights={"als": 1.0})
    assert again(slate).sameness is Sameness.DIFFERENT


def test_an_answer_of_a_model_that_was_edited_by_an_erasure_says_so() -> None:
    slate = one()
    ModelVersion.objects.update(edition=1)
    drop_all()  # as in a process that starts after it
    made = again(slate)
    assert made.missing == [Missing.MODEL_EDITED]
    assert made.sameness is Sameness.EXACT  # the person had nothing to do with it


def test_what_cannot_be_made_again_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    slate, unnamed = one(), one(personalise=False)
    assert refused(unnamed) is Missing.NAMELESS
    monkeypatch.setattr(current_snapshot(), "model", None)  # as where another version is live
    assert sure(again(slate))
    Artefact.objects.all().delete()
    past_models.drop()
    assert refused(slate) is Missing.MODEL_GONE
    AnswerState.objects.all().delete()
    assert refused(slate) is Missing.EXPIRED
    forget_parts(timezone.now().date() + timedelta(days=1))
    assert refused(slate) is Missing.EXPIRED


def test_the_stock_of_a_moment_is_verified_and_not_assumed() -> None:
    stock, moment = load_stock(), timezone.now()
    change_catalogue()
    made = stock_at(moment, mark=stock.mark)
    assert made.certain
    assert made.stock.products == stock.products
    Item.objects.filter(shop_id="tea-9").update(title="Behind the back")
    drop_all()  # as in a process that starts after it
    assert not stock_at(moment, mark=stock.mark).certain
    assert AuditEntry.objects.filter(object_type="item").exists()


def test_items_that_came_since_are_not_in_the_stock_of_a_moment() -> None:
    stock, moment = load_stock(), timezone.now()
    for number in range(2):
        item = Item.objects.create(shop_id=f"new-{number}", title="New tea")
        audit.record(by=None, verb="create", subject=item, before=None, after={"title": "New tea"})
        editing.update_item(item=item, changes={"price": Decimal(3)}, by=None, now=timezone.now())
    change_catalogue()
    drop_all()
    made = stock_at(moment, mark=stock.mark)
    assert made.certain
    assert made.stock.products == stock.products
    assert made.stock.row_of == stock.row_of
    for word in ("tea", "new", "cheese"):
        assert made.stock.words.with_word(word).tolist() == stock.words.with_word(word).tolist()
    for name in ("price", "offered", "listed"):
        assert np.array_equal(made.stock.column(name), stock.column(name), equal_nan=True)
    assert made.stock.mark == stock.mark
    assert stock_at(moment, mark=stock.mark).stock is made.stock  # held by its mark


def test_an_answer_of_just_before_its_process_heard_of_a_change_has_the_stock_of_before() -> None:
    stock = load_stock()
    change_catalogue()
    assert stock_at(timezone.now(), mark=stock.mark).certain  # it was served a moment after the change


def test_the_stocks_that_were_asked_for_last_are_held() -> None:
    tea, then = Item.objects.get(shop_id="tea-9"), []
    for price in range(MOST_HELD + 2):
        then.append((load_stock().mark, timezone.now()))
        editing.update_item(item=tea, changes={"price": Decimal(price + 20)}, by=None, now=timezone.now())
    drop_all()
    made = [stock_at(moment, mark=mark).stock for mark, moment in then]
    assert [mark for mark, _moment in then[-MOST_HELD:]] == list(past_stocks())
    assert stock_at(then[-1][1], mark=then[-1][0]).stock is made[-1]
