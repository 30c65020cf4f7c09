"""The objection to recommendations by what somebody bought and looked at: a word of the whole person.

Serving respects it from the next answer on.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from recommendations.models import Customer, CustomerAlias
from recommendations.privacy_terms import PurposeState, WordSource
from recommendations.store.events.purpose_words import Consent, note_consent
from recommendations.store.live import writes
from recommendations.store.live.writes import told_of_words

AFTER = timedelta(microseconds=1)


def personalised_keys(customer: int) -> dict[int, bool]:
    """Every key of the person, and whether what it did may be used."""
    aliases = CustomerAlias.objects.filter(undone_at=None)
    owner = aliases.filter(anonymous=customer).values_list("customer", flat=True).first() or customer
    keys = [owner, *aliases.filter(customer=owner).values_list("anonymous", flat=True)]
    return dict(Customer.objects.filter(pk__in=keys).order_by("pk").values_list("pk", "personalise"))


def set_personalised(customer: int, *, may: bool, now: datetime) -> None:
    """Note what somebody says of all their keys."""
    state = PurposeState.GIVEN if may else PurposeState.REFUSED
    keys = personalised_keys(customer) if may else [customer]
    _note([Consent(key, state, now, source=WordSource.LINK) for key in keys])


def restore_personalised(keys: Mapping[int, bool], *, now: datetime) -> None:
    """Give each key what it had, as if nothing had been said: first the yes of the whole person, then single nos."""
    agreed = [
        Consent(key, PurposeState.GIVEN, now, source=WordSource.LINK, resume=True, proof={"form": "undo"})
        for key, may in keys.items()
        if may
    ]
    _note(
        agreed
        + [
            Consent(key, PurposeState.REFUSED, now + AFTER, source=WordSource.LINK, alone=bool(agreed))
            for key, may in keys.items()
            if not may
        ]
    )


def _note(words: list[Consent]) -> None:
    writes.remember(told_of_words(note_consent(words)))
