"""Staff's judgements on the page of quality; the items called wrong are loaded after it, as answers are made."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts.judgements import shares
from analytics.charts.marks import MeasuredRow
from analytics.templatetags.words import judgement_label
from recommendations.services.review.judgements import judged, judged_of_newest, wrong_items
from recommendations.serving.serve import NotLoadedError

SHOWN_VERSIONS = 10


def panel() -> dict[str, Any]:
    """The context of ``quality/judgements.html``: judgements of the newest model as a whole, and of each version."""
    versions = judged()
    newest = judged_of_newest(versions)
    if newest is None:
        return {}
    rows = [
        MeasuredRow(name=kind, words=judgement_label(kind), **share._asdict()) for kind, share in newest.shares.items()
    ]
    return {
        "newest": newest,
        "versions": versions[:SHOWN_VERSIONS],
        "judgement_figure": shares(rows, axis=_("Share of the verdicts, %")).to_json(engine="orjson"),
    }


@require_safe
def wrong_items_panel(request: HttpRequest) -> HttpResponse:
    """The part of the panel that lists the items judged wrong, those still shown first."""
    try:
        context: dict[str, Any] = {"wrong": wrong_items()}
    except NotLoadedError:
        context = {"problem": _("The model is still loading. Reload the page in a few seconds.")}
    return render(request, "dashboard/quality/wrong_items.html", context)
