"""Loading of the demo's data: catalogue, purchases and promotions, moved to the present by whole weeks."""

from datetime import datetime

from django.db import transaction

from demo import held_back
from demo.complete_journey import campaigns, load, wheel
from recommendations.models import Event, Import, Promotion
from recommendations.store.live import fetch
from recommendations.store.live.fetch import Changed
from recommendations.store.temp_tables import Report


def load_complete_journey(
    *, weeks: int | None, households: int | None, hold_days: int = 0, now: datetime, report: Report
) -> tuple[Import, Import, Import]:
    """Load the demo's data, moved by whole weeks; None: so that the purchases end in the past seven days.

    The first time the last ``hold_days`` may be held back for the replay; later it stays as it was then.
    """
    report("wheel", 0, 1)
    journey = wheel.read_journey(households=households)
    report("wheel", 1, 1)
    with transaction.atomic():
        first = not load.clock_is_set()
        shift = load.set_clock(weeks, now=now)
        if first and hold_days:
            held_back.plan(journey.purchases, days=hold_days, weeks=shift, households=households)
    items = load.load_catalogue(journey, weeks=shift, now=now, report=report)
    purchases = load.load_purchases(journey, weeks=shift, hold_from=held_back.held_from(), report=report)
    promotions = load.load_promotions(journey, weeks=shift, report=report)
    campaigns.load_campaigns(weeks=shift, hold_from=held_back.held_from(), report=report)
    transaction.on_commit(lambda: fetch.announce(Changed.CATALOGUE))
    return items, purchases, promotions


def lacks_complete_journey() -> bool:
    """Whether the demo's data are to be loaded: into an empty shop, or again where they came without promotions yet."""
    return not Event.objects.exists() or (load.clock_is_set() and not Promotion.objects.exists())
