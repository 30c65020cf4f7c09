"""One customer: head, interests, timeline, context."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from pytest_django import DjangoAssertNumQueries

from analytics.queries.customer import profile as query
from analytics.queries.customer.filters import State
from recommendations.event_types import EventName
from recommendations.models import Blend, BlendWeights, CustomerAlias, LiveProfile, Placement, Rule, Segment
from recommendations.terms import RuleAction, WeightsStatus
from tests.analytics import records
from tests.trained import artefact_folder

pytestmark = pytest.mark.django_db


def test_the_head_is_read_in_one_round_trip_beside_the_files_of_the_version(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    live = records.version(records.run())
    who, anonymous = records.customer("a"), records.customer("b")
    CustomerAlias.objects.create(anonymous=anonymous, customer=who, source="api")
    segment = Segment.objects.create(number=2, automatic_name="Tea & Wine", version=live)
    records.profile(who, weight=5, segment=segment)
    Placement.objects.filter(name="trending").update(enabled=False)
    with django_assert_num_queries(2):
        person = query.person(who.pk, model=live.pk)
    assert person is not None
    assert person.state is State.HEAVY
    assert str(person.segment) == "Tea & Wine"
    assert person.keys == [who.pk, anonymous.pk]
    assert [(place.name, place.needs_context) for place in person.placements] == [
        ("home", False), ("discover", False), ("buy_again", False),
        ("item", True), ("also_bought", True), ("cart", True), ("category", True), ("search", False), ("new", False),
        ("email", False), ("web_push", False), ("webhook", False), ("following", False),
    ]  # fmt: skip


def test_a_customer_whom_no_model_knows() -> None:
    who = records.customer("a")
    person = query.person(who.pk, model=None)
    assert person is not None
    assert (person.state, person.segment) == (State.COLD, None)
    assert query.person(who.pk + 1, model=None) is None


def test_a_merged_key_leads_to_its_customer() -> None:
    who, anonymous = records.customer("a"), records.customer("b")
    CustomerAlias.objects.create(anonymous=anonymous, customer=who, source="api")
    assert query.person(anonymous.pk, model=None) is None
    assert query.merged_into(anonymous.pk) == who.pk
    assert query.merged_into(who.pk) is None


def test_interests_are_those_of_the_live_version_largest_first(tmp_path: Path) -> None:
    live, old = records.version(records.run()), records.version(records.run(), live=False)
    who, other = records.customer("a"), records.customer("b")
    records.profile(who, weight=5)
    with artefact_folder(tmp_path):
        records.likes(old, who, Soap=1.0)
        records.likes(live, who, Tea=0.6, Wine=0.4, Bread=0.0)
        head, unknown = query.person(who.pk, model=live.pk), query.person(other.pk, model=live.pk)
        LiveProfile.objects.all().delete()  # as of who objects
        refused = query.person(who.pk, model=live.pk)
    assert head is not None
    assert [(one.category, one.long_term, one.lately) for one in head.interests] == [
        ("Tea", pytest.approx(0.6), pytest.approx(0.3)), ("Wine", pytest.approx(0.4), pytest.approx(0.2)),
    ]  # fmt: skip
    assert unknown is not None
    assert refused is not None
    assert unknown.interests == refused.interests == []


def test_the_timeline_counts_weeks_and_kinds_of_all_keys() -> None:
    who, anonymous, thing = records.customer("a"), records.customer("b"), records.item("i")
    # NOW is a Tuesday: 0 and 1 days ago lie in the week from 14 September, 3 days ago in that from the 7th
    records.event(who, thing, days_ago=0)
    records.event(who, thing, days_ago=1)
    records.event(anonymous, thing, days_ago=1, name=EventName.VIEW_ITEM)
    records.event(who, thing, days_ago=3)
    timeline = query.timeline([who.pk, anonymous.pk])
    assert [(week.week, week.name, week.count) for week in timeline.weeks] == [
        (date(2026, 9, 7), "purchase", 1), (date(2026, 9, 14), "purchase", 2), (date(2026, 9, 14), "view_item", 1),
    ]  # fmt: skip
    assert (timeline.events, timeline.first, timeline.last) == (4, records.NOW - timedelta(days=3), records.NOW)


def test_the_timeline_without_events_is_empty() -> None:
    timeline = query.timeline([1])
    assert (timeline.weeks, timeline.events, timeline.first, timeline.last) == ([], 0, None, None)


def test_last_events_are_the_newest_first() -> None:
    who, thing = records.customer("a"), records.item("i", title="Green tea")
    for days_ago in range(query.SHOWN_EVENTS + 2):
        records.event(who, thing, days_ago=days_ago)
    events = query.last_events([who.pk])
    assert len(events) == query.SHOWN_EVENTS
    newest, tied = events[0]
    assert (newest.occurred_at, str(newest.item), tied) == (records.NOW, "Green tea", None)


def test_a_list_that_was_shown_is_one_of_the_last_events_however_many_items_it_held() -> None:
    who, shown = records.customer("a"), [records.item(f"tea-{number}") for number in range(query.SHOWN_EVENTS + 1)]
    bought = [records.item("soap"), records.item("wine")]
    records.event_of_items(who, bought, days_ago=1)
    records.event_of_items(who, shown, days_ago=0, name=EventName.VIEW_ITEM_LIST, first_line=2)
    events = query.last_events([who.pk])
    assert [(event.item, vars(event)["beside"]) for event, _tied in events] == [
        (shown[0], query.SHOWN_EVENTS), (bought[0], 0), (bought[1], 0),
    ]  # fmt: skip


def test_last_purchases_leave_out_those_after_the_cut() -> None:
    who = records.customer("a")
    old, new, viewed = records.item("old"), records.item("new"), records.item("viewed")
    records.event(who, old, days_ago=40)
    records.event(who, new, days_ago=2)
    records.event(who, new, days_ago=1)
    records.event(who, viewed, days_ago=0, name=EventName.VIEW_ITEM)
    assert query.last_bought([who.pk], until=None) == [new, old]
    assert query.last_bought([who.pk], until=records.SPLIT) == [old]


def test_items_by_key_leave_out_what_does_not_exist() -> None:
    first, second = records.item("1"), records.item("2")
    assert query.items_by_key([second.pk, 999_999, first.pk]) == {first.pk: first, second.pk: second}
    assert query.items_by_key([]) == {}


def test_drafts_that_would_act_on_the_customer_are_told_in_the_head() -> None:
    """Drafts for everybody and for the customer's own segment, not for another one."""
    live, who = records.version(records.run()), records.customer("a")
    own, other = (Segment.objects.create(number=number, version=live) for number in (1, 2))
    records.profile(who, weight=5, segment=own)
    for blend, segment in (("home", None), ("discover", own), ("cart", other)):
        BlendWeights.objects.create(
            blend=Blend.objects.get(name=blend), segment=segment, number=1, weights={}, status=WeightsStatus.DRAFT,
            reason="a test",
        )  # fmt: skip
    person = query.person(who.pk, model=live.pk)
    assert person is not None
    assert (person.drafted, person.has_rules) == ({"home", "discover"}, False)
    Rule.objects.create(name="No tea", action=RuleAction.EXCLUDE)
    again = query.person(who.pk, model=live.pk)
    assert again is not None
    assert again.has_rules


def test_names_of_rules() -> None:
    rule = Rule.objects.create(name="No tea", action=RuleAction.EXCLUDE)
    assert query.rule_names([rule.pk, rule.pk, 999_999]) == {rule.pk: "No tea"}
    assert query.rule_names([]) == {}
