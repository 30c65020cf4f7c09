"""People of a sending by their verdict, a page at a time."""

from collections.abc import Sequence

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from recommendations.models import Considered, Occurrence
from recommendations.push_terms import ERASED, Channel, Verdict

ROWS = 15
MOST_IN_A_FILE = 100_000
WOULD = "would"
"""In the address, beside the verdicts: held out, and would have been sent it."""


def people(occurrence: Occurrence, *, verdict: str, channel: str = "") -> QuerySet[Considered]:
    """Verdicts on people, the most valuable first; no verdict is all of them."""
    stored = Considered.objects.filter(occurrence=occurrence).select_related("customer", "lost_to")
    if verdict == WOULD:
        stored = stored.filter(verdict=Verdict.HELD_OUT, would_send=True)
    elif verdict:
        stored = stored.filter(verdict=verdict)
    if channel:
        stored = stored.filter(channel=channel)
    return stored.order_by("-value", "customer", "key")


def erased(occurrence: Occurrence, *, verdict: str) -> int:
    """How many of the people, by their verdict, have been erased since."""
    codes = ["would_send"] if verdict == WOULD else [verdict] if verdict else list(Verdict)
    return sum(occurrence.counts.get(f"{ERASED}{code}", 0) for code in codes)


def people_page(stored: QuerySet[Considered], *, page: int) -> Page[Considered]:
    return Paginator(stored, ROWS).get_page(page)


def verdict_in(text: str | None) -> str:
    """A verdict that an address asks for; "" for none."""
    return text if text and text in {*Verdict, WOULD} else ""


def channel_in(text: str | None) -> str:
    return text if text and text in set(Channel) else ""


def cases_of(campaign: int, occurrence: int, customer: int) -> Sequence[Considered]:
    """The verdicts on one person in a sending of a campaign, one an occasion, the last decided first."""
    stored = Considered.objects.filter(occurrence=occurrence, occurrence__campaign=campaign, customer=customer)
    return list(
        stored.select_related(
            "customer", "lost_to", "occurrence__campaign", "occurrence__version", "occurrence__pressure",
            "occurrence__plan",
        ).order_by("-decided_at", "key")
    )  # fmt: skip
