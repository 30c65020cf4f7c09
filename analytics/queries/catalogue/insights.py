"""Insights into catalogue and data: what is wrong, what it costs, and where to mend it.

Severity goes by what is touched: *high* from a tenth of all slots on, *medium* from a hundredth of them or a tenth of
the items (rows, events), *low* below.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from analytics.templatetags.display import number
from recommendations.models import Import
from recommendations.services.catalogue.quality import CatalogueFlaw, Flaws
from recommendations.services.operations.data_health import Refused, Suspect


class Severity(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


SEVERITIES: Mapping[Severity, Promise] = {
    Severity.HIGH: pgettext_lazy("severity", "High"),
    Severity.MEDIUM: pgettext_lazy("severity", "Medium"),
    Severity.LOW: pgettext_lazy("severity", "Low"),
}
FLAWS: Mapping[CatalogueFlaw, tuple[Promise, Promise]] = {
    CatalogueFlaw.NO_PICTURE: (
        gettext_lazy("No picture"),
        gettext_lazy("The shop can show only a drawn tile with the title. Add pictures."),
    ),
    CatalogueFlaw.NO_PRICE: (
        gettext_lazy("No price"),
        gettext_lazy("Price and discount rules skip these items. Add prices, or retire what is not sold."),
    ),
    CatalogueFlaw.NO_CATEGORY: (
        gettext_lazy("No category"),
        gettext_lazy("Interests, variety and category rules do not see these items. Assign them to categories."),
    ),
    CatalogueFlaw.NO_DESCRIPTION: (
        gettext_lazy("No description"),
        gettext_lazy("Customers can only go by title and price. Add descriptions to the items recommended most."),
    ),
    CatalogueFlaw.NO_BRAND: (
        gettext_lazy("No brand"),
        gettext_lazy("Brand rules and caps skip these items. Add brands."),
    ),
    CatalogueFlaw.NO_CREATOR: (
        gettext_lazy("No creator"),
        gettext_lazy("Nobody who follows its creator hears of it, and similar items are found worse. Add creators."),
    ),
    CatalogueFlaw.NO_DATE: (
        gettext_lazy("No day of publication"),
        gettext_lazy("Nobody can tell what is new from what is old. Add the day on which it came out."),
    ),
    CatalogueFlaw.NO_DURATION: (
        gettext_lazy("No duration"),
        gettext_lazy("Nobody can check which share of it was played. Add how long it is, in seconds."),
    ),
    CatalogueFlaw.NO_NUMBER: (
        gettext_lazy("No number in its collection"),
        gettext_lazy("Nobody can tell which one comes next. Number the parts of a series or an album."),
    ),
    CatalogueFlaw.OUT_OF_STOCK: (
        gettext_lazy("Out of stock"),
        gettext_lazy("Customers would get these items, but get the next best instead. Restock the most wanted."),
    ),
    CatalogueFlaw.STALE_PRICE: (
        gettext_lazy("Price not changed for 180 days"),
        gettext_lazy("Prices that nobody has touched for half a year may be wrong. Check the most recommended items."),
    ),
    CatalogueFlaw.LISTED_TWICE: (
        gettext_lazy("The same title twice"),
        gettext_lazy(
            "One item under two ids halves what is learned about it. Merge them, or give them different titles."
        ),
    ),
    CatalogueFlaw.NO_TEXT: (
        gettext_lazy("No word to read"),
        gettext_lazy("Title, brand and description hold no word, so that nothing can be like these items. Write one."),
    ),
    CatalogueFlaw.SHARED_TEXT: (
        gettext_lazy("The same text as five others"),
        gettext_lazy("By their texts these items cannot be told apart. Say what is different about each."),
    ),
    CatalogueFlaw.OLD_VECTOR: (
        gettext_lazy("Vector older than the text"),
        gettext_lazy("The text has changed since. Send the shop's own vectors again; a service is asked by itself."),
    ),
    CatalogueFlaw.UNSEEN_PICTURE: (
        gettext_lazy("Picture that cannot be looked at"),
        gettext_lazy("Customers may see none either. The item's page says what is wrong; correct the address."),
    ),
    CatalogueFlaw.SMALL_PICTURE: (
        gettext_lazy("Picture smaller than 100 pixels"),
        gettext_lazy("It is blurred on most screens, and nothing can look like it. Send a larger one."),
    ),
    CatalogueFlaw.SHARED_PICTURE: (
        gettext_lazy("The same picture as another item"),
        gettext_lazy(
            "Customers cannot tell them apart. Give each its own. Copies of another size are found, mirror images and "
            "crops are not."
        ),
    ),
    CatalogueFlaw.NO_EVENTS: (
        gettext_lazy("No event yet"),
        gettext_lazy(
            "The model cannot know these items: only a promise to new items, a rule or a list of the newest shows them."
        ),
    ),
    CatalogueFlaw.NEVER_RECOMMENDED: (
        gettext_lazy("Never recommended"),
        gettext_lazy("Known, but behind other items for every customer. Boost those you want seen."),
    ),
}
"""What a flaw is called, and what it means and asks for."""

FIELDS_OF: Mapping[CatalogueFlaw, str] = {
    CatalogueFlaw.NO_PICTURE: "image_url",
    CatalogueFlaw.NO_PRICE: "price",
    CatalogueFlaw.NO_CATEGORY: "category",
    CatalogueFlaw.NO_DESCRIPTION: "description",
    CatalogueFlaw.NO_BRAND: "brand",
    CatalogueFlaw.NO_CREATOR: "creator",
    CatalogueFlaw.NO_DATE: "published_at",
    CatalogueFlaw.NO_DURATION: "duration",
    CatalogueFlaw.NO_NUMBER: "number",
    CatalogueFlaw.OUT_OF_STOCK: "availability",
    CatalogueFlaw.STALE_PRICE: "price",
    CatalogueFlaw.LISTED_TWICE: "title",
    CatalogueFlaw.NO_TEXT: "title",
    CatalogueFlaw.SHARED_TEXT: "description",
    CatalogueFlaw.UNSEEN_PICTURE: "image_url",
    CatalogueFlaw.SMALL_PICTURE: "image_url",
    CatalogueFlaw.SHARED_PICTURE: "image_url",
}
"""Field of an item's form in which a flaw is mended; those of the model are mended by rules."""


@dataclass(frozen=True, kw_only=True)
class Insight:
    """Something that is wrong; ``slots``: recommendations that it touches, None where that cannot be said."""

    severity: Severity
    words: str
    meaning: str
    count: str
    slots: int | None = None
    slots_share: float = 0.0
    address: str
    mend: str = ""  # address that leads to the field, of the item that most recommendations touch

    @property
    def severity_words(self) -> str:
        return str(SEVERITIES[self.severity])


def insights(found: Flaws, refused: Sequence[Refused], suspects: Sequence[Suspect] | None) -> list[Insight]:
    """Insights into flaws, imports and suspects, the gravest first."""
    findings = [_of_flaw(flaw, found) for flaw in CatalogueFlaw if found.found[flaw].items]
    sources = dict.fromkeys(each.source for each in refused)
    findings += [_of_import(source, [each for each in refused if each.source == source]) for source in sources]
    if suspects:
        findings.append(_of_suspects(suspects))
    return sorted(findings, key=lambda each: (list(Severity).index(each.severity), -(each.slots or 0)))


def severity(*, slots_share: float, share: float) -> Severity:
    if slots_share >= 0.1:
        return Severity.HIGH
    return Severity.MEDIUM if slots_share >= 0.01 or share >= 0.1 else Severity.LOW


def _of_flaw(flaw: CatalogueFlaw, found: Flaws) -> Insight:
    touched = found.found[flaw]
    words, meaning = FLAWS[flaw]
    slots_share = touched.slots / found.slots if found.slots else 0.0
    return Insight(
        severity=severity(slots_share=slots_share, share=touched.items / found.listed if found.listed else 0.0),
        words=str(words),
        meaning=str(meaning),
        count=ngettext("%(n)s item", "%(n)s items", touched.items) % {"n": number(touched.items)},
        slots=touched.slots,
        slots_share=slots_share,
        address=reverse("catalogue_items", query={"flaw": flaw}),
        mend=reverse("mend_item", query={"flaw": flaw}) if flaw in FIELDS_OF else "",
    )


def _of_import(source: Import, refused: Sequence[Refused]) -> Insight:
    """Insight into one import; ``refused``: its faults, the most rows first."""
    rows = sum(each.rows for each in refused)
    return Insight(
        severity=severity(slots_share=0.0, share=rows / source.rows if source.rows else 0.0),
        words=_("Rows refused by an import"),
        meaning=_("%(file)s (%(kind)s). Mostly: %(remedy)s")
        % {"file": source.file, "kind": source.get_kind_display(), "remedy": refused[0].remedy},
        count=_("%(n)s of %(total)s rows") % {"n": number(rows), "total": number(source.rows)},
        address=f"{reverse('imported_file', args=[source.pk])}#refused",
    )


def _of_suspects(suspects: Sequence[Suspect]) -> Insight:
    events = sum(each.events for each in suspects)
    return Insight(
        severity=Severity.LOW,
        words=_("Customers that behave like robots"),
        meaning=_("Days with more events than a person makes are excluded from learning. Block the source."),
        count=ngettext("%(n)s customer, %(events)s events", "%(n)s customers, %(events)s events", len(suspects))
        % {"n": number(len(suspects)), "events": number(events)},
        address="#suspects",
    )
