"""The objection to recommendations by what somebody bought and looked at: a word of the whole person.

Serving respects it from the next answer on.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from recommendations.models import Customer, CustomerAlias
from recommendations.store.events.insert import Consent, note_consent
from recommendations.store.live import writes
from recommendations.store.live.writes import Objection

AFTER = timedelta(microseconds=1)


def personalised_keys(customer: int) -> dict[int, bool]:
    """Every key of the person, and whether what it did may be used."""
    aliases = CustomerAlias.objects.filter(undone_at=None)
    owner = aliases.filter(anonymous=customer).values_list("customer", flat=True).first() or customer
    keys = [owner, *aliases.filter(customer=owner).values_list("anonymous", flat=True)]
    return dict(Customer.objects.filter(pk__in=keys).order_by("pk").values_list("pk", "personalise"))


def set_personalised(customer: int, *, may: bool, now: datetime) -> None:
    """Note what somebody says of all their keys."""
    _note([Consent(key, may, now) for key in (personalised_keys(customer) if may else [customer])])


def restore_personalised(keys: Mapping[int, bool], *, now: datetime) -> None:
    """Give each key what it had: first the yes of the whole person, then the objections of single keys."""
    agreed = [Consent(key, personalise=True, at=now) for key, may in keys.items() if may]
    _note(
        agreed
        + [Consent(key, personalise=False, at=now + AFTER, alone=bool(agreed)) for key, may in keys.items() if not may]
    )


def _note(words: list[Consent]) -> None:
    writes.remember([Objection(key, not may) for key, may in note_consent(words).items()])
