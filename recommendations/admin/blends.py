"""Blends: whether a run may put its own weights in place, and whether it trains a second stage."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recommendations.admin.generic import ModelForm
from recommendations.admin.rights import PolicyAdmin, staff_of
from recommendations.models import Blend
from recommendations.services.access.policy import Action
from recommendations.services.weights.blend_options import OPTIONS, check_options, set_options

COST = _(
    "A run trains and tests trees over the recommenders' scores and how the customer buys. This takes longer and "
    "needs the extra second-stage (LightGBM). It affects no recommendation until weights with it have passed the "
    "gate and are published. Applies from the next run."
)


class BlendForm(ModelForm[Blend]):
    class Meta:
        help_texts: ClassVar[dict[str, Promise]] = {"second_stage": COST}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        check_options(self.instance, {name: self.cleaned_data.get(name, False) for name in self.changed_data})
        return cleaned


@admin.register(Blend)
class BlendAdmin(PolicyAdmin[Blend]):
    changes = Action.PUBLISH
    form = BlendForm
    list_display = ("name", *OPTIONS)
    fields = ("name", *OPTIONS)
    readonly_fields = ("name",)
    ordering = ("pk",)
    actions = None

    def save_model(self, request: HttpRequest, obj: Blend, form: Any, change: Any) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        set_options(blend=obj, changes=changes, by=staff_of(request))
