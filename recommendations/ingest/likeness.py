"""What a body that is no event of ours looks like, and where such a one is sent."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class ForeignLook(NamedTuple):
    """Fields by which something foreign is known: all of ``fields``, and one of ``others`` where there are any.

    ``system`` is its name in ``sources.table``.
    """

    what: Promise
    address: str
    system: str
    fields: frozenset[str]
    others: frozenset[str] = frozenset()

    def fits(self, names: Collection[str]) -> bool:
        return self.fields <= {*names} and (not self.others or not self.others.isdisjoint(names))


def _look(what: Promise, address: str, fields: str, others: str = "") -> ForeignLook:
    return ForeignLook(
        what, address, address.strip("/").rpartition("/")[2], frozenset(fields.split()), frozenset(others.split())
    )


LOOKS = (
    _look(gettext_lazy("a Shopify order"), "/api/v1/hooks/shopify/", "line_items", "admin_graphql_api_id cart_token"),
    _look(gettext_lazy("a Shopify refund"), "/api/v1/hooks/shopify/", "refund_line_items order_id"),
    _look(
        gettext_lazy("a WooCommerce order"), "/api/v1/hooks/woocommerce/", "line_items", "order_key date_created_gmt"
    ),
    _look(gettext_lazy("a Segment batch"), "/api/v1/events/segment/", "batch"),
    _look(gettext_lazy("a Segment call"), "/api/v1/events/segment/", "type", "messageId userId anonymousId"),
    _look(gettext_lazy("a Segment call"), "/api/v1/events/segment/", "event properties"),
    _look(gettext_lazy("a Vertex UserEvent"), "/api/v1/events/vertex/", "eventType visitorId"),
    _look(
        gettext_lazy("Vertex UserEvents"), "/api/v1/events/vertex/", "", "userEvents inputConfig userEventInlineSource"
    ),
    _look(gettext_lazy("an Algolia Insights event"), "/api/v1/events/algolia/", "eventType eventName"),
    _look(gettext_lazy("a Recombee batch"), "/api/v1/events/recombee/", "requests"),
    _look(gettext_lazy("a Recombee request"), "/api/v1/events/recombee/", "method path"),
    _look(gettext_lazy("a Recombee interaction"), "/api/v1/events/recombee/", "userId itemId"),
    _look(gettext_lazy("a GA4 Measurement Protocol body"), "/api/v1/events/ga4/", "", "client_id app_instance_id"),
    _look(gettext_lazy("a GA4 Measurement Protocol event"), "/api/v1/events/ga4/", "name params"),
)


def advice(fields: Mapping[str, object], *, at: str = "") -> str:
    """What an object with these fields looks like, and where to send it; empty where it looks like nothing known.

    ``at``: the system, by its name in ``sources.table``, at whose address it came, where it came at one.
    """
    if {"event", "ecommerce"} <= fields.keys():
        return _("This looks like a push to GA4's dataLayer; in the page, recsite.fromDataLayer() sends it.")
    look = look_of(fields)
    if look and look.system != at:
        return _("This looks like %(what)s; send it to %(address)s.") % {"what": look.what, "address": look.address}
    return ""


def look_of(names: Collection[str]) -> ForeignLook | None:
    """What an object with members of these names looks like; None where that is nothing known."""
    return next((look for look in LOOKS if look.fits(names)), None)
