"""Items of an answer as the API and webhooks give them."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import cast

import msgspec
from django.conf import settings
from django.urls import reverse
from msgspec import UNSET, Raw, Struct, UnsetType

from recommendations.engine.privacy.smallest import sayable_facts
from recommendations.privacy_terms import WhyCode
from recommendations.serving.types import Fact, Product, ShownReason
from recommendations.terms import Reason, Source
from recommendations.wording.reasons import reason_text

PRODUCTS = 50_000  # that a process remembers as they are written


class ReasonGiven(Struct):
    code: Reason
    text: str
    evidence: Mapping[str, Fact]


class ProductShown(Struct):
    """The price is the catalogue's, a text with two decimals; the picture of an item without one is its tile."""

    title: str
    brand: str | None
    price: str | None
    currency: str
    image_url: str
    url: str | None
    parent_id: str | None


class WhyAction(Struct):
    """Something that the customer can do about an item or its list, on a page of ours that asks first."""

    code: WhyCode
    label: str
    url: str


class WhyShown(Struct):
    """Why an item is shown, in a sentence, and what the customer can do about it; a stranger can do nothing."""

    text: str
    main_parameters_url: str
    actions: list[WhyAction]


class Recommended(Struct):
    item_id: str
    rank: int
    source: Source
    score: float | UnsetType = UNSET
    final: float | UnsetType = UNSET
    reasons: list[ReasonGiven] | UnsetType = UNSET
    contributions: Mapping[str, float] | UnsetType = UNSET
    rules: list[str] = []
    product: ProductShown | UnsetType = UNSET
    why: WhyShown | UnsetType = UNSET


def reasons_given(reasons: Iterable[ShownReason]) -> list[ReasonGiven]:
    """Reasons with their words, in the language of the moment; none says a number of a few people."""
    smallest = settings.SMALLEST_GROUP
    return [
        ReasonGiven(
            each.code,
            reason_text(each.code, each.evidence),
            sayable_facts(each.code, each.evidence, smallest=smallest),
        )
        for each in reasons
    ]


def product_shown(product: Product, site: str) -> ProductShown:
    """A product, with pictures of a site, as bytes that the encoder takes as they are."""
    return cast("ProductShown", _product(product, site, settings.SHOP_CURRENCY))


@lru_cache(PRODUCTS)
def _product(product: Product, site: str, currency: str) -> Raw:
    shown = ProductShown(
        title=product.title,
        brand=product.brand or None,
        price=None if product.price is None else str(product.price),
        currency=currency,
        image_url=product.image_url or f"{site}{reverse('item-tile', args=[product.shop_id])}",
        url=product.url or None,
        parent_id=product.parent_id,
    )
    return Raw(msgspec.json.encode(shown))
