"""The list of experiments, by what they are at."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from analytics.parameters import page_number
from analytics.queries.experiments import listing as query
from analytics.queries.experiments.listing import ExperimentTab

TABS = {
    ExperimentTab.RUNNING: _("Running"),
    ExperimentTab.FINISHED: _("Finished"),
    ExperimentTab.DRAFTS: _("Drafts"),
    ExperimentTab.PRACTICE: _("Practice"),
}


@require_safe
def experiments(request: HttpRequest) -> HttpResponse:
    asked = request.GET.get("tab", "")
    tab = ExperimentTab(asked) if asked in set(ExperimentTab) else ExperimentTab.RUNNING
    page, rows = query.experiments(tab, page=page_number(request.GET.get("page")), now=timezone.now())
    numbers = query.counts()
    context = {
        "section": "experiments",
        "tab": tab,
        "tabs": [
            (code, words, numbers[code])
            for code, words in TABS.items()
            if settings.DEMO or numbers[code] or code is not ExperimentTab.PRACTICE
        ],
        "total": sum(numbers.values()),
        "page": page,
        "rows": rows,
    }
    return render(request, "dashboard/experiments/listing.html", context)
