"""Oscar's signals as events of Recsite. Nothing here breaks or slows a page: it puts into a queue, and never raises."""

import functools
from collections.abc import Callable
from typing import Any, cast

from django.contrib.auth import signals as auth
from django.db.models import signals as models
from django.http import HttpRequest
from oscar.apps.basket import signals as basket
from oscar.apps.catalogue import signals as catalogue
from oscar.apps.catalogue.reviews import signals as reviews
from oscar.apps.checkout import signals as checkout
from oscar.apps.customer import signals as customer
from oscar.apps.order import signals as order_signals
from oscar.apps.search import signals as search
from oscar.core.loading import get_model

from oscar_recsite.conf import is_on, setting
from oscar_recsite.harmless import harmless
from oscar_recsite.items import for_sale, price_of
from oscar_recsite.orders import names_of, purchase_of, refund_of
from oscar_recsite.outgoing import send_after_commit
from oscar_recsite.people import request_now, shopper_of
from recsite_client import new_event
from recsite_client.bodies import EventFields, EventItem

BEST = 5  # stars of Oscar's reviews
LONGEST_TERM = 200


def quiet(receiver: Callable[..., None]) -> Callable[..., None]:
    """The receiver, which does nothing while the adapter is off, and whose errors are the log's alone."""
    run = harmless(receiver)

    @functools.wraps(receiver)
    def receive(sender: object, *, signal: object = None, **given: Any) -> None:  # noqa: ARG001 - a receiver's
        if is_on():
            run(**given)

    return receive


def connect() -> None:
    """Connect all receivers; the app does so when it is ready."""
    for signal, receiver in (
        (catalogue.product_viewed, viewed),
        (basket.basket_addition, added),
        (checkout.start_checkout, checkout_begun),
        (order_signals.order_placed, ordered),
        (order_signals.order_status_changed, order_changed),
        (search.user_search, searched),
        (reviews.review_added, reviewed),
        (customer.user_registered, signed_in),
        (auth.user_logged_in, signed_in),
        (auth.user_logged_out, signed_out),
    ):
        signal.connect(receiver, dispatch_uid=f"recsite-{receiver.__name__}")
    models.post_delete.connect(removed, sender=get_model("basket", "Line"), dispatch_uid="recsite-removed")
    for name, key in (
        ("Product", "pk"),
        ("ProductImage", "product_id"),
        ("ProductAttributeValue", "product_id"),
        ("ProductCategory", "product_id"),
    ):
        _watch(get_model("catalogue", name), key)
    _watch(get_model("partner", "StockRecord"), "product_id")


def _watch(model: Any, key: str) -> None:
    """Send the product of each row of a model that is saved or deleted."""

    @quiet
    def changed(*, instance: Any, raw: bool = False, **_given: Any) -> None:
        if not raw and getattr(instance, key):
            send_after_commit("items", getattr(instance, key))

    for signal in (models.post_save, models.post_delete):
        signal.connect(changed, sender=model, weak=False, dispatch_uid=f"recsite-{model.__name__}")


def tell(name: str, request: HttpRequest, **fields: Any) -> None:
    """Tell Recsite of an act of this request's visitor; robots do not act."""
    shopper = shopper_of(request)
    if not shopper.is_robot:
        where = {"channel": "web", "page": request.path}
        said = cast("EventFields", {**shopper.names(), **fields, "context": where})
        send_after_commit("events", new_event(name, **said))


@quiet
def viewed(*, product: Any, request: HttpRequest, **_given: Any) -> None:
    shopper, item_id = shopper_of(request), str(for_sale(product).pk)
    recommendation_id = shopper.answer_of(item_id)
    if request.GET.get("rid") == recommendation_id:
        shopper.note_click(item_id, recommendation_id)
    tell("view_item", request, items=[{"item_id": item_id}], **_led_by(recommendation_id))


@quiet
def added(*, product: Any, request: HttpRequest, **_given: Any) -> None:
    item_id, line = str(product.pk), _line(product, request)
    quantity = request.POST.get("quantity", "1")
    line["quantity"] = int(quantity) if quantity.isdecimal() and 0 < int(quantity) < 10_000 else 1
    shopper = shopper_of(request)
    recommendation_id = shopper.answer_of(item_id)
    shopper.note_click(item_id, recommendation_id)
    tell("add_to_cart", request, items=[line], **_led_by(recommendation_id))


@quiet
def removed(*, instance: Any, **_given: Any) -> None:
    """Oscar has no signal for it: a line that is deleted in a visitor's own request to the basket was taken out."""
    request = request_now()
    match = getattr(request, "resolver_match", None)
    if request is not None and match is not None and match.namespace == "basket" and match.url_name == "summary":
        line: EventItem = {"item_id": str(instance.product_id)}
        if instance.quantity:  # 0, where that was how the visitor took it out
            line["quantity"] = instance.quantity
        tell("remove_from_cart", request, items=[line])


@quiet
def checkout_begun(*, request: HttpRequest, **_given: Any) -> None:
    tell("begin_checkout", request)


@quiet
def ordered(*, order: Any, **_given: Any) -> None:
    request = request_now()
    own = request is not None and request.user.pk == order.user_id  # not one that staff place for somebody
    names = shopper_of(request).names() if request is not None and own else names_of(order)
    if event := purchase_of(order, names):
        send_after_commit("events", event, precious=True)


@quiet
def order_changed(*, order: Any, new_status: str, **_given: Any) -> None:
    if new_status in setting("RECSITE_REFUNDED") and (event := refund_of(order, names_of(order))):
        send_after_commit("events", event, precious=True)


@quiet
def searched(*, query: str, **_given: Any) -> None:
    request, term = request_now(), query.strip()[:LONGEST_TERM]
    if request is not None and term and request.GET.get("page", "1") == "1":
        tell("search", request, search_term=term)


@quiet
def reviewed(*, review: Any, request: HttpRequest, **_given: Any) -> None:
    item_id = str(for_sale(review.product).pk)
    tell("rate_item", request, items=[{"item_id": item_id}], rating=review.score, rating_scale=BEST)


@quiet
def signed_in(*, user: Any, request: HttpRequest | None = None, **_given: Any) -> None:
    """What the visitor did counts for the customer from now on."""
    if request is not None and (anonymous_id := shopper_of(request).visitor_of(user)):
        send_after_commit("mergers", (anonymous_id, str(user.pk)))


@quiet
def signed_out(*, request: HttpRequest | None = None, **_given: Any) -> None:
    if request is not None:
        shopper_of(request).part()


def _line(product: Any, request: HttpRequest) -> EventItem:
    line: EventItem = {"item_id": str(product.pk)}
    price = price_of(product, getattr(request, "strategy", None))
    if price is not None:
        line["price"] = price
    return line


def _led_by(recommendation_id: str) -> EventFields:
    return {"recommendation_id": recommendation_id} if recommendation_id else {}
