"""Placements, of which staff set all but what they are made of; and weight versions, which are only read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from recommendations.admin.rights import PolicyAdmin, staff_of
from recommendations.models import BlendWeights, Placement
from recommendations.services.access.policy import Action
from recommendations.services.operations.placements import CHANGEABLE, set_placement
from recommendations.wording.instance_labels import instance_label


@admin.register(Placement)
class PlacementAdmin(PolicyAdmin[Placement]):
    changes = Action.SET_PLACEMENTS
    list_display = ("name", "blend", "scope", "repeat", "needs_context", "n", "attribution_window", "enabled")
    list_editable = ("n", "attribution_window", "enabled")
    list_select_related = ("blend",)
    fields = ("name", "blend", "scope", "needs_context", *CHANGEABLE)
    readonly_fields = ("name", "blend", "scope", "needs_context")
    actions = None

    def save_model(self, request: HttpRequest, obj: Placement, form: Any, change: Any) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        set_placement(placement=obj, changes=changes, by=staff_of(request))


@admin.register(BlendWeights)
class BlendWeightsAdmin(PolicyAdmin[BlendWeights]):
    list_display = ("__str__", "segment", "status", "is_default", "largest", "created_at", "author")
    list_filter = ("blend", "status", "is_default")
    list_select_related = ("blend", "segment", "author")
    fields = readonly_fields = (
        "blend", "number", "segment", "status", "is_default", "all_weights", "diversity", "exploration",
        "cards", "promotion", "revenue", "margin", "clearance", "parent", "reason", "expected", "author",
        "created_at", "published_at",
    )  # fmt: skip

    @admin.display(description=_("largest weights"))
    def largest(self, weights: BlendWeights) -> str:
        return ", ".join(_named(weights)[:3])

    @admin.display(description=_("weights"))
    def all_weights(self, weights: BlendWeights) -> str:
        return ", ".join(_named(weights))


def _named(weights: BlendWeights) -> list[str]:
    ordered = sorted(weights.weights.items(), key=lambda weight: (-weight[1], weight[0]))
    return [f"{instance_label(name)} {weight:.2f}" for name, weight in ordered]
