"""The rules as the list shows them: in their order, with where each stands and what it was measured to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from analytics.queries.rules.words import Names, schedule_text
from analytics.templatetags.words import label
from recommendations.models import Placement, Rule, RuleBook
from recommendations.services.rules.attributes import frozen
from recommendations.services.rules.editing import status_of
from recommendations.terms import RuleStatus
from recommendations.wording import labels
from recommendations.wording.labels import placement_label

WAITING = (RuleStatus.DRAFT, RuleStatus.CHANGED)
SERVED = (RuleStatus.CHANGED, RuleStatus.SCHEDULED, RuleStatus.LIVE, RuleStatus.EXPIRED)
MAIN_METRIC = "ndcg@10"


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Filters that the address asks for; without a status everything but what is archived."""

    status: RuleStatus | None = None
    placement: str = ""
    text: str = ""

    @property
    def any(self) -> bool:
        return bool(self.status or self.placement or self.text)


@dataclass(frozen=True, kw_only=True)
class MeasuredEffect:
    """Effect when the rule was published, alone or with others: share of slots touched, and change of NDCG@10."""

    touched: float
    cost: Mapping[str, float] | None
    others: int


@dataclass(frozen=True, kw_only=True)
class RuleRow:
    """A rule; ``place`` is where it stands in the order, None when it is archived."""

    rule: Rule
    place: int | None
    status: RuleStatus
    words: str
    where: str
    whom: str
    schedule: str
    measured: MeasuredEffect | None

    @property
    def status_words(self) -> str:
        return label(labels.RULE_STATUSES, self.status)

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
    def order_waits(self) -> bool:
        """Whether the served rules stand in another order by now than they are served in."""
        served = [rule["id"] for rule in self.book.rules] if self.book else []
        return [line.rule.pk for line in self.unarchived if line.served] != served

    def of(self, keys: Sequence[int]) -> list[RuleRow]:
        return [line for line in self.lines if line.rule.pk in keys]


def rules(*, now: datetime) -> Rules:
    rows = list(Rule.objects.select_related("placement", "segment", "author").order_by("position", "pk"))
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
            where=placement_label(row.placement.name) if row.placement else _("everywhere"),
            whom=_whom(row, names),
            schedule=schedule_text(row.starts_at, row.ends_at),
            measured=measured.get(row.pk),
        )
        for row in [*unarchived, *(row for row in rows if row.archived_at)]
    ]
    return Rules(lines=lines, book=book, names=names)


def served() -> RuleBook | None:
    """The book that acts, with who published it."""
    return RuleBook.objects.select_related("author").filter(is_default=True).first()


def placements() -> list[tuple[str, str]]:
    """Name and words of every placement that answers."""
    names = Placement.objects.filter(enabled=True).values_list("name", flat=True)
    return [(name, placement_label(name)) for name in names]


def share_touched(tag: Mapping[str, Any]) -> float:
    """Share of slots that a stored price tag touches."""
    return float(tag["slots_touched"] / tag["slots"]) if tag["slots"] else 0.0


def _measured(rows: Sequence[Rule]) -> dict[int, MeasuredEffect]:
    """Effects by rule, from the last book that measured it on publication, at its placement or where it shows most."""
    places = {row.pk: row.placement.name if row.placement else "" for row in rows}
    effects: dict[int, MeasuredEffect] = {}
    for expected in RuleBook.objects.exclude(expected={}).values_list("expected", flat=True):
        keys = expected.get("rules", [])
        for key in keys:
            place = places.get(key)
            tags = [tag for tag in expected.get("tags", []) if not place or tag["placement"] == place]
            if tags and key not in effects:
                tag = max(tags, key=share_touched)
                effects[key] = MeasuredEffect(
                    touched=share_touched(tag), cost=tag["effects"].get(MAIN_METRIC), others=len(keys) - 1
                )
    return effects


def _whom(rule: Rule, names: Names) -> str:
    parts = [_("segment “%(segment)s”") % {"segment": names.segment(rule.segment.number)}] if rule.segment else []
    if rule.customer_id:
        parts.append(_("customer %(customer)s") % {"customer": rule.customer_id})
    if rule.context:
        parts.append(_("beside %(items)s") % {"items": names.field("context", rule.context)})
    return _(", ").join(parts)
