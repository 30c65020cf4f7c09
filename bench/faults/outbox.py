"""Campaigns of the small shop for ``push.py``: run within the product, each command prints one JSON object.

``open`` gives every customer an address; ``campaigns N SECONDS`` makes so many for everybody that come one after the
other within that time; ``rules`` has caps or none; ``decide`` decides again and again beside the workers;
``withdraw`` says no for some, one by one, and tells what had left by then; ``caps`` looks every window up.
"""

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from recommendations.models import (
    Address,
    Campaign,
    CampaignVersion,
    Contact,
    Customer,
    Message,
    Permission,
    PressureRules,
)
from recommendations.push_terms import (
    COUNTING,
    AddressState,
    CampaignKind,
    Channel,
    ConsentSource,
    ConsentState,
    Purpose,
)
from recommendations.services.campaigns.form import as_json, frozen_of
from recommendations.services.campaigns.pressure import season_of
from recommendations.services.mails.letters import message_id
from recommendations.services.mails.returns import id_part
from recommendations.services.push.sendings import decide_pushes
from recommendations.store.contacts import ledger
from recommendations.store.contacts.ledger import Statement
from recommendations.store.contacts.sealing import digest_of, seal

CAPS = ((1, 24), (3, 168))
TEXTS = {"subjects": ["News"], "heading": "News of {shop}"}


def open_contacts() -> dict[str, Any]:
    now = timezone.now()
    keys = list(Customer.objects.order_by("pk").values_list("pk", flat=True))
    Contact.objects.bulk_create(Contact(customer_id=key, language="en") for key in keys)
    emails = {key: {"email": f"customer-{key}@shop.example"} for key in keys}
    Address.objects.bulk_create(
        Address(
            contact_id=key, channel=Channel.EMAIL, sealed=seal(email), digest=digest_of(Channel.EMAIL, email),
            state=AddressState.ACTIVE, confirmed_at=now,
        )
        for key, email in emails.items()
    )  # fmt: skip
    Permission.objects.bulk_create(
        Permission(contact_id=key, channel=Channel.EMAIL, purpose=purpose, state="given", since=now, source="demo")
        for key in keys
        for purpose in Purpose
    )
    return {"people": len(keys)}


def rules(caps: str) -> dict[str, Any]:
    now = timezone.now()
    most = [{"channel": "email", "most": number, "hours": hours} for number, hours in CAPS] if caps == "caps" else []
    PressureRules.objects.update(is_default=False)
    made = PressureRules.objects.create(
        number=1 + PressureRules.objects.count(), caps=most, quiet_from=dt.time(0), quiet_until=dt.time(0),
        holdout=0.0, season=season_of(now), is_default=True,
    )  # fmt: skip
    return {"rules": made.number}


def campaigns(name: str, number: str, seconds: str) -> dict[str, Any]:
    """News, whose list is the same for everybody, so that nobody has seen it all after some of them."""
    now = timezone.now()
    what = {"texts": {"en": TEXTS}, "blocks": [{"placement": "trending", "n": 2}], "least_items": 1}
    form = frozen_of({"who": {}, "when": {}, "safety": {}, "what": what}, recurring=False, triggered=False)
    keys = []
    for place in range(int(number)):
        own = Campaign.objects.create(
            slug=f"{name}-{place}", name=f"{name} {place}", kind=CampaignKind.ONCE, purpose=Purpose.NEWS
        )
        starts_at = now + dt.timedelta(seconds=float(seconds) * place / int(number))
        CampaignVersion.objects.create(campaign=own, number=1, frozen=as_json(form), starts_at=starts_at)
        keys.append(own.pk)
    return {"campaigns": keys}


def decide(seconds: str) -> dict[str, Any]:
    """Decide without pause, beside whoever else does."""
    until, decided = time.monotonic() + float(seconds), 0
    while time.monotonic() < until:
        decided += decide_pushes(now=timezone.now())
    return {"decided": decided}


def withdraw(number: str) -> dict[str, Any]:
    """Say no for so many people; of each, the messages that had left by then, read in the transaction that said no."""
    left: dict[int, list[int]] = {}
    slowest = 0.0
    for key in list(Contact.objects.order_by("pk").values_list("pk", flat=True))[: int(number)]:
        begin = time.monotonic()
        with transaction.atomic():
            ledger.record(
                [
                    Statement(
                        contact=key, channel=Channel.EMAIL, purpose=Purpose.NEWS, state=ConsentState.WITHDRAWN,
                        at=timezone.now(), source=ConsentSource.ONE_CLICK,
                    )
                ]
            )  # fmt: skip
            left[key] = sorted(_left(key))
        slowest = max(slowest, time.monotonic() - begin)
        time.sleep(0.2)
    return {"left": left, "slowest": slowest}


def left_since(number: str) -> dict[str, Any]:
    keys = list(Contact.objects.order_by("pk").values_list("pk", flat=True))[: int(number)]
    return {"left": {key: sorted(_left(key)) for key in keys}}


def caps() -> dict[str, Any]:
    """People with more messages in a window than it lets through, wherever it begins."""
    times: dict[int, list[float]] = defaultdict(list)
    counting = Message.objects.filter(state__in=COUNTING).values_list("customer", "due_at", "handed_at")
    for customer, due_at, handed_at in counting:
        times[customer].append((handed_at or due_at).timestamp())
    broken = {
        customer
        for customer, moments in times.items()
        for most, hours in CAPS
        for begin in moments
        if sum(begin <= moment < begin + hours * 3_600 for moment in moments) > most
    }
    return {"people": len(times), "messages": sum(map(len, times.values())), "broken": sorted(broken)}


def ids() -> dict[str, Any]:
    """State and Message-ID of every message."""
    rows = Message.objects.order_by("pk").values_list("pk", "state")
    return {"messages": [[key, state, message_id(str(key), id_part(key))] for key, state in rows]}


def _left(contact: int) -> set[int]:
    return set(Message.objects.filter(contact=contact, handed_at__isnull=False).values_list("pk", flat=True))


COMMANDS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "push_open": open_contacts, "push_rules": rules, "push_campaigns": campaigns, "push_decide": decide,
    "push_withdraw": withdraw, "push_left": left_since, "push_caps": caps, "push_ids": ids,
}  # fmt: skip
