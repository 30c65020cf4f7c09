"""The desk at which the hybrid is tuned, and what every move of a slider asks for."""

import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts import weights as charts
from analytics.charts.pareto import Spot, pareto
from analytics.pages.addresses import page_address
from analytics.queries.approvals import of_weights
from analytics.queries.weights import desk as query
from analytics.queries.weights import effect as effect_query
from analytics.queries.weights import past as past_query
from analytics.queries.weights.groups import group_choices, group_of, place
from analytics.templatetags.weights import WEIGHT, sentence
from recommendations.engine.evaluation.panel_measures import ACCURACY, COVERAGE, REVENUE
from recommendations.models import Group
from recommendations.services.weights.values import HIGHEST, Values, values_of
from recommendations.services.weights.versions import versions
from recommendations.services.weights.what_if import WhatIf, what_if
from recommendations.terms import BlendName
from recommendations.wording import labels

type Given = Mapping[str, str]

EFFECT = {
    "effect-sentence": "dashboard/weights/sentence.html",
    "effect-table": "dashboard/weights/table.html",
    "dirty-effect": "dashboard/weights/brief.html",
}
"""Parts of the page that a move changes: the place of each, and its template."""

LISTS = "dashboard/weights/movers.html"


def timed(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Tells the browser how long the answer took to make, in a ``Server-Timing`` header."""

    @wraps(view)
    def measured(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = view(request)
        took = f"page;dur={1000 * (time.perf_counter() - started):.1f}"
        response["Server-Timing"] = ", ".join(filter(None, [response.get("Server-Timing"), took]))
        return response

    return measured


@require_safe
def weights(request: HttpRequest) -> HttpResponse:
    """The desk; what is typed in the address goes before what it loads, so that a view can be handed on unsaved."""
    sent = request.GET
    more = {"open_publish": "publish" in sent, "open_ask": "ask" in sent}
    return desk_page(request, *place_in(sent), load=sent.get("load", ""), given=given_in(sent), more=more)


def desk_page(
    request: HttpRequest,
    blend: BlendName,
    group: Group,
    *,
    load: str = "",
    given: Given | None = None,
    errors: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """The page with what is loaded, or with what was typed and what is wrong about it."""
    desk = query.desk(blend, group, versions=versions(blend, group), load=load, given=given or {}, errors=errors or {})
    context: dict[str, Any] = {
        "section": "weights",
        "here": page_address(request, reverse("weights", query=place(str(blend), group))),
        "blends": labels.BLENDS,
        "groups": group_choices(group),
        "desk": desk,
        "approval": of_weights(desk.draft),
    }
    if desk.loaded:
        values = sent_values(given or {}, blend, otherwise=desk.loaded.values)
        context |= _effect(_asked(blend, group, values)) | {"points": query.loadable(desk)}
        figure = charts.effects(effect_query.shifts(context["effects"]), axis=_axis())
        context["effect_figure"] = figure.to_json(engine="orjson")
    return render(request, "dashboard/weights/desk.html", context | dict(more or {}), status=422 if errors else 200)


@require_safe
@timed
def weights_effect(request: HttpRequest) -> HttpResponse:
    """Answer of the desk to every move of a slider: parts of the page, the chart, or what is wrong, by field."""
    blend, group = place_in(request.GET)
    live = query.live_of(blend, group) if request.GET.get("load") == query.LIVE else None
    try:
        given: dict[str, Any] = {"weights": {}} | form_values(given_in(request.GET))
        values = Values.of(live) if live else values_of(given, blend=blend, otherwise=Values(weights={}))
    except ValidationError as error:
        return _json({"errors": first_messages(error)})
    result = _asked(blend, group, values)
    context = _effect(result)
    figures = {"effect-chart": charts.effect_parts(effect_query.shifts(result), axis=_axis())} if result.figures else {}
    response = _json(
        {
            "html": {place: render_to_string(template, context) for place, template in EFFECT.items()},
            "lists": render_to_string(LISTS, context),
            "figures": figures,
            "told": sentence(result),
        }
    )
    response["Server-Timing"] = f"panel;dur={result.took_ms}"
    return response


@require_safe
@timed
def weights_rest(request: HttpRequest) -> HttpResponse:
    """Slower answer of the desk, for when the hand rests: all points, and what each recommender is worth."""
    blend, group = place_in(request.GET)
    history = versions(blend, group, measured=True)
    load = request.GET.get("load", "")
    desk = query.desk(blend, group, versions=history, best=query.best_single(blend, group), load=load)
    if desk.loaded is None:
        return _json({"html": {}, "figures": {}})
    values = sent_values(given_in(request.GET), blend, otherwise=desk.loaded.values)
    live = past_query.of_live(desk)
    places, parts = past_query.located(desk, values), past_query.parts(desk, values, live=live)
    context = {
        "desk": desk,
        "versions": history,
        "places": places,
        "parts": parts,
        "live": {name: live.get(name) for name in (ACCURACY, REVENUE, COVERAGE)},
    }
    spots = [
        Spot(
            name=point.key, words=point.words, breadth=coverage / live[COVERAGE] - 1,
            accuracy=measure.value / live[ACCURACY] - 1,
        )
        for point, measure, coverage in places
        if live[COVERAGE] and live[ACCURACY]
    ]  # fmt: skip
    axes = {"breadth": _("Coverage against live, %"), "accuracy": _("Accuracy against live, %")}
    scatter = pareto(spots, **axes, in_percent=True)
    bars = charts.losses(parts, axis=_("Accuracy lost without it, % of live"))
    return _json(
        {
            "html": {
                "places": render_to_string("dashboard/weights/places.html", context, request),
                "versions": render_to_string("dashboard/weights/versions.html", context, request),
                "worth": render_to_string("dashboard/weights/worth.html", context, request),
            },
            "figures": {
                name: orjson.Fragment(figure.to_json(engine="orjson"))
                for name, figure in (("past-chart", scatter), ("worth-chart", bars))
                if places
            },
            "points": query.loadable(desk),
        }
    )


def place_in(sent: QueryDict) -> tuple[BlendName, Group]:
    """Blend and group that the address or the form speaks of."""
    return query.blend_of(sent.get("blend", "")), group_of(sent.get("group", ""))


def given_in(sent: QueryDict) -> Given:
    """The fields of the desk that were sent, as they were typed."""
    return {name: str(sent[name]) for name in sent if name.startswith(WEIGHT) or name in HIGHEST}


def form_values(given: Given) -> dict[str, Any]:
    """Fields of the desk as ``values_of`` takes them."""
    texts = {name.removeprefix(WEIGHT): text for name, text in given.items() if name.startswith(WEIGHT)}
    beside: dict[str, Any] = {name: text for name, text in given.items() if name in HIGHEST}
    return beside | ({"weights": texts} if texts else {})


def first_messages(error: ValidationError) -> dict[str, str]:
    """The first message of each field, by its name."""
    return {name: texts[0] for name, texts in error.message_dict.items()}


def sent_values(given: Given, blend: BlendName, *, otherwise: Values) -> Values:
    """Values that were sent; ``otherwise`` where they make no sense."""
    try:
        return values_of(form_values(given), blend=blend, otherwise=otherwise)
    except ValidationError:
        return otherwise


def _asked(blend: BlendName, group: Group, values: Values) -> WhatIf:
    return what_if(blend=blend, group=group, **values.as_fields())


def _effect(asked: WhatIf) -> dict[str, Any]:
    return {"effects": asked, "movers": asked.movers, "items": effect_query.items_of(asked)}


def _axis() -> str:
    return _("← less · against live, % · more →")


def _json(content: Mapping[str, Any]) -> HttpResponse:
    return HttpResponse(orjson.dumps(content), content_type="application/json")
