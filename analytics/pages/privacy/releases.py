"""Releases: the ledger and the list, a new one, what is in one, and letting everybody have it, or nobody any more."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.addresses import or_404
from analytics.pages.privacy.release_form import RANGE, ReleaseForm, period_words
from analytics.parameters import page_number
from analytics.queries.privacy import releases as query
from recommendations.models import Release
from recommendations.services.access.policy import Action, may
from recommendations.services.operations.jobs import JobIsOverError
from recommendations.services.releases import asking
from recommendations.services.releases.file import file_name, meaning, release_csv
from recommendations.services.releases.ledger import BudgetSpentError
from recommendations.services.releases.making import missing_noise


@require_safe
def releases(request: HttpRequest) -> HttpResponse:
    return _page(request, ReleaseForm(initial={"last_day": asking.last_sunday(now=timezone.now())}))


@post_requires(Action.RELEASE)
def new_release(request: HttpRequest) -> HttpResponse:
    form = ReleaseForm(request.POST)
    if missing_noise() is not None or not form.is_valid():
        return _page(request, form, status=422)
    try:
        release = asking.ask_release(form.ask(), by=staff_of(request), now=timezone.now())
    except asking.PeriodOutOfRangeError as error:
        form.refuse(error, period_words())
    except asking.EpsilonOutOfRangeError as error:
        form.refuse(error, str(RANGE))
    except BudgetSpentError as error:
        form.refuse(error, query.spent_words(error))
    else:
        return redirect("release", pk=release.pk)
    return _page(request, form, status=422)


@require_safe
def release(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A release; while it is made the page asks for itself every two seconds."""
    record, now = get_object_or_404(Release, pk=pk), timezone.now()
    view = query.ReleaseView(record)
    page = Paginator(record.rows, query.ROWS).get_page(page_number(request.GET.get("page")))
    context = {
        "section": "privacy",
        "view": view,
        "record": record,
        "page": page,
        "rows": [(page.start_index() + place, *row) for place, row in enumerate(page)],
        "meaning": meaning(record),
        "failure": query.failure_words(record, now=now) if view.state == query.ReleaseState.FAILED else None,
    }
    return render(request, "dashboard/privacy/release.html", context)


@require_safe
def release_file(request: HttpRequest, pk: UUID) -> HttpResponse:  # noqa: ARG001 - of every view
    record = or_404(Release.objects.filter(pk=pk, enough=True).first())
    answer = HttpResponse(release_csv(record), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{file_name(record)}"'
    return answer


@post_requires(Action.RELEASE)
def publish_release(request: HttpRequest, pk: UUID) -> HttpResponse:
    done = _("It is published: everybody who has its address may have it.")
    late = _("It is published already, or there is nothing in it to be told.")
    return _change(request, pk, asking.publish_release, done=done, late=late)


@post_requires(Action.RELEASE)
def withdraw_release(request: HttpRequest, pk: UUID) -> HttpResponse:
    done = _("It is withdrawn. Who has the file keeps it, and what it spent stays spent.")
    late = _("It was not published any more, so nothing was changed.")
    return _change(request, pk, asking.withdraw_release, done=done, late=late)


@post_requires(Action.RELEASE)
def repeat_release(request: HttpRequest, pk: UUID) -> HttpResponse:
    try:
        asking.make_again(get_object_or_404(Release, pk=pk), by=staff_of(request), now=timezone.now())
    except JobIsOverError:
        messages.warning(request, _("It is under way or made, so there was nothing to repeat."))
    except BudgetSpentError as error:
        messages.warning(request, query.spent_words(error))
    return redirect("release", pk=pk)


def _change(request: HttpRequest, pk: UUID, change: Callable[..., None], *, done: str, late: str) -> HttpResponse:
    """Change what is public of a release, and say so; ``late``: what is said where that was done before."""
    try:
        change(get_object_or_404(Release, pk=pk), by=staff_of(request), now=timezone.now())
    except asking.ReleaseStateError:
        messages.warning(request, late)
    else:
        messages.success(request, done)
    return redirect("release", pk=pk)


def _page(request: HttpRequest, form: ReleaseForm, *, status: int = 200) -> HttpResponse:
    page, views = query.releases(page=page_number(request.GET.get("page")))
    context = {
        "section": "privacy",
        "page": page,
        "releases": views,
        "bar": query.budget_bar(now=timezone.now()),
        "bounds": query.bounds(),
        "missing": missing_noise() is not None,
        "form": form if may(staff_of(request), Action.RELEASE) else None,
    }
    return render(request, "dashboard/privacy/releases.html", context, status=status)
