"""Books of rules: publish, withdraw, roll back. A book is frozen; every change is a new one, which acts at once."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Max

from recommendations.models import Rule, RuleBook, Staff
from recommendations.services import approvals
from recommendations.services.access import audit
from recommendations.services.access.audit import NoteNeededError, needed_note
from recommendations.services.rules.editing import (
    StaleRuleError,
    as_frozen,
    in_order,
    locked_rules,
    moved,
    set_archived,
)
from recommendations.services.rules.linter import Finding, Severity, lint
from recommendations.statement_terms import StatementCause
from recommendations.store.live import fetch
from recommendations.store.rules.conditions import FrozenRule, default_book, frozen
from recommendations.store.statements.ledger import note_statement

__all__ = [
    "BookBasis", "BookChange", "FaultyRulesError", "NoteNeededError", "NothingToPublishError", "StaleBookError",
    "StaleRuleError", "book_changes", "book_for_test", "book_with", "is_served", "present_order", "publish_rules",
    "roll_back_rules", "undo_book", "withdraw_rules",
]  # fmt: skip


class BookBasis(NamedTuple):
    """Basis of a preview: a book, and the keys of rules in their present order, which the next book would have."""

    rules: Sequence[FrozenRule]
    order: Sequence[int]


class BookChange(NamedTuple):
    """A rule that is in one of two books only, or stands in them differently. None: not in that book."""

    rule: int
    name: str
    before: FrozenRule | None
    after: FrozenRule | None
    moved: bool = False  # the same, at another place of the order


class StaleBookError(Exception):
    """Another book was published since the publisher looked; ``differences`` lead from the one they saw to it."""

    def __init__(self, book: RuleBook | None, differences: Sequence[BookChange]) -> None:
        super().__init__(f"{book} is served by now")
        self.book, self.differences = book, differences


class FaultyRulesError(Exception):
    """Rules that are to be published have errors; ``findings`` say which."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(finding.text for finding in findings))
        self.findings = findings


class NothingToPublishError(Exception):
    """The book that is served has all of the change already."""

    def __init__(self, book: RuleBook | None) -> None:
        super().__init__(f"{book} has it already")
        self.book = book


@transaction.atomic
def publish_rules(
    *,
    rules: Sequence[int],
    based_on: int | None,
    note: str,
    by: Staff | None,
    now: datetime,
    expected: Mapping[str, Any] | None = None,
    revisions: Mapping[int, int] | None = None,
) -> RuleBook:
    """Publish a new book with these rules (primary keys) as they are now, all rules in the present order.

    ``based_on`` is the number of the book that the publisher saw, None or 0 for none, ``revisions`` are those of the
    rules; ``expected`` is the price tag as it is kept. Raises NoteNeededError, NothingToPublishError, StaleBookError,
    StaleRuleError and FaultyRulesError; Rule.DoesNotExist where a rule is gone or archived.
    """
    rows, book = _held(note)
    missing = set(rules) - rows.keys()
    if missing:
        raise Rule.DoesNotExist(f"no rule {min(missing)}")
    wanted = _ordered({**_by_key(book), **{key: frozen(rows[key]) for key in rules}}, rows)
    _check_base(book, wanted, based_on)
    for key, revision in (revisions or {}).items():
        if key in rules and rows[key].revision != revision:
            raise StaleRuleError(rows[key], [])
    findings = lint(wanted, now=now)
    faults = [one for one in findings if one.severity is Severity.ERROR and not set(rules).isdisjoint(one.rules)]
    if faults:
        raise FaultyRulesError(faults)
    published = _published(book, wanted, note=note, by=by, now=now, expected=expected or {})
    _record(published, book, [rows[key] for key in rules], verb="publish", by=by)
    approvals.answer(rules=rules, by=by, now=now)
    return published


@transaction.atomic
def book_for_test(*, rules: Sequence[int], note: str, by: Staff | None, now: datetime) -> RuleBook:
    """Freeze a book with these rules as they are now, beside the one that is served, for an experiment to serve.

    Raises NoteNeededError, NothingToPublishError and FaultyRulesError; Rule.DoesNotExist where a rule is gone.
    """
    rows, book = _held(note)
    if missing := set(rules) - rows.keys():
        raise Rule.DoesNotExist(f"no rule {min(missing)}")
    wanted = _ordered({**_by_key(book), **{key: frozen(rows[key]) for key in rules}}, rows)
    _check_base(book, wanted, book.number if book else 0)
    findings = lint(wanted, now=now)
    faults = [one for one in findings if one.severity is Severity.ERROR and not set(rules).isdisjoint(one.rules)]
    if faults:
        raise FaultyRulesError(faults)
    tested = _frozen_book(book, wanted, note=note, by=by, now=now, expected={}, serve=False)
    after = {"book": tested.number, "rules": [rows[key].name for key in rules]}
    audit.record(by=by, verb=audit.FOR_TEST, subject=tested, note=tested.note, after=after)
    return tested


def serve_book(*, book: RuleBook, note: str, by: Staff | None, now: datetime) -> None:
    """Serve what a tested book has, as ``roll_back_rules`` does; nothing changes where that is served already."""
    if book.is_default:
        return
    with suppress(NothingToPublishError):
        roll_back_rules(book=book, note=note, by=by, now=now, verb="publish")


def lock_rules() -> list[Rule]:
    """All rules in their order, locked, so that one publishes at a time."""
    return in_order(locked_rules().unarchived())


@transaction.atomic
def withdraw_rules(
    *, rules: Sequence[int], based_on: int | None, note: str, by: Staff | None, now: datetime
) -> RuleBook:
    """Publish a new book without these rules, which become drafts again. Raises as ``publish_rules``."""
    rows, book = _held(note)
    wanted = _ordered({key: rule for key, rule in _by_key(book).items() if key not in rules}, rows)
    _check_base(book, wanted, based_on)
    published = _published(book, wanted, note=note, by=by, now=now, expected={})
    _record(published, book, [rows[key] for key in rules if key in rows], verb="withdraw", by=by)
    return published


@transaction.atomic
def roll_back_rules(*, book: RuleBook, note: str, by: Staff | None, now: datetime, verb: str = "roll back") -> RuleBook:
    """Serve what a former book had: a new book copied from it, and the rules themselves as they stood in it.

    Rules for customers who are gone since then are left out; rules that the former book did not have stay as drafts.
    What was drafted of the others is in the trail.
    Raises NoteNeededError and NothingToPublishError.
    """
    _, current = _held(note)
    rows = {row.pk: row for row in locked_rules().filter(pk__in=[rule["id"] for rule in book.rules])}
    wanted = [rule for rule in book.rules if rule["id"] in rows]
    if wanted == (current.rules if current else []):
        raise NothingToPublishError(current)
    for rule in wanted:
        _follow(rows[rule["id"]], rule, verb=verb, by=by, now=now)
    _follow_order([rule["id"] for rule in wanted])
    published = _published(current, wanted, note=note, by=by, now=now, expected={})
    audit.record(
        by=by, verb=verb, subject=published, note=note.strip(),
        before={"book": current.number if current else 0}, after={"book": published.number, "copied": book.number},
    )  # fmt: skip
    return published


@transaction.atomic
def undo_book(*, book: RuleBook, note: str, by: Staff | None, now: datetime) -> RuleBook:
    """Serve what stood before this book, which is served; the rules themselves stay as they are written.

    Rules that are gone or archived since then are left out. Raises NoteNeededError, NothingToPublishError and
    StaleBookError.
    """
    rows, current = _held(note)
    if current != book or current.parent is None:
        raise StaleBookError(current, [])
    wanted = [rule for rule in current.parent.rules if rule["id"] in rows]
    if wanted == current.rules:
        raise NothingToPublishError(current)
    published = _published(current, wanted, note=note, by=by, now=now, expected={})
    audit.record(
        by=by, verb="roll back", subject=published, note=note.strip(),
        before={"book": current.number}, after={"book": published.number, "copied": current.parent.number},
    )  # fmt: skip
    return published


def book_with(
    rules: Iterable[FrozenRule], *, without: Iterable[int] = (), basis: BookBasis | None = None
) -> list[FrozenRule]:
    """The book that is served (or the ``basis``), as it would be with these rules in place and others withdrawn.

    For previews. A rule that was never saved has id 0 and comes last.
    """
    if basis is None:
        basis = BookBasis(list(_by_key(default_book()).values()), present_order())
    gone = set(without)
    together = {rule["id"]: rule for rule in basis.rules if rule["id"] not in gone}
    together |= {rule["id"]: rule for rule in rules}
    ranks = {key: rank for rank, key in enumerate(basis.order)}
    return [together[key] for key in sorted(together, key=lambda key: ranks.get(key, len(ranks)))]


def is_served(rule: FrozenRule) -> bool:
    """Whether the served book has the rule just like this."""
    return bool(rule["id"]) and _by_key(default_book()).get(rule["id"]) == rule


def present_order() -> list[int]:
    """Keys of all rules that are kept; those of a served book are among them."""
    return list(Rule.objects.unarchived().order_by("position", "pk").values_list("pk", flat=True))


def book_changes(before: Sequence[FrozenRule], after: Sequence[FrozenRule]) -> list[BookChange]:
    """Rules that were added, removed, changed and moved, in the order of the later book, removed ones last."""
    was, becomes = {rule["id"]: rule for rule in before}, {rule["id"]: rule for rule in after}
    put_elsewhere = moved(list(was), list(becomes))
    changes = [
        BookChange(key, rule["name"], was.get(key), rule, key in put_elsewhere)
        for key, rule in becomes.items()
        if was.get(key) != rule or key in put_elsewhere
    ]
    return changes + [BookChange(key, rule["name"], rule, None) for key, rule in was.items() if key not in becomes]


def _held(note: str) -> tuple[dict[int, Rule], RuleBook | None]:
    """All rules in their order, locked, and the book that is served."""
    needed_note(note)
    rows = {row.pk: row for row in lock_rules()}
    return rows, default_book()


def _by_key(book: RuleBook | None) -> dict[int, FrozenRule]:
    return {rule["id"]: rule for rule in book.rules} if book else {}


def _ordered(rules: Mapping[int, FrozenRule], rows: Iterable[int]) -> list[FrozenRule]:
    """Rules in the order of the rows; one that has none any more, as its customer was erased, is left out."""
    return [rules[key] for key in rows if key in rules]


def _check_base(book: RuleBook | None, wanted: list[FrozenRule], based_on: int | None) -> None:
    if wanted == (book.rules if book else []):
        raise NothingToPublishError(book)
    if (book.number if book else 0) != (based_on or 0):
        seen = RuleBook.objects.filter(number=based_on or 0).first()
        raise StaleBookError(book, book_changes(seen.rules if seen else [], book.rules if book else []))


def _published(
    parent: RuleBook | None, rules: list[FrozenRule], *, note: str, by: Staff | None, now: datetime,
    expected: Mapping[str, Any],
) -> RuleBook:  # fmt: skip
    book = _frozen_book(parent, rules, note=note, by=by, now=now, expected=expected, serve=True)
    note_statement(StatementCause.BOOK, book.number)
    transaction.on_commit(lambda: fetch.announce(fetch.Changed.RULES))
    return book


def _frozen_book(
    parent: RuleBook | None, rules: list[FrozenRule], *, note: str, by: Staff | None, now: datetime,
    expected: Mapping[str, Any], serve: bool,
) -> RuleBook:  # fmt: skip
    empty, _new = RuleBook.objects.get_or_create(number=0, defaults={"published_at": now})  # the way back of the first
    number = (RuleBook.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    if serve:
        RuleBook.objects.filter(is_default=True).update(is_default=False)
    return RuleBook.objects.create(
        number=number, rules=rules, is_default=serve, parent=parent or empty, note=note.strip(),
        expected=dict(expected), author=by, published_at=now,
    )  # fmt: skip


def _record(made: RuleBook, before: RuleBook | None, rules: Sequence[Rule], *, verb: str, by: Staff | None) -> None:
    """Write an entry for the book, and one for each rule with what was served of it before and is now."""
    was, becomes = _by_key(before), _by_key(made)
    audit.record(
        by=by, verb=verb, subject=made, note=made.note,
        before={"book": before.number if before else 0},
        after={"book": made.number, "rules": [rule.name for rule in rules]},
    )  # fmt: skip
    for rule in rules:
        audit.record(
            by=by, verb=verb, subject=rule, note=made.note,
            before=dict(was[rule.pk]) if rule.pk in was else None,
            after=dict(becomes[rule.pk]) if rule.pk in becomes else None,
        )  # fmt: skip


def _follow(row: Rule, rule: FrozenRule, *, verb: str, by: Staff | None, now: datetime) -> None:
    """Set the rule itself to what the former book has of it, and bring it back from the archive."""
    if row.archived_at is not None:
        set_archived(row, None, verb="restore", by=by, now=now)
    before = frozen(row)
    if before == rule:
        return
    after = frozen(as_frozen(row, rule))
    row.updated_at, row.revision = now, row.revision + 1
    row.save()
    was, becomes = dict(before), dict(after)
    changed = [name for name in {**was, **becomes} if was.get(name) != becomes.get(name)]
    audit.record(
        by=by, verb=verb, subject=row,
        before={name: was.get(name) for name in changed}, after={name: becomes.get(name) for name in changed},
    )  # fmt: skip


def _follow_order(keys: Sequence[int]) -> None:
    """Put the rules of the former book in its order, the others behind them as they were."""
    others = Rule.objects.unarchived().exclude(pk__in=keys).order_by("position", "pk").values_list("pk", flat=True)
    for position, key in enumerate([*keys, *others], start=1):
        Rule.objects.filter(pk=key).update(position=position)
