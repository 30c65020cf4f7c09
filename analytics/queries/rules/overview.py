"""The rules as the list shows them: in their order, with where each stands and what it was measured to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from analytics import filters as fields
from analytics.templatetags.display import of
from analytics.templatetags.rules import Names
from recommendations.customer_codes import customer_code
from recommendations.models import Placement, Rule, RuleBook
from recommendations.services.rules.attributes import FrozenRule, frozen
from recommendations.services.rules.editing import status_of
from recommendations.terms import RuleStatus
from recommendations.wording import labels
from recommendations.wording.labels import placement_label
from recommendations.wording.rules import context_text

LONGEST_TEXT = 120
WAITING = (RuleStatus.DRAFT, RuleStatus.CHANGED)
SERVED = (RuleStatus.CHANGED, RuleStatus.SCHEDULED, RuleStatus.LIVE, RuleStatus.EXPIRED)


class Filters(fields.ListFilters):
    """Filters of rules; without a status everything but what is archived."""

    status: RuleStatus | None = fields.choice(dict(labels.RULE_STATUSES))
    placement: str = fields.text(longest=LONGEST_TEXT, words=placement_label)
    text: str = fields.text(longest=LONGEST_TEXT)


@dataclass(frozen=True, kw_only=True)
class RuleRow:
    """A rule; ``place`` is where it stands in the order, None when it is archived."""

    rule: Rule
    place: int | None
    status: RuleStatus
    words: str
    whom: str
    measured: tuple[Mapping[str, Any], int] | None  # price tag of its publication, and with how many others it was

    @property
    def served(self) -> bool:
        return self.status in SERVED

    def meets(self, filters: Filters) -> bool:
        """Whether the filters leave the rule; one of every placement acts at the one that is asked for, too."""
        if (self.status == RuleStatus.ARCHIVED) if filters.status is None else self.status != filters.status:
            return False
        if filters.placement and self.rule.placement and self.rule.placement.name != filters.placement:
            return False
        text = filters.text.casefold()
        return not text or any(text in each.casefold() for each in (self.rule.name, self.words, self.whom))


@dataclass(frozen=True, kw_only=True)
class Rules:
    """All rules, archived ones last, and the book that is served; ``names`` of all that both speak of."""

    lines: Sequence[RuleRow]
    book: RuleBook | None
    names: Names

    @property
    def unarchived(self) -> list[RuleRow]:
        return [line for line in self.lines if line.place is not None]

    @property
    def counts(self) -> list[tuple[str, str, int]]:
        """Code, words and number of rules of each status."""
        statuses = [line.status for line in self.lines]
        return [(code, str(words), statuses.count(RuleStatus(code))) for code, words in labels.RULE_STATUSES]

    @property
    def waiting(self) -> list[RuleRow]:
        """Rules whose present form is not served."""
        return [line for line in self.lines if line.status in WAITING]

    @property
    def acting(self) -> int:
        """How many of the served rules are in force now."""
        return sum(line.status in {RuleStatus.LIVE, RuleStatus.CHANGED} for line in self.lines)

    @property
    def order_waits(self) -> bool:
        """Whether the served rules stand in another order by now than they are served in."""
        served = [rule["id"] for rule in self.book.rules] if self.book else []
        return [line.rule.pk for line in self.unarchived if line.served] != served

    def of(self, keys: Sequence[int]) -> list[RuleRow]:
        return [line for line in self.lines if line.rule.pk in keys]


def rules(*, now: datetime) -> Rules:
    rows = list(Rule.objects.select_related("placement", "segment", "audience", "author").order_by("position", "pk"))
    book, measured = served(), _measured(rows)
    names = Names.of([*(frozen(row) for row in rows), *(book.rules if book else [])])
    unarchived = [row for row in rows if row.archived_at is None]
    places = {row.pk: number for number, row in enumerate(unarchived, start=1)}
    lines = [
        RuleRow(
            rule=row,
            place=places.get(row.pk),
            status=status_of(row, book, now),
            words=names.effect(frozen(row)),
            whom=_whom(row, names),
            measured=measured.get(row.pk),
        )
        for row in [*unarchived, *(row for row in rows if row.archived_at)]
    ]
    return Rules(lines=lines, book=book, names=names)


def served() -> RuleBook | None:
    """The book that acts, with who published it."""
    return RuleBook.objects.select_related("author").filter(is_default=True).first()


def without_id(rule: FrozenRule) -> dict[str, Any]:
    """Values of a frozen rule, as ``save_rule`` takes them."""
    return {name: value for name, value in rule.items() if name != "id"}


def placements() -> list[tuple[str, str]]:
    """Name and words of every placement that answers."""
    names = Placement.objects.filter(enabled=True).values_list("name", flat=True)
    return [(name, placement_label(name)) for name in names]


def _measured(rows: Sequence[Rule]) -> dict[int, tuple[Mapping[str, Any], int]]:
    """Price tags by rule, of its last publication, if that was measured; at its placement, else where it shows most."""
    places = {row.pk: row.placement.name if row.placement else "" for row in rows}
    tags: dict[int, tuple[Mapping[str, Any] | None, int]] = {}
    for expected in RuleBook.objects.exclude(expected={}).values_list("expected", flat=True):
        keys = expected.get("rules", [])
        for key in keys:
            tags.setdefault(key, (stored_tag(expected, key, places.get(key)), len(keys) - 1))
    return {key: (tag, others) for key, (tag, others) in tags.items() if tag}


def stored_tag(expected: Mapping[str, Any], key: int, placement: str | None) -> Mapping[str, Any] | None:
    """The price tag that a book keeps of a rule: at its placement, else where it shows most; None where none is."""
    if key not in expected.get("rules", []):
        return None
    tags = [tag for tag in expected.get("tags", []) if not placement or tag["placement"] == placement]
    return max(tags, key=lambda tag: of(tag["slots_touched"], tag["slots"]), default=None)


def _whom(rule: Rule, names: Names) -> str:
    parts = [_("segment “%(segment)s”") % {"segment": names.segment(rule.segment.number)}] if rule.segment else []
    if rule.audience:
        parts.append(_("audience “%(audience)s”") % {"audience": rule.audience})
    if rule.customer_id:
        parts.append(_("customer %(customer)s") % {"customer": customer_code(rule.customer_id)})
    if rule.context:
        parts.append(context_text(rule.context, names.titles))
    return _(", ").join(parts)
