"""API keys: made and replaced here, where the secret is shown once, and revoked."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from analytics.pages.access.permission import post_requires, requires, staff_of
from analytics.queries.setup import api_keys as all_keys
from recommendations.models import ApiKey
from recommendations.services.access import keys
from recommendations.services.access.key_form import KeyForm
from recommendations.services.access.policy import Action
from recommendations.wording import labels


@require_safe
@requires(Action.MANAGE_KEYS)
def api_keys(request: HttpRequest) -> HttpResponse:
    context = {"section": "setup", "tab": "keys", "keys": all_keys()}
    return render(request, "dashboard/setup/keys.html", context | {"scopes": dict(labels.SCOPES)})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.MANAGE_KEYS)
def new_api_key(request: HttpRequest) -> HttpResponse:
    form = KeyForm(request.POST) if request.method == "POST" else KeyForm()
    if request.method == "POST" and form.is_valid():
        key, secret = form.create(by=staff_of(request))
        return _shown_once(request, key, secret)
    context = {"section": "setup", "tab": "keys", "form": form}
    return render(request, "dashboard/setup/new_key.html", context)


@post_requires(Action.MANAGE_KEYS)
def rotate_api_key(request: HttpRequest, pk: int) -> HttpResponse:
    old = get_object_or_404(ApiKey, pk=pk)
    try:
        key, secret = keys.rotate_key(key=old, by=staff_of(request))
    except keys.NotReplaceableError:
        words = _("%(key)s has been revoked, has expired or has already been replaced; make a new key.")
        messages.error(request, words % {"key": old})
        return redirect("api_keys")
    old.refresh_from_db()
    return _shown_once(request, key, secret, until=old.expires_at)


@post_requires(Action.MANAGE_KEYS)
def revoke_api_key(request: HttpRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(ApiKey, pk=pk)
    if keys.revoke_key(key=key, by=staff_of(request)):
        messages.success(request, _("%(key)s is revoked: it is refused everywhere within a second.") % {"key": key})
    else:
        messages.warning(request, _("%(key)s had already been revoked or had expired.") % {"key": key})
    return redirect("api_keys")


def _shown_once(request: HttpRequest, key: ApiKey, secret: str, *, until: datetime | None = None) -> HttpResponse:
    """Page that shows a secret, once; ``until``: how long the key that this one replaces goes on working."""
    context = {"section": "setup", "tab": "keys", "key": key, "until": until}
    return render(request, "dashboard/setup/key_made.html", context | {"secret": f"{key.prefix}.{secret}"})
