"""API keys: made and replaced here, where the secret is shown once, and revoked. The digest is shown to nobody."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from recommendations.admin.rights import HERE_AND_THERE, PolicyAdmin, staff_of
from recommendations.models import ApiKey
from recommendations.services.access import keys
from recommendations.services.access.key_form import KeyForm
from recommendations.services.access.policy import Action
from recommendations.wording import labels


@admin.register(ApiKey)
class ApiKeyAdmin(PolicyAdmin[ApiKey]):
    sees = Action.MANAGE_KEYS
    adds = Action.MANAGE_KEYS
    form = KeyForm
    list_display = (
        "name", "prefix", "side", "may", "requests_per_minute", "created_at", "last_used_at", "seen_in_page_at",
        "expires_at", "revoked_at",
    )  # fmt: skip
    list_filter = (
        "side",
        ("revoked_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("name", "prefix")
    actions = ("rotate", "revoke")
    view_fields = (
        "name", "prefix", "side", "may", "from_pages_of", *keys.LIMITS, "created_by", "created_at", "last_used_at",
        "seen_in_page_at", "expires_at", "revoked_at",
    )  # fmt: skip
    if_any = frozenset({"seen_in_page_at", "expires_at"})  # what they mean is said only of keys to which it happened

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        if obj is None:
            return KeyForm.Meta.fields
        return [name for name in self.view_fields if name not in self.if_any or getattr(obj, name)]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return () if obj is None else self.view_fields

    def has_replace_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: Any) -> None:
        """Make the key by the service; its secret lives until this answer is sent."""
        key, secret = form.create(by=staff_of(request))
        vars(obj).update(vars(key), shown_once=f"{key.prefix}.{secret}")

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        return self._shown_once(request, obj, vars(obj)["shown_once"], title=_("API key made"))

    def _shown_once(
        self, request: HttpRequest, key: ApiKey, secret: str, *, title: str | Promise, until: datetime | None = None
    ) -> HttpResponse:
        """Page that shows a secret, once; ``until``: how long the key that this one replaces goes on working."""
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "key": key}
        context |= {"secret": secret, "until": until}
        return TemplateResponse(request, "admin/recommendations/apikey/made.html", context)

    @admin.display(description=_("may"))
    def may(self, key: ApiKey) -> str:
        called = dict(labels.SCOPES)
        return ", ".join(str(called.get(scope, scope)) for scope in key.scopes)

    @admin.display(description=_("origins"))
    def from_pages_of(self, key: ApiKey) -> str:
        return ", ".join(key.origins) or "–"

    @admin.action(
        description=_("Replace (the old key works for another 24 hours)"),
        permissions=["replace"],
        location=HERE_AND_THERE,
    )
    def rotate(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        if len(queryset) != 1:
            self.message_user(request, _("Choose one key: its new secret is shown once."), messages.ERROR)
            return None
        old = queryset[0]
        try:
            key, secret = keys.rotate_key(key=old, by=staff_of(request))
        except keys.NotReplaceableError:
            text = _("%(key)s has been revoked, has expired or has already been replaced; make a new key.")
            self.message_user(request, text % {"key": old}, messages.ERROR)
            return None
        old.refresh_from_db()
        token = f"{key.prefix}.{secret}"
        return self._shown_once(request, key, token, title=_("API key replaced"), until=old.expires_at)

    @admin.action(
        description=_("Revoke (refused everywhere within a second, for good)"),
        permissions=["replace"],
        location=HERE_AND_THERE,
    )
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        revoked = sum(keys.revoke_key(key=key, by=staff_of(request)) for key in queryset)
        text = ngettext("%(count)s key was revoked.", "%(count)s keys were revoked.", revoked)
        self.message_user(request, text % {"count": revoked}, messages.SUCCESS)
