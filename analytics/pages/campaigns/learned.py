"""What messages teach: every model beside its naive baselines, with intervals and calibration."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts.quality import CalibrationPart, calibration
from analytics.queries.campaigns import learned as query
from analytics.templatetags.display import number, share
from recommendations.engine.push.figures import Tenth


@require_safe
def message_models(request: HttpRequest) -> HttpResponse:
    cards = [(card, _figure(card.tenths) if card.tenths else "") for card in query.cards()]
    return render(request, "dashboard/campaigns/learned.html", {"section": "campaigns", "cards": cards})


def _figure(tenths: Sequence[Tenth]) -> str:
    parts = [
        CalibrationPart(
            said=each.said, was=each.was, low=each.low, high=each.high,
            words=_("said %(said)s, was %(was)s of %(n)s") % {
                "said": share(each.said, 1), "was": share(each.was, 1), "n": number(each.rows),
            },
        )
        for each in tenths
    ]  # fmt: skip
    figure = calibration(parts, said=_("Chance that was said"), was=_("Share that was so"))
    return str(figure.to_json(engine="orjson"))
