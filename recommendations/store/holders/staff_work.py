"""What staff wrote about a person: judgements, rules for them alone, and entries of the trail.

A rule for nobody else goes with them; what was frozen of it in books is for a customer whom there is not, and has lost
its name. Entries of the trail stay, as they say who did what, and when: their subject is a customer who was erased.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from recommendations.customer_codes import customer_code
from recommendations.models import ApprovalRequest, AuditEntry, Judgement, Rule, RuleBook
from recommendations.privacy_terms import HolderCode, Kept
from recommendations.store.holders.protocol import Erased, Subject
from recommendations.store.holders.tables import OwnRows, TableHolder
from recommendations.store.live import fetch

NO_ONE = -1
"""The customer of a frozen rule whose own was erased."""
NAMED_BY_KEY = ("contact", "customer", "statedtaste")
"""Kinds of objects in the trail whose key is the customer's."""


def _of_rules(subject: Subject) -> Q:
    return Q(rule__customer__in=subject.key_list)


JUDGEMENTS = OwnRows(
    model=Judgement,
    columns=("judged_at", "placement", "item__shop_id", "item__title", "kind", "note", "rank"),
)  # fmt: skip
APPROVALS = OwnRows(model=ApprovalRequest, whose=_of_rules, columns=("asked_at", "note", "answer", "decided_at"))
RULES = OwnRows(
    model=Rule,
    columns=(
        "name", "placement__name", "action", "items", "context", "starts_at", "ends_at", "slot", "strength", "most",
        "share", "created_at", "archived_at",
    ),
)  # fmt: skip


def _about(subject: Subject) -> Q:
    """Entries whose object is the person, and of rules, books and quarantines those that name the person."""
    keys = subject.key_list
    if not keys:
        return Q(pk__in=[])
    rules = _rules_of(subject)
    of_books = [Q(after__rules__contains=[name]) for name in sorted({*rules.values()})]
    set_aside = AuditEntry.objects.filter(
        object_type="quarantine", after__customer__in=[customer_code(key) for key in keys]
    )  # fmt: skip
    return (
        Q(object_type__in=NAMED_BY_KEY, object_id__in=[str(key) for key in keys])
        | Q(object_type="rule") & (Q(object_id__in=[str(rule) for rule in rules]) | _naming(keys))
        | Q(object_type="rulebook") & reduce(or_, of_books, Q(pk__in=[]))
        | Q(object_type="quarantine", object_id__in=set_aside.values("object_id"))
    )


def _naming(keys: Collection[int]) -> Q:
    return Q(before__customer__in=keys) | Q(after__customer__in=keys)


def _books_with(subject: Subject) -> QuerySet[RuleBook]:
    """Books with a rule for the person."""
    each = [Q(rules__contains=[{"customer": key}]) for key in subject.key_list]
    return RuleBook.objects.filter(reduce(or_, each, Q(pk__in=[])))


def _rules_of(subject: Subject) -> dict[int, str]:
    """Names of the rules for the person by key; of a rule that is gone its name in a book."""
    own = dict(Rule.objects.filter(customer__in=subject.key_list).values_list("pk", "name"))
    frozen = {
        rule["id"]: rule["name"]
        for book in _books_with(subject) for rule in book.rules if rule.get("customer") in subject.keys
    }  # fmt: skip
    kept = set(Rule.objects.filter(pk__in=frozen).values_list("pk", flat=True))
    return {key: name for key, name in frozen.items() if key not in kept} | own


TRAIL = OwnRows(model=AuditEntry, whose=_about, columns=("at", "verb", "object_type", "note"))


class StaffWorkHolder(TableHolder):
    """Work of staff on one customer."""

    def __init__(self) -> None:
        super().__init__(HolderCode.STAFF_WORK, JUDGEMENTS, APPROVALS, RULES, TRAIL, also=[RuleBook])

    def find(self, subject: Subject) -> int:
        return super().find(subject) + len(_books_with(subject))

    @transaction.atomic
    def erase(self, subject: Subject, *, now: datetime) -> Erased:  # noqa: ARG002
        """Erase judgements and rules; books and entries of the trail stay, and say nothing of the person."""
        rules = _rules_of(subject)
        entries = list(TRAIL.of(subject).select_for_update())
        for entry in entries:
            _forget_in(entry, rules, subject.keys)
        AuditEntry.objects.bulk_update(entries, ["object_id", "label", "before", "after", "note"], batch_size=1_000)
        books = list(_books_with(subject).select_for_update())
        for book in books:
            book.rules = [_for_others(rule, subject.keys) for rule in book.rules]
        RuleBook.objects.bulk_update(books, ["rules"], batch_size=1_000)
        deleted = sum(table.delete(subject) for table in (JUDGEMENTS, APPROVALS, RULES))
        if books:
            transaction.on_commit(lambda: fetch.announce(fetch.Changed.RULES))
        return Erased(
            deleted=deleted, changed=len(books) + len(entries), kept=len(entries),
            why=Kept.ENTRY_OF_TRAIL if entries else None,
        )  # fmt: skip


def _for_others(rule: dict[str, Any], keys: Collection[int]) -> dict[str, Any]:
    """A frozen rule as it was, and one for the person for no one, without its name."""
    return rule | {"customer": NO_ONE, "name": _number(rule["id"])} if rule.get("customer") in keys else rule


def _number(rule: int | str) -> str:
    """What a rule is called that has lost its name."""
    return f"#{rule}"


def _forget_in(entry: AuditEntry, rules: Mapping[int, str], keys: Collection[int]) -> None:
    """Take out of an entry of the trail whom it is about."""
    if entry.object_type in NAMED_BY_KEY:
        entry.object_id = entry.label = entry.note = ""
    elif entry.object_type == "quarantine":
        entry.after, entry.note = _without_customer(entry.after), ""
    elif entry.object_type == "rulebook":
        numbers = {name: _number(key) for key, name in rules.items()}
        after: dict[str, Any] = entry.after or {}
        entry.after = after | {"rules": [numbers.get(name, name) for name in after.get("rules", ())]}
    else:
        own = entry.object_id in map(str, rules)
        if own:
            entry.label, entry.note = _number(entry.object_id), ""
        entry.before, entry.after = (
            _rule_values(values, entry.object_id, own=own, keys=keys) for values in (entry.before, entry.after)
        )


def _without_customer(values: dict[str, Any] | None) -> dict[str, Any] | None:
    return values and {name: value for name, value in values.items() if name != "customer"}


def _rule_values(
    values: dict[str, Any] | None, rule: str, *, own: bool, keys: Collection[int]
) -> dict[str, Any] | None:  # fmt: skip
    """Values of a rule for a customer whom there is not; of a rule for the person alone without its name."""
    if values is None:
        return None
    changed = dict(values)
    if values.get("customer") in keys:
        changed["customer"] = NO_ONE
    if own and "name" in values:
        changed["name"] = _number(rule)
    return changed


STAFF_WORK = StaffWorkHolder()
