"""Rules from the first draft to the book that is served and back: what is refused, what is kept, what is announced."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import translation

from recommendations.models import (
    AuditEntry,
    Category,
    Customer,
    Item,
    Placement,
    Rule,
    RuleBook,
    Segment,
    Staff,
)
from recommendations.services.rules.books import (
    BookChange,
    FaultyRulesError,
    NoteNeededError,
    NothingToPublishError,
    StaleBookError,
    book_changes,
    book_with,
    publish_rules,
    roll_back_rules,
    withdraw_rules,
)
from recommendations.services.rules.editing import (
    RuleDifference,
    RuleIsServedError,
    StaleRuleError,
    archive_rule,
    drafted,
    duplicate_rule,
    matched,
    reorder,
    restore_rule,
    rule_texts,
    save_rule,
    status_of,
)
from recommendations.store.live import fetch
from recommendations.store.rules.conditions import ConditionError, default_book, frozen
from recommendations.terms import Role, RuleStatus
from recommendations.wording.rules import rule_text

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)
TEA = [{"attribute": "category", "operator": "is", "values": ["FOOD > TEA"]}]
PIN = {"name": "Tea first", "action": "pin", "items": TEA, "placement": "home", "slot": 1}


@pytest.fixture(autouse=True)
def shop() -> None:
    """Thirty teas and as much bread, of three brands."""
    for taste in ("Tea", "Bread"):
        category = Category.objects.create(path=f"FOOD > {taste.upper()}", name=taste)
        items = [
            Item(
                shop_id=f"{taste.lower()}-{number}",
                title=f"{taste} {number}",
                brand=f"Brand {number % 3}",
                price=Decimal(number + 1),
            )
            for number in range(30)
        ]
        category.items.set(Item.objects.bulk_create(items))
    Segment.objects.create(number=4, name="Fresh & family", size=70)


@pytest.fixture
def boss() -> Staff:
    return Staff.objects.create_user("boss@example.com", role=Role.PUBLISHER)


def saved(**values: Any) -> Rule:
    return save_rule(rule=None, values={**PIN, **values}, revision=None, by=None, now=NOW)


def changed(rule: Rule, **values: Any) -> Rule:
    return save_rule(rule=rule, values=values, revision=rule.revision, by=None, now=NOW + timedelta(hours=1))


def published(*rules: Rule, note: str = "because") -> RuleBook:
    default = default_book()
    return publish_rules(
        rules=[rule.pk for rule in rules], based_on=default.number if default else None, note=note, by=None, now=NOW
    )


# Saving


def test_a_rule_is_saved_as_it_was_written(boss: Staff) -> None:
    customer = Customer.objects.create(pseudonym=b"c" * 32)
    values = {
        "name": "  Tea for families ", "action": "boost", "strength": "40", "items": TEA, "placement": "home",
        "segment": "4", "customer": str(customer.pk), "context": [], "starts_at": "2026-07-02 08:00", "ends_at": "",
        "slot": "3",
    }  # fmt: skip
    rule = save_rule(rule=None, values=values, revision=None, by=boss, now=NOW)
    rule.refresh_from_db()
    assert (rule.name, rule.strength, rule.author, rule.revision, rule.position) == ("Tea for families", 40, boss, 1, 1)
    assert (rule.placement, rule.segment, rule.customer) == (
        Placement.objects.get(name="home"), Segment.objects.get(number=4), customer
    )  # fmt: skip
    assert rule.slot is None  # a boost has none
    assert rule.starts_at == datetime(2026, 7, 2, 8, tzinfo=UTC)
    entry = AuditEntry.objects.get(object_type="rule")
    assert (entry.verb, entry.staff, entry.before, entry.after) == ("create", boss, None, dict(frozen(rule)))
    assert saved().position == 2


def test_a_time_without_a_zone_is_one_of_the_shop(settings: Any) -> None:
    settings.TIME_ZONE = settings.SHOP_TIME_ZONE = "Asia/Shanghai"
    with translation.override("en"):
        rule = saved(starts_at="2026-07-02T08:00", ends_at="2026-07-02T08:00+00:00")
    assert rule.starts_at == datetime(2026, 7, 2, 0, tzinfo=UTC)
    assert rule.ends_at == datetime(2026, 7, 2, 8, tzinfo=UTC)


def problem(**values: Any) -> tuple[str, str]:
    """Field and words of the only complaint; nothing is saved."""
    with pytest.raises(ValidationError) as wrong:
        saved(**values)
    assert Rule.objects.count() == 0
    ((field, texts),) = wrong.value.message_dict.items()
    return field, " ".join(texts)


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"name": " "}, "name", "Give the rule a name."),
        ({"name": "x" * 121}, "name", "At most 120 characters."),
        ({"name": "x\0"}, "name", "The name holds a character that cannot be stored."),
        ({"action": "shout"}, "action", "Choose what the rule does."),
        ({"placement": "shelf"}, "placement", "There is no placement “shelf”: choose one of the list."),
        ({"segment": 77}, "segment", "There is no segment 77: choose one of the list."),
        ({"segment": "many"}, "segment", "There is no segment many: choose one of the list."),
        ({"customer": 10**30}, "customer", f"There is no customer {10**30}."),
        ({"slot": None}, "slot", "Choose the slot."),
        ({"slot": "first"}, "slot", "Enter a whole number."),
        ({"slot": 0}, "slot", "A pin beyond the slate: choose a slot from 1 to 20."),
        ({"slot": 21}, "slot", "A pin beyond the slate: choose a slot from 1 to 20."),
        ({"items": []}, "items", "Say which items: without a condition it would be all of them."),
        ({"starts_at": "2026-07-02", "ends_at": "2026-07-01"}, "ends_at", "The rule ends before it begins"),
        ({"starts_at": "2026-07-02 08:00", "ends_at": "2026-07-02 08:00"}, "ends_at", "The rule ends before it begins"),
        ({"starts_at": "soon"}, "starts_at", "No date and time: write it as 2026-12-24 18:00."),
        ({"starts_at": "2026-02-30 08:00"}, "starts_at", "No date and time"),
        ({"ends_at": "0001-01-01 00:00"}, "ends_at", "No date and time"),
        ({"action": "boost"}, "strength", "Choose a strength from −100 to 100."),
        ({"action": "boost", "strength": 101}, "strength", "Choose a strength from −100 to 100."),
        ({"action": "boost", "strength": "-101"}, "strength", "Choose a strength from −100 to 100."),
        ({"action": "boost", "strength": 0}, "strength", "0 changes nothing"),
        ({"action": "cap", "per": "brand"}, "most", "Say how many at most."),
        ({"action": "cap", "per": "brand", "most": 0}, "most", "At least 1: to show none of them, exclude them."),
        ({"action": "cap", "per": "all", "most": 101}, "most", "At most 100: no slate is longer."),
        ({"action": "cap", "per": "shop", "most": 3}, "per", "Choose of what it counts"),
        ({"action": "minimum_share"}, "share", "Choose a share above 0 % and up to 100 %."),
        ({"action": "minimum_share", "share": 0}, "share", "Choose a share above 0 % and up to 100 %."),
        ({"action": "minimum_share", "share": 1.01}, "share", "Choose a share above 0 % and up to 100 %."),
        ({"action": "minimum_share", "share": "nan"}, "share", "Choose a share above 0 % and up to 100 %."),
        ({"action": "minimum_share", "share": "half"}, "share", "Enter a number."),
    ],
)
def test_an_invalid_value_is_refused_with_the_remedy(values: dict[str, Any], field: str, words: str) -> None:
    place, text = problem(**values)
    assert place == field
    assert text.startswith(words)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"attribute": "colour", "operator": "is", "values": ["red"]}, "items have no such attribute"),
        ({"attribute": "attributes.colour", "operator": "is", "values": ["red"]}, "items have no such attribute"),
        ({"attribute": "brand", "operator": "at_least", "values": ["Brand 1"]}, "this attribute cannot be compared"),
        ({"attribute": "brand", "operator": "is", "values": []}, "it has no value: choose at least one."),
        ({"attribute": "brand", "operator": "is", "values": "Brand 1"}, "it has no value"),
        ({"attribute": "brand", "operator": "is", "values": ["Brand 9"]}, "no item has this value"),
        ({"attribute": "brand", "operator": "is", "values": ["\0"]}, "no item has this value"),
        ({"attribute": "category", "operator": "is", "values": ["DRINKS"]}, "no item has this value"),
        ({"attribute": "price", "operator": "at_least", "values": ["dear"]}, "the value is no number"),
        ({"attribute": "price", "operator": "at_least", "values": ["1e30"]}, "the value is out of range"),
        ({"attribute": "promoted", "operator": "is", "values": ["perhaps"]}, "choose yes or no."),
        ("brand", "it has no value"),
    ],
)
@pytest.mark.parametrize("field", ["items", "context"])
def test_an_invalid_condition_is_refused_by_its_number(field: str, condition: Any, words: str) -> None:
    place, text = problem(**{field: [*TEA, condition]})
    assert place == field
    assert text.startswith(f"Condition 2: {words}")


def test_a_pin_may_go_as_far_as_the_slate_of_its_placement() -> None:
    Placement.objects.filter(name="home").update(n=6)
    assert problem(slot=7)[1].endswith("from 1 to 6.")
    assert saved(slot=7, placement="discover").slot == 7
    assert saved(slot=20, placement=None).slot == 20  # on the longest of them


def test_words_of_a_complaint_are_in_the_language_of_the_reader() -> None:
    with translation.override("zh-hans"):
        assert problem(name="")[1] == "请为规则取一个名称。"


def test_a_cap_of_each_brand_may_speak_of_all_items() -> None:
    assert saved(action="cap", items=[], per="brand", most=2).items == []
    with pytest.raises(ValidationError):
        saved(action="cap", items=[], per="all", most=2)


def test_a_field_that_rules_do_not_have_is_a_mistake_of_the_program() -> None:
    with pytest.raises(TypeError, match="colour"):
        saved(colour="red")


# Changing


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
    assert stale.value.differences == [RuleDifference("name", "Mine", "Theirs"), RuleDifference("slot", 5, 2)]
    rule.refresh_from_db()
    assert (rule.slot, rule.revision) == (2, 2)
    assert save_rule(rule=rule, values={"slot": 5}, revision=2, by=None, now=NOW).slot == 5


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


# Publishing


def test_a_published_rule_is_served_from_the_next_answer_on(
    boss: Staff, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    rule = saved()
    marks = fetch.state_of(1, since=None).changed
    with django_capture_on_commit_callbacks(execute=True):
        book = publish_rules(
            rules=[rule.pk], based_on=None, note=" Summer ", by=boss, now=NOW, expected={"slots": 12}
        )  # fmt: skip
    assert (book.number, book.is_default, book.parent, book.note, book.author) == (1, True, None, "Summer", boss)
    assert (book.rules, book.expected, str(book)) == ([frozen(rule)], {"slots": 12}, "r1")
    assert fetch.state_of(1, since=None).changed != marks
    entries = {entry.object_type: entry for entry in AuditEntry.objects.filter(verb="publish")}
    assert (entries["rulebook"].before, entries["rulebook"].after) == ({"book": 0}, {"book": 1, "rules": ["Tea first"]})
    assert (entries["rule"].before, entries["rule"].after) == (None, dict(frozen(rule)))
    assert {entry.note for entry in entries.values()} == {"Summer"}


def test_drafts_are_not_served() -> None:
    rule, other = saved(), saved(name="Bread last", slot=20)
    published(rule)
    changed(rule, slot=4)
    book = published(other)
    assert [(one["name"], one["slot"]) for one in book.rules] == [("Tea first", 1), ("Bread last", 20)]
    assert book.parent == RuleBook.objects.get(number=1)
    assert RuleBook.objects.filter(is_default=True).count() == 1


def test_publishing_needs_a_note() -> None:
    with pytest.raises(NoteNeededError):
        published(saved(), note=" ")
    assert not RuleBook.objects.exists()


def test_the_same_draft_is_published_once() -> None:
    rule = saved()
    book = published(rule)
    with pytest.raises(NothingToPublishError) as nothing:
        publish_rules(rules=[rule.pk], based_on=None, note="again", by=None, now=NOW)
    assert nothing.value.book == book
    assert RuleBook.objects.count() == 1
    reorder(keys=[saved(slot=2).pk], by=None, now=NOW)
    with pytest.raises(NothingToPublishError):
        published(rule)  # one rule has but one order


def test_a_new_order_alone_can_be_published() -> None:
    one, two = saved(slot=1), saved(slot=2)
    published(one, two)
    reorder(keys=[two.pk, one.pk], by=None, now=NOW)
    assert [rule["id"] for rule in published().rules] == [two.pk, one.pk]


def test_the_second_of_two_publishers_sees_what_the_first_did() -> None:
    one, two = saved(slot=1), saved(slot=2)
    book = publish_rules(rules=[one.pk], based_on=0, note="first", by=None, now=NOW)
    with pytest.raises(StaleBookError) as stale:
        publish_rules(rules=[two.pk], based_on=0, note="second", by=None, now=NOW)
    assert stale.value.book == book
    assert stale.value.differences == [BookChange(one.pk, "Tea first", None, frozen(one))]
    assert publish_rules(rules=[two.pk], based_on=1, note="second", by=None, now=NOW).number == 2


def test_a_draft_that_was_changed_meanwhile_is_not_published_unseen() -> None:
    rule = saved()
    theirs = changed(rule, slot=2)
    with pytest.raises(StaleRuleError) as stale:
        publish_rules(rules=[rule.pk], based_on=0, note="x", by=None, now=NOW, revisions={rule.pk: 1})
    assert stale.value.current == theirs
    assert not RuleBook.objects.exists()
    book = publish_rules(rules=[rule.pk], based_on=0, note="x", by=None, now=NOW, revisions={rule.pk: 2})
    assert book.rules[0]["slot"] == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_publishers_at_once_one_is_refused() -> None:
    rules, start, done = [saved(slot=1), saved(slot=2)], threading.Barrier(2), []

    def publish(rule: Rule) -> None:
        try:
            start.wait(10)
            done.append(publish_rules(rules=[rule.pk], based_on=None, note="mine", by=None, now=NOW))
        except StaleBookError as error:
            done.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=publish, args=(rule,)) for rule in rules]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    book, refused = sorted(done, key=lambda one: isinstance(one, StaleBookError))
    assert isinstance(book, RuleBook)
    assert isinstance(refused, StaleBookError)
    assert refused.book == book == RuleBook.objects.get()
    assert [change.rule for change in refused.differences] == [rule["id"] for rule in book.rules]


def test_errors_of_published_rules_block_and_warnings_do_not() -> None:
    one = saved()
    contradiction = saved(action="exclude", name="No tea")
    published(one)
    with pytest.raises(FaultyRulesError) as faulty:
        published(contradiction)
    assert [finding.rules for finding in faulty.value.findings] == [(one.pk, contradiction.pk)]
    assert "What “Tea first” pins is kept out because of “No tea”" in str(faulty.value)
    assert RuleBook.objects.count() == 1
    idle = saved(name="Nobody's", segment=4)  # without a model nobody is in the segment: a warning
    assert len(published(idle).rules) == 2
    Placement.objects.filter(name="home").update(n=1)
    other = saved(name="Bread last", slot=1, placement="discover")
    assert published(other).number == 3  # what is wrong with others by now does not hold it up


def test_withdrawn_rules_are_drafts_again(boss: Staff) -> None:
    one, two = saved(slot=1), saved(slot=2)
    published(one, two)
    book = withdraw_rules(rules=[one.pk], based_on=1, note="over", by=boss, now=NOW)
    assert [rule["id"] for rule in book.rules] == [two.pk]
    assert status_of(one, book, NOW) is RuleStatus.DRAFT
    entry = AuditEntry.objects.get(verb="withdraw", object_type="rule")
    assert (entry.before, entry.after, entry.note) == (dict(frozen(one)), None, "over")
    with pytest.raises(NothingToPublishError):
        withdraw_rules(rules=[one.pk], based_on=2, note="again", by=boss, now=NOW)
    with pytest.raises(StaleBookError):
        withdraw_rules(rules=[two.pk], based_on=1, note="late", by=boss, now=NOW)


def test_a_former_book_comes_back_and_the_rules_follow(boss: Staff) -> None:
    one, two = saved(name="a", slot=1), saved(name="b", slot=2)
    first = published(one, two)
    changed(one, slot=7, name="a, later")
    reorder(keys=[two.pk, one.pk], by=None, now=NOW)
    third = saved(name="c", slot=3)
    published(one, third)
    withdraw_rules(rules=[two.pk], based_on=2, note="over", by=None, now=NOW)
    archive_rule(rule=two, by=None, now=NOW)
    back = roll_back_rules(book=first, note="It was better", by=boss, now=NOW)
    assert (back.number, back.rules, back.parent.number, back.is_default) == (4, first.rules, 3, True)  # type: ignore[union-attr]
    rows = list(Rule.objects.unarchived())
    assert [(row.name, row.slot, status_of(row, back, NOW)) for row in rows] == [
        ("a", 1, RuleStatus.LIVE),
        ("b", 2, RuleStatus.LIVE),
        ("c", 3, RuleStatus.DRAFT),
    ]
    entry = AuditEntry.objects.get(verb="roll back", object_type="rulebook")
    assert (entry.before, entry.after, entry.note) == ({"book": 3}, {"book": 4, "copied": 1}, "It was better")
    followed = AuditEntry.objects.get(verb="roll back", object_type="rule", object_id=str(one.pk))
    assert (followed.before, followed.after) == ({"name": "a, later", "slot": 7}, {"name": "a", "slot": 1})
    with pytest.raises(NothingToPublishError):
        roll_back_rules(book=first, note="again", by=boss, now=NOW)
    with pytest.raises(NoteNeededError):
        roll_back_rules(book=RuleBook.objects.get(number=2), note="", by=boss, now=NOW)


def test_rules_for_customers_who_are_gone_leave_the_book() -> None:
    customer = Customer.objects.create(pseudonym=b"c" * 32)
    one, two = saved(customer=customer.pk), saved(slot=2)
    first = published(one, two)
    customer.delete()
    changed(two, slot=3)
    assert [rule["id"] for rule in published(two).rules] == [two.pk]
    assert [rule["slot"] for rule in roll_back_rules(book=first, note="back", by=None, now=NOW).rules] == [2]


def test_the_status_of_a_rule_follows_time_and_changes() -> None:
    rule = saved(starts_at=NOW + timedelta(days=1), ends_at=NOW + timedelta(days=2))
    assert status_of(rule, None, NOW) is RuleStatus.DRAFT
    book = published(rule)
    stored = Rule.objects.get()
    days = {0: RuleStatus.SCHEDULED, 1: RuleStatus.LIVE, 2: RuleStatus.EXPIRED}
    assert {day: status_of(stored, book, NOW + timedelta(days=day)) for day in days} == days
    assert status_of(changed(rule, slot=9), book, NOW) is RuleStatus.CHANGED


def test_a_preview_of_a_book_holds_drafts_and_saves_nothing() -> None:
    one, two = saved(name="a", slot=1), saved(name="b", slot=2)
    published(two)
    new = drafted(rule=None, values={**PIN, "name": "new", "slot": 5})
    edited = drafted(rule=one, values={"slot": 8})
    assert [(rule["id"], rule["slot"]) for rule in book_with([new, edited])] == [(one.pk, 8), (two.pk, 2), (0, 5)]
    assert book_with([new], without=[two.pk]) == [new]
    assert (Rule.objects.count(), Rule.objects.get(pk=one.pk).slot, one.slot) == (2, 1, 1)


def test_the_differences_of_two_books() -> None:
    a, b, c, d = (frozen(saved(name=name, slot=slot)) for slot, name in enumerate("abcd", start=1))
    changes = book_changes([a, b, c], [c, {**a, "slot": 9}, d])
    assert [(change.name, change.moved, bool(change.before), bool(change.after)) for change in changes] == [
        ("c", True, True, True),
        ("a", False, True, True),
        ("d", False, False, True),
        ("b", False, True, False),
    ]
    assert book_changes([a, b], [a, b]) == []


# Items and words


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
        "Everywhere: bury items with category FOOD > TEA and discount at least 25 % by −30",
        (
            "On “Similar items”, beside items with category FOOD > TEA, from 07/01/2026 9 a.m.: "
            "show at most 2 of each brand"
        ),
        "On “For you”: give items with category FOOD > TEA at least 12.5 % of the slots",
        "On “For you”: exclude items with no promotion this week",
    ]
    with translation.override("zh-hans"):
        assert rule_texts([frozen(rules[0])])[0].endswith("将Tea 1或Tea 2置顶到第 1 位")
    assert rule_text(frozen(rules[0])) == "On “For you”, for segment 4: pin tea-1 or tea-2 to slot 1"
