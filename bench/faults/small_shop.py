"""A small shop in an empty database, asked within this process. Import it once Django is set up."""

from collections.abc import Mapping, Sequence

import msgspec
from django.core.exceptions import TooManyFieldsSent
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from bench.faults.cases import Shot
from bench.faults.verdict import Reply
from recommendations.models import Campaign, CampaignVersion, Category, Item
from recommendations.push_terms import CampaignKind, ConsentSource, Purpose, Trigger
from recommendations.services.access import keys
from recommendations.services.campaigns.form import CampaignForm, as_json
from recommendations.services.contacts.forms import ContactChanges
from recommendations.services.contacts.rows import ContactRow, take_contacts
from recommendations.terms import Scope
from recsite.many_fields import plain_type

KNOWN: Mapping[str, Sequence[str]] = {
    "placement": ["home", "item", "cart", "trending"],
    "page": ["home", "item", "cart"],
    "item_id": ["SKU1", "SKU2"],
    "shop_id": ["SKU1", "SKU9"],
    "user_id": ["u1", "u2"],
    "slug": ["visit", "visit", "over"],
}
ITEMS = 12


class NotEmptyError(Exception):
    """The database is not empty: it may be somebody's."""


def open_shop() -> str:
    """Make the small shop, and return a key with every scope."""
    call_command("migrate", verbosity=0, interactive=False)
    if Item.objects.exists():
        raise NotEmptyError
    make_items()
    make_contacts()
    make_campaigns()
    key, secret = keys.create_key(
        name="Fuzz", scopes=list(Scope), requests_per_minute=2**31 - 1, lines_per_minute=2**31 - 1, by=None
    )
    return f"{key.prefix}.{secret}"


def make_items() -> None:
    shelf = Category.objects.create(path="FOOD > TEA", name="TEA")
    items = Item.objects.bulk_create(
        Item(shop_id=f"SKU{number}", title=f"Tea {number}", brand="Acme", price=number) for number in range(ITEMS)
    )
    shelf.items.add(*items[::2])


def make_contacts() -> None:
    rows = [
        ContactRow(user_id=user_id, form=ContactChanges(email=f"{user_id}@example.com")) for user_id in KNOWN["user_id"]
    ]
    take_contacts(rows, source=ConsentSource.API, now=timezone.now())


def make_campaigns() -> None:
    """A campaign that the shop triggers, and one that has ended."""
    now = timezone.now()
    parts = {"who": {}, "what": {"blocks": [{"placement": "email"}]}, "when": {}, "safety": {}}
    form = msgspec.convert(parts, CampaignForm)
    for slug, ended_at in (("visit", None), ("over", now)):
        campaign = Campaign.objects.create(
            slug=slug, name=slug, kind=CampaignKind.TRIGGERED, trigger=Trigger.SHOP, purpose=Purpose.REMINDERS,
            ended_at=ended_at,
        )  # fmt: skip
        CampaignVersion.objects.create(campaign=campaign, number=1, frozen=as_json(form), starts_at=now)


class Within:
    """Sends requests to the application of this process."""

    def __init__(self, key: str) -> None:
        self._client = Client(raise_request_exception=False, SERVER_NAME="127.0.0.1")
        self._key = {"Authorization": f"Api-Key {key}"}

    def __call__(self, shot: Shot) -> Reply:
        kind = shot.headers.get("Content-Type", "")
        headers = {**shot.headers, **self._key}
        try:
            answer = self._client.generic(shot.method, shot.target, shot.body, kind, headers=headers)
        except TooManyFieldsSent:  # as the WSGI entry does it, which Django's client leaves out
            headers.pop("Content-Type", None)
            answer = self._client.generic(shot.method, shot.target, shot.body, plain_type(kind), headers=headers)
        return Reply(answer.status_code, answer.get("Content-Type", ""), answer.content)
