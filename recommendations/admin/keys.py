"""API keys: made here, where the secret is shown once, and revoked here. The digest is shown to nobody."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from recommendations import wording
from recommendations.admin.generic import ModelForm
from recommendations.admin.rights import PolicyAdmin, staff_of
from recommendations.models import ApiKey
from recommendations.services import keys
from recommendations.services.policy import Action
from recommendations.terms import Scope


class KeyForm(ModelForm[ApiKey]):
    scopes = forms.MultipleChoiceField(
        label=_("may"), choices=wording.SCOPES, widget=forms.CheckboxSelectMultiple,
        help_text=_("“Send events” is safe in a browser: such a key reads nothing."),
    )  # fmt: skip

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "requests_per_minute")


@admin.register(ApiKey)
class ApiKeyAdmin(PolicyAdmin[ApiKey]):
    sees = Action.MANAGE_KEYS
    adds = Action.MANAGE_KEYS
    form = KeyForm
    list_display = ("name", "prefix", "may", "requests_per_minute", "created_at", "last_used_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("name", "prefix")
    actions = ("revoke",)
    view_fields = (
        "name", "prefix", "may", "requests_per_minute", "created_by", "created_at", "last_used_at", "revoked_at",
    )  # fmt: skip

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return ("name", "scopes", "requests_per_minute") if obj is None else self.view_fields

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return () if obj is None else self.view_fields

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: Any) -> None:
        """The service makes the key; its secret lives until this answer is sent."""
        key, secret = keys.create_key(
            name=form.cleaned_data["name"],
            scopes=[Scope(scope) for scope in form.cleaned_data["scopes"]],
            requests_per_minute=form.cleaned_data["requests_per_minute"],
            by=staff_of(request),
        )
        vars(obj).update(vars(key), shown_once=f"{key.prefix}.{secret}")

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("API key made"),
            "opts": self.opts,
            "key": obj,
            "secret": vars(obj)["shown_once"],
        }
        return TemplateResponse(request, "admin/recommendations/apikey/made.html", context)

    @admin.display(description=_("may"))
    def may(self, key: ApiKey) -> str:
        called = dict(wording.SCOPES)
        return ", ".join(str(called.get(scope, scope)) for scope in key.scopes)

    @admin.action(description=_("Revoke (refused everywhere within a second, for good)"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        revoked = sum(keys.revoke_key(key=key, by=staff_of(request)) for key in queryset)
        text = ngettext("%(count)s key was revoked.", "%(count)s keys were revoked.", revoked)
        self.message_user(request, text % {"count": revoked}, messages.SUCCESS)
