"""Staff's judgements on the page of quality; the items called wrong are loaded after it, as answers are made."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts.judgements import shares
from analytics.queries.quality import judgements as query
from recommendations.services.review.review import NotLoadedError
from recommendations.wording import labels


def panel() -> dict[str, Any]:
    """The context of ``quality/judgements.html``."""
    opinion = query.opinion()
    figure = opinion and shares(opinion.newest.shares, axis=_("Share of the verdicts, %")).to_json(engine="orjson")
    return {"opinion": opinion, "judgements": [words for _code, words in labels.JUDGEMENTS], "opinion_figure": figure}


@require_safe
def wrong_items(request: HttpRequest) -> HttpResponse:
    """The part of the panel that lists the items judged wrong, those still shown first."""
    try:
        context: dict[str, Any] = {"wrong": query.wrong_items()}
    except NotLoadedError:
        context = {"problem": _("The model is still being read. Load the page again in a few seconds.")}
    return render(request, "dashboard/quality/wrong_items.html", context)
