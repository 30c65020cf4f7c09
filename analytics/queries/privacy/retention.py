"""How long things are kept, in words: the kinds that a rule decides on, the others, and what a change takes away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from analytics.templatetags.display import number
from analytics.templatetags.words import label
from recommendations.models import RetentionDrop, RetentionRule
from recommendations.privacy_terms import RETENTION, RetentionKind
from recommendations.services.privacy import retention, retention_needs
from recommendations.services.privacy.retention import GoingRows, KeptKind
from recommendations.wording.privacy import labels as privacy_labels

MOST_DROPS, MOST_RULES = 8, 8
EXPLAINED: Mapping[RetentionKind, Promise] = {
    RetentionKind.EVENTS: gettext_lazy(
        "Views, carts, purchases and all else that customers did. A month is deleted once its last day is over."
    ),
    RetentionKind.EVENT_FILES: gettext_lazy(
        "Months that have left the database, in files from which models go on learning; they take about a tenth of the "
        "room. Where they are kept no longer than events, there are none."
    ),
    RetentionKind.SLATES: gettext_lazy(
        "Lists that were shown, with what came of them. Never kept longer than events, from which that is counted; "
        "daily sums stay."
    ),
    RetentionKind.REFUSED_ROWS: gettext_lazy("Rows of files that could not be imported."),
    RetentionKind.TRAIL: gettext_lazy("Who of the staff changed what."),
    RetentionKind.TOMBSTONES: gettext_lazy(
        "Hashes of ids that were erased, so that old acts of theirs are not taken again. Never kept shorter than "
        "events."
    ),
    RetentionKind.RECEIPTS: gettext_lazy(
        "Proofs of erasures, and requests that are over; nobody is named in them. At least six years, as long as "
        "somebody may ask for a proof."
    ),
}
FIXED: tuple[tuple[Promise, Promise], ...] = (
    (pgettext_lazy("retention", "Messages"), gettext_lazy("400 days; the reasons for and against them 90 days")),
    (pgettext_lazy("retention", "Export files"), gettext_lazy("7 days")),
    (pgettext_lazy("retention", "Files that wait for somebody's yes"), gettext_lazy("a day")),
    (pgettext_lazy("retention", "Models, with interests and segments"), gettext_lazy("the last 3")),
)
"""What has a time of its own that no rule changes."""


@dataclass(frozen=True, kw_only=True)
class KindRow:
    """A kind as a row of the table."""

    kept: KeptKind
    words: str
    explained: Promise

    @property
    def by_months(self) -> bool:
        return self.kept.kind in retention.TABLES

    @property
    def follows(self) -> bool:
        """Whether it is not its own rule that holds, but that of events."""
        return self.kept.days != self.kept.holds


@dataclass(frozen=True, kw_only=True)
class RuleChange:
    """What a change of a rule takes away, and what misses it, in sentences."""

    days: int
    goes: list[str]
    missed: list[str]


def kinds(*, now: datetime) -> list[KindRow]:
    return [
        KindRow(kept=each, words=kind_words(each.kind), explained=EXPLAINED[each.kind])
        for each in retention.kept_kinds(now=now)
    ]


def fixed() -> list[tuple[Promise | str, Promise | str]]:
    """What has a time of its own."""
    days = ngettext("%(days)s day", "%(days)s days", settings.ANSWERS_DAYS) % {"days": number(settings.ANSWERS_DAYS)}
    answers = _("%(days)s (the setting ANSWERS_DAYS)") % {"days": days}
    return [(pgettext_lazy("retention", "What answers were made of"), answers), *FIXED]


def last_drops() -> list[RetentionDrop]:
    return retention.last_drops(most=MOST_DROPS)


def rules_of(kind: RetentionKind) -> list[RetentionRule]:
    """Rules of a kind, the newest first."""
    return list(RetentionRule.objects.filter(kind=kind).select_related("by")[:MOST_RULES])


def days_of(kind: RetentionKind, rules: Sequence[RetentionRule]) -> int:
    """Days that hold by the rules of a kind."""
    return rules[0].days if rules else RETENTION[kind].usual


def kind_words(kind: RetentionKind) -> str:
    return label(privacy_labels.RETENTION_KINDS, kind)


def range_words(kind: RetentionKind) -> str:
    """How many days may be set."""
    limits = {"least": number(RETENTION[kind].least), "most": number(RETENTION[kind].most)}
    return _("From %(least)s to %(most)s days.") % limits


def change(kind: RetentionKind, days: int, *, now: datetime) -> RuleChange:
    """What goes by the next night if a kind is kept for so many days."""
    in_files = kind == RetentionKind.EVENTS and retention.stay_in_files(days)
    goes = [_goes(each, in_files=in_files) for each in retention.what_goes(kind, days, now=now)]
    return RuleChange(days=days, goes=goes, missed=_missed(kind, days, now=now) if goes else [])


def _goes(going: GoingRows, *, in_files: bool) -> str:
    text = _going_words(going)
    return _("%(text)s (files keep them for models)") % {"text": text} if in_files and going.months else text


def _going_words(going: GoingRows) -> str:
    rows = ngettext("about %(rows)s row", "about %(rows)s rows", going.rows) % {"rows": number(going.rows)}
    words = {"kind": kind_words(going.kind), "rows": rows}
    filled = [month for month, count in going.months.items() if count]
    if not filled:
        return _("%(kind)s: %(rows)s") % words
    months = {"first": filled[0], "last": filled[-1]}
    if len(filled) == 1:
        return _("%(kind)s: %(rows)s, the month %(first)s") % (words | months)
    return _("%(kind)s: %(rows)s, the months %(first)s to %(last)s") % (words | months)


def _missed(kind: RetentionKind, days: int, *, now: datetime) -> list[str]:
    missed = [str(words) for words in retention_needs.needed_for(kind, days)]
    under_way = _("The experiment “%(name)s” is under way and counts from before.")
    missed += [under_way % {"name": each.name} for each in retention_needs.experiments_before(kind, days, now=now)]
    if unknown := retention_needs.count_unknown(kind, days, now=now):
        text = ngettext("%(n)s customer would be unknown.", "%(n)s customers would be unknown.", unknown)
        missed.append(text % {"n": number(unknown)})
    return missed
