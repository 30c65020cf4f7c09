"""Why an item is not there, and what brings it in, on a shop that was really learned and has rules of every kind."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from django.utils import timezone, translation

from recommendations.engine.ranking.selection import IneligibleReason
from recommendations.models import BlendWeights, Customer, Item, Rule, Staff
from recommendations.services.catalogue import editing
from recommendations.services.review.review import Draft, Review, live_ready, review
from recommendations.services.review.why_not import (
    DraftExistsError,
    SuggestionGoneError,
    WhyNot,
    apply_suggestion,
    why_not,
)
from recommendations.services.rules.books import book_with, publish_rules
from recommendations.services.rules.editing import save_rule
from recommendations.services.weights.drafts import draft_of, save_draft
from recommendations.serving.pipeline import complete
from recommendations.simulation.counterfactuals import CounterfactualKind, side_effect
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch, writes
from recommendations.store.live.fetch import Changed
from recommendations.store.live.state import LiveEvent
from recommendations.store.rules.conditions import frozen
from recommendations.terms import AnswerStage, Availability, BlendName, EventName, Role
from tests.removed import stage_by_removal
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
    return why_not(customer=customer(who), placement=placement, item=item, n=n)


def published(*rules: dict[str, Any]) -> list[Rule]:
    made = [save_rule(rule=None, values=values, revision=None, by=None, now=NOW) for values in rules]
    publish_rules(rules=[rule.pk for rule in made], based_on=None, note="test", by=None, now=NOW)
    fetch.announce(Changed.RULES)
    return made


def rule(name: str, attribute: str, value: str, **does: Any) -> dict[str, Any]:
    return {"name": name, "items": [{"attribute": attribute, "operator": "is", "values": [value]}], **does}


def with_it(found: WhyNot, made: BlendWeights | Rule) -> Review:
    """The answer with the stored draft, as the customer's page would preview it."""
    rules = None if isinstance(made, BlendWeights) else book_with([frozen(made)])
    draft = Draft(weights=made if isinstance(made, BlendWeights) else None, rules=rules)
    asked = found.question
    return review(customer=asked.customer, placement=asked.placement, n=asked.n, draft=draft)


def served_diversely(diversity: float) -> None:
    BlendWeights.objects.defaults().update(diversity=diversity)
    fetch.announce(Changed.WEIGHTS)


def test_what_is_shown_says_where() -> None:
    first = review(customer=customer(0), placement="home", n=N).cards[0].item
    found = ask(first.pk)
    assert (found.stage, found.rank, found.suggestion) == (AnswerStage.SHOWN, 1, None)
    assert found.words == "It is shown, at place 1."
    assert found.remedy == ""


def test_out_of_stock_has_a_remedy_and_no_suggestion(django_capture_on_commit_callbacks: Any) -> None:
    bread = key("bread-0")
    with django_capture_on_commit_callbacks(execute=True):
        editing.set_availability(items=[bread], availability=Availability.OUT_OF_STOCK, by=None, now=timezone.now())
    found = ask(bread)
    assert (found.stage, found.lost, found.suggestion) == (AnswerStage.ELIGIBILITY, IneligibleReason.UNSELLABLE, None)
    assert found.words == "It is out of stock or not for sale now."
    assert "Put it back in stock" in found.remedy
    with django_capture_on_commit_callbacks(execute=True):
        editing.set_availability(items=[bread], availability=Availability.IN_STOCK, by=None, now=timezone.now())


def test_what_was_bought_is_not_discovered() -> None:
    found = ask(key("bread-0"), placement="discover")
    assert found.lost is IneligibleReason.BOUGHT
    assert "shows only what is new to them" in found.words
    assert found.suggestion is None
    assert "Buy again" in found.remedy


def test_who_dislikes_an_item_does_not_get_it_back() -> None:
    soap = key("soap-1")
    writes.remember([LiveEvent(customer=customer(0), name=EventName.DISLIKE_ITEM, item=soap, at=NOW)])
    found = ask(soap)
    assert found.lost is IneligibleReason.EXCLUDED
    assert "The customer dislikes it." in found.words
    assert found.suggestion is None


def test_an_item_that_the_model_never_saw_can_be_pinned(merchandiser: Staff) -> None:
    new = Item.objects.create(shop_id="new", title="New", price=1, listed_at=NOW)
    fetch.announce(Changed.CATALOGUE)
    found = ask(new.pk)
    assert found.stage is AnswerStage.MODEL
    assert "The model does not know it" in found.words
    assert [one.kind for one in found.suggestions] == [CounterfactualKind.PIN]
    made = apply_suggestion(question=found.question, key="pin", by=merchandiser, now=NOW)
    assert apply_suggestion(question=found.question, key="pin", by=merchandiser, now=NOW) == made  # no second one
    assert isinstance(made, Rule)
    assert made.name == f"Pin New to slot {N} on “For you”"
    assert new in [card.item for card in with_it(found, made).cards]


def test_a_rule_that_takes_it_out_is_limited(merchandiser: Staff) -> None:
    """Bread 0 would be among the first; without it in the rule, all other breads stay out."""
    (made,) = published(rule("No bread", "category", "FOOD > BREAD", action="exclude"))
    found = ask(key("bread-0"))
    assert (found.stage, found.lost, found.rule) == (AnswerStage.RULES, IneligibleReason.RULED_OUT, "No bread")
    assert found.words == "The rule “No bread” takes it out."
    (suggestion,) = found.suggestions
    assert suggestion.key == f"limit:{made.pk}"
    assert suggestion.words == "Leave it out of the rule “No bread”"
    changed = apply_suggestion(question=found.question, key=suggestion.key, by=merchandiser, now=NOW)
    assert apply_suggestion(question=found.question, key=suggestion.key, by=merchandiser, now=NOW) == changed
    assert isinstance(changed, Rule)
    assert (changed.pk, len(changed.items), changed.revision) == (made.pk, 2, 2)
    shown = [card.item.title for card in with_it(found, changed).cards]
    assert [title for title in shown if title.startswith("Bread")] == ["Bread 0"]


def test_include_only_ends() -> None:
    (made,) = published(rule("Tea week", "category", "FOOD > TEA", action="include_only", placement="home"))
    found = ask(key("bread-0"))
    assert (found.stage, found.rule) == (AnswerStage.RULES, "Tea week")
    assert [one.key for one in found.suggestions] == [f"end:{made.pk}"]


def test_a_cap_gives_its_place_away() -> None:
    """The three staples are the first three; of which the cap leaves one."""
    (made,) = published(rule("One bread", "category", "FOOD > BREAD", action="cap", most=1, per="all"))
    answers = [ask(key(f"bread-{number}"), n=3) for number in range(3)]
    assert sorted(found.stage for found in answers) == ["diversity", "diversity", "shown"]
    for found in answers:
        if found.stage is AnswerStage.DIVERSITY:
            assert found.rule == "One bread"
            assert "The rule “One bread” gives it away." in found.words
            assert f"limit:{made.pk}" in [one.key for one in found.suggestions]


def test_what_is_too_like_the_others_comes_with_less_diversity(merchandiser: Staff) -> None:
    served_diversely(0.6)
    lost = [found for number in range(12) if (found := ask(key(f"bread-{number}"))).stage is AnswerStage.DIVERSITY]
    assert lost
    for found in lost:
        assert "It is too much like those above it." in found.words
        less = next(one for one in found.suggestions if one.kind is CounterfactualKind.DIVERSITY)
        made = apply_suggestion(
            question=found.question, key=less.key, by=merchandiser, now=NOW, replace_draft=True
        )  # fmt: skip
        assert isinstance(made, BlendWeights)
        assert made.diversity < 0.6
        assert found.question.item in [card.item.pk for card in with_it(found, made).cards]


def test_what_ranks_below_says_how_far_and_who_speaks_against_it() -> None:
    asked = live_ready(customer=customer(0), placement="home", n=N)
    order = [shown.item for shown in complete(live_ready(customer=customer(0), placement="home", n=60)).shown]
    found = ask(order[N + 3])
    assert (found.stage, found.rank) == (AnswerStage.RANKING, N + 4)
    assert found.gap is not None
    assert found.gap > 0
    assert sum(part for _, part in found.speaking) == pytest.approx(-found.gap, abs=1e-5)
    assert found.suggestions
    assert found.suggestions[-1].kind is CounterfactualKind.PIN
    assert [one.disturbs for one in found.suggestions[:-1]] == sorted(one.disturbs for one in found.suggestions[:-1])
    pin = found.suggestions[-1].change
    assert 0 < side_effect(asked, pin, found.stands.row) <= 1 / N


def test_a_smaller_boost_does_not_do() -> None:
    order = [shown.item for shown in complete(live_ready(customer=customer(0), placement="home", n=60)).shown]
    item = Item.objects.get(pk=order[N + 3])
    found = ask(item.pk)
    boost = next(one for one in found.suggestions if one.kind is CounterfactualKind.BOOST)
    assert boost.rule is not None
    for strength, enough in ((boost.change.strength, True), (boost.change.strength - 1, False)):
        rules = book_with([{**boost.rule, "strength": strength}])
        seen = review(customer=customer(0), placement="home", n=N, draft=Draft(rules=rules))
        assert (item in [card.item for card in seen.cards]) is enough


def test_a_draft_of_somebody_else_is_not_overwritten(merchandiser: Staff) -> None:
    order = [shown.item for shown in complete(live_ready(customer=customer(0), placement="home", n=60)).shown]
    found = ask(order[N + 1])
    weight = next(one for one in found.suggestions if one.kind is CounterfactualKind.WEIGHT)
    other = save_draft(
        blend=BlendName.HOME, values={"weights": {"popularity_home": 1}}, revision=None, by=None, now=NOW
    )  # fmt: skip
    with pytest.raises(DraftExistsError) as refused:
        apply_suggestion(question=found.question, key=weight.key, by=merchandiser, now=NOW)
    assert refused.value.draft == other
    made = apply_suggestion(question=found.question, key=weight.key, by=merchandiser, now=NOW, replace_draft=True)
    assert made == other == draft_of(BlendName.HOME)
    assert found.question.item in [card.item.pk for card in with_it(found, made).cards]
    assert apply_suggestion(question=found.question, key=weight.key, by=merchandiser, now=NOW) == made  # the same again


def test_a_suggestion_that_no_longer_helps_is_refused(merchandiser: Staff) -> None:
    found = ask(key("bread-0"))
    with pytest.raises(SuggestionGoneError):
        apply_suggestion(question=found.question, key="weight:als", by=merchandiser, now=NOW)


def test_in_the_reader_s_language() -> None:
    (_made,) = published(rule("No bread", "category", "FOOD > BREAD", action="exclude"))
    with translation.override("zh-hans"):
        found = ask(key("bread-0"))
    assert found.words == "规则“No bread”将其排除。"
    assert found.suggestion is not None
    assert found.suggestion.words == "将其从规则“No bread”中排除在外"


def test_on_random_pairs_the_stage_is_that_of_the_trace_and_every_suggestion_brings_the_item_in(
    merchandiser: Staff, django_capture_on_commit_callbacks: Any
) -> None:
    """Two hundred pairs, in a shop with rules of every kind, diversity, and items out of stock."""
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
    for number in range(200):
        placement = ("home", "discover", "trending", "buy_again")[number % 4]
        asked = live_ready(customer=customer(int(draw.integers(60))), placement=placement, n=N)
        item = items[int(draw.integers(len(items)))]
        found = why_not(customer=asked.request.customer or 0, placement=placement, item=item, n=N)
        stage, lost = stage_by_removal(asked, item)
        assert found.stage is stage
        assert lost is None or found.lost is lost
        stages[stage] += 1
        for suggestion in found.suggestions if number % 10 == 0 else ():
            made = apply_suggestion(
                question=found.question, key=suggestion.key, by=merchandiser, now=NOW, replace_draft=True
            )  # fmt: skip
            assert item in [card.item.pk for card in with_it(found, made).cards]
            brought += 1
        if stage in (AnswerStage.RANKING, AnswerStage.DIVERSITY):
            assert found.suggestions  # where it may be shown, at least a pin brings it in
    assert brought >= 20
    assert len(stages) >= 5
    with django_capture_on_commit_callbacks(execute=True):
        editing.set_availability(items=out, availability=Availability.IN_STOCK, by=None, now=timezone.now())
