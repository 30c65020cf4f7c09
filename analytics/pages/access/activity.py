"""The page of the audit trail: who did what to which object, and why; filters stand in the address."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.exports.activity import activity_file
from analytics.pages.access.permission import staff_of
from analytics.queries import activity as query
from analytics.queries.activity import Filters
from analytics.queries.activity_sentences import names_of, sentences
from analytics.templatetags.activity import KINDS, VERBS
from recommendations.models import Staff
from recommendations.services.access.audit import hidden_kinds


@require_safe
def activity(request: HttpRequest) -> HttpResponse:
    filters, staff = Filters(request.GET), staff_of(request)
    if request.GET.get("format") == "csv":
        return activity_file(query.all_entries(filters, by=staff))
    people = list(Staff.objects.order_by("email"))
    hidden = hidden_kinds(staff)
    names = {person.pk: str(person) for person in people} | {0: _("Scheduled or by command")}
    page = query.activity(filters, by=staff)
    known = names_of(page)
    context = {
        "section": "activity",
        "filters": filters.cleaned_data,
        "people": people,
        "page": page,
        "lines": [(entry, sentences(entry, known)) for entry in page],
        "kinds": [(kind, words) for kind, words in KINDS.items() if kind not in hidden],
        "verbs": VERBS.items(),
        "chips": filters.chips(
            kind=lambda kind: f"{KINDS[kind]} {filters.key}".strip(), staff=lambda key: names.get(key, key)
        ),
    }
    return render(request, "dashboard/activity.html", context)
