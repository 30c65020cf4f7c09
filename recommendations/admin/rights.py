"""Rights in the admin, who sees and changes what: the policy table decides, not Django's own permissions."""

from typing import Any, ClassVar

from django.contrib.admin import ActionLocation
from django.db.models import Model
from django.forms.utils import ErrorDict
from django.http import HttpRequest

from recommendations.admin.generic import ModelAdmin, ModelForm
from recommendations.models import Staff
from recommendations.services.access.policy import Action, may


class ChangedRowForm[Row: Model](ModelForm[Row]):
    """Form of a row in a list that is edited there. Rows that nobody touched ask the database nothing."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self.instance.pk:  # the empty row of a formset is of nothing
            for field in self.fields.values():
                field.widget.attrs["aria-label"] = f"{field.label}: {self.instance}"

    def full_clean(self) -> None:
        if self.is_bound and self.instance.pk and not self.has_changed():
            self._errors, self.cleaned_data = ErrorDict(), {}
        else:
            super().full_clean()


def allows(request: HttpRequest, action: Action | None) -> bool:
    return action is not None and isinstance(request.user, Staff) and may(request.user, action)


def staff_of(request: HttpRequest) -> Staff:
    """Staff member who sent a request: nobody else reaches a page of the admin."""
    assert isinstance(request.user, Staff)  # noqa: S101 - for the type checker; the site let nobody else in
    return request.user


HERE_AND_THERE = (ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM)
"""Where an action stands that the page of one row offers, too."""


class PolicyAdmin[Row: Model](ModelAdmin[Row]):
    """Admin that only reads, unless a subclass names the actions that change and add. Nothing is ever deleted here."""

    sees: ClassVar[Action] = Action.SEE
    changes: ClassVar[Action | None] = None
    adds: ClassVar[Action | None] = None
    list_per_page = 50
    show_full_result_count = False
    save_on_top = False
    actions_on_bottom = True

    def get_changelist_form(self, request: HttpRequest, **options: Any) -> Any:
        return super().get_changelist_form(request, **{"form": ChangedRowForm, **options})

    def has_module_permission(self, request: HttpRequest) -> bool:
        return allows(request, self.sees)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return allows(request, self.sees)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return allows(request, self.changes)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return allows(request, self.adds)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
