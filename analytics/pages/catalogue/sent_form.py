"""The form that names what a key sent: the key, since when, and until when."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from analytics.parameters import YEARS
from recommendations.models import ApiKey


def _is_of_our_time(moment: datetime) -> None:
    if moment.year not in YEARS:
        raise ValidationError(_("Enter a year from 1970 on."))


class SentForm(forms.Form):
    """Moments are those of receipt, in the shop's time zone; without ``until`` what still comes is meant, too."""

    key = forms.ModelChoiceField(ApiKey.objects.all(), label=_("API key"), empty_label=_("Choose a key"))
    since = forms.DateTimeField(
        label=_("Received since (shop's time)"), validators=[_is_of_our_time],
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip
    until = forms.DateTimeField(
        label=_("Until (empty: includes what is still to come)"), required=False, validators=[_is_of_our_time],
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"label_suffix": ""})
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "form-select" if name == "key" else "form-control"

    def clean_until(self) -> datetime | None:
        since: datetime | None = self.cleaned_data.get("since")
        until: datetime | None = self.cleaned_data["until"]
        if since and until and until <= since:
            raise ValidationError(_("It must be later than the start."))
        return until
