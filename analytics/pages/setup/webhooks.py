"""Webhooks: systems of the shop that messages go to. A secret is shown once; a test says whether one is set up."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from analytics.pages.access.permission import post_requires, requires, staff_of
from recommendations.channels.outbound import INSIDE
from recommendations.channels.protocol import Taken
from recommendations.models import Endpoint
from recommendations.push_terms import Channel
from recommendations.services.access.policy import Action, may
from recommendations.services.endpoints import book
from recommendations.services.endpoints.book import EndpointError, NewSecret
from recommendations.services.endpoints.trying import send_ping
from recommendations.services.mails.line import missing_settings

PLACE = {"section": "setup", "tab": "webhooks"}


class WebhookForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=book.LONGEST_NAME, help_text=gettext_lazy("As campaigns call it.")
    )
    url = forms.CharField(
        label=gettext_lazy("Address"), max_length=500,
        help_text=gettext_lazy("Messages are posted there, signed as Standard Webhooks has it."),
        widget=forms.TextInput(attrs={"placeholder": "https://erp.shop.example/hooks", "inputmode": "url"}),
    )  # fmt: skip


@require_safe
def webhooks(request: HttpRequest) -> HttpResponse:
    shown = book.address_of if may(staff_of(request), Action.MANAGE_KEYS) else book.site_of
    rows = [(each, shown(each.url)) for each in book.endpoints()]
    context = {"rows": rows, "missing": missing_settings(Channel.WEBHOOK), "most": book.MOST}
    return render(request, "dashboard/setup/webhooks.html", PLACE | context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.MANAGE_KEYS)
def new_webhook(request: HttpRequest) -> HttpResponse:
    form = WebhookForm(request.POST) if request.method == "POST" else WebhookForm()
    missing = missing_settings(Channel.WEBHOOK)
    if request.method == "POST" and form.is_valid() and not missing:
        try:
            fresh = book.create(**form.cleaned_data, by=staff_of(request), now=timezone.now())
        except EndpointError as error:
            form.add_error(error.field, str(error))
        else:
            return _shown_once(request, fresh)
    return render(request, "dashboard/setup/new_webhook.html", PLACE | {"form": form, "missing": missing})


@post_requires(Action.MANAGE_KEYS)
def change_webhook_secret(request: HttpRequest, pk: int) -> HttpResponse:
    endpoint = get_object_or_404(Endpoint, pk=pk)
    return _shown_once(request, book.rotate(endpoint.pk, by=staff_of(request), now=timezone.now()))


@post_requires(Action.MANAGE_KEYS)
def switch_webhook(request: HttpRequest, pk: int) -> HttpResponse:
    endpoint, on = get_object_or_404(Endpoint, pk=pk), request.POST.get("on") == "yes"
    try:
        book.switch(endpoint.pk, on=on, by=staff_of(request))
    except EndpointError as error:
        messages.error(request, str(error))
        return redirect("webhooks")
    if on:
        words = _("%(name)s is in use; what waits for it leaves within an hour.")
    else:
        words = _("%(name)s is off: what is for it waits until it is on again, or too late.")
    messages.success(request, words % _name(endpoint))
    return redirect("webhooks")


@post_requires(Action.MANAGE_KEYS)
def try_webhook(request: HttpRequest, pk: int) -> HttpResponse:
    endpoint = get_object_or_404(Endpoint, pk=pk)
    outcome = send_ping(endpoint, by=staff_of(request), now=timezone.now())
    if isinstance(outcome, Taken):
        messages.success(request, _("%(name)s took a signed test.") % _name(endpoint))
    elif outcome.reason == INSIDE:
        messages.error(request, f"{endpoint.name}: {book.inside_text(book.site_of(endpoint.url))}")
    else:
        text = _("%(name)s did not take a test: %(reason)s. Look at its log, and whether this machine reaches it.")
        messages.error(request, text % (_name(endpoint) | {"reason": outcome.reason}))
    return redirect("webhooks")


def _name(endpoint: Endpoint) -> dict[str, str]:
    return {"name": endpoint.name}


def _shown_once(request: HttpRequest, fresh: NewSecret) -> HttpResponse:
    """Page that shows a secret, once."""
    context = {"endpoint": fresh.endpoint, "secret": fresh.secret}
    return render(request, "dashboard/setup/webhook_secret.html", PLACE | context)
