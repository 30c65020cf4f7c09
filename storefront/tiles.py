"""Products as a page shows them: tiles with picture, price and reason, crumbs, lines of the basket."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from recsite_client.answers import Recommendations, Result
from recsite_client.why import WhyRecommended
from storefront.catalogue import LEVEL, Catalogue, CatalogueProduct, Category
from storefront.filling import Html, fill, joined
from storefront.settings import Settings

WHY = {"en": ("Why this?", "How we recommend"), "zh-hans": ("推荐理由", "我们如何推荐")}
"""The question on a tile, and what the page is called that says what recommendations go by, by language."""


def item_address(item_id: str, recommendation_id: str = "") -> str:
    query = f"?{urlencode({'rid': recommendation_id})}" if recommendation_id else ""
    return f"/item/{quote(item_id, safe='')}{query}"


def shelf_address(path: str) -> str:
    return f"/shelf/{quote(path, safe='')}"


class Tiles:
    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._settings, self._catalogue = settings, catalogue

    def money(self, price: str) -> str:
        return f"{self._settings.currency}{price}"

    def picture(self, item_id: str) -> str:
        return f"{self._settings.recsite}/api/v1/items/{quote(item_id, safe='')}/tile.svg"

    def slots(self, answers: Sequence[Recommendations], titles: Mapping[str, str], *, back: str) -> Html:
        """HTML of the slots that have results, with the items that the shop sells; ``titles`` by placement."""
        return joined(
            fill(
                "slot",
                placement=answer["placement"],
                title=titles.get(answer["placement"]) or answer["placement"].replace("_", " ").capitalize(),
                recommendation_id=answer["recommendation_id"],
                tiles=joined(
                    self._recommended(answer, result, back)
                    for result in answer["results"]
                    if self._catalogue.find(result["item_id"])
                ),
            )
            for answer in answers
            if answer["results"]
        )

    def own(self, products: Sequence[CatalogueProduct], *, back: str) -> Html:
        """HTML of products in the shop's own order, where Recsite has nothing to say."""
        tiles = joined(
            self._tile(product.item_id, place, product.title, product.price, back=back)
            for place, product in enumerate(products, 1)
        )
        return fill("list", title="On this shelf", tiles=tiles) if tiles else Html()

    def _recommended(self, answer: Recommendations, result: Result, back: str) -> Html:
        product, reasons = result.get("product"), result.get("reasons")
        return self._tile(
            result["item_id"],
            result["rank"],
            product["title"] if product else result["item_id"],
            (product["price"] if product else None) or "",
            back=back,
            picture=product["image_url"] if product else "",
            reason=reasons[0]["text"] if reasons else "",
            recommendation_id=answer["recommendation_id"],
            why=self._why(result["why"], title=product["title"] if product else "") if "why" in result else Html(),
        )

    def _why(self, why: WhyRecommended, *, title: str) -> Html:
        """Why a tile is there, to be opened, and what its customer can do about it."""
        question, statement = WHY.get(self._settings.language, WHY["en"])
        links = [(action["url"], action["label"]) for action in why["actions"]]
        links.append((why["main_parameters_url"], statement))
        return fill(
            "why",
            language=self._settings.language,
            question=question,
            title=title,
            text=why["text"],
            actions=joined(fill("why-link", address=address, name=name) for address, name in links),
        )

    def _tile(
        self,
        item_id: str,
        index: int,
        title: str,
        price: str,
        *,
        back: str,
        **more: Any,
    ) -> Html:
        recommendation_id = more.get("recommendation_id", "")
        return fill(
            "play-tile" if self._settings.plays else "tile",
            plays=self._settings.plays,
            item_id=item_id,
            index=index,
            title=title,
            price=price,
            money=self.money(price) if price else "",
            picture=more.get("picture") or self.picture(item_id),
            reason=more.get("reason", ""),
            why=more.get("why", Html()),
            language=self._settings.language,
            recommendation_id=recommendation_id,
            address=item_address(item_id, recommendation_id),
            back=back,
        )

    def item(self, product: CatalogueProduct, *, slots: Html, recommendation_id: str, sold_out: bool) -> Html:
        kind = "play" if self._settings.plays else "wish" if sold_out else "buy"
        form = fill(
            kind, item_id=product.item_id, price=product.price, plays=self._settings.plays,
            recommendation_id=recommendation_id, back=item_address(product.item_id),
        )  # fmt: skip
        return fill(
            "item",
            crumbs=self.crumbs(product.category),
            picture=self.picture(product.item_id),
            title=product.title,
            brand=product.brand,
            money=self.money(product.price) if product.price else "",
            form=form,
            slots=slots,
        )

    def line(self, product: CatalogueProduct, quantity: int) -> Html:
        return fill(
            "basket-line",
            address=item_address(product.item_id),
            item_id=product.item_id,
            title=product.title,
            quantity=quantity,
            money=self.money(product.price),
        )

    def category(self, category: Category) -> Html:
        return fill(
            "category-tile",
            address=shelf_address(category.path),
            picture=self.picture(category.example),
            name=category.name,
        )

    def chip(self, category: Category) -> Html:
        return fill("link", address=shelf_address(category.path), name=category.name)

    def crumbs(self, path: str) -> Html:
        levels = path.split(LEVEL) if path else []
        links = [("/", "Home")]
        links += [(shelf_address(LEVEL.join(levels[:depth])), levels[depth - 1].capitalize())
                  for depth in range(1, len(levels) + 1)]  # fmt: skip
        return joined(fill("link", address=address, name=name) for address, name in links)
