"""The systems whose events are understood: who reads them, and by what one of their products may be called."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from re import compile as pattern
from typing import Any

import msgspec
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from recommendations.ingest.event_schema import MOST_ROWS, EventForm, EventRow, ParsedBody, PersonForm, decode_row
from recommendations.ingest.likeness import advice, look_of
from recommendations.ingest.refusal import Refusal, UnreadableError, Unused
from recommendations.ingest.sources import algolia, ga4, recombee, segment, shopify, vertex, woocommerce
from recommendations.ingest.sources.adapter import Call, Options, Reader, as_json


@dataclass(frozen=True)
class System:
    """Somebody else's system.

    ``marks``: fields of which each of its calls has one, else it is none; ``remedy``: what to send instead.
    ``lists``: paths of the lists that a body may have its calls in.
    ``item_ids``: fields of a product that the address may choose as the item's id; ``secret``: our setting of that by
    which it signs.
    """

    label: str
    calls_in: Reader
    marks: tuple[str, ...]
    remedy: Promise
    item_ids: tuple[str, ...] = ()
    secret: str = ""
    lists: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.label.lower()


LISTED = gettext_lazy("Send one call, or {“%(list)s”: [1 to %(most)s calls]}.")
BARE = gettext_lazy("Send what its webhook sends, with nothing around it.")
EVENTS: Mapping[str, System] = {
    "segment": System("Segment", segment.calls_in, segment.MARKS, LISTED, ("product_id", "sku"), lists=segment.LISTS),
    "ga4": System("GA4", ga4.calls_in, ga4.MARKS, LISTED, ("item_id", "item_variant"), lists=ga4.LISTS),
    "vertex": System("Vertex", vertex.calls_in, vertex.MARKS, LISTED, lists=vertex.LISTS),
    "recombee": System(
        "Recombee",
        recombee.calls_in,
        recombee.MARKS,
        gettext_lazy(
            "Send {“%(list)s”: [1 to %(most)s calls]}, or an interaction to an address of its own, such as "
            "/api/v1/events/recombee/purchases/."
        ),
        lists=recombee.LISTS,
    ),
    "algolia": System("Algolia", algolia.calls_in, algolia.MARKS, LISTED, lists=algolia.LISTS),
}
"""Systems whose events come with a key."""
HOOKS: Mapping[str, System] = {
    "shopify": System(
        "Shopify",
        shopify.calls_in,
        shopify.MARKS,
        BARE,
        ("product_id", "variant_id", "sku"),
        "SHOPIFY_WEBHOOK_SECRET",
    ),
    "woocommerce": System(
        "WooCommerce",
        woocommerce.calls_in,
        woocommerce.MARKS,
        BARE,
        ("product_id", "variation_id", "sku"),
        "WOOCOMMERCE_WEBHOOK_SECRET",
    ),
}
"""Systems that call, and sign what they say."""
OURS = pattern(r"r-[0-9A-Za-z]{8,62}")
"""The form of ids of our answers; others' ids of theirs are left out."""


def hooks_there() -> dict[str, str]:
    """Systems that may call, by the end of their address, with what they are called."""
    return {name: system.label for name, system in HOOKS.items() if getattr(settings, system.secret)}


class Foreign(msgspec.Struct):
    """A foreign body: its events as rows of ours, and the calls that they were."""

    body: ParsedBody
    calls: list[Call]


def read_foreign(system: System, content: bytes, *, now: datetime, options: Options) -> Foreign:
    """The events of a foreign body. Raises UnreadableError, and msgspec's DecodeError or RecursionError."""
    decoded: Any = msgspec.json.decode(content)
    calls = list(system.calls_in(decoded, now, options))
    if not 1 <= len(calls) <= MOST_ROWS:
        raise UnreadableError(Refusal("", _("Send 1 to %(most)s events.") % {"most": MOST_ROWS}))
    body = ParsedBody(rows=[], places=[call.place for call in calls])
    for number, call in enumerate(calls):
        if call.unused:
            sent = call.event.get("event_id") if isinstance(call.event, dict) else None
            body.rows.append(Unused(call.unused, system=system.label))
            if isinstance(sent, str):
                body.ids[number] = sent
            continue
        row, sent_id = row_of(call, system)
        body.rows.append(row)
        if sent_id is not None:
            body.ids[number] = sent_id
    return Foreign(body, calls)


def row_of(call: Call, system: System, *, in_file: bool = False) -> tuple[EventRow, str | None]:
    """A call as a row of ours, and its id where that is no UUID."""
    if call.is_strange:
        foreign = _named_in_file(call.event, system) if in_file else advice(call.event, at=system.name)
        return Refusal("", foreign or _why_strange(system)), None
    if isinstance(call.event, dict):
        _spell(call.event)
    row, sent_id = decode_row(as_json(call.event))
    if call.is_person and isinstance(row, EventForm):
        row = PersonForm(*(getattr(row, name) for name in EventForm.__struct_fields__))
    return row, sent_id


def _named_in_file(row: Mapping[str, Any], system: System) -> str:
    """Whose call an object in a file of the system's seems to be, and how it is imported; empty where that is open."""
    look = look_of(row)
    if look is None or look.system == system.name or look.system not in EVENTS:
        return ""
    text = _("This looks like %(what)s; import such lines by themselves, with --from %(system)s.")
    return text % {"what": look.what, "system": look.system}


def _why_strange(system: System) -> str:
    """Why an object is no call of a system's, and what to send instead."""
    text = _("This is no call of %(system)s: it has no %(marks)s.")
    marks = pgettext("between values", " or ").join(f"“{mark}”" for mark in system.marks)
    values = {"list": system.lists[-1] if system.lists else "", "most": MOST_ROWS}
    return f"{text % {'system': system.label, 'marks': marks}} {system.remedy % values}"


def _spell(event: dict[str, Any]) -> None:
    """Leave out an id of somebody else's answer, and write the currency as we do."""
    if not OURS.fullmatch(str(event.get("recommendation_id", ""))):
        event.pop("recommendation_id", None)
    if isinstance(currency := event.get("currency"), str):
        event["currency"] = currency.upper()
