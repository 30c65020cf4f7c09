"""A shop with many customers in an empty database, who bought by taste and said yes to mail; the same seed, the same.

Purchases and people are invented by PostgreSQL itself; addresses are sealed as the product does.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal

from bench.meter import Progress
from recommendations.models import (
    Address,
    Audience,
    AudienceMember,
    Campaign,
    CampaignVersion,
    Category,
    Contact,
    Item,
    PressureRules,
)
from recommendations.push_terms import AddressState, CampaignKind, Channel, Purpose
from recommendations.services.campaigns.form import as_json, frozen_of
from recommendations.services.campaigns.pressure import season_of
from recommendations.services.push.sendings import LiveCampaign
from recommendations.store.contacts.sealing import digest_of, seal
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.temp_tables import run

ITEMS, TASTES = 300, 10
ORDERS, LINES = 4, 2
WEEKS = 16
AT_ONCE = 5_000
TEXTS = {
    "subjects": ["For you this week", "{first_item}: time again?"], "preheader": "And {count} more",
    "heading": "Picked for you", "intro": "From {shop}: {first_item} and more.", "button": "To the shop",
}  # fmt: skip

_DRAW = "((hashint8extended({0}, %(seed)s + {1}) & 1048575) / 1048576.0::float8)"
_CUSTOMERS = """
INSERT INTO recommendations_customer (id, pseudonym, kind, personalise, created_at, properties)
SELECT n, sha256(convert_to('person ' || n, 'UTF8')), 'signed_in', true, %(start)s, '{}'
FROM generate_series(1, %(people)s) AS n
"""
_ITEM = (
    f"floor({ITEMS // TASTES} * {_DRAW.format('n * 1000 + o * 10 + line', 1)} ^ 2)::bigint * {TASTES} + n %% {TASTES}"
)
_PURCHASES = f"""
INSERT INTO recommendations_event (occurred_at, event_id, line, name, customer_id, item_id, quantity, price, amount,
  transaction_id, source, trust, received_at)
SELECT %(now)s - (1 + {WEEKS} * 7 * {_DRAW.format("n * 1000 + o", 2)}) * interval '1 day',
       md5('order ' || n || ' ' || o)::uuid, line, 'purchase', n, %(first)s + {_ITEM}, 1, 5, 5, 't' || n || '-' || o,
       'import', 2, %(start)s
FROM generate_series(1, %(buyers)s) AS n CROSS JOIN generate_series(1, {ORDERS}) AS o
  CROSS JOIN generate_series(0, {LINES - 1}) AS line
"""  # noqa: S608 - parts of our own
_PERMISSIONS = """
INSERT INTO recommendations_permission (contact_id, channel, purpose, state, since, source)
SELECT customer_id, 'email', purpose, CASE WHEN customer_id %% 10 = 0 THEN 'withdrawn' ELSE 'given' END, %(start)s,
       'api'
FROM recommendations_contact CROSS JOIN unnest(ARRAY['for_you', 'news']) AS purpose
"""


def fill(people: int, *, buyers: int, seed: int, now: datetime, tell: Progress) -> None:
    """Fill the database; the first so many customers have bought, nine of ten of all may be written to."""
    start = now - timedelta(weeks=WEEKS + 1)
    prepare_partitions(start, now + timedelta(days=1))
    shelves = Category.objects.bulk_create(
        Category(path=f"SHELF {number}", name=f"Shelf {number}") for number in range(TASTES)
    )
    items = Item.objects.bulk_create(
        Item(shop_id=f"item-{number}", title=f"Item {number}", price=Decimal(1 + number % 30), listed_at=start)
        for number in range(ITEMS)
    )
    for number, shelf in enumerate(shelves):
        shelf.items.set(items[number::TASTES])
    values = {"people": people, "buyers": buyers, "seed": seed, "now": now, "start": start, "first": items[0].pk}
    tell(f"customers: {run(_CUSTOMERS, **values):,}")
    tell(f"lines of purchases: {run(_PURCHASES, **values):,}")
    run("SELECT setval(pg_get_serial_sequence('recommendations_customer', 'id'), %(people)s)", people=people)
    for first in range(1, people + 1, AT_ONCE):
        _contacts(range(first, min(first + AT_ONCE, people + 1)), now=now)
    tell(f"permissions: {run(_PERMISSIONS, **values):,}")
    run("ANALYZE")


def rules(now: datetime, *, caps: bool = True) -> PressureRules:
    """Rules without quiet hours, so that a bench runs at any time of the day."""
    most = [{"channel": "email", "most": 1, "hours": 24}, {"channel": None, "most": 5, "hours": 168}] if caps else []
    PressureRules.objects.update(is_default=False)
    return PressureRules.objects.create(
        number=PressureRules.objects.count() + 1, caps=most, quiet_from=time(0), quiet_until=time(0), holdout=0.1,
        season=season_of(now), is_default=True, created_at=now,
    )  # fmt: skip


def audience(people: int) -> int:
    """Make an audience of the first so many customers; its key."""
    own = Audience.objects.create(name="Some", size=people)
    AudienceMember.objects.bulk_create(AudienceMember(audience=own, customer_id=key) for key in range(1, people + 1))
    return own.pk


def campaign(
    name: str, *, now: datetime, live: bool = True, placement: str = "home", audiences: Sequence[int] = ()
) -> LiveCampaign:
    """A campaign for everybody, or for audiences; live, or as a draft that is planned."""
    what = {"texts": {"en": TEXTS}, "blocks": [{"placement": placement, "n": 6}], "least_items": 3}
    form = frozen_of(
        {"who": {"any_of": list(audiences)}, "when": {}, "safety": {}, "what": what}, recurring=False, triggered=False
    )
    own = Campaign.objects.create(slug=name, name=name, kind=CampaignKind.ONCE, purpose=Purpose.FOR_YOU)
    version = CampaignVersion(campaign=own, number=1, frozen=as_json(form), starts_at=now, is_live=live)
    if live:
        version.save()
    return LiveCampaign(campaign=own, version=version, form=form)


def _contacts(customers: range, *, now: datetime) -> None:
    Contact.objects.bulk_create(Contact(customer_id=key, language="en", created_at=now) for key in customers)
    emails = [(key, {"email": f"customer-{key}@shop.example"}) for key in customers]
    Address.objects.bulk_create(
        Address(
            contact_id=key, channel=Channel.EMAIL, sealed=seal(email), digest=digest_of(Channel.EMAIL, email),
            state=AddressState.ACTIVE, confirmed_at=now, created_at=now,
        )
        for key, email in emails
    )  # fmt: skip
