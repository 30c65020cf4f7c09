"""Rules on real servers: a published book acts on the next answer, and on previews alike."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from recommendations.models import (
    Audience,
    AudienceMember,
    BlendWeights,
    Category,
    Customer,
    Item,
    LiveProfile,
    ModelVersion,
    Promotion,
    Rule,
    RuleBook,
    Slate,
)
from recommendations.serving.pipeline import recommend
from recommendations.serving.serve import serve
from recommendations.serving.types import Answer, Request, ResolvedRequest
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch, writes
from recommendations.store.live.fetch import Changed
from recommendations.store.live.state import NOTHING
from recommendations.store.rules.conditions import FrozenRule
from recommendations.store.serving.served_audiences import ServedAudiences
from recommendations.store.serving.slates import write_slates
from recommendations.store.serving.snapshot import ServedWeights, Snapshot, WeightsKey
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import BlendName, CapPer, Fallback, RuleAction, Source
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def rule(key: int, action: RuleAction, *items: dict[str, Any], **fields: Any) -> FrozenRule:
    blank = FrozenRule(
        id=key, name=f"Rule {key}", placement=None, segment=None, customer=None, context=[], starts_at=None,
        ends_at=None, items=list(items), action=action, slot=None, strength=None, most=None, per="", share=None,
    )  # fmt: skip
    return blank | fields  # type: ignore[return-value]


def of(attribute: str, *values: object, operator: str = "is") -> dict[str, Any]:
    return {"attribute": attribute, "operator": operator, "values": list(values)}


def publish(*rules: FrozenRule) -> RuleBook:
    RuleBook.objects.filter(is_default=True).update(is_default=False)
    book = RuleBook.objects.create(number=RuleBook.objects.count() + 1, rules=list(rules), is_default=True)
    fetch.announce(Changed.RULES)
    return book


def ask(placement: str = "home", user: str | None = "u0", *, now: datetime = NOW, **more: Any) -> Answer:
    return serve(Request(placement=placement, user_id=user, **more), now=now)


def ids(answer: Answer) -> list[str]:
    return [shown.product.shop_id for shown in answer.shown]


def key_of(user: str) -> int:
    return Customer.objects.get(pseudonym=pseudonym(user)).pk


def test_a_published_book_acts_on_the_next_answer_and_its_withdrawal_too() -> None:
    before = ask()
    assert before.rules_version == 0
    first, second = ids(before)[:2]
    book = publish(
        rule(1, RuleAction.EXCLUDE, of("item", first)),
        rule(2, RuleAction.PIN, of("item", "soap-3"), slot=2),
        rule(3, RuleAction.BOOST, of("category", "FOOD > TEA"), strength=20),
    )
    after = ask()
    assert after.rules_version == book.number
    assert first not in ids(after)
    assert ids(after)[:2] == [second, "soap-3"]  # nobody buys soap: it is no candidate
    pinned = after.shown[1]
    assert (pinned.score, pinned.contributions, pinned.reasons, pinned.rules) == (0, {}, (), (2,))
    boosted = [shown for shown in after.shown if shown.product.shop_id.startswith("tea")]
    assert boosted
    assert all(shown.rules == (3,) and set(shown.boosts) == {3} for shown in boosted)
    assert len({shown.boosts[3] for shown in boosted}) == 1
    for shown in after.shown:
        assert shown.final == pytest.approx(shown.score + sum(shown.boosts.values()) + shown.diversity, abs=1e-6)
    assert after.rule_names == {2: "Rule 2", 3: "Rule 3"}
    assert after.trace.ruled[1] == after.trace.ruled[2] == 1
    RuleBook.objects.all().update(is_default=False)
    fetch.announce(Changed.RULES)
    again = ask()
    assert [shown.item for shown in again.shown] == [shown.item for shown in before.shown]
    assert (again.rules_version, again.rule_names) == (0, {})


def test_a_rule_applies_by_placement_segment_customer_context_and_time() -> None:
    segment = LiveProfile.objects.filter(customer=key_of("u0")).values_list("segment__number", flat=True)[0]
    cheese = [of("category", "FOOD > CHEESE")]
    conditions: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
        ({"placement": "home"}, {"placement": "home"}, {"placement": "discover"}),
        ({"segment": segment}, {"user": "u0"}, {"user": "u1"}),
        ({"customer": key_of("u0")}, {"user": "u0"}, {"user": "u5"}),
        (
            {"context": cheese},
            {"placement": "cart", "basket": ("cheese-0",)},
            {"placement": "cart", "basket": ("tea-0",)},
        ),
        ({"context": cheese}, {"placement": "item", "item_ids": ("cheese-0", "tea-0")}, {}),
        ({"starts_at": NOW.isoformat()}, {"now": NOW}, {"now": NOW - timedelta(seconds=1)}),
        ({"ends_at": NOW.isoformat()}, {"now": NOW - timedelta(seconds=1)}, {"now": NOW}),
    ]
    for fields, yes, no in conditions:
        publish(rule(1, RuleAction.PIN, of("item", "soap-3"), slot=1, **fields))
        assert ids(ask(**yes))[0] == "soap-3", fields
        assert "soap-3" not in ids(ask(**no)), fields


def audience_of(*users: str) -> Audience:
    """An audience of these customers, for which there is a rule."""
    audience = Audience.objects.create(name=f"audience {Audience.objects.count()}", generation=1)
    AudienceMember.objects.bulk_create([AudienceMember(audience=audience, customer_id=key_of(user)) for user in users])
    Rule.objects.create(name="Draft", action=RuleAction.EXCLUDE, audience=audience)
    return audience


def test_a_rule_for_an_audience_follows_who_joins_and_leaves() -> None:
    audience = audience_of("u0", "u3")
    publish(rule(1, RuleAction.PIN, of("item", "soap-3"), slot=1, audience=audience.pk))
    assert [ids(ask(user=user))[0] == "soap-3" for user in ("u0", "u1", "u3", None)] == [True, False, True, False]
    audience.members.filter(customer=key_of("u0")).delete()
    AudienceMember.objects.create(audience=audience, customer_id=key_of("u1"))
    Audience.objects.update(generation=2)
    fetch.announce(Changed.AUDIENCES)
    assert [ids(ask(user=user))[0] == "soap-3" for user in ("u0", "u1", "u3", None)] == [False, True, True, False]
    Customer.objects.filter(pk=key_of("u1")).update(personalise=False)
    fetch.announce(Changed.CUSTOMERS, Changed.CATALOGUE)
    assert "soap-3" not in ids(ask(user="u1"))


def test_an_old_book_without_audiences_is_served() -> None:
    before = rule(1, RuleAction.PIN, of("item", "soap-3"), slot=1)
    assert "audience" not in before
    publish(before)
    with capture_logs() as lines:
        assert ids(ask())[0] == "soap-3"
    assert lines == []


def test_members_are_read_again_only_where_somebody_joined_or_left(django_assert_num_queries: Any) -> None:
    audience_of("u0")
    audience_of("u0", "u1")
    held = ServedAudiences().again()
    with django_assert_num_queries(1):
        assert held.again() is held
    first, second = held.members
    Audience.objects.filter(pk=second).update(generation=9, position=0)
    Audience.objects.filter(pk=first).update(position=1)
    with django_assert_num_queries(2):
        fresh = held.again()
    assert fresh.members[first] is held.members[first]
    assert fresh.of(key_of("u0")) == (second, first)
    assert fresh.of_each(np.array([key_of("u1"), key_of("u0")])) == [(second,), (second, first)]
    unused = Audience.objects.create(name="not in use yet")
    AudienceMember.objects.create(audience=unused, customer_id=key_of("u2"))
    tried = fresh.holding([unused.pk])
    assert tried.of(key_of("u2")) == (unused.pk,)
    assert fresh.holding([unused.pk]) is tried
    assert fresh.holding([first]) is fresh


def test_a_scheduled_rule_begins_and_ends_by_itself() -> None:
    """Nothing is read again in between."""
    begins, ends = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    publish(
        rule(1, RuleAction.PIN, of("item", "soap-3"), slot=1, starts_at=begins.isoformat(), ends_at=ends.isoformat()),
        rule(2, RuleAction.PIN, of("item", "soap-4"), of("listed_days", 7 * 17 + 1, operator="at_least"), slot=2),
    )
    seen = [ids(ask(now=at))[:2] for at in (begins - timedelta(seconds=1), begins, ends, NOW + timedelta(days=1))]
    assert seen[0][0] == seen[2][0] != "soap-3"
    assert seen[1][0] == "soap-3"
    assert [row[1] == "soap-4" for row in seen] == [False, False, False, True]


def test_a_rule_on_promoted_items_follows_the_week(django_assert_num_queries: Any) -> None:
    writes.rebuild()
    now = timezone.now()
    Promotion.objects.create(item=Item.objects.get(shop_id="soap-5"), week=now.date(), mailer=1)
    publish(rule(1, RuleAction.PIN, of("promoted", True), slot=1))
    assert ids(ask(now=now))[0] == "soap-5"
    with django_assert_num_queries(0):
        assert ids(ask(now=now + timedelta(days=6)))[0] == "soap-5"
        assert "soap-5" not in ids(ask(now=now + timedelta(days=7)))


def test_a_rule_follows_edits_of_the_catalogue() -> None:
    publish(rule(1, RuleAction.EXCLUDE, of("brand", "Brand 0")))
    assert "bread-0" not in ids(ask(n=60))
    Item.objects.filter(shop_id="bread-0").update(brand="Brand 1")
    Item.objects.filter(shop_id="bread-1").update(brand="Brand 0")
    for item in Item.objects.filter(shop_id__in=["bread-0", "bread-1"]):
        item.save()  # marks it as edited
    fetch.announce(Changed.CATALOGUE)
    shown = ids(ask(n=60))
    assert "bread-0" in shown
    assert "bread-1" not in shown


def test_fillers_obey_exclusions_inclusions_and_caps() -> None:
    everything = 72
    plain = ask("home", user=None, n=everything)
    assert plain.trace.filled == {Source.NEWEST: 12}  # soap, which nobody buys
    assert plain.fallback_reason is Fallback.NO_HISTORY
    publish(rule(1, RuleAction.EXCLUDE, of("item", "soap-1", "bread-1")))
    assert set(ids(plain)) - set(ids(ask("home", user=None, n=everything))) == {"soap-1", "bread-1"}
    publish(rule(1, RuleAction.INCLUDE_ONLY, of("brand", "Brand 1")))
    assert {shown.product.brand for shown in ask("home", user=None, n=everything).shown} == {"Brand 1"}
    publish(rule(1, RuleAction.CAP, most=3, per=CapPer.CATEGORY))
    taken = ids(ask("home", user=None, n=everything))
    assert len(taken) == 6 * 3
    assert {sum(name.startswith(taste) for name in taken) for taste in ("bread", "wine", "soap")} == {3}


def test_a_pin_keeps_its_slot_among_fillers() -> None:
    publish(
        rule(1, RuleAction.PIN, of("item", "soap-3"), slot=5),
        rule(2, RuleAction.INCLUDE_ONLY, of("category", "FOOD > SOAP")),
    )
    answer = ask(n=6)
    assert ids(answer)[4] == "soap-3"
    assert [shown.rank for shown in answer.shown] == [1, 2, 3, 4, 5, 6]
    assert answer.trace.filled == {Source.NEWEST: 5}
    snapshot_holder.drop()
    ModelVersion.objects.all().update(is_live=False)
    bare = ask(n=6)
    assert bare.fallback_reason is Fallback.NO_MODEL
    assert ids(bare)[4] == "soap-3"
    assert bare.shown[4].rules == (1,)


def test_caps_and_shares_by_brand() -> None:
    publish(
        rule(1, RuleAction.CAP, most=4, per=CapPer.BRAND),
        rule(2, RuleAction.MINIMUM_SHARE, of("category", "FOOD > WINE"), share=0.25),
    )
    answer = ask(n=12)
    brands = [shown.product.brand for shown in answer.shown]
    assert {brands.count(brand) for brand in set(brands)} == {4}
    assert sum(name.startswith("wine") for name in ids(answer)) >= 3


def test_a_rule_that_cannot_be_read_breaks_no_answer() -> None:
    before = ids(ask())
    broken = [
        rule(1, RuleAction.EXCLUDE, of("colour", "red")),
        rule(2, RuleAction.EXCLUDE, of("price", "cheap")),
        rule(3, RuleAction.PIN, of("item", "soap-3")),  # without a slot
        rule(4, RuleAction.EXCLUDE, starts_at="tomorrow"),
        {"id": 5},
        rule(6, "explode"),  # type: ignore[arg-type]
    ]
    RuleBook.objects.create(
        number=1, is_default=True, rules=[*broken, rule(7, RuleAction.PIN, of("item", "soap-4"), slot=1)]
    )
    with capture_logs() as logs:
        fetch.announce(Changed.RULES)
        answer = ask()
    assert ids(answer) == ["soap-4", *before[:-1]]
    assert [(line["event"], line["rule"]) for line in logs if "rule" in line] == [
        ("rule left out", number) for number in range(1, 7)
    ]


def test_without_personalisation_no_rule_for_the_customer_applies() -> None:
    publish(rule(1, RuleAction.PIN, of("item", "soap-3"), slot=1, customer=key_of("u0")))
    assert ids(ask(personalise=False))[0] != "soap-3"
    assert ids(ask())[0] == "soap-3"


def test_a_slate_records_the_version_of_the_rule_book() -> None:
    book = publish(rule(1, RuleAction.BOOST, of("brand", "Brand 1"), strength=10))
    ask()
    assert write_slates() == 1
    assert Slate.objects.get().rules_version == book.number


def preview(snapshot: Snapshot, placement: str = "home", user: str = "u0", **more: Any) -> Answer:
    request = ResolvedRequest(placement=placement, customer=key_of(user), explore=False, **more)
    return recommend(request, snapshot=snapshot, state=NOTHING, now=NOW)


def test_a_preview_is_what_is_served_after_publishing() -> None:
    ask()
    held = snapshot_holder().current(None)
    rules = [
        rule(1, RuleAction.PIN, of("item", "soap-3"), slot=2),
        rule(2, RuleAction.BOOST, of("price", 6, operator="at_least"), strength=60),
        rule(3, RuleAction.CAP, most=2, per=CapPer.CATEGORY),
        rule(4, RuleAction.EXCLUDE, of("tag", "none")),
    ]
    for placement in ("home", "discover", "trending"):
        drafted = preview(held.with_rules(rules), placement)
        assert drafted.rules_version == 0
        assert ids(ask(placement)) == ids(preview(held, placement)) != ids(drafted)
    drafted = preview(held.with_rules(rules))
    publish(*rules)
    served = ask()
    assert served.shown == drafted.shown
    assert served.trace == drafted.trace


def test_a_preview_is_answered_under_the_drafted_weights() -> None:
    ask()
    held = snapshot_holder().current(None)
    weights = ServedWeights(version=0, weights={"als": 1.0}, diversity=0.0, exploration=0.0)
    answer = preview(held.with_weights(WeightsKey(BlendName.HOME), weights))
    assert set(answer.shown[0].contributions) == {"als"}
    assert answer.weights_version == 0
    assert preview(held).weights_version == BlendWeights.objects.defaults().get(blend__name="home").number
    likeness = held.likeness
    assert held.with_rules([]).likeness is likeness  # nothing is worked out again


def test_a_book_of_many_rules_asks_the_record_nothing_at_an_answer(django_assert_num_queries: Any) -> None:
    writes.rebuild()
    paths = Category.objects.values_list("path", flat=True)
    publish(
        *(rule(key, RuleAction.BOOST, of("category", path), strength=key) for key, path in enumerate(paths, start=1))
    )
    ask()
    with django_assert_num_queries(0):
        assert len(ask().rule_names) > 1
