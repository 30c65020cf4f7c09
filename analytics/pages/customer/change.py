"""A change that would bring an item in: what it costs everybody, and the draft that is made of it."""

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.addresses import or_404
from analytics.pages.customer.compare import weights_address
from analytics.pages.customer.view import Looked, asked, looked_at
from analytics.pages.customer.why_not import asked_why_not, question_of
from analytics.queries.customer.change_price import price_of
from recommendations.models import BlendWeights, Rule
from recommendations.services.access.policy import Action
from recommendations.services.review.suggestions import Suggestion
from recommendations.services.review.why_not import (
    DraftExistsError,
    SuggestionGoneError,
    WhyNot,
    apply_suggestion,
)
from recommendations.services.rules.editing import StaleRuleError
from recommendations.services.weights.drafts import StaleDraftError


@require_safe
def change_price(request: HttpRequest, *, pk: int, item: int) -> HttpResponse:
    """Show what a change would do to everybody, before it is made a draft."""
    looked, key = looked_at(request, pk), request.GET.get("key", "")
    change = _suggested(looked, item=item, key=key) if looked else None
    if looked is None or change is None:
        return render(request, "dashboard/customer/change_price.html")
    price = price_of(change, placement=looked.lens.place.name, now=timezone.now())
    context = {**looked._asdict(), "asked": asked(request.GET), "item": item, "key": key, "price": price}
    return render(request, "dashboard/customer/change_price.html", context)


@post_requires(Action.DRAFT)
def apply_change(request: HttpRequest, *, pk: int, item: int) -> HttpResponse:
    """Make a change a draft, and open it where it is worked on."""
    looked, key = or_404(looked_at(request, pk)), request.POST.get("key", "")
    question, replace = question_of(looked, item=item), request.POST.get("replace") == "yes"
    context = {**looked._asdict(), "asked": asked(request.GET), "item": item, "key": key}
    context["here"] = reverse("customer", args=[pk]) + asked(request.GET)
    try:
        draft = apply_suggestion(
            question=question, key=key, by=staff_of(request), now=timezone.now(), replace_draft=replace
        )
    except DraftExistsError as error:
        context |= {"existing": error.draft, "edit": _address(error.draft)}
        context |= {"change": _suggested(looked, item=item, key=key)}
        return render(request, "dashboard/customer/change_exists.html", context, status=409)
    except (SuggestionGoneError, StaleDraftError, StaleRuleError, ValidationError) as error:
        context |= {"trouble": _trouble(error)}
        return render(request, "dashboard/customer/change_refused.html", context, status=409)
    return redirect(_address(draft))


def _suggested(looked: Looked, *, item: int, key: str) -> Suggestion | None:
    answer = asked_why_not(looked, item=item)
    suggestions = answer.suggestions if isinstance(answer, WhyNot) else ()
    return next((each for each in suggestions if each.key == key), None)


def _trouble(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    if isinstance(error, StaleDraftError | StaleRuleError):
        return _("Someone changed the draft just now. Please try again.")
    return _("The change no longer brings it in: something else has changed in the meantime.")


def _address(made: BlendWeights | Rule) -> str:
    if isinstance(made, Rule):
        return reverse("rule", args=[made.pk])
    return weights_address(made)
