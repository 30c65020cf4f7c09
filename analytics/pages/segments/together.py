"""The page of what is bought together; filters and order stand in the address."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts.together import network
from analytics.exports.together import together_file
from analytics.pages.columns import Column, column_heads, without
from analytics.queries.layout import read_frame
from analytics.queries.segments import together as query


@require_safe
def together(request: HttpRequest) -> HttpResponse:
    frame, filters = read_frame(), query.Filters(request.GET)
    if request.GET.get("format") == "csv":
        return together_file(query.first_pairs(filters, model=frame.model))
    page, pairs = query.together(filters, model=frame.model)
    drawn = query.drawn(filters, model=frame.model)
    figure = network(drawn.nodes, drawn.edges, pairs=_("Pairs"), lift=_("Lift"))
    context = {
        "section": "segments",
        "frame": frame,
        "filters": filters.cleaned_data,
        "page": page,
        "pairs": pairs,
        "chips": [(words, without(request.GET, name)) for name, words in filters.chips()],
        "heads": column_heads(request.GET, _columns(), sort=filters.sort, downwards=query.SORTS),
        "network": drawn,
        "hub": max(drawn.nodes, key=lambda node: node.links, default=None),
        "network_figure": figure.to_json(engine="orjson"),
        "most_in_a_file": query.MOST_IN_A_FILE,
    }
    return render(request, "dashboard/segments/together.html", context)


def _columns() -> list[Column]:
    return [
        Column(key="", words=_("If in the basket")),
        Column(key="", words=_("Then also")),
        Column(key="lift", words=_("Lift"), css="num", help="pair_lift"),
        Column(key="confidence", words=_("Confidence"), css="num", help="confidence"),
        Column(key="support", words=_("Support"), css="num", help="support"),
        Column(key="baskets", words=_("Baskets with both"), css="num"),
    ]
