"""A book of rules is published, withdrawn from and rolled back; nobody publishes what they have not seen."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from recommendations.models import AuditEntry, Customer, Placement, Rule, RuleBook, Staff
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
from recommendations.services.rules.editing import StaleRuleError, archive_rule, drafted, reorder, status_of
from recommendations.store.live import fetch
from recommendations.store.rules.conditions import frozen
from recommendations.terms import RuleStatus
from tests.services.rules.conftest import NOW, PIN, changed, published, saved

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("teas_and_bread")]


def test_a_published_rule_is_served_from_the_next_answer_on(
    boss: Staff, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    rule = saved()
    marks = fetch.state_of(1, since=None).changed
    with django_capture_on_commit_callbacks(execute=True):
        book = publish_rules(
            rules=[rule.pk], based_on=None, note=" Summer ", by=boss, now=NOW, expected={"slots": 12}
        )  # fmt: skip
    assert (book.number, book.is_default, book.note, book.author) == (1, True, "Summer", boss)
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
    assert RuleBook.objects.exclude(number=0).count() == 1
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
    assert refused.book == book == RuleBook.objects.exclude(number=0).get()
    assert [change.rule for change in refused.differences] == [rule["id"] for rule in book.rules]


def test_errors_of_published_rules_block_and_warnings_do_not() -> None:
    one = saved()
    contradiction = saved(action="exclude", name="No tea")
    published(one)
    with pytest.raises(FaultyRulesError) as faulty:
        published(contradiction)
    assert [finding.rules for finding in faulty.value.findings] == [(one.pk, contradiction.pk)]
    assert "What “Tea first” pins is kept out because of “No tea”" in str(faulty.value)
    assert RuleBook.objects.exclude(number=0).count() == 1
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


def test_the_first_book_is_rolled_back_to_an_empty_one(boss: Staff) -> None:
    rule = saved()
    first = published(rule)
    empty = RuleBook.objects.get(number=0)
    assert (empty.rules, first.parent, first.number) == ([], empty, 1)
    book = roll_back_rules(book=empty, note="Not yet", by=boss, now=NOW)
    assert (book.number, book.rules, book.is_default) == (2, [], True)
    assert status_of(rule, book, NOW) is RuleStatus.DRAFT
    entry = AuditEntry.objects.get(verb="roll back", object_type="rulebook")
    assert (entry.before, entry.after) == ({"book": 1}, {"book": 2, "copied": 0})


def test_rules_for_customers_who_are_gone_leave_the_book() -> None:
    customer = Customer.objects.create(pseudonym=b"c" * 32)
    one, two = saved(customer=customer.pk), saved(slot=2)
    first = published(one, two)
    customer.delete()
    changed(two, slot=3)
    assert [rule["id"] for rule in published(two).rules] == [two.pk]
    assert [rule["slot"] for rule in roll_back_rules(book=first, note="back", by=None, now=NOW).rules] == [2]


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
