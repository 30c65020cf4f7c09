"""Why an item is not there, and what brings it in, on a shop that was really learned and has rules of every kind."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.utils import timezone, translation

from recommendations.engine.ranking.selection import IneligibleReason
from recommendations.event_types import EventName
from recommendations.models import BlendWeights, Customer, Item, Rule, Slate, Staff
from recommendations.services.catalogue import editing
from recommendations.services.review.review import Draft, Review, live_ready
from recommendations.services.review.why_not import (
    DraftExistsError,
    Question,
    SuggestionGoneError,
    WhyNot,
    apply_suggestion,
    why_not,
)
from recommendations.services.rules.books import book_with, publish_rules
from recommendations.services.rules.editing import save_rule
from recommendations.services.weights.drafts import draft_of, save_draft
from recommendations.serving.pipeline import complete
from recommendations.simulation import asked_length
from recommendations.simulation.counterfactuals import CounterfactualKind, side_effect
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch, writes
from recommendations.store.live.fetch import Changed
from recommendations.store.live.state import LiveEvent
from recommendations.store.rules.conditions import frozen
from recommendations.terms import AnswerStage, Availability, BlendName, Role
from tests.lengths import cases
from tests.removed import stage_by_removal
from tests.review import review
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

N = 8


@pytest.fixture
def merchandiser() -> Staff:
    return Staff.objects.create_user("merchandiser@example.com", role=Role.MERCHANDISER)


def key(shop_id: str) -> int:
    return Item.objects.get(shop_id=shop_id).pk


def customer(number: int) -> int:
    return Customer.objects.get(pseudonym=pseudonym(f"u{number}")).pk


def ask(item: int, *, who: int = 0, placement: str = "home", n: int = N) -> WhyNot:
    return why_not(Question(customer=customer(who), placement=placement, item=item, n=n))


def published(*rules: dict[str, Any]) -> list[Rule]:
    drafts = [save_rule(rule=None, values=values, revision=None, by=None, now=NOW) for values in rules]
    publish_rules(rules=[rule.pk for rule in drafts], based_on=None, note="test", by=None, now=NOW)
    fetch.announce(Changed.RULES)
    return drafts


def rule(name: str, attribute: str, value: str, **does: Any) -> dict[str, Any]:
    return {"name": name, "items": [{"attribute": attribute, "operator": "is", "values": [value]}], **does}


def with_it(found: WhyNot, made: BlendWeights | Rule) -> Review:
    """The answer with the stored draft, as the customer's page would preview it."""
    rules = None if isinstance(made, BlendWeights) else book_with([frozen(made)])
    draft = Draft(weights=made if isinstance(made, BlendWeights) else None, rules=rules)
    question = found.question
    return review(customer=question.customer, placement=question.placement, n=question.n, draft=draft)


def served_diversely(diversity: float) -> None:
    BlendWeights.objects.defaults().update(diversity=diversity)
    fetch.announce(Changed.WEIGHTS)


def test_a_shown_item_is_explained_by_its_rank() -> None:
    first = review(customer=customer(0), placement="home", n=N).cards[0].item
    why = ask(first.pk)
    assert (why.stands.stage, why.stands.rank, why.suggestions) == (AnswerStage.SHOWN, 1, [])
    assert why.words == "It is shown, at position 1."
    assert why.remedy == ""


def test_an_item_out_of_stock_has_a_remedy_and_no_suggestion(django_capture_on_commit_callbacks: Any) -> None:
    bread = key("bread-0")
    with django_capture_on_commit_callbacks(execute=True):
        editing.set_availability(items=[bread], availability=Availability.OUT_OF_STOCK, by=None, now=timezone.now())
    why = ask(bread)
    assert (why.stands.stage, why.stands.lost) == (AnswerStage.ELIGIBILITY, IneligibleReason.UNSELLABLE)
    assert why.suggestions == []
    assert why.words == "It is out of stock or not on sale now."
    assert "Put it back in stock" in why.remedy
    with django_capture_on_commit_callbacks(execute=True):
        editing.set_availability(items=[bread], availability=Availability.IN_STOCK, by=None, now=timezone.now())


def test_a_bought_item_is_barred_from_discover() -> None:
    why = ask(key("bread-0"), placement="discover")
    assert why.stands.lost is IneligibleReason.BOUGHT
    assert "shows only what is new to them" in why.words
    assert why.suggestions == []
    assert "Buy again" in why.remedy


def test_a_disliked_item_has_no_suggestion() -> None:
    soap = key("soap-1")
    writes.remember([LiveEvent(customer=customer(0), name=EventName.DISLIKE_ITEM, item=soap, at=NOW)])
    why = ask(soap)
    assert why.stands.lost is IneligibleReason.EXCLUDED
    assert "The customer dislikes it." in why.words
    assert why.suggestions == []


def test_an_item_that_the_model_never_saw_can_be_pinned(merchandiser: Staff) -> None:
    new = Item.objects.create(shop_id="new", title="New", price=1, listed_at=NOW)
    fetch.announce(Changed.CATALOGUE)
    why = ask(new.pk)
    assert why.stands.stage is AnswerStage.MODEL
    assert "The model does not know it" in why.words
    assert {one.kind for one in why.suggestions} == {CounterfactualKind.PIN, CounterfactualKind.OWN_PIN}
    draft = apply_suggestion(question=why.question, key="pin", by=merchandiser, now=NOW)
    assert apply_suggestion(question=why.question, key="pin", by=merchandiser, now=NOW) == draft  # no second one
    assert isinstance(draft, Rule)
    assert draft.name == f"Pin New to slot {N} on “For you”"
    assert new in [card.item for card in with_it(why, draft).cards]


def test_a_rule_that_excludes_the_item_can_be_limited(merchandiser: Staff) -> None:
    """Bread 0 would be among the first; without it in the rule, all other breads stay out."""
    (exclusion,) = published(rule("No bread", "category", "FOOD > BREAD", action="exclude"))
    why = ask(key("bread-0"))
    assert (why.stands.stage, why.stands.lost, why.rule) == (AnswerStage.RULES, IneligibleReason.RULED_OUT, "No bread")
    assert why.words == "The rule “No bread” removes it."
    (suggestion,) = why.suggestions
    assert suggestion.key == f"limit:{exclusion.pk}"
    assert suggestion.words == "Remove it from the rule “No bread”"
    changed = apply_suggestion(question=why.question, key=suggestion.key, by=merchandiser, now=NOW)
    assert apply_suggestion(question=why.question, key=suggestion.key, by=merchandiser, now=NOW) == changed
    assert isinstance(changed, Rule)
    assert (changed.pk, len(changed.items), changed.revision) == (exclusion.pk, 2, 2)
    titles = [card.item.title for card in with_it(why, changed).cards]
    assert [title for title in titles if title.startswith("Bread")] == ["Bread 0"]


def test_ending_an_include_only_rule_is_suggested() -> None:
    (inclusion,) = published(rule("Tea week", "category", "FOOD > TEA", action="include_only", placement="home"))
    why = ask(key("bread-0"))
    assert (why.stands.stage, why.rule) == (AnswerStage.RULES, "Tea week")
    assert [one.key for one in why.suggestions] == [f"end:{inclusion.pk}"]


def test_a_cap_that_gives_the_place_away_can_be_limited() -> None:
    """The three staples are the first three; of which the cap leaves one."""
    (cap,) = published(rule("One bread", "category", "FOOD > BREAD", action="cap", most=1, per="all"))
    answers = [ask(key(f"bread-{number}"), n=3) for number in range(3)]
    assert sorted(why.stands.stage for why in answers) == ["diversity", "diversity", "shown"]
    for why in answers:
        if why.stands.stage is AnswerStage.DIVERSITY:
            assert why.rule == "One bread"
            assert "The rule “One bread” gives its position to another item." in why.words
            assert f"limit:{cap.pk}" in [one.key for one in why.suggestions]


def test_less_diversity_brings_in_an_item_too_like_others(merchandiser: Staff) -> None:
    served_diversely(0.6)
    lost = [why for number in range(12) if (why := ask(key(f"bread-{number}"))).stands.stage is AnswerStage.DIVERSITY]
    assert lost
    for why in lost:
        assert "It is too similar to the items above it." in why.words
        less = next(one for one in why.suggestions if one.kind is CounterfactualKind.DIVERSITY)
        draft = apply_suggestion(
            question=why.question, key=less.key, by=merchandiser, now=NOW, replace_draft=True
        )  # fmt: skip
        assert isinstance(draft, BlendWeights)
        assert draft.diversity < 0.6
        assert why.question.item in [card.item.pk for card in with_it(why, draft).cards]


def test_an_outranked_item_has_its_gap_and_the_recommenders_against_it() -> None:
    prepared = live_ready(customer=customer(0), placement="home", n=N)
    order = [entry.item for entry in complete(live_ready(customer=customer(0), placement="home", n=60)).shown]
    why = ask(order[N + 3])
    assert (why.stands.stage, why.stands.rank) == (AnswerStage.RANKING, N + 4)
    assert why.stands.gap is not None
    assert why.stands.gap > 0
    assert sum(part for _, part in why.stands.speaking) == pytest.approx(-why.stands.gap, abs=1e-5)
    assert why.suggestions
    assert [one.disturbs for one in why.suggestions] == sorted(one.disturbs for one in why.suggestions)
    pin = next(one.change for one in why.suggestions if one.kind is CounterfactualKind.PIN)
    assert 0 < side_effect(prepared, pin, why.stands.row) < 0.5
    first = replace(pin, slot=1)  # whatever it moves down shows in another slot
    assert side_effect(prepared, first, why.stands.row) > 0.8


def test_a_complaint_of_one_customer_can_be_mended_for_that_customer(merchandiser: Staff) -> None:
    """It touches nobody else's list, so it stands first."""
    order = [entry.item for entry in complete(live_ready(customer=customer(0), placement="home", n=60)).shown]
    why = ask(order[N + 3])
    assert (why.suggestions[0].kind, why.suggestions[0].disturbs) == (CounterfactualKind.OWN_PIN, 0)
    draft = apply_suggestion(question=why.question, key=why.suggestions[0].key, by=merchandiser, now=NOW)
    assert isinstance(draft, Rule)
    assert (draft.customer_id, draft.action, draft.slot) == (customer(0), "pin", N)
    assert why.question.item in [card.item.pk for card in with_it(why, draft).cards]


def test_a_change_brings_the_item_into_the_slots_that_the_shop_shows() -> None:
    """The placement has twenty items, and the page shows twelve of them: the thirteenth is not there."""
    order = [entry.item for entry in complete(live_ready(customer=customer(0), placement="home", n=60)).shown]
    why = why_not(Question(customer=customer(0), placement="home", item=order[13]))
    assert (why.n, why.stands.stage) == (12, AnswerStage.RANKING)
    assert "12 are shown" in why.words
    assert why.suggestions
    assert max(one.rank for one in why.suggestions) <= 12


def test_a_pin_is_suggested_to_a_slot_that_the_shop_shows() -> None:
    prepare_partitions(NOW, NOW)
    for number in range(asked_length.FEWEST):
        Slate.objects.create(
            served_at=NOW, recommendation_id=f"r-{number}", placement="home", source="model", personalised=True,
            items=[1] * 5, scores=[0.0] * 5, propensities=[1.0] * 5,
        )  # fmt: skip
    order = [entry.item for entry in complete(live_ready(customer=customer(0), placement="home", n=60)).shown]
    pin = next(one for one in ask(order[N + 3]).suggestions if one.kind is CounterfactualKind.PIN)
    assert pin.change.slot == 5  # of eight that are chosen, five are seen


def test_the_suggested_boost_is_the_smallest_that_suffices() -> None:
    order = [entry.item for entry in complete(live_ready(customer=customer(0), placement="home", n=60)).shown]
    item = Item.objects.get(pk=order[N + 3])
    why = ask(item.pk)
    boost = next(one for one in why.suggestions if one.kind is CounterfactualKind.BOOST)
    assert boost.rule is not None
    for strength, enough in ((boost.change.strength, True), (boost.change.strength - 1, False)):
        rules = book_with([{**boost.rule, "strength": strength}])
        seen = review(customer=customer(0), placement="home", n=N, draft=Draft(rules=rules))
        assert (item in [card.item for card in seen.cards]) is enough


def test_a_draft_of_somebody_else_is_not_overwritten(merchandiser: Staff) -> None:
    BlendWeights.objects.defaults().filter(blend__name="home").update(number=4_000)  # not by chance its key
    fetch.announce(Changed.WEIGHTS)
    order = [entry.item for entry in complete(live_ready(customer=customer(0), placement="home", n=60)).shown]
    why = ask(order[N + 1])
    weight = next(one for one in why.suggestions if one.kind is CounterfactualKind.WEIGHT)
    other = save_draft(
        blend=BlendName.HOME, values={"weights": {"popularity_home": 1}}, revision=None, by=None, now=NOW
    )  # fmt: skip
    with pytest.raises(DraftExistsError) as refused:
        apply_suggestion(question=why.question, key=weight.key, by=merchandiser, now=NOW)
    assert refused.value.draft == other
    draft = apply_suggestion(question=why.question, key=weight.key, by=merchandiser, now=NOW, replace_draft=True)
    assert draft == other == draft_of(BlendName.HOME)
    assert why.question.item in [card.item.pk for card in with_it(why, draft).cards]
    assert apply_suggestion(question=why.question, key=weight.key, by=merchandiser, now=NOW) == draft  # the same again


def test_a_suggestion_that_no_longer_helps_is_refused(merchandiser: Staff) -> None:
    why = ask(key("bread-0"))
    with pytest.raises(SuggestionGoneError):
        apply_suggestion(question=why.question, key="weight:als", by=merchandiser, now=NOW)


def test_words_and_suggestions_are_in_the_active_language() -> None:
    (_made,) = published(rule("No bread", "category", "FOOD > BREAD", action="exclude"))
    with translation.override("zh-hans"):
        why = ask(key("bread-0"))
    assert why.words == "规则“No bread”将其排除。"
    assert why.suggestions[0].words == "将其从规则“No bread”中移除"


def test_on_random_pairs_the_stage_is_that_of_the_trace_and_every_suggestion_brings_the_item_in(
    merchandiser: Staff, django_capture_on_commit_callbacks: Any
) -> None:
    """Pairs at random, in a shop with rules of every kind, diversity, and items out of stock."""
    served_diversely(0.3)
    out = [key(f"{taste}-2") for taste in ("bread", "tea")]
    with django_capture_on_commit_callbacks(execute=True):
        editing.set_availability(items=out, availability=Availability.OUT_OF_STOCK, by=None, now=timezone.now())
    published(
        rule("No wine 1", "item", "wine-1", action="exclude"),
        rule("Tea first", "item", "tea-0", action="pin", slot=1, placement="home"),
        rule("Less cheese", "category", "FOOD > CHEESE", action="boost", strength=-60),
        rule("Three of a brand", "category", "FOOD > BREAD", action="cap", most=3, per="category"),
        rule("Some soap", "category", "FOOD > SOAP", action="minimum_share", share=0.2, placement="discover"),
    )
    draw = np.random.default_rng(7)
    items = list(Item.objects.order_by("pk").values_list("pk", flat=True))
    stages: Counter[AnswerStage] = Counter()
    brought = 0
    for number in range(pairs := cases(short=80, full=200)):
        placement = ("home", "discover", "trending", "buy_again")[number % 4]
        prepared = live_ready(customer=customer(int(draw.integers(60))), placement=placement, n=N)
        item = items[int(draw.integers(len(items)))]
        why = why_not(Question(customer=prepared.request.customer or 0, placement=placement, item=item, n=N))
        stage, lost = stage_by_removal(prepared, item)
        assert why.stands.stage is stage
        assert lost is None or why.stands.lost is lost
        stages[stage] += 1
        for suggestion in why.suggestions if number % 10 == 0 else ():
            draft = apply_suggestion(
                question=why.question, key=suggestion.key, by=merchandiser, now=NOW, replace_draft=True
            )  # fmt: skip
            assert item in [card.item.pk for card in with_it(why, draft).cards]
            brought += 1
        if stage in (AnswerStage.RANKING, AnswerStage.DIVERSITY):
            assert why.suggestions  # where it may be shown, at least a pin brings it in
    assert brought >= pairs / 10
    assert len(stages) >= 5
    with django_capture_on_commit_callbacks(execute=True):
        editing.set_availability(items=out, availability=Availability.IN_STOCK, by=None, now=timezone.now())
