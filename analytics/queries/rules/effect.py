"""The effect of a changed book, in the words and pictures of a price tag."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.queries.rules.overview import served
from recommendations.models import Customer, Item
from recommendations.services.rules.attributes import FrozenRule
from recommendations.services.rules.linter import Finding, Severity
from recommendations.services.rules.price_tags import BeforeAfter, PriceTag, Silence, before_after

SHOWN_CUSTOMERS = 3
SILENCES: Mapping[Silence, Promise] = {
    Silence.OTHER_PLACEMENT: gettext_lazy("it acts on another placement"),
    Silence.CONTEXT: gettext_lazy("it needs an item in view, and the measured customers have none"),
    Silence.NOT_IN_FORCE: gettext_lazy("it is not in force then"),
    Silence.NOBODY: gettext_lazy("none of the measured customers is among those it is for"),
}


def why_silent(tag: PriceTag, book: Sequence[FrozenRule]) -> list[str]:
    """Why changed rules cannot show in the price tag of the book, a sentence each."""
    before = served() if tag.silent else None
    names = {rule["id"]: rule["name"] for rule in [*(before.rules if before else []), *book]}
    return [
        _("“%(rule)s” has no visible effect here: %(reason)s.")
        % {"rule": names.get(key, ""), "reason": SILENCES[reason]}
        for key, reason in tag.silent.items()
        if reason is not Silence.OTHER_PLACEMENT or len(tag.silent) == 1
    ]


def pictured(book: Sequence[FrozenRule], *, tag: PriceTag, now: datetime) -> tuple[list[BeforeAfter], dict[int, Item]]:
    """Lists, as the shop would answer, of some customers whom the change touches, and their items by key.

    They are sought among those of the price tag, as a search of its own takes a minute where hardly anybody is
    touched; except for a rule for customers whom the tag did not look at, who are few.
    """
    if Silence.NOBODY in tag.silent.values():
        comparisons = before_after(rules=book, placement=tag.placement, now=now)
    else:
        chunks = (tag.touched[at : at + SHOWN_CUSTOMERS] for at in range(0, len(tag.touched), SHOWN_CUSTOMERS))
        answers = (before_after(rules=book, placement=tag.placement, customers=chunk, now=now) for chunk in chunks)
        comparisons = list(islice((each for some in answers for each in some if each.differ), SHOWN_CUSTOMERS))
    there = Customer.objects.in_bulk([each.customer for each in comparisons])
    keys = {placed.shown.item for each in comparisons for placed in (*each.before, *each.after)}
    return [each for each in comparisons if each.customer in there], Item.objects.in_bulk(keys)


def named_findings(
    found: Iterable[Finding], rules: Iterable[Mapping[str, Any]], *, key: int | None = None
) -> list[tuple[Finding, list[tuple[int, str]]]]:
    """Findings with keys and names of their rules (0: never saved); those on ``key`` first, errors before warnings."""
    names = {rule["id"]: rule["name"] for rule in rules}
    ordered = sorted(found, key=lambda each: (key not in each.rules, each.severity is not Severity.ERROR))
    return [(each, [(rule, names.get(rule, "")) for rule in each.rules]) for each in ordered]
