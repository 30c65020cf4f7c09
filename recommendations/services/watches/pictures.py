"""What the page of stability draws of the watched rates."""

from datetime import datetime

from recommendations.models import RateWatch
from recommendations.services.watches.rates import RateSteps, rate_steps
from recommendations.store.watches import hours as store
from recommendations.watch_terms import WatchedRate


def rate_picture(watch: RateWatch, *, now: datetime) -> RateSteps | None:
    """The steps of a rate as far as they are counted; None where nothing is."""
    hours = store.load_hours(until=store.whole_hours(now), placements=[watch.placement]).get(watch.placement)
    if hours is None:
        return None
    return rate_steps(WatchedRate(watch.rate), watch.placement, hours, was_by_day=watch.by_day)


def counted_until() -> datetime | None:
    """End of the last hour that is counted and judged; None before the first."""
    return store.counted_until()


def first_count_at(now: datetime) -> datetime | None:
    """When the first hour will be counted; None where no list was served and no event came yet."""
    first = store.first_hour(now)
    return max(first, store.whole_hours(now)) + store.HOUR + store.LATE if first else None
