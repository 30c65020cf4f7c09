"""A slot: the question, the products of the answer, and their tiles as the shop itself draws them."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpRequest
from django.template import Context
from django.urls import NoReverseMatch, reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from oscar.core.loading import get_model
from oscar.templatetags.product_tags import render_product

from oscar_recsite import connection
from oscar_recsite.conf import is_on
from oscar_recsite.items import category_paths, for_sale
from oscar_recsite.people import shopper_of
from recsite_client import RecsiteError, UnreachableError
from recsite_client.answers import Recommendations
from recsite_client.bodies import Context as About
from recsite_client.bodies import Wish

log = logging.getLogger("oscar_recsite")
Product = get_model("catalogue", "Product")

SHOWN, SILENT = "recsite_shown", "recsite_silent"  # on the request: items of the slots above; one got no answer


@dataclass(frozen=True)
class Tile:
    """A product in a slot."""

    item_id: str
    rank: int
    markup: SafeString
    reason: str


def answer_for(
    placement: str, request: HttpRequest, *, n: int | None, product: Any = None, category: Any = None
) -> Recommendations | None:
    """What Recsite says for a slot; None where it says nothing in time, or is off."""
    if not is_on() or getattr(request, SILENT, False):
        return None
    shopper = shopper_of(request)
    wish: Wish = {"fields": ["reasons"], "exclude_item_ids": list(getattr(request, SHOWN, ()))}
    if n is not None:
        wish["n"] = n
    names = {"user_id": shopper.user_id, "anonymous_id": shopper.anonymous_id}
    given: Any = {name: value for name, value in names.items() if value and not shopper.is_robot}
    wish = cast("Wish", {**wish, **(given or {"personalise": False})})
    context: Any = {
        "item_ids": [str(for_sale(product).pk)] if product is not None else [],
        "categories": category_paths(category) if category is not None else [],
        "basket": _basket(request),
    }
    wish["context"] = cast("About", {name: value for name, value in context.items() if value})
    try:
        return connection.asking().recommend(placement, **wish)
    except RecsiteError as error:
        log.info("The slot %s is left out: %s", placement, error)
        setattr(request, SILENT, isinstance(error, UnreachableError))  # a page waits for that once
        return None


def tiles_of(answer: Recommendations, context: Context, request: HttpRequest) -> Sequence[Tile]:
    """Tiles of what the shop still shows, in the answer's order; the slots below leave them out."""
    products = _products([result["item_id"] for result in answer["results"]])
    tiles = [
        Tile(
            item_id=result["item_id"],
            rank=result["rank"],
            markup=_with_answer(
                render_product(context, products[result["item_id"]]),
                products[result["item_id"]],
                answer["recommendation_id"],
            ),
            reason=next((reason["text"] for reason in result.get("reasons") or ()), ""),
        )
        for result in answer["results"]
        if result["item_id"] in products
    ]
    setattr(request, SHOWN, [*getattr(request, SHOWN, ()), *(tile.item_id for tile in tiles)])
    return tiles


def _products(item_ids: Sequence[str]) -> Mapping[str, Any]:
    keys = [int(item_id) for item_id in item_ids if item_id.isdecimal()]
    rows: QuerySet[Any] = Product.objects.public().base_queryset().filter(pk__in=keys)
    rows = rows.select_related("parent__product_class")
    return {str(row.pk): row for row in rows if not row.is_child or row.parent.is_public}


def _with_answer(markup: str, product: Any, recommendation_id: str) -> SafeString:
    """The tile whose links and basket form say which answer led there."""
    addresses = [product.get_absolute_url()]
    with suppress(NoReverseMatch):
        addresses.append(reverse("basket:add", kwargs={"pk": product.pk}))
    for address in addresses:
        for attribute in ("href", "action"):
            plain = f'{attribute}="{escape(address)}"'
            markup = markup.replace(plain, f'{plain[:-1]}?rid={escape(recommendation_id)}"')
    return mark_safe(markup)  # noqa: S308 - Oscar's own markup, and an id that is escaped


def _basket(request: HttpRequest) -> list[str]:
    basket = getattr(request, "basket", None)
    if basket is None or not basket.id:
        return []
    return [str(line.product_id) for line in basket.all_lines()]
