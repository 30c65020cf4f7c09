"""Oscar's products as items of Recsite's catalogue. A variant is an item of its own, its parent the whole product.

Nobody buys a parent, so it is never in stock, and answers show its variants alone.
"""

import html
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TextIO
from urllib.parse import urljoin

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import F, Q, QuerySet
from django.utils.html import strip_tags
from oscar.core.loading import get_class, get_model

from oscar_recsite.conf import function, setting
from recsite_client import Client, ProblemError
from recsite_client.answers import ItemVerdict
from recsite_client.bodies import Item, encoded

Product = get_model("catalogue", "Product")
Selector = get_class("partner.strategy", "Selector")

BATCH = 200
LONGEST = 20_000  # characters of a description
NOT_SAID = frozenset({"entity", "file", "image"})  # types of attributes that say nothing of an item
REMEDIES = {
    "/currency": "Recsite's SHOP_CURRENCY and OSCAR_DEFAULT_CURRENCY must be the same",
    "/url": "is RECSITE_SHOP_URL the shop's whole address?",
    "/image_url": "is RECSITE_SHOP_URL the shop's whole address?",
    "/parent_id": "send all of them once: manage.py recsite_items",
}
"""What helps, by the start of a refusal's pointer."""
ANYWHERE = "mend the product in the dashboard, or its item in RECSITE_ITEM"


@dataclass
class Tally:
    """What became of products that were sent."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    retired: int = 0
    refused: list[ItemVerdict] = field(default_factory=list)

    def refusals(self) -> Iterator[str]:
        """Lines that say which product was refused, why, and what helps."""
        for verdict in self.refused:
            pointer = verdict.get("pointer", "")
            remedy = next((text for start, text in REMEDIES.items() if pointer.startswith(start)), ANYWHERE)
            yield f"product {verdict.get('item_id')}, {pointer}: {verdict.get('reason', '')} ({remedy})"


def everything() -> QuerySet[Any]:
    """All products, parents before their variants, with all that an item says."""
    products = Product.objects.select_related("product_class", "parent__product_class").prefetch_related(
        "stockrecords", "images", "parent__images", "categories", "parent__categories",
        "attribute_values__attribute", "attribute_values__value_option", "parent__attribute_values__attribute",
    )  # fmt: skip
    ordered: QuerySet[Any] = products.order_by(F("parent").asc(nulls_first=True), "pk")
    return ordered


def with_family(keys: Collection[int]) -> QuerySet[Any]:
    """Products with these keys, with their parents and variants, whose items say the same."""
    family = Q(pk__in=keys) | Q(parent__in=keys) | Q(children__in=keys)
    return everything().filter(pk__in=Product.objects.filter(family).values("pk"))


def send(products: QuerySet[Any], *, client: Client, gone: Collection[int] = ()) -> Tally:
    """Put the items of public products and retire the others, and those of ``gone`` that do not exist any more."""
    tally, existing = Tally(), set()
    for batch in _batches(products):
        existing |= {product.pk for product in batch}
        rows = {product.pk: item_of(product) for product in batch}
        _put([row for row in rows.values() if row is not None], client, tally)
        _retire((key for key, row in rows.items() if row is None), client, tally)
    _retire(sorted(set(gone) - existing), client, tally)
    return tally


def write(products: QuerySet[Any], file: TextIO) -> int:
    """Write the items of public products as JSON Lines, which ``import_items`` takes; how many."""
    number = 0
    for item in filter(None, map(item_of, products.iterator(chunk_size=BATCH))):
        row: dict[str, Any] = {**item}
        rating = row.pop("rating", None) or {}
        row |= {f"rating_{name}": value for name, value in rating.items()}
        file.write(encoded(row).decode() + "\n")
        number += 1
    return number


def item_of(product: Any) -> Item | None:
    """The item of a product; None where the shop does not show it."""
    if not product.is_public or (product.is_child and not product.parent.is_public):
        return None
    own = product.description or (product.parent.description if product.is_child else "")
    item: Item = {
        "item_id": str(product.pk),
        "title": product.get_title(),
        "description": _plain(own)[:LONGEST],
        "categories": sorted({_path(category) for category in product.get_categories()}),
        "attributes": dict(_attributes(product)),
    }
    item |= _offer(product)
    if product.is_child:
        item["parent_id"] = str(product.parent_id)
    if product.rating is not None:
        item["rating"] = {"average": product.rating, "count": product.num_approved_reviews}
    if shop := setting("RECSITE_SHOP_URL"):
        item["url"] = urljoin(shop, product.get_absolute_url())
        if image := _image(product):
            item["image_url"] = urljoin(shop, image)
    change = function("RECSITE_ITEM")
    return change(product, item) if change else item


def price_of(product: Any, strategy: Any = None) -> Any:
    """Price as the shop shows it: with its tax where that is known; None where there is none."""
    strategy = strategy or Selector().strategy()
    fetch = strategy.fetch_for_parent if product.is_parent else strategy.fetch_for_product
    price = fetch(product).price
    if not price.exists:
        return None
    return price.incl_tax if price.is_tax_known else price.excl_tax


def _offer(product: Any) -> Any:
    strategy = Selector().strategy()
    if product.is_parent:
        return {"availability": "out_of_stock", "price": price_of(product, strategy)}
    info = strategy.fetch_for_product(product)
    offer = {"availability": "in_stock" if info.availability.is_available_to_buy else "out_of_stock"}
    if info.price.exists:
        offer |= {"price": price_of(product, strategy), "currency": info.price.currency}
    if info.stockrecord is not None and product.get_product_class().track_stock:
        offer["available_quantity"] = max(info.stockrecord.net_stock_level, 0)
    return offer


def _attributes(product: Any) -> Iterator[tuple[str, Any]]:
    if product.upc:
        yield "upc", product.upc
    own = list(product.attribute_values.all())
    codes = {value.attribute.code for value in own}
    inherited = product.parent.attribute_values.all() if product.is_child else ()
    for value in [*own, *(each for each in inherited if each.attribute.code not in codes)]:
        if value.attribute.type not in NOT_SAID:
            said = _said(value)
            if said is not None:
                yield value.attribute.code, said


def _said(value: Any) -> Any:
    kind, said = value.attribute.type, value.value
    if said is None or isinstance(said, bool | int | float):
        return said
    if kind == "multi_option":
        return sorted(str(option) for option in said)
    if isinstance(said, date):  # a time is one, too
        return said.isoformat()
    return _plain(str(said))


def _path(category: Any) -> str:
    """Path of a category; a name may have the signs that part names."""
    names = (step.name.replace(">", "-").replace("|", "/") for step in category.get_ancestors_and_self())
    return " > ".join(names)


def _image(product: Any) -> str:
    image = product.primary_image()
    return "" if isinstance(image, dict) or not image.original else image.original.url


def _plain(text: str) -> str:
    return " ".join(html.unescape(strip_tags(text)).split())


def _batches(products: QuerySet[Any]) -> Iterator[Sequence[Any]]:
    batch: list[Any] = []
    for product in products.iterator(chunk_size=BATCH):
        batch.append(product)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _put(rows: Sequence[Item], client: Client, tally: Tally) -> None:
    if not rows:
        return
    try:
        results: Sequence[ItemVerdict] = client.put_items(rows)["results"]
    except ProblemError as error:
        if "results" not in error.members:
            raise
        results = error.members["results"]
    for result in results:
        if result["verdict"] == "rejected":
            tally.refused.append(result)
        else:
            setattr(tally, result["verdict"], getattr(tally, result["verdict"]) + 1)


def _retire(keys: Iterable[int], client: Client, tally: Tally) -> None:
    tally.retired += sum(_retire_one(str(key), client) for key in keys)


def _retire_one(item_id: str, client: Client) -> bool:
    """Retire an item; False where there is none."""
    try:
        client.retire_item(item_id)
    except ProblemError as error:
        if error.status != 404:
            raise
        return False
    return True


def for_sale(product: Any) -> Any:
    """The product itself; of a parent the variant that stands for it: the first that is for sale, or the first."""
    if not product.is_parent:
        return product
    strategy, children = Selector().strategy(), sorted(product.get_public_children(), key=lambda child: child.pk)
    ready = (child for child in children if strategy.fetch_for_product(child).availability.is_available_to_buy)
    return next(ready, children[0] if children else product)


def category_paths(category: Any) -> list[str]:
    try:
        return [_path(category)]
    except (AttributeError, ObjectDoesNotExist):
        return []
