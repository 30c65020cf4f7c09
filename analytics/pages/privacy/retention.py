"""Retention: how long each kind is kept, what goes next, and the change of a rule, seen before it is saved."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from analytics.pages.access.permission import requires, staff_of
from analytics.pages.privacy.form import RetentionForm
from analytics.queries.privacy import retention as query
from recommendations.privacy_terms import RetentionKind
from recommendations.services.access.policy import Action
from recommendations.services.privacy.retention import RuleIsTheSameError, set_rule


@require_safe
def retention(request: HttpRequest) -> HttpResponse:
    context = {
        "section": "privacy", "kinds": query.kinds(now=timezone.now()), "fixed": query.fixed(),
        "drops": query.last_drops(),
    }  # fmt: skip
    return render(request, "dashboard/privacy/retention.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.HANDLE_PRIVACY)
def retention_rule(request: HttpRequest, kind: str) -> HttpResponse:
    """A kind's rule: with ``days`` in the address, what they would take away; a POST sets them."""
    if kind not in set(RetentionKind):
        raise Http404
    asked = AskedRule(RetentionKind(kind))
    if request.method != "POST":
        return _page(request, asked, asked.form(request.GET) if "days" in request.GET else None)
    form = asked.form(request.POST, noted=True)
    if not form.is_valid():
        return _page(request, asked, form, status=422)
    days, note = form.cleaned_data["days"], form.cleaned_data["note"]
    try:
        set_rule(asked.kind, days, note=note, by=staff_of(request), now=timezone.now())
    except RuleIsTheSameError:  # somebody saved it meanwhile
        form.add_error("days", _("It is kept for so many days already."))
        return _page(request, asked, form, status=422)
    messages.success(request, _("The rule is saved. It holds from now on; what is older is deleted in the next night."))
    return redirect("retention")


class AskedRule:
    """A kind that somebody wants to change, with its rules so far."""

    def __init__(self, kind: RetentionKind) -> None:
        self.kind, self.words, self.explained = kind, query.kind_words(kind), query.EXPLAINED[kind]
        self.rules = query.rules_of(kind)
        self.days = query.days_of(kind, self.rules)

    def form(self, *given: QueryDict, noted: bool = False, **initial: int | None) -> RetentionForm:
        return RetentionForm(*given, kind=self.kind, kept=self.days, noted=noted, initial=initial)


def _page(request: HttpRequest, asked: AskedRule, form: RetentionForm | None, *, status: int = 200) -> HttpResponse:
    """The page, with what the days take away where some are asked for that can be."""
    days = None if form is None or form.errors.get("days") else form.cleaned_data["days"]
    noted = form is not None and "note" in form.fields
    context = {
        "section": "privacy", "asked": asked,
        "form": asked.form(days=days or asked.days) if form is None or noted else form,
        "errors": form.errors.get("days") if form is not None and noted else None,
        "change": query.change(asked.kind, days, now=timezone.now()) if days else None,
        "confirm": form if noted else asked.form(noted=True, days=days),
    }  # fmt: skip
    return render(request, "dashboard/privacy/retention_rule.html", context, status=status)
