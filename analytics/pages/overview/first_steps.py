"""The list of first steps, which admins put away and show again."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from analytics.pages.access.permission import post_requires
from recommendations.services.access.policy import Action
from recommendations.services.operations.first_steps import show_first_steps


@post_requires(Action.SET_PLACEMENTS)
def set_first_steps(request: HttpRequest) -> HttpResponse:
    shown = request.POST.get("shown") == "yes"
    show_first_steps(shown=shown)
    if shown:
        return redirect("overview")
    messages.success(request, _("The first steps are hidden. Show them again under Setup."))
    return redirect("overview")
