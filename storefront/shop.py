"""The pages of the shop. What a page shows of its own stands here; what Recsite chose comes through ``slots``."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from urllib.parse import quote, urlencode

from recsite_client import Client, RecsiteError
from recsite_client.bodies import Context
from storefront.app import Request, Response
from storefront.catalogue import LEVEL, Catalogue, CatalogueProduct
from storefront.filling import Html, fill, joined
from storefront.frame import Frame
from storefront.outbox import Outbox
from storefront.settings import Settings
from storefront.slots import Filled, Slots
from storefront.stock import ShopStock
from storefront.tiles import Tiles, item_address, shelf_address
from storefront.visits import Visit, Visits, new_id

SHELVES = 12
MOST_LISTED = 24
OF_CUSTOMERS = ("buy_again", "discover", "on_repeat", "continue")
"""Placements that say nothing to somebody who is not known."""

TITLES = {
    "home": "For you",
    "buy_again": "Buy again",
    "discover": "New for you",
    "trending": "Trending",
    "new": "Just in",
    "item": "Similar",
    "also_bought": "Often bought with it",
    "cart": "Goes well with it",
    "on_repeat": "On repeat",
    "continue": "Go on watching",
    "following": "New from what you follow",
    "new_from_followed": "New from what you follow",
    "radio": "Goes on like this",
}

UTM = re.compile(r"[\w.-]{1,64}")


def landing(request: Request) -> dict[str, object]:
    """Fields of the events of a page that a mail or another shop's link led to: the list it was in, and from where."""
    fields: dict[str, object] = {}
    if rid := request.query.get("rid"):
        fields["recommendation_id"] = rid
    medium, source = (request.query.get(f"utm_{name}", "") for name in ("medium", "source"))
    if UTM.fullmatch(medium) and UTM.fullmatch(source):
        fields["context"] = {"channel": medium, "source": source, "page": request.path}
    return fields


type Page = Callable[[Request, Visit], Response]


class ShopSite:
    def __init__(self, settings: Settings, catalogue: Catalogue, client: Client) -> None:
        self._settings, self._catalogue, self._client = settings, catalogue, client
        self._slots = Slots(client, language=settings.language)
        self._outbox, self._visits = Outbox(client, catalogue), Visits()
        self._stock = ShopStock(client, catalogue, settings.catalogue.with_name("sold_out.json"))
        self._tiles = Tiles(settings, catalogue)
        self._frame = Frame(settings)
        self._pages: dict[tuple[str, str], Page] = {
            ("GET", ""): self.home,
            ("GET", "shelf"): self.shelf,
            ("GET", "item"): self.item,
            ("GET", "search"): self.search,
            ("GET", "cart"): self.basket,
            ("GET", "thanks"): self.thanks,
            ("GET", "account"): self.account,
            ("GET", "account/data"): self.my_data,
            ("GET", "browser"): self.browser,
            ("GET", "healthz"): self.health,
            ("POST", "cart"): self.put,
            ("POST", "cart/remove"): self.remove,
            ("POST", "wish"): self.wish,
            ("POST", "play"): self.play,
            ("POST", "checkout"): self.buy,
            ("POST", "visit"): self.shop_as,
            ("POST", "consent"): self.choose,
        }

    def answer(self, request: Request) -> Response:
        visit = self._visits.find(request.visit_key)
        method = "GET" if request.method == "HEAD" else request.method
        whole = request.path.strip("/")
        page = self._pages.get((method, whole)) or self._pages.get((method, whole.partition("/")[0]), self.nothing)
        if method == "GET":
            visit.here = quote(request.path) + (f"?{urlencode(request.query)}" if request.query else "")
        response = page(request, visit)
        if method == "POST" and response.location:
            self._visits.keep(visit)
            return Response(status=response.status, location=response.location, visit_key=visit.key)
        return response

    # --- pages

    def home(self, request: Request, visit: Visit) -> Response:
        known = visit.personalised
        filled = self._slots.fill("home", visit, leave_out=() if known else OF_CUSTOMERS)
        shelves = joined(self._tiles.category(category) for category in self._catalogue.departments(SHELVES))
        titles = TITLES if known else TITLES | {"home": "Popular with everybody"}
        main = fill("home", title="Welcome", slots=self._slot_list(filled, titles, back="/"), categories=shelves)
        return self._page(visit, "Welcome", main, filled, events=[{"name": "view_homepage"} | landing(request)])

    def shelf(self, request: Request, visit: Visit) -> Response:
        path = request.path.removeprefix("/shelf/").strip("/")
        category = self._catalogue.categories.get(path)
        if category is None:
            return self.nothing(request, visit)
        filled = self._slots.fill("category", visit, context={"categories": [path]})
        back, titles = shelf_address(path), {"category": "Best for you" if visit.personalised else "Most liked"}
        listed = self._slot_list(filled, TITLES | titles, back=back)
        main = fill(
            "category",
            title=category.name,
            crumbs=self._tiles.crumbs(path.rpartition(LEVEL)[0]),
            children=joined(self._tiles.chip(self._catalogue.categories[child]) for child in category.children),
            slots=listed or self._own(self._catalogue.of_category(path), back=back),
        )
        return self._page(visit, category.name, main, filled)

    def item(self, request: Request, visit: Visit) -> Response:
        product = self._catalogue.find(request.path.removeprefix("/item/").strip("/"))
        if product is None:
            return self.nothing(request, visit)
        filled = self._slots.fill("item", visit, context={"item_ids": [product.item_id], "basket": list(visit.basket)})
        line = {"item_id": product.item_id} | ({"price": product.price} if product.price else {})
        seen: dict[str, object] = {"name": "view_item", "items": [line]}
        slots = self._slot_list(filled, TITLES, back=item_address(product.item_id))
        rid, sold_out = request.query.get("rid", ""), self._stock.left(product.item_id) == 0
        main = self._tiles.item(product, slots=slots, recommendation_id=rid, sold_out=sold_out)
        return self._page(visit, product.title, main, filled, events=[seen | landing(request)])

    def search(self, request: Request, visit: Visit) -> Response:
        text = request.query.get("q", "").strip()[:100]
        if not text:
            return self._go("/")
        item_ids = self._catalogue.search(text)
        context: Context = {"search_term": text}
        if item_ids:
            context["item_ids"] = item_ids
        titles = {"search": f"{len(item_ids)} found" if item_ids else "Perhaps one of these"}
        filled = self._slots.fill("search", visit, context=context)
        back = f"/search?q={quote(text)}"
        own = [product for item_id in item_ids[:MOST_LISTED] if (product := self._catalogue.find(item_id))]
        listed = self._slot_list(filled, TITLES | titles, back=back) or self._own(own, back=back)
        sentence = f"for “{text}”" if item_ids else f"Nothing is called “{text}” here."
        main = fill("plain", title="Search", text=sentence, slots=listed)
        return self._page(visit, text, main, filled, typed=text, events=[{"name": "search", "search_term": text}])

    def basket(self, _request: Request, visit: Visit) -> Response:
        filled = self._slots.fill("cart", visit, context={"basket": list(visit.basket)})
        titles = TITLES if visit.basket else TITLES | {"cart": "To begin with"}
        lines = self._lines(visit) if visit.basket else Html("<p>There is nothing in it yet.</p>")
        main = fill("basket", lines=lines, slots=self._slot_list(filled, titles, back="/cart"))
        return self._page(visit, "Basket", main, filled)

    def thanks(self, request: Request, visit: Visit) -> Response:
        order = request.path.removeprefix("/thanks/").strip("/")
        if order not in visit.orders:
            return self.nothing(request, visit)
        filled = self._slots.fill("thanks", visit)
        total, titles = self._tiles.money(str(visit.orders[order])), {"discover": "For the next time"}
        slots = self._slot_list(filled, TITLES | titles, back="/cart")
        main = fill("thanks", order=order, total=total, slots=slots)
        return self._page(visit, "Thank you", main, filled)

    def account(self, _request: Request, visit: Visit) -> Response:
        if not visit.user_id:
            return self._go("/")
        return self._page(visit, "Your account", fill("account", user_id=visit.user_id), None)

    def my_data(self, _request: Request, visit: Visit) -> Response:
        """Lead a customer to what Recsite holds of them, by a link that is asked for now and kept nowhere."""
        if not visit.user_id:
            return self._go("/")
        try:
            link = self._client.privacy_link(visit.user_id, lang=self._settings.language)["url"]
        except RecsiteError:
            text = "This cannot be shown at the moment. Please try again in a minute."
            page = self._page(visit, "My data", fill("plain", title="My data", text=text, slots=Html()), None)
            return Response(page.body, HTTPStatus.SERVICE_UNAVAILABLE)
        return Response(status=HTTPStatus.SEE_OTHER, location=link)

    def browser(self, _request: Request, visit: Visit) -> Response:
        """A page whose lists the tracker fills, as in a shop that no server of its own renders."""
        return self._page(visit, "Filled by the browser", fill("browser"), None)

    def nothing(self, _request: Request, visit: Visit) -> Response:
        visit.here = "/"
        main = fill("plain", title="There is no such page", text="It may have been sold out.", slots=Html())
        page = self._page(visit, "Not found", main, None)
        return Response(page.body, HTTPStatus.NOT_FOUND)

    def health(self, _request: Request, _visit: Visit) -> Response:
        return Response(Html("ok"))

    # --- what a visitor does

    def put(self, request: Request, visit: Visit) -> Response:
        product = self._catalogue.find(request.form.get("item_id", ""))
        if product is None:
            return self.nothing(request, visit)
        left = self._stock.left(product.item_id)
        if left is not None and visit.basket.get(product.item_id, 0) >= left:
            visit.told = f"There is no more of {product.title}." if left else f"{product.title} is sold out."
            return self._go(item_address(product.item_id))
        visit.put(product.item_id)
        visit.told = f"{product.title} is in your basket."
        return self._go(request.form.get("back", "/cart"))

    def remove(self, request: Request, visit: Visit) -> Response:
        visit.basket.pop(request.form.get("item_id", ""), None)
        return self._go("/cart")

    def wish(self, request: Request, visit: Visit) -> Response:
        """Note that somebody waits for an item; the page has told Recsite."""
        product = self._catalogue.find(request.form.get("item_id", ""))
        if product is None:
            return self.nothing(request, visit)
        visit.told = f"We write to you when {product.title} is back, if you said yes to reminders."
        return self._go(item_address(product.item_id))

    def play(self, request: Request, visit: Visit) -> Response:
        """Play, read or watch an item to its end, where that is what the shop offers."""
        product = self._catalogue.find(request.form.get("item_id", ""))
        if product is None or not self._settings.plays:
            return self.nothing(request, visit)
        self._outbox.play(visit, product.item_id, request.form.get("rid", ""))
        visit.told = f"{product.title}: done. The lists know of it."
        return self._go(request.form.get("back", "/"))

    def buy(self, _request: Request, visit: Visit) -> Response:
        if not visit.basket:
            return self._go("/cart")
        order = new_id("order")
        visit.orders[order] = self._outbox.purchase(visit, order)
        self._stock.sell(visit.basket)
        visit.basket.clear()
        return self._go(f"/thanks/{order}")

    def shop_as(self, request: Request, visit: Visit) -> Response:
        """Sign in, or begin again as somebody whom nobody knows; an anonymous id is never used for two people."""
        user_id = request.form.get("as", "")
        if user_id and user_id not in self._settings.customers:
            return self.nothing(request, visit)
        if visit.user_id or not user_id:
            visit.begin_anew()
        visit.user_id = user_id
        if user_id and visit.consent:
            self._outbox.sign_in(visit)
        return self._go("/")

    def choose(self, request: Request, visit: Visit) -> Response:
        yes = request.form.get("personalise") == "yes"
        visit.says_consent = yes or visit.personalised
        visit.consent = yes
        return self._go(request.form.get("back", "/"))

    # --- parts

    def _page(
        self,
        visit: Visit,
        title: str,
        main: Html,
        filled: Filled | None,
        *,
        typed: str = "",
        events: Sequence[dict[str, object]] = (),
    ) -> Response:
        if visit.needs_proof(datetime.now(UTC)):
            self._outbox.prove(visit)
        return Response(self._frame.page(visit, title, main, filled, typed=typed, events=events))

    def _slot_list(self, filled: Filled, titles: Mapping[str, str], *, back: str) -> Html:
        return self._tiles.slots(filled.slots, titles, back=back)

    def _own(self, products: Sequence[CatalogueProduct], *, back: str) -> Html:
        return self._tiles.own(products[:MOST_LISTED], back=back)

    def _lines(self, visit: Visit) -> Html:
        rows, total = [], Decimal(0)
        for item_id, quantity in visit.basket.items():
            if product := self._catalogue.find(item_id):
                rows.append(self._tiles.line(product, quantity))
                total += quantity * Decimal(product.price)
        return fill("basket-lines", rows=joined(rows), total=self._tiles.money(str(total)))

    def _go(self, address: str) -> Response:
        """Redirect to a page of ours; to the front page where the address is no such page."""
        ours = address.startswith("/") and not address.startswith(("//", "/\\"))
        safe = quote(address if ours else "/", safe="/?=&%:@+,;~!$'()*")
        return Response(status=HTTPStatus.SEE_OTHER, location=safe)
