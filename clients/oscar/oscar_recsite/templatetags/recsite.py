"""``{% load recsite %}``: slots, and the tracker that counts who saw them."""

import logging
from typing import Any

from django import template
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from oscar.core.loading import get_model

from oscar_recsite import slots
from oscar_recsite.conf import heading_of, is_on, setting
from oscar_recsite.harmless import harmless
from oscar_recsite.people import shopper_of

log = logging.getLogger("oscar_recsite")
register = template.Library()


@register.simple_tag(takes_context=True)
def recsite_slot(context: template.Context, placement: str, n: int | None = None, **given: Any) -> str:
    """``{% recsite_slot "home" n=6 %}``: products for this visitor, as the shop draws them, or nothing at all.

    ``product``, ``category`` and ``title`` may be given; else they are those of the page, and of ``RECSITE_SLOTS``.
    """
    request: HttpRequest | None = context.get("request")
    if request is None or not is_on():
        return ""
    return _slot(context=context, request=request, placement=placement, n=n, given=given) or ""


@harmless
def _slot(
    *, context: template.Context, request: HttpRequest, placement: str, n: int | None, given: dict[str, Any]
) -> str:
    heading = given.get("title") or heading_of(placement)
    if heading is None:
        log.error("RECSITE_SLOTS has no slot %r, which a template asks for", placement)
        return ""
    answer = slots.answer_for(
        placement,
        request,
        n=n,
        product=_of_page(context, given, "product", "Product"),
        category=_of_page(context, given, "category", "Category"),
    )
    tiles = slots.tiles_of(answer, context, request) if answer else ()
    if not answer or not tiles:
        return ""
    return render_to_string(
        "oscar_recsite/slot.html",
        {
            "placement": placement,
            "heading": heading,
            "tiles": tiles,
            "recommendation_id": answer["recommendation_id"],
        },
    )


@register.simple_tag(takes_context=True)
def recsite_tracker(context: template.Context) -> SafeString | str:
    """The scripts that count impressions and clicks; nothing without ``RECSITE_PAGES_KEY``."""
    request: HttpRequest | None = context.get("request")
    if request is None or not is_on() or not setting("RECSITE_PAGES_KEY"):
        return ""
    return _tracker(request=request) or ""


@harmless
def _tracker(*, request: HttpRequest) -> str:
    shopper = shopper_of(request)
    if shopper.is_robot:
        return ""
    consent = {True: "yes", False: "no", None: ""}[shopper.consent]
    return render_to_string(
        "oscar_recsite/tracker.html",
        {
            "url": setting("RECSITE_URL"),
            "key": setting("RECSITE_PAGES_KEY"),
            "consent": consent,
            "anonymous_id": shopper.anonymous_id,
        },
    )


def _of_page(context: template.Context, given: dict[str, Any], name: str, model: str) -> Any:
    """What the page is about, of a kind, where it is about one."""
    value = given.get(name) or context.get(name)
    return value if isinstance(value, get_model("catalogue", model)) else None
