"""The review of a customer's answer as of another time and after simulated events, on a shop really learned."""

from datetime import timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommendations.event_types import EventName
from recommendations.models import BlendWeights, Customer, CustomerAlias, Event, Item, Slate
from recommendations.services.review.review import Draft, Look, Making, Review, Simulated, compare, reviews
from recommendations.services.review.waterfall import TermKind
from recommendations.services.rules.editing import save_rule
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.rules.conditions import frozen
from recommendations.terms import AnswerStage, Cut, Fallback, Source
from tests.grocery import WEEKS
from tests.review import review
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture
def bread_buyer() -> int:
    return Customer.objects.get(pseudonym=pseudonym("u0")).pk


def keys(found: Review) -> list[int]:
    return [card.item.pk for card in found.cards]


def titles(found: Review) -> list[str]:
    return [card.item.title for card in found.cards]


def customer(number: int) -> int:
    return Customer.objects.get(pseudonym=pseudonym(f"u{number}")).pk


def rule(name: str, attribute: str, value: str, **does: Any) -> dict[str, Any]:
    return {"name": name, "items": [{"attribute": attribute, "operator": "is", "values": [value]}], **does}


def last_bought(customer: int) -> tuple[Item, Event]:
    """The item whose one purchase is the customer's latest first-time purchase."""
    bought = Event.objects.purchases().filter(customer=customer).order_by("occurred_at")
    first = {event.item_id: event for event in reversed(bought)}
    newest = max(first.values(), key=lambda event: event.occurred_at)
    return Item.objects.get(pk=newest.item_id), newest


def test_a_review_as_of_a_day_ignores_later_events(bread_buyer: int) -> None:
    item, first_time = last_bought(bread_buyer)
    before = review(customer=bread_buyer, placement="discover", as_of=first_time.occurred_at - timedelta(hours=1), n=50)
    after = review(customer=bread_buyer, placement="discover", as_of=first_time.occurred_at + timedelta(hours=1), n=50)
    assert item.pk in keys(before)  # nobody knew yet that it would be bought
    assert item.pk not in keys(after)
    assert (before.making, before.answer.source) == (Making.FOLDED, Source.SESSION)
    assert before.as_of == first_time.occurred_at - timedelta(hours=1)
    assert next(card for card in before.cards if card.item == item).bought_later is True


def test_later_events_do_not_leak_into_a_review_as_of_a_day(bread_buyer: int) -> None:
    """The answer as of a day is the same whether or not the later events exist."""
    moment = NOW - timedelta(weeks=5)
    before = review(customer=bread_buyer, placement="home", as_of=moment)
    Event.objects.filter(customer=bread_buyer, occurred_at__gte=moment).delete()
    after = review(customer=bread_buyer, placement="home", as_of=moment)
    assert [(card.item, card.final) for card in before.cards] == [(card.item, card.final) for card in after.cards]
    assert any(card.bought_later for card in before.cards)
    assert not any(card.bought_later for card in after.cards)


def test_purchases_under_a_merged_key_count_until_the_merger_is_undone(bread_buyer: int) -> None:
    now = timezone.now()
    item = review(customer=bread_buyer, placement="discover", as_of=now).cards[0].item
    visitor = Customer.objects.create(pseudonym=pseudonym("visitor"))
    Event.objects.create(
        customer=visitor, item=item, name=EventName.PURCHASE, occurred_at=now - timedelta(hours=1), event_id=uuid4(),
        transaction_id="visitor-1", quantity=1, price=2,
    )  # fmt: skip
    assert item.pk in keys(review(customer=bread_buyer, placement="discover", as_of=now))
    alias = CustomerAlias.objects.create(anonymous=visitor, customer_id=bread_buyer, source="api")
    assert item.pk not in keys(review(customer=bread_buyer, placement="discover", as_of=now))
    alias.undone_at = now
    alias.save()
    assert item.pk in keys(review(customer=bread_buyer, placement="discover", as_of=now))


def test_a_review_before_the_first_event_has_no_history(bread_buyer: int) -> None:
    reviewed = review(customer=bread_buyer, placement="home", as_of=NOW - timedelta(weeks=WEEKS + 1))
    assert reviewed.answer.fallback_reason is Fallback.NO_HISTORY
    assert reviewed.answer.personalised is False


def test_the_folded_history_agrees_with_the_stored_one(bread_buyer: int) -> None:
    stored, folded = (
        review(customer=bread_buyer, placement="home", n=3),
        review(customer=bread_buyer, placement="home", as_of=timezone.now(), n=3),
    )
    assert set(titles(stored)) == set(titles(folded)) == {"Bread 0", "Bread 1", "Bread 2"}
    assert stored.making is Making.LIVE


def test_a_simulated_purchase_leaves_discover_and_stores_nothing(bread_buyer: int) -> None:
    before = review(customer=bread_buyer, placement="discover", as_of=timezone.now())
    first, events, slates = before.cards[0].item, Event.objects.count(), Slate.objects.count()
    act = Simulated(name=EventName.PURCHASE, item=first.pk)
    after = review(customer=bread_buyer, placement="discover", simulated=[act])
    assert first.pk not in keys(after)
    assert after.making is Making.FOLDED
    assert keys(review(customer=bread_buyer, placement="discover", as_of=timezone.now())) == keys(before)
    assert (Event.objects.count(), Slate.objects.count()) == (events, slates)


@pytest.mark.parametrize("name", [EventName.VIEW_ITEM, EventName.ADD_TO_CART, EventName.PURCHASE])
def test_a_simulated_event_counts_for_interests(name: EventName, bread_buyer: int) -> None:
    """Who bought nothing but bread looks at wine: the wines rise."""
    wine = Item.objects.get(shop_id="wine-0")
    now = timezone.now()
    before = review(customer=bread_buyer, placement="home", as_of=now, n=60)
    after = review(customer=bread_buyer, placement="home", simulated=[Simulated(name=name, item=wine.pk)], n=60)
    scores = [
        sum(card.score for card in reviewed.cards if card.item.title.startswith("Wine")) for reviewed in (before, after)
    ]
    assert scores[0] < scores[1]


def test_a_simulated_event_personalises_the_answer_of_a_newcomer() -> None:
    newcomer = Customer.objects.create(pseudonym=pseudonym("late"))
    assert review(customer=newcomer.pk, placement="home").answer.fallback_reason is Fallback.NO_HISTORY
    tea = Item.objects.get(shop_id="tea-0")
    act = Simulated(name=EventName.VIEW_ITEM, item=tea.pk)
    reviewed = review(customer=newcomer.pk, placement="home", simulated=[act])
    assert reviewed.answer.source is Source.SESSION
    assert all(title.startswith("Tea") for title in titles(reviewed)[:3])


def test_the_test_cut_is_not_reviewed_as_of_another_time(bread_buyer: int) -> None:
    with pytest.raises(ValueError, match="as of another time"):
        review(customer=bread_buyer, placement="home", cut=Cut.TEST, as_of=NOW)


def test_several_looks_together_equal_each_look_alone(bread_buyer: int) -> None:
    """They come from one reading: the items of all lists are one query."""
    looks = [Look(), Look(as_of=NOW - timedelta(weeks=5)), Look(draft=drafts()[3]), Look(cut=Cut.TEST)]
    alone = [
        review(customer=bread_buyer, placement="home", cut=look.cut, as_of=look.as_of, draft=look.draft)
        for look in looks
    ]
    with CaptureQueriesContext(connection) as queries:
        together = reviews(looks, customer=bread_buyer, placement="home")
    assert [(each.making, each.window, keys(each)) for each in together] == [
        (each.making, each.window, keys(each)) for each in alone
    ]
    assert sum('FROM "recommendations_item" WHERE "recommendations_item"."id" IN' in one["sql"] for one in queries) == 1
    assert [card.category for card in together[0].cards] == [title.split()[0] for title in titles(together[0])]


def test_movements_between_two_answers(bread_buyer: int) -> None:
    now = timezone.now()
    before = review(customer=bread_buyer, placement="discover", as_of=now, n=5)
    first = before.cards[0].item.pk
    act = Simulated(name=EventName.PURCHASE, item=first)
    after = review(customer=bread_buyer, placement="discover", simulated=[act], n=5)
    moved = {one.item: (one.was, one.now) for one in compare(before, after)}
    assert moved[first] == (1, None)
    assert {item for item, (was, _now) in moved.items() if was is None} == set(keys(after)) - set(keys(before))
    assert [one.now for one in compare(before, after) if one.now] == [1, 2, 3, 4, 5]


RULES: list[dict[str, Any]] = [
    rule("No wine 1", "item", "wine-1", action="exclude"),
    rule("Tea first", "item", "tea-0", action="pin", slot=1, placement="home"),
    rule("Soap second", "item", "soap-3", action="pin", slot=2, placement="home"),
    rule("More cheese", "category", "FOOD > CHEESE", action="boost", strength=40),
    rule("Less bread", "category", "FOOD > BREAD", action="boost", strength=-30),
    rule("Four of a category", "category", "FOOD > BREAD", action="cap", most=4, per="category"),
    rule("Some fruit", "category", "FOOD > FRUIT", action="minimum_share", share=0.2),
]


def drafts() -> list[Draft | None]:
    """What is served, other weights and diversity, rules of every kind, and both."""
    served = BlendWeights.objects.defaults().select_related("blend").get(blend__name="home")
    weights = BlendWeights(blend=served.blend, weights=served.weights, diversity=0.4, promotion=0.5)
    rows = [save_rule(rule=None, values=values, revision=None, by=None, now=NOW) for values in RULES]
    rules = [frozen(each) for each in rows]
    return [None, Draft(weights=weights), Draft(rules=rules), Draft(weights=weights, rules=rules)]


def test_the_terms_of_every_item_add_up_to_its_final_score_and_the_steps_to_what_is_shown() -> None:
    """Customers × placements × drafts, each of 60 items: 10,000 items and more."""
    kinds, worst, items = set(), 0.0, 0
    looks = list(product(["home", "discover", "trending", "buy_again"], drafts()))
    for number, (placement, draft) in product(range(0, 60, 4), looks):
        reviewed = review(customer=customer(number), placement=placement, n=60, draft=draft)
        for card in reviewed.cards:
            worst = max(worst, abs(sum(term.value or 0 for term in card.waterfall) - card.final))
            kinds |= {term.kind for term in card.waterfall}
        items += len(reviewed.cards)
        left = reviewed.steps[0].left
        for step in reviewed.steps[1:]:
            left += sum(count for _, count in step.gained) - sum(count for _, count in step.lost)
            assert left == step.left
        assert left == len(reviewed.cards)
    assert items >= 10_000
    assert worst < 1e-6
    assert kinds >= {TermKind.RECOMMENDER, TermKind.BOOST, TermKind.DIVERSITY, TermKind.PLACED}


def test_a_draft_of_rules_names_its_rules_in_waterfall_and_steps(bread_buyer: int) -> None:
    draft = drafts()[2]
    reviewed = review(customer=bread_buyer, placement="home", n=20, draft=draft)
    tea, soap = reviewed.cards[:2]
    assert (tea.item.title, soap.item.title) == ("Tea 0", "Soap 3")
    placed = [term for term in tea.waterfall if term.kind is TermKind.PLACED]
    assert [(term.name, term.value) for term in placed] == [("Tea first", None)]
    steps = {step.stage: step for step in reviewed.steps}
    assert ("No wine 1", 1) in steps[AnswerStage.RULES].lost
    live = review(customer=bread_buyer, placement="home", n=20)
    assert tea.item.title not in titles(live)[:1]  # nothing is served differently
    assert {one.item: one.now for one in compare(live, reviewed)}[tea.item.pk] == 1


def test_a_draft_of_weights_ranks_by_its_recommenders_only(bread_buyer: int) -> None:
    served = BlendWeights.objects.defaults().select_related("blend").get(blend__name="home")
    popular = BlendWeights(blend=served.blend, weights={"popularity_home": 1.0})
    reviewed = review(customer=bread_buyer, placement="home", n=20, draft=Draft(weights=popular))
    assert {name for card in reviewed.cards for name, _ in card.contributions} <= {"popularity_home"}
