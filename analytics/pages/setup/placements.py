"""Placements: what each place in the shop shows. Everybody may look, admins may change."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from analytics.pages.access.permission import requires, staff_of
from analytics.pages.meanwhile import StaleFormError, changed_meanwhile, check_stale
from analytics.queries.setup import placements
from recommendations.models import Placement
from recommendations.services.access.policy import Action, may
from recommendations.services.operations.placements import CHANGEABLE, set_placement
from recommendations.wording.labels import placement_label

if TYPE_CHECKING:
    OfPlacement = forms.ModelForm[Placement]
else:
    OfPlacement = forms.ModelForm


class PlacementForm(OfPlacement):
    class Meta:
        model = Placement
        fields = CHANGEABLE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True

    def clean_n(self) -> int:
        shown = int(self.cleaned_data["n"])
        MinValueValidator(1)(shown)
        return shown


@require_safe
def placement_list(request: HttpRequest) -> HttpResponse:
    context = {"section": "setup", "tab": "placements", "placements": placements()}
    return render(request, "dashboard/setup/placements.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def placement_settings(request: HttpRequest, name: str) -> HttpResponse:
    if request.method == "POST":
        return _change(request, name)
    placement = get_object_or_404(Placement.objects.select_related("blend"), name=name)
    return _page(request, placement, PlacementForm(instance=placement))


@requires(Action.SET_PLACEMENTS)
def _change(request: HttpRequest, name: str) -> HttpResponse:
    placement = get_object_or_404(Placement, name=name)
    form = PlacementForm(request.POST, instance=get_object_or_404(Placement, name=name))
    if form.is_valid():
        changes = {field: form.cleaned_data[field] for field in form.changed_data}

        def check(stored: Placement) -> None:
            names = [each for each in changed_meanwhile(form, PlacementForm(instance=stored)) if each in changes]
            theirs = {each: getattr(stored, each) for each in names}
            check_stale("placement", stored.pk, theirs=theirs, mine=changes, over=request.POST.get("over"))

        try:
            set_placement(placement=placement, changes=changes, by=staff_of(request), check=check)
        except ValidationError as error:
            form.add_error(None, error)
        except StaleFormError as error:
            return _page(request, placement, form, stale=error)
        else:
            words = _("%(placement)s has changed, from the next request on.")
            messages.success(request, words % {"placement": placement_label(name)})
            return redirect("placement_list")
    return _page(request, placement, form)


def _page(
    request: HttpRequest, placement: Placement, form: PlacementForm, *, stale: StaleFormError | None = None
) -> HttpResponse:
    may_change = may(staff_of(request), Action.SET_PLACEMENTS)
    for field in form.fields.values():
        field.disabled = field.disabled or not may_change
    context = {"section": "setup", "tab": "placements", "placement": placement, "form": form}
    context |= {"may_change": may_change, "stale": stale and stale.in_words()}
    return render(request, "dashboard/setup/placement.html", context, status=409 if stale else 200)
