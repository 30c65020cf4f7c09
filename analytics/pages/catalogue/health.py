"""Catalogue and data health, and the catalogue as a list; filters and order stand in the address."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from analytics.charts import catalogue as charts
from analytics.exports.items import items_file
from analytics.pages.columns import Column, column_heads, without
from analytics.queries.catalogue import health as query
from analytics.queries.catalogue import items as listing
from analytics.queries.catalogue.insights import FIELDS_OF, FLAWS, insights
from analytics.queries.catalogue.pictures import strange_hosts
from analytics.queries.catalogue.suspicious import extent
from analytics.queries.layout import read_frame
from analytics.queries.overview.served import NEWEST_ANSWERS
from analytics.queries.runs.cleaning import left_out
from recommendations.models import Customer, Import
from recommendations.services.catalogue.exposure import Exposure, exposure
from recommendations.services.catalogue.picture_counts import department_pictures
from recommendations.services.catalogue.pictures import PictureReading, picture_reading
from recommendations.services.catalogue.quality import CatalogueFlaw, Flaws, flaws, is_flaw, wanted_fields
from recommendations.services.operations.data_health import Suspect, refused, suspects

BOUGHT, RECOMMENDED = 1, 3  # hues
FEW = 4  # departments that stand open


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    now, frame = timezone.now(), read_frame()
    live = exposure(frame.model)
    report = flaws(live, now=now)
    imports, robots = list(Import.objects.all()[:50]), suspects(frame.model)
    refusals = refused(imports)
    context = {
        "section": "catalogue",
        "frame": frame,
        "known": live,
        "flaws": report,
        "touched": {str(flaw): touched for flaw, touched in report.found.items()},
        "shares": {str(flaw): touched.items / report.listed for flaw, touched in report.found.items()}
        | {"recommended": report.recommended / report.listed}
        if report.listed
        else {},
        "fields": query.completeness(report),
        "insights": insights(report, refusals, robots),
        "newest": query.newest(live, now=now),
        "newest_answers": NEWEST_ANSWERS,
        "imports": imports,
        "refusals": refusals,
        "left_out": left_out(frame.model),
        "robots": _robots(robots),
        "extent": extent(),
    }
    context |= _tail(live, report) | _warming(live, report)
    if report.has_pictures:
        context |= _pictures(report, own=request.build_absolute_uri("/").rstrip("/"))
    return render(request, "dashboard/catalogue/health.html", context)


@require_safe
def items(request: HttpRequest) -> HttpResponse:
    now, frame, filters = timezone.now(), read_frame(), listing.Filters(request.GET)
    live = exposure(frame.model)
    if request.GET.get("format") == "csv":
        return items_file(listing.first_lines(filters, live, now=now))
    departments = listing.departments()
    chips = filters.chips(department=lambda path: dict(departments).get(path, path))
    page, lines = listing.items(filters, live, now=now)
    context = {
        "section": "catalogue",
        "frame": frame,
        "known": live,
        "filters": filters.cleaned_data,
        "page": page,
        "lines": lines,
        "flaw_words": [
            (flaw, words) for flaw, (words, _meaning) in FLAWS.items() if is_flaw(flaw) or flaw == filters.flaw
        ],
        "meaning": FLAWS[filters.flaw][1] if filters.flaw else "",
        "departments": departments,
        "chips": [(words, without(request.GET, name)) for name, words in chips],
        "heads": column_heads(
            request.GET, _columns(), sort=filters.sort, downwards=("price", "listed", "bought", "slots")
        ),
        "most_in_a_file": listing.MOST_IN_A_FILE,
        "edit_query": _edit_query(request, filters.flaw),
    }
    return render(request, "dashboard/catalogue/items.html", context)


def _pictures(report: Flaws, *, own: str) -> dict[str, Any]:
    reading = picture_reading()
    departments = department_pictures(report.mark) if reading is not PictureReading.NEVER else []
    return {
        "reading": reading,
        "departments": departments[:FEW],
        "more_departments": departments[FEW:],
        "strange_hosts": strange_hosts(own, mark=report.mark),
    }


def _edit_query(request: HttpRequest, flaw: CatalogueFlaw | None) -> str:
    """Parameters of the form of a row: the field in which the flaw is mended, and the way back to this list."""
    mended = {"field": FIELDS_OF[flaw], "flaw": flaw} if flaw and flaw in FIELDS_OF else {}
    return urlencode({**mended, "next": request.get_full_path()})


def _columns() -> list[Column]:
    """The columns of the list; of the price where the shop asks for one."""
    price = [Column(key="price", words=_("Price"), css="num")] if "price" in wanted_fields() else []
    return [
        Column(key="title", words=_("Item")),
        Column(key="", words=_("Category")),
        *price,
        Column(key="", words=_("Stock")),
        Column(key="listed", words=_("Listed")),
        Column(key="bought", words=pgettext("taken", "Bought"), css="num", help="bought"),
        Column(key="slots", words=_("Slots"), css="num", help="slots"),
    ]


def _tail(known: Exposure | None, found: Flaws) -> dict[str, Any]:
    tail = query.tail(known, listed=found.listed)
    if tail is None:
        return {"tail": None}
    lines = [
        charts.ConcentrationCurve(
            words=pgettext("taken", "Purchases"), hue=BOUGHT, dash="solid", points=tail["bought"].points
        ),
        charts.ConcentrationCurve(
            words=_("Recommendations"), hue=RECOMMENDED, dash="dash", points=tail["slots"].points
        ),
    ]
    figure = charts.lorenz(
        lines,
        items=_("Items, least wanted first, %"),
        whole=_("Share of the whole, %"),
        equal=_("Perfectly even"),
    )
    return {
        "tail": tail,
        "tail_figure": figure.to_json(engine="orjson"),
        "tail_rows": list(zip(tail["bought"].points[::20], tail["slots"].points[::20], strict=True))[1:],
    }


def _warming(known: Exposure | None, found: Flaws) -> dict[str, Any]:
    ages = query.warming(known, mark=found.mark)
    groups = [
        charts.AgeGroup(
            words=_age(each),
            brief=f"{each.start // 7}+" if each.start else "0",
            bought=each.bought_share,
            recommended=each.recommended_share,
        )
        for each in ages
    ]
    figure = charts.warming(
        groups,
        age=_("Weeks since the item was listed"),
        share=_("Items, %"),
        bought=_("bought at least once"),
        recommended=_("in someone's list"),
    )
    return {
        "ages": [(group.words, age) for group, age in zip(groups, ages, strict=True)],
        "oldest": ages[-1] if ages else None,
        "mostly_new": query.mostly_new(ages),
        "ages_figure": figure.to_json(engine="orjson"),
    }


def _age(group: query.Age) -> str:
    start, end = group.start // 7, group.end and group.end // 7
    if end is None:
        return pgettext("weeks", "%(start)d and more") % {"start": start}
    return f"{start}–{end}" if start else pgettext("weeks", "under %(end)d") % {"end": end}


def _robots(found: Sequence[Suspect] | None) -> list[tuple[Customer, Suspect]] | None:
    if found is None:
        return None
    there = Customer.objects.in_bulk([each.customer for each in found[:50]])
    return [(there[each.customer], each) for each in found if each.customer in there]
