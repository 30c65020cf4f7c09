"""The page of one item of the catalogue."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from analytics.charts import item as charts
from analytics.pages.addresses import or_404
from analytics.queries.catalogue import item as query
from analytics.queries.layout import read_frame
from analytics.queries.overview.served import NEWEST_ANSWERS, served
from recommendations.services.catalogue.alike import alike_items
from recommendations.services.catalogue.exposure import Exposure, exposure
from recommendations.services.promises.suiting import suited
from recommendations.wording import labels


@require_safe
def item(request: HttpRequest, pk: int) -> HttpResponse:
    record = or_404(query.find_item(pk))
    frame = read_frame()
    live = exposure(frame.model)
    points = query.prices(record)
    figure = charts.prices(points, until=timezone.localtime(), time=_("Day"), price=_("Price"))
    context = {
        "section": "catalogue",
        "frame": frame,
        "item": record,
        "attributes": sorted(record.attributes.items()) if isinstance(record.attributes, dict) else [],
        "known": live,
        "prices": points,
        "prices_figure": figure.to_json(engine="orjson"),
        "promotions": query.promotions(record),
        "today": timezone.localdate(),
        "neighbours": query.neighbours(record, model=frame.model),
        "served": served([record.pk])[record.pk],
        "newest_answers": NEWEST_ANSWERS,
    }
    return render(request, "dashboard/catalogue/item.html", context | _standing(query.standing(record, live), live))


@require_safe
def item_alike(request: HttpRequest, pk: int) -> HttpResponse:
    """Items that read or look like one; a part of its page, or a page where nobody scripts."""
    record = or_404(query.find_item(pk))
    alike = alike_items(record, version=read_frame().model)
    context = {"section": "catalogue", "item": record, "alike": alike.reading, "looks": alike}
    part = "HX-Request" in request.headers
    return render(request, f"dashboard/catalogue/alike{'' if part else '_page'}.html", context)


@require_safe
def item_suits(request: HttpRequest, pk: int) -> HttpResponse:
    """Whom an item suits; a part of its page, or a page where nobody scripts."""
    record = or_404(query.find_item(pk))
    suits = suited(record.pk)
    context = {"section": "catalogue", "item": record, "suited": suits, "segments": query.suited_segments(suits)}
    part = "HX-Request" in request.headers
    return render(request, f"dashboard/catalogue/suits{'' if part else '_page'}.html", context)


def _standing(standing: query.ItemStanding | None, known: Exposure | None) -> dict[str, Any]:
    if standing is None or known is None:
        return {"standing": None}
    figure = charts.weeks(
        standing.weeks,
        time=_("Week from"),
        events=_("Events"),
        bought=pgettext("taken", "Bought"),
        others=_("Other events"),
    )
    words = dict(labels.BLENDS)
    return {
        "standing": standing,
        "smallest": settings.SMALLEST_GROUP,
        "young": standing.buyers < query.FEW_BUYERS,
        "until": known.ended_at,
        "receivers": [(words[each.blend], each) for each in standing.receivers],
        "weeks_figure": figure.to_json(engine="orjson"),
    }
