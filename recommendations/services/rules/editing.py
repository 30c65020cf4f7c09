"""Rules of merchandising as staff write them. Nothing here is served before it is published (``books.py``)."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count, Max, QuerySet, Subquery, TextField, Value
from django.utils.translation import gettext as _

from recommendations.models import Audience, Category, Item, Placement, Rule, RuleBook, Segment, Staff
from recommendations.services.access import audit
from recommendations.services.rules.form import LONGEST_NAME, fill
from recommendations.store.rules.conditions import FrozenRule, default_book, frozen, matching
from recommendations.terms import RuleStatus
from recommendations.wording.rules import rule_text

SHOWN_OF_MATCHED = 8


class Difference(NamedTuple):
    """A field of a rule, or of an audience, that two people set differently; values as they are stored."""

    field: str
    yours: Any
    theirs: Any


class StaleRuleError(Exception):
    """Somebody changed the rule since it was read; ``current`` is what it is now."""

    def __init__(self, current: Rule, differences: Sequence[Difference]) -> None:
        super().__init__(f"{current} was changed by somebody else")
        self.current, self.differences = current, differences


class RuleIsServedError(Exception):
    """A rule that is in the book is withdrawn first, then archived."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(f"{rule} is served: withdraw it first")
        self.rule = rule


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Items that meet conditions; ``items`` are the first of ``count``."""

    count: int
    items: Sequence[Item]


@transaction.atomic
def save_rule(
    *, rule: Rule | None, values: Mapping[str, Any], revision: int | None, by: Staff | None, now: datetime
) -> Rule:
    """Create (``rule`` None) or change a rule; ``values`` in the shape of a frozen rule, those left out stay.

    ``revision`` is the one that the writer saw. Raises ValidationError with ``message_dict`` by field, and
    StaleRuleError; then nothing is saved.
    """
    if rule is None:
        return _created(fill(Rule(action=""), values), by=by, now=now)
    current = _locked(rule)
    before: Mapping[str, Any] = frozen(current)
    changed = fill(_locked(rule), values)
    after: Mapping[str, Any] = frozen(changed)
    fields = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if revision != current.revision:
        raise StaleRuleError(current, [Difference(name, after.get(name), before.get(name)) for name in fields])
    if not fields:
        return current
    changed.revision += 1
    changed.updated_at = now
    changed.save()
    audit.record(by=by, verb="change", subject=changed, before=_part(before, fields), after=_part(after, fields))
    return changed


@transaction.atomic
def archive_rule(*, rule: Rule, by: Staff | None, now: datetime) -> Rule:
    """Archive a rule; ``restore_rule`` undoes it. Raises RuleIsServedError."""
    stored = _locked(rule)
    if stored.archived_at:
        return stored
    if stored.pk in _served(default_book()):
        raise RuleIsServedError(stored)
    return set_archived(stored, now, verb="archive", by=by, now=now)


@transaction.atomic
def restore_rule(*, rule: Rule, by: Staff | None, now: datetime) -> Rule:
    stored = _locked(rule)
    return set_archived(stored, None, verb="restore", by=by, now=now) if stored.archived_at else stored


@transaction.atomic
def duplicate_rule(*, rule: Rule, by: Staff | None, now: datetime) -> Rule:
    """Create a draft like this rule, at the end of the order."""
    copy = as_frozen(Rule(), frozen(_locked(rule)))
    copy.name = _("%(name)s (copy)") % {"name": copy.name[: LONGEST_NAME - 10]}
    return _created(copy, by=by, now=now)


def in_order[Row: (Rule, Audience)](locked: Iterable[Row]) -> list[Row]:
    """Sort rows here: PostgreSQL sorts before it waits for the lock, and somebody may have moved them meanwhile."""
    return sorted(locked, key=lambda row: (row.position, row.pk))


@transaction.atomic
def reorder(*, keys: Sequence[int], by: Staff | None, now: datetime) -> None:
    """Put the rules in this order; those that are not named follow as they were. Served when next published."""
    put_elsewhere = put_in_order(in_order(Rule.objects.unarchived().select_for_update()), keys, by=by)
    Rule.objects.filter(pk__in=put_elsewhere).update(updated_at=now)


def put_in_order[Row: (Rule, Audience)](
    rows: Sequence[Row], keys: Sequence[int], *, by: Staff | None
) -> frozenset[int]:
    """Give rows the places of their keys, those not named behind them; returns the keys of what was put elsewhere."""
    place = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    wanted = sorted(rows, key=lambda row: place.get(row.pk, len(place)))
    was = {row.pk: number for number, row in enumerate(rows, start=1)}
    put_elsewhere = moved(list(was), [row.pk for row in wanted])
    for number, row in enumerate(wanted, start=1):
        if row.position != number:
            type(row).objects.filter(pk=row.pk).update(position=number)
        if row.pk in put_elsewhere:
            audit.record(by=by, verb="reorder", subject=row, before={"order": was[row.pk]}, after={"order": number})
    return put_elsewhere


def drafted(*, rule: Rule | None, values: Mapping[str, Any]) -> FrozenRule:
    """The rule as it would be published with these values, for a preview: nothing is saved, a new one has id 0.

    Raises ValidationError with ``message_dict`` by field.
    """
    draft = fill(Rule(action="") if rule is None else as_frozen(Rule(pk=rule.pk), frozen(rule)), values)
    return {**frozen(draft), "id": draft.pk or 0}


def as_frozen(rule: Rule, values: FrozenRule) -> Rule:
    """Set what a book has of the rule, unchecked: the shop may have changed since, and it was served."""
    plain: dict[str, Any] = dict(values)
    rule.placement = Placement.objects.filter(name=plain.pop("placement")).first()
    rule.segment = Segment.objects.filter(number=plain.pop("segment")).first()
    rule.audience = Audience.objects.filter(pk=plain.pop("audience", None)).first()
    rule.customer_id = plain.pop("customer")
    for name in ("starts_at", "ends_at"):
        setattr(rule, name, datetime.fromisoformat(moment) if (moment := plain.pop(name)) else None)
    for name in plain.keys() - {"id"}:
        setattr(rule, name, plain[name])
    return rule


def status_of(rule: Rule, book: RuleBook | None, now: datetime) -> RuleStatus:
    """Status of a rule; one read with its placement and segment asks the database nothing."""
    if rule.archived_at:
        return RuleStatus.ARCHIVED
    served = _served(book).get(rule.pk)
    if served is None:
        return RuleStatus.DRAFT
    if served != frozen(rule):
        return RuleStatus.CHANGED
    if rule.ends_at and rule.ends_at <= now:
        return RuleStatus.EXPIRED
    return RuleStatus.SCHEDULED if rule.starts_at and rule.starts_at > now else RuleStatus.LIVE


def matched(conditions: Sequence[Mapping[str, Any]]) -> Matched:
    """How many items of the catalogue meet the conditions, and the first of them. Raises ConditionError."""
    matches: QuerySet[Item] = matching(conditions)
    total = matches.order_by().values(everywhere=Value(1)).annotate(total=Count("*")).values("total")
    first = list(matches.order_by("pk").annotate(total=Subquery(total))[:SHOWN_OF_MATCHED])
    return Matched(count=vars(first[0])["total"] if first else 0, items=first)


def rule_texts(rules: Iterable[FrozenRule]) -> list[str]:
    """Each rule in one sentence of the active language, with the names of its segment and items."""
    rules = list(rules)
    titles = value_titles(one for rule in rules for one in (*rule["items"], *rule["context"]))
    numbers = {rule["segment"] for rule in rules if rule["segment"] is not None}
    segments = {one.number: str(one) for one in Segment.objects.filter(number__in=numbers)} if numbers else {}
    audiences = audience_names(rules)
    return [rule_text(rule, segments=segments, audiences=audiences, titles=titles) for rule in rules]


def value_titles(conditions: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """Titles of the items and names of the categories that conditions speak of, by attribute and value."""
    asked: dict[str, set[str]] = defaultdict(set)
    for one in conditions:
        asked[one["attribute"]].update(map(str, one["values"]))
    items = Item.objects.filter(shop_id__in=asked["item"]).order_by()
    categories = Category.objects.filter(path__in=asked["category"]).order_by()
    of_items = items.values_list(Value("item", TextField()), "shop_id", "title")
    of_categories = categories.values_list(Value("category", TextField()), "path", "name")
    return {(attribute, value): words for attribute, value, words in of_items.union(of_categories, all=True)}


def audience_names(rules: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """Names of the audiences of rules, or of parts of them, by key."""
    keys = {rule["audience"] for rule in rules if rule.get("audience") is not None}
    return dict(Audience.objects.filter(pk__in=keys).values_list("pk", "name")) if keys else {}


def _created(rule: Rule, *, by: Staff | None, now: datetime) -> Rule:
    last = Rule.objects.unarchived().aggregate(last=Max("position"))["last"] or 0
    rule.position, rule.author, rule.created_at, rule.updated_at = last + 1, by, now, now
    rule.save()
    audit.record(by=by, verb="create", subject=rule, after=dict(frozen(rule)))
    return rule


def set_archived[Row: (Rule, Audience)](
    row: Row, at: datetime | None, *, verb: str, by: Staff | None, now: datetime
) -> Row:
    before = row.archived_at
    row.archived_at, row.updated_at, row.revision = at, now, row.revision + 1
    row.save(update_fields=["archived_at", "updated_at", "revision"])
    audit.record(
        by=by, verb=verb, subject=row,
        before={"archived_at": before.isoformat() if before else None},
        after={"archived_at": at.isoformat() if at else None},
    )  # fmt: skip
    return row


def _locked(rule: Rule) -> Rule:
    stored: Rule = locked_rules().get(pk=rule.pk)
    return stored


def locked_rules() -> Any:
    return Rule.objects.select_related("placement", "segment").select_for_update(of=("self",))


def _served(book: RuleBook | None) -> dict[int, FrozenRule]:
    return {rule["id"]: rule for rule in book.rules} if book else {}


def _part(values: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    return {name: values.get(name) for name in fields}


def moved(before: Sequence[int], after: Sequence[int]) -> frozenset[int]:
    """Keys in both orders that were put elsewhere, as few as possible, the rest standing still."""
    was = {key: place for place, key in enumerate(before)}
    places = [was[key] for key in after if key in was]
    stayed = _longest_ascending(places)
    return frozenset(before[place] for place in places if place not in stayed)


def _longest_ascending(numbers: Sequence[int]) -> frozenset[int]:
    """Longest ascending subsequence of the numbers."""
    ends: list[int] = []  # of the ascending runs by length, the smallest last number
    before: dict[int, int | None] = {}
    for number in numbers:
        at = bisect_left(ends, number)
        before[number] = ends[at - 1] if at else None
        ends[at : at + 1] = [number]
    longest, last = set(), ends[-1] if ends else None
    while last is not None:
        longest.add(last)
        last = before[last]
    return frozenset(longest)
