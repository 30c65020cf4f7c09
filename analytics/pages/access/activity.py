"""The page of the audit trail: who did what to which object, and why; filters stand in the address."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.exports.activity import activity_file
from analytics.pages.parameters import choice, day, number, page_number, typed
from analytics.queries import activity as query
from analytics.queries.activity import Filters
from analytics.queries.layout import read_frame
from analytics.templatetags.activity import KINDS, VERBS
from recommendations.models import Staff

LONGEST = 128


@require_safe
def activity(request: HttpRequest) -> HttpResponse:
    filters = _filters(request)
    if request.GET.get("format") == "csv":
        return activity_file(query.all_entries(filters))
    people = list(Staff.objects.order_by("email"))
    context = {
        "section": "activity",
        "frame": read_frame(),
        "filters": filters,
        "people": people,
        "page": query.activity(filters),
        "kinds": KINDS.items(),
        "verbs": VERBS.items(),
        "chips": _chips(filters, people),
    }
    return render(request, "dashboard/activity.html", context)


def _filters(request: HttpRequest) -> Filters:
    texts = {name: typed(request.GET.get(name), longest=LONGEST) for name in ("type", "id", "verb", "q")}
    return Filters(
        kind=choice(texts["type"], KINDS),
        key=texts["id"] if texts["type"] in KINDS else "",
        verb=choice(texts["verb"], VERBS),
        staff=number(request.GET.get("staff")),
        text=texts["q"],
        first=day(request.GET.get("from")),
        last=day(request.GET.get("until")),
        page=page_number(request.GET.get("page")),
    )


def _chips(filters: Filters, people: list[Staff]) -> list[tuple[str, str]]:
    """(parameter, words) of every filter that is on; each can be taken off."""
    chips = []
    if filters.kind:
        kind = str(KINDS[filters.kind])
        chips.append(("type", f"{kind} {filters.key}" if filters.key else kind))
    if filters.verb:
        chips.append(("verb", str(VERBS[filters.verb])))
    if filters.staff is not None:
        names = {person.pk: str(person) for person in people} | {0: _("the schedule or a command")}
        chips.append(("staff", names.get(filters.staff, str(filters.staff))))
    if filters.text:
        chips.append(("q", f"“{filters.text}”"))
    if filters.first:
        chips.append(("from", _("from %(day)s") % {"day": date_format(filters.first)}))
    if filters.last:
        chips.append(("until", _("until %(day)s") % {"day": date_format(filters.last)}))
    return chips
