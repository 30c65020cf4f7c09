"""What the shop's data allow: whom they reach, what is missing for which placement, and what to do next."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import staff_of
from analytics.queries import your_data as query
from analytics.queries.layout import read_frame
from analytics.queries.setup import placements
from recommendations.services.catalogue.quality import flaws, is_flaw
from recommendations.services.operations.record_counts import record_counts
from recommendations.wording import labels


@require_safe
def your_data(request: HttpRequest) -> HttpResponse:
    now, frame = timezone.now(), read_frame()
    counts, report = record_counts(frame.model, now=now), flaws(None, now=now)
    data = query.YourData(counts=counts, flaws=report, frame=frame, staff=staff_of(request), now=now)
    names, kinds = dict(labels.EVENT_NAMES), sorted(counts.kinds.items(), key=lambda kind: -kind[1])
    context = {
        "section": "setup",
        "tab": "data",
        "frame": frame,
        "data": data,
        "counts": counts,
        "kinds": [(names[name], lines) for name, lines in kinds],
        "lacking": [(flaw, report.found[flaw].items) for flaw in query.COUNTED if is_flaw(flaw)],
        "placements": query.placement_data(data, [each.name for each in placements() if each.enabled]),
        "next_steps": query.next_steps(data),
    }
    return render(request, "dashboard/setup/your_data.html", context)
