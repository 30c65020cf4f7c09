"""A letter of a campaign for tests: six products, one with a picture, one without a price, one hostile."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from recommendations.push_terms import Purpose
from recommendations.services.campaigns.form import CampaignForm
from recommendations.services.mails.letters import Letter
from recommendations.services.parcels.rendering import Links, Reader, letter_of
from recommendations.serving.types import Shown, ShownReason
from recommendations.store.serving.stock import Product
from recommendations.terms import Reason, Source

TITLES = ("Green tea, loose", "Oat biscuits", '<b>Soap</b> & "brush" {shop}', "黑芝麻糊", "A" * 90, "Coffee beans 1 kg")
HOST = "https://recsite.example.com"
EVIDENCE = {"times": 3, "every_days": 12, "days_since": 13}
SAID_YES_AT = datetime(2026, 8, 1, 9, tzinfo=UTC)
TEXTS: dict[str, Any] = {
    "en": {
        "subjects": ["{first_item}: time again?", "Running low?"], "preheader": "And {count} more for you",
        "heading": "You may need these", "intro": "Picked at {shop}.\nSee you soon.", "button": "To the shop",
    },
    "zh-hans": {
        "subjects": ["为您挑选了{first_item}"], "preheader": "还有{count}件为您挑选", "heading": "您可能需要这些",
        "intro": "{shop}为您挑选。", "button": "去看看",
    },
}  # fmt: skip


def form(layout: str = "tiles", **texts: Any) -> CampaignForm:
    what = {"layout": layout, "texts": texts or TEXTS, "blocks": [{"placement": "home", "n": 6}], "least_items": 1}
    return msgspec.convert({"who": {}, "what": what, "when": {}, "safety": {}}, CampaignForm)


def items(*, picture: str = "") -> list[Shown]:
    """The products that the letter shows; the second has a ``picture``."""
    return [_shown(place, title, picture if place == 1 else "") for place, title in enumerate(TITLES)]


def links(key: str = "1") -> Links:
    return Links(
        home=f"{HOST}/m/c/{key}.home/", item=lambda place: f"{HOST}/m/c/{key}.{place}/",
        unsubscribe=f"{HOST}/m/u/{key}/", preferences=f"{HOST}/m/p/{key}/", reasons=f"{HOST}/m/p/{key}/?why={key}",
    )  # fmt: skip


def letter(layout: str = "tiles", language: str = "en", *, picture: str = "", **more: Any) -> Letter:
    reader = Reader(language=language, purpose=Purpose.REMINDERS, said_yes_at=SAID_YES_AT)
    return letter_of(form(layout), items(picture=picture), reader=reader, links=links(), **more)


def _shown(place: int, title: str, picture: str) -> Shown:
    price = None if place == 2 else Decimal("1234.50") / (place + 1)
    product = Product(place, f"item-{place}", title, "", price, picture, f"/item/{place}")
    reason = ShownReason(code=Reason.BOUGHT_BEFORE, evidence=EVIDENCE)
    return Shown(
        item=place, product=product, rank=place + 1, score=1, final=1, contributions={}, reasons=(reason,),
        propensity=1, source=Source.MODEL,
    )  # fmt: skip
