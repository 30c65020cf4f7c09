"""The form of a promise to new items, as fields."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from recommendations.models.promises import MOST_DAYS, MOST_IMPRESSIONS, MOST_SHARE
from recommendations.services.promises.publishing import LEAST_SHARE, MOST_NEW_DAYS, PromiseForm


def _number(most: int, *, least: int = 1) -> forms.NumberInput:
    return forms.NumberInput({"min": least, "max": most, "inputmode": "numeric"})


class PromiseFields(forms.Form):
    """A promise as somebody types it; the share is in per cent."""

    gives = forms.BooleanField(
        label=_("Promise something to new items"),
        required=False,
        help_text=_("Without it, what was promised before is still kept."),
    )
    impressions = forms.IntegerField(
        label=_("Impressions for each"), min_value=1, max_value=MOST_IMPRESSIONS, widget=_number(MOST_IMPRESSIONS)
    )
    days = forms.IntegerField(
        label=_("within how many days"), min_value=1, max_value=MOST_DAYS, widget=_number(MOST_DAYS)
    )
    highest_share = forms.FloatField(
        label=_("In at most so many answers, %"),
        min_value=LEAST_SHARE * 100,
        max_value=MOST_SHARE * 100,
        widget=forms.NumberInput(
            {"min": f"{LEAST_SHARE * 100:g}", "max": f"{MOST_SHARE * 100:g}", "step": "1", "inputmode": "decimal"}
        ),
        help_text=_("Only the last slot that no rule holds, and only as often as the open promises need it."),
    )
    new_days = forms.IntegerField(
        label=_("An item is new for so many days"),
        min_value=1,
        max_value=MOST_NEW_DAYS,
        widget=_number(MOST_NEW_DAYS),
    )
    needs_price = forms.BooleanField(label=_("Only items with a price"), required=False)
    needs_picture = forms.BooleanField(label=_("Only items with a picture"), required=False)

    @staticmethod
    def initial_of(form: PromiseForm) -> dict[str, Any]:
        return {**vars(form), "highest_share": f"{form.highest_share * 100:g}"}

    def promise(self) -> PromiseForm:
        """The promise of valid fields."""
        values = self.cleaned_data
        return PromiseForm(**{**values, "highest_share": values["highest_share"] / 100})

    def complain(self, error: ValidationError) -> None:
        """Put what a promise is refused for beside its fields."""
        for name, problems in error.message_dict.items():
            self.add_error(name if name in self.fields else None, problems)
