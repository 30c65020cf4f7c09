"""Days as the shop lives them."""

from datetime import date, datetime, time

from django.utils import timezone


def midnight(day: date) -> datetime:
    """The moment at which the day begins in the shop's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))
