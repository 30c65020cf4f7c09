"""A rule is changed, archived, copied and put in order; its status, items and words follow."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from recommendations.models import Audience, AuditEntry, Rule, Staff
from recommendations.services.rules.books import withdraw_rules
from recommendations.services.rules.editing import (
    Difference,
    RuleIsServedError,
    StaleRuleError,
    archive_rule,
    duplicate_rule,
    matched,
    reorder,
    restore_rule,
    rule_texts,
    save_rule,
    status_of,
)
from recommendations.store.rules.conditions import ConditionError, default_book, frozen
from recommendations.terms import RuleStatus
from recommendations.wording.rules import rule_text
from tests.services.rules.conftest import NOW, TEA, changed, published, saved

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("teas_and_bread")]


def test_a_changed_rule_leaves_its_old_values_in_the_trail(boss: Staff) -> None:
    rule = saved()
    after = save_rule(rule=rule, values={"slot": 3, "name": "Tea third"}, revision=1, by=boss, now=NOW)
    assert (after.revision, after.slot, after.name, after.items) == (2, 3, "Tea third", TEA)
    entry = AuditEntry.objects.get(verb="change")
    assert (entry.before, entry.after) == ({"name": "Tea first", "slot": 1}, {"name": "Tea third", "slot": 3})
    assert save_rule(rule=rule, values={"slot": 3}, revision=2, by=boss, now=NOW).revision == 2  # nothing to change
    assert AuditEntry.objects.filter(verb="change").count() == 1


def test_a_stale_change_of_a_rule_is_refused_with_the_differences() -> None:
    rule = saved()
    changed(rule, slot=2, name="Theirs")
    with pytest.raises(StaleRuleError) as stale:
        save_rule(rule=rule, values={"slot": 5, "name": "Mine"}, revision=1, by=None, now=NOW)
    assert stale.value.current.name == "Theirs"
    assert stale.value.differences == [Difference("name", "Mine", "Theirs"), Difference("slot", 5, 2)]
    rule.refresh_from_db()
    assert (rule.slot, rule.revision) == (2, 2)
    assert save_rule(rule=rule, values={"slot": 5}, revision=2, by=None, now=NOW).slot == 5


def test_a_rule_for_an_audience_and_back_for_everybody(boss: Staff) -> None:
    audience = Audience.objects.create(name="Fans")
    rule = changed(saved(), audience=audience.pk)
    assert frozen(rule).get("audience") == audience.pk
    assert rule_texts([frozen(rule)])[0].startswith("On “For you”, for audience “Fans”: pin")
    book = published(rule)
    again = save_rule(rule=rule, values={"audience": None}, revision=2, by=boss, now=NOW)
    assert "audience" not in frozen(again)
    assert status_of(again, book, NOW) is RuleStatus.CHANGED
    entry = AuditEntry.objects.filter(verb="change").latest("pk")
    assert (entry.before, entry.after) == ({"audience": audience.pk}, {"audience": None})
    with pytest.raises(StaleRuleError) as stale:
        save_rule(rule=rule, values={"audience": audience.pk}, revision=1, by=None, now=NOW)
    assert stale.value.differences == [Difference("audience", audience.pk, None)]
    Audience.objects.update(archived_at=NOW)
    with pytest.raises(ValidationError, match="There is no audience"):
        changed(again, audience=audience.pk)


def test_an_invalid_change_saves_nothing() -> None:
    rule = saved()
    with pytest.raises(ValidationError):
        changed(rule, slot=2, name="")
    rule.refresh_from_db()
    assert (rule.slot, rule.revision) == (1, 1)


def test_a_rule_is_archived_and_restored(boss: Staff) -> None:
    rule = saved()
    archived = archive_rule(rule=rule, by=boss, now=NOW)
    assert status_of(archived, None, NOW) is RuleStatus.ARCHIVED
    assert Rule.objects.unarchived().count() == 0
    assert archive_rule(rule=rule, by=boss, now=NOW).revision == archived.revision  # once is enough
    with pytest.raises(Rule.DoesNotExist):
        published(rule)
    assert restore_rule(rule=rule, by=boss, now=NOW).archived_at is None
    assert [entry.verb for entry in AuditEntry.objects.order_by("pk")] == ["create", "archive", "restore"]


def test_a_served_rule_is_withdrawn_before_it_is_archived() -> None:
    rule = saved()
    published(rule)
    with pytest.raises(RuleIsServedError):
        archive_rule(rule=rule, by=None, now=NOW)
    withdraw_rules(rules=[rule.pk], based_on=1, note="no more", by=None, now=NOW)
    assert archive_rule(rule=rule, by=None, now=NOW).archived_at == NOW


def test_a_copy_is_a_draft_of_its_own() -> None:
    rule = saved(name="x" * 120)
    published(rule)
    copy = duplicate_rule(rule=rule, by=None, now=NOW)
    assert (copy.slot, copy.items, copy.position, copy.revision) == (1, TEA, 2, 1)
    assert copy.name.endswith("x (copy)")
    assert len(copy.name) <= 120
    assert status_of(copy, default_book(), NOW) is RuleStatus.DRAFT
    assert status_of(rule, default_book(), NOW) is RuleStatus.LIVE


def test_reordering_leaves_an_entry_for_moved_rules_only(boss: Staff) -> None:
    one, two, three, four = (saved(name=name, slot=slot) for slot, name in enumerate("abcd", start=1))
    AuditEntry.objects.all().delete()
    reorder(keys=[four.pk, one.pk], by=boss, now=NOW)
    assert list(Rule.objects.values_list("name", "position")) == [("d", 1), ("a", 2), ("b", 3), ("c", 4)]
    entry = AuditEntry.objects.get()  # the others only made room
    assert (entry.label, entry.before, entry.after) == ("d", {"order": 4}, {"order": 1})
    reorder(keys=[four.pk, one.pk, two.pk, three.pk, 10**9, one.pk], by=boss, now=NOW)
    assert AuditEntry.objects.count() == 1


def test_the_status_of_a_rule_follows_time_and_changes() -> None:
    rule = saved(starts_at=NOW + timedelta(days=1), ends_at=NOW + timedelta(days=2))
    assert status_of(rule, None, NOW) is RuleStatus.DRAFT
    book = published(rule)
    stored = Rule.objects.get()
    days = {0: RuleStatus.SCHEDULED, 1: RuleStatus.LIVE, 2: RuleStatus.EXPIRED}
    assert {day: status_of(stored, book, NOW + timedelta(days=day)) for day in days} == days
    assert status_of(changed(rule, slot=9), book, NOW) is RuleStatus.CHANGED


def test_matched_items_are_counted_and_the_first_are_shown() -> None:
    matches = matched([*TEA, {"attribute": "price", "operator": "at_most", "values": [20]}])
    assert matches.count == 20
    assert [item.shop_id for item in matches.items] == [f"tea-{number}" for number in range(8)]
    assert [category.name for category in matches.items[0].categories.all()] == ["Tea"]
    assert matched([]).count == 60
    with pytest.raises(ConditionError):
        matched([{"attribute": "colour", "operator": "is", "values": ["red"]}])


def test_rules_in_words() -> None:
    one = [{"attribute": "item", "operator": "is", "values": ["tea-1", "tea-2"]}]
    cheap = [*TEA, {"attribute": "discount", "operator": "at_least", "values": ["0.25"]}]
    rules = [
        saved(items=one, segment=4),
        saved(action="boost", strength=-30, items=cheap, placement=None, slot=None),
        saved(action="cap", most=2, per="brand", items=[], starts_at=NOW, context=TEA, placement="item"),
        saved(action="minimum_share", share=0.125, items=TEA),
        saved(action="exclude", items=[{"attribute": "promoted", "operator": "is", "values": [False]}]),
    ]
    assert rule_texts(frozen(rule) for rule in rules) == [
        "On “For you”, for segment Fresh & family: pin Tea 1 or Tea 2 to slot 1",
        "Everywhere: bury items with category Tea and discount at least 25 % by −30",
        "On “Similar items”, next to items with category Tea, from 1 Jul 09:00: show at most 2 of each brand",
        "On “For you”: give items with category Tea at least 12.5 % of the slots",
        "On “For you”: exclude items with no promotion this week",
    ]
    with translation.override("zh-hans"):
        assert rule_texts([frozen(rules[0])])[0].endswith("将 Tea 1 或 Tea 2 置顶到第 1 位")
    assert rule_text(frozen(rules[0])) == "On “For you”, for segment 4: pin tea-1 or tea-2 to slot 1"
