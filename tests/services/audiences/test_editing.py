"""Audiences are written, refused with the place and the remedy, counted, put in order and archived."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from pytest_django import DjangoCaptureOnCommitCallbacks

from recommendations.models import Audience, AuditEntry, Campaign, Category, Customer, Rule, Segment, Staff
from recommendations.services.audiences.editing import (
    AudienceIsUsedError,
    Difference,
    StaleAudienceError,
    archive_audience,
    count,
    refresh_audiences,
    reorder_audiences,
    restore_audience,
    save_audience,
)
from recommendations.services.operations.versions import make_live
from recommendations.terms import Role
from tests.analytics.records import NOW, customer, event, item, likes, run, version
from tests.trained import artefact_folder

pytestmark = pytest.mark.django_db

BUYERS = {"kind": "bought", "items": [], "days": 30, "times": 1}


@pytest.fixture
def boss() -> Staff:
    return Staff.objects.create_user("boss@example.com", role=Role.MERCHANDISER)


def saved(name: str = "Buyers", audience: Audience | None = None, **sides: list[Any]) -> Audience:
    conditions = {"all": [BUYERS], "none": []} | sides
    revision = audience.revision if audience else None
    return save_audience(audience=audience, name=name, conditions=conditions, revision=revision, by=None, now=NOW)


def test_a_saved_audience_is_counted_and_in_the_trail(boss: Staff) -> None:
    event(customer("ann"), item("tea"), days_ago=3)
    customer("bob")
    given = {"all": [BUYERS | {"days": "30"}], "none": []}
    made = save_audience(audience=None, name="  New \x00 buyers ", conditions=given, revision=None, by=boss, now=NOW)
    assert (made.name, made.size, made.counted_at, made.revision) == ("New buyers", 1, NOW, 1)
    assert made.conditions == {"all": [BUYERS], "none": []}
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.staff, entry.after["name"]) == ("create", boss, "New buyers")  # type: ignore[index]


def test_a_change_is_counted_and_a_stale_one_refused_with_the_difference() -> None:
    tea = item("tea")
    event(customer("ann"), tea, days_ago=3)
    made = saved()
    after = saved(audience=made, all=[BUYERS | {"days": 2}])
    assert (after.revision, after.size) == (2, 0)
    event(customer("bob"), tea, days_ago=1)
    again = saved(audience=after, all=[BUYERS | {"days": 2}])
    assert (again.revision, again.size) == (2, 1)  # nothing to change, but somebody has joined
    assert saved(audience=made, all=[BUYERS | {"days": 2}]).size == 1  # also by who saw what was before
    with pytest.raises(StaleAudienceError) as stale:
        saved("Mine", audience=made, all=[BUYERS | {"days": 2}])
    assert stale.value.differences == [Difference("name", "Mine", "Buyers")]
    assert AuditEntry.objects.filter(verb="change").count() == 1


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ({"kind": "rich"}, "kind"), ("bought", "kind"),
        (BUYERS | {"days": 0}, "days"), (BUYERS | {"days": "x"}, "days"), (BUYERS | {"days": 4000}, "days"),
        (BUYERS | {"times": 0}, "times"), (BUYERS | {"items": [{"attribute": "weight"}]}, "items"),
        (BUYERS | {"items": [{"attribute": "brand", "operator": "is", "values": ["Nobody"]}]}, "items"),
        ({"kind": "spent", "operator": "is", "amount": 5, "days": 3}, "operator"),
        ({"kind": "spent", "operator": "at_least", "amount": "much", "days": 3}, "amount"),
        ({"kind": "spent", "operator": "at_least", "amount": -1, "days": 3}, "amount"),
        ({"kind": "last_purchase", "from_days": 9, "to_days": 9}, "to_days"),
        ({"kind": "customer_since", "from_days": -1, "to_days": 9}, "from_days"),
        ({"kind": "interest", "category": "Coffee", "percent": 5}, "category"),
        ({"kind": "interest", "category": "Tea", "percent": 101}, "percent"),
        ({"kind": "segment", "segments": []}, "segments"), ({"kind": "segment", "segments": [7]}, "segments"),
        ({"kind": "property", "property": "town", "operator": "is", "values": ["Rome"]}, "property"),
        ({"kind": "property", "property": "city", "operator": "is", "values": ""}, "values"),
        ({"kind": "property", "property": "city", "operator": "at_least", "values": ["Rome"]}, "values"),
        ({"kind": "property", "property": "city", "operator": "at_least", "values": ["1", "2"]}, "values"),
    ],
)  # fmt: skip
def test_a_refusal_stands_at_its_field(condition: Any, field: str) -> None:
    Category.objects.create(path="Tea", name="Tea")
    Segment.objects.create(number=7, version=version(run(), live=False))
    Customer.objects.create(pseudonym=b"c", properties={"city": "Rome"})
    with pytest.raises(ValidationError) as refused:
        saved(none=[condition])
    assert list(refused.value.message_dict) == [f"none-0-{field}"]
    assert not Audience.objects.exists()


def test_every_kind_of_condition_is_stored_as_it_was_meant() -> None:
    Category.objects.create(path="Tea", name="Tea")
    live = version(run())
    Segment.objects.create(number=7, version=live)
    Customer.objects.create(pseudonym=b"c", properties={"city": "Rome"})
    conditions: list[Any] = [
        {"kind": "viewed", "days": 7, "times": 2,
         "items": [{"attribute": "category", "operator": "is", "values": ["Tea"]}]},
        {"kind": "spent", "operator": "at_most", "amount": 49.9, "days": 90},
        {"kind": "last_purchase", "from_days": 0, "to_days": 60},
        {"kind": "customer_since", "from_days": 30, "to_days": 365},
        {"kind": "interest", "category": "Tea", "percent": 2.5},
        {"kind": "segment", "segments": [7]},
        {"kind": "property", "property": "city", "operator": "is", "values": ["Rome", "Oslo"]},
    ]  # fmt: skip
    assert saved(all=conditions).conditions == {"all": conditions, "none": []}
    assert saved("B", all=[conditions[-1] | {"values": "Rome, Oslo ,"}]).conditions["all"] == [conditions[-1]]


@pytest.mark.parametrize("name", ["", " \x00 ", "x" * 121, "buyers"])
def test_a_name_is_given_once(name: str) -> None:
    saved()
    with pytest.raises(ValidationError) as refused:
        saved(name, all=[])
    assert set(refused.value.message_dict) == {"name", "all"}


def test_a_used_audience_stays_and_another_is_archived_and_comes_back_counted() -> None:
    made = saved()
    rule = Rule.objects.create(name="x", action="exclude", audience=made)
    with pytest.raises(AudienceIsUsedError) as used:
        archive_audience(audience=made, by=None, now=NOW)
    assert used.value.users == ([(rule.pk, "x", False)], [], [])
    Rule.objects.update(archived_at=NOW)
    assert archive_audience(audience=made, by=None, now=NOW).archived_at == NOW
    event(customer("ann"), item("tea"), days_ago=3)
    assert refresh_audiences(now=NOW) == 0
    Rule.objects.update(archived_at=None)  # rolled back to
    assert refresh_audiences(now=NOW) == 1
    back = restore_audience(audience=made, by=None, now=NOW + timedelta(hours=1))
    assert (back.archived_at, back.size) == (None, 1)
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True)) == ["create", "archive", "restore"]


def test_an_audience_of_a_campaign_is_archived_when_that_is_over() -> None:
    made = Audience.objects.create(name="Tea", conditions={})
    campaign = Campaign.objects.create(slug="c", name="C", kind="once", purpose="news")
    campaign.audiences.set([made])
    with pytest.raises(AudienceIsUsedError) as used:
        archive_audience(audience=made, by=None, now=NOW)
    assert used.value.users == ([], [], [(campaign.pk, "C", False)])
    Campaign.objects.update(ended_at=NOW)
    assert archive_audience(audience=made, by=None, now=NOW).archived_at == NOW


def test_the_order_is_that_of_the_keys() -> None:
    keys = [saved(name).pk for name in "abc"]
    reorder_audiences(keys=[keys[2], keys[0]], by=None)
    assert list(Audience.objects.values_list("pk", flat=True)) == [keys[2], keys[0], keys[1]]
    assert AuditEntry.objects.filter(verb="reorder").count() == 1


def test_a_version_that_goes_live_counts_anew(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, boss: Staff, tmp_path: Path
) -> None:
    version(run())
    following = version(run(), live=False)
    tea = Category.objects.create(path="Tea", name="Tea")
    asked = {"kind": "interest", "category": tea.path, "percent": 5}
    with artefact_folder(tmp_path):
        likes(following, customer("ann"), Tea=0.5)
        made = saved(all=[asked])
        assert (made.size, count({"all": [asked]}, now=NOW).size) == (0, 0)
        with django_capture_on_commit_callbacks(execute=True):
            make_live(version=following, by=boss, now=NOW, note="because")
    made.refresh_from_db()
    assert made.size == 1
