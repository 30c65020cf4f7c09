"""Interest groups: all of them with their map, and one; their names are edited in place."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts import segments as charts
from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.addresses import page_address
from analytics.pages.undo import offer_undo
from analytics.parameters import typed
from analytics.queries.layout import read_frame
from analytics.queries.segments import overview as query
from recommendations.models import Segment
from recommendations.services.access.policy import Action
from recommendations.services.operations.segments import LONGEST_NAME, Picture, picture, rename_segment

LONGEST_TYPED = 1_000  # of a name that is too long, so that it can be shown again


@require_safe
def segments(request: HttpRequest) -> HttpResponse:
    return _all(request)


@require_safe
def segment(request: HttpRequest, number: int) -> HttpResponse:
    return _one(request, number)


@post_requires(Action.DRAFT)
def rename(request: HttpRequest, number: int) -> HttpResponse:
    stored = get_object_or_404(Segment, number=number)
    of_one = request.POST.get("back") == "segment"
    name, was = typed(request.POST.get("name"), longest=LONGEST_TYPED), stored.name
    try:
        renamed = rename_segment(segment=stored, name=name, by=staff_of(request))
    except ValidationError as error:
        refused = {"number": number, "typed": name, "problem": " ".join(error.message_dict["name"])}
        return _one(request, number, refused=refused) if of_one else _all(request, refused=refused)
    if renamed.name != was:
        text = _("The segment is now called “%(name)s”.") % {"name": renamed}
        offer_undo(request, text, "segment renamed", segment=number, before=was, after=renamed.name)
    if of_one:
        return redirect("segment", number=number)
    return redirect(reverse("segments", fragment=f"segment-{number}"))


def _all(request: HttpRequest, *, refused: dict[str, Any] | None = None) -> HttpResponse:
    """The page of all segments; ``refused``: the name that was not taken, with its segment's number and the reason."""
    frame = read_frame()
    drawn = picture(frame.model)
    rows = query.groups(frame.model, drawn)
    context = {
        "section": "segments",
        "frame": frame,
        "found": rows,
        "gone": query.gone_but_used(),
        "looks": {group.segment.number: charts.look(group.segment.number) for group in rows.groups},
        "longest_name": LONGEST_NAME,
        "refused": refused,
        "here": page_address(request, reverse("segments")),
        "back": "segments",
    }
    context |= _map(rows, drawn)
    return render(request, "dashboard/segments/overview.html", context, status=422 if refused else 200)


def _map(found: query.SegmentRows, drawn: Picture | None) -> dict[str, Any]:
    if drawn is None or not found.groups:
        return {"map_figure": ""}
    figure = charts.segment_map(query.centres(found, drawn), query.points(drawn), customers=_("customers"))
    return {"map_figure": figure.to_json(engine="orjson")}


def _one(request: HttpRequest, number: int, *, refused: dict[str, Any] | None = None) -> HttpResponse:
    frame = read_frame()
    drawn = picture(frame.model)
    rows = query.groups(frame.model, drawn)
    group = rows.of(number)
    if group is None:
        return _gone(request, number)
    attributes = query.attributes(number, drawn) if drawn and group.buying else []
    figure = charts.leanings(
        attributes,
        segment=str(group.segment),
        everybody=_("Everybody"),
        axis=_("Share of interest, %"),
    )
    context = {
        "section": "segments",
        "frame": frame,
        "group": group,
        "everybody": rows.everybody,
        "compared": rows.compared,
        "attributes": attributes,
        "attributes_figure": figure.to_json(engine="orjson"),
        "uses": query.uses(group.segment),
        "longest_name": LONGEST_NAME,
        "refused": refused,
        "here": page_address(request, reverse("segment", args=[number])),
        "back": "segment",
    }
    return render(request, "dashboard/segments/segment.html", context, status=422 if refused else 200)


def _gone(request: HttpRequest, number: int) -> HttpResponse:
    """The page of a segment that no version goes on with, for rules and links that still lead to it."""
    stored = Segment.objects.select_related("version").filter(number=number).first()
    if stored is None or stored.version is None:
        raise Http404
    context = {"section": "segments", "segment": stored, "uses": query.uses(stored)}
    return render(request, "dashboard/segments/gone.html", context)
