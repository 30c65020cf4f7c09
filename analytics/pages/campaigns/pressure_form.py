"""The form of the rules of pressure, as fields: a limit of each channel, and of all together, a day and a week."""

from collections.abc import Mapping
from datetime import time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.push_terms import Channel
from recommendations.services.campaigns.pressure import (
    HOURS,
    MOST,
    MOST_HELD,
    MOST_PRICE,
    MOST_WORTH,
    CapForm,
    PressureForm,
)
from recommendations.wording import push_labels

CAPS: Mapping[str, tuple[Channel | None, int]] = {
    f"most_{channel or 'all'}_{hours}": (channel, hours)
    for channel in (Channel.EMAIL, Channel.WEB_PUSH, None)
    for hours in HOURS
}
"""Fields of limits, with what each is of; what the shop's own systems get counts with all together."""
PRICES: Mapping[str, Channel] = {f"price_{channel}": channel for channel in Channel}
"""Fields of prices, with their channels."""
FIRST_OF = {"caps": next(iter(CAPS)), "prices": next(iter(PRICES))}
"""Fields beside which is put what is refused of several."""
WORDS = {
    "most_email_24": _("Mails a day"),
    "most_email_168": _("Mails a week"),
    "most_web_push_24": _("Browser notifications a day"),
    "most_web_push_168": _("Browser notifications a week"),
    "most_all_24": _("Messages a day, all channels together"),
    "most_all_168": _("Messages a week, all channels together"),
}


class PressureFields(forms.Form):
    """The rules as somebody types them; an empty limit is none."""

    quiet_from = forms.TimeField(
        label=pgettext_lazy("quiet hours", "Nothing from"), widget=forms.TimeInput({"type": "time"}, "%H:%M")
    )
    quiet_until = forms.TimeField(
        label=pgettext_lazy("quiet hours", "until"), widget=forms.TimeInput({"type": "time"}, "%H:%M")
    )
    holdout = forms.FloatField(
        label=_("Never written to, %"),
        min_value=0,
        max_value=MOST_HELD * 100,
        widget=forms.NumberInput({"step": "0.5", "min": "0", "max": f"{MOST_HELD * 100:g}", "inputmode": "decimal"}),
        help_text=_("So many customers, drawn at random, get nothing for half a year: only they show what it brings."),
    )
    per_day = forms.IntegerField(
        label=_("Messages a day of all campaigns"),
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        help_text=_("Empty: no limit. When it is short, the most valuable go first."),
    )

    lost_contact = forms.FloatField(
        label=_("Worth of a contact that leaves"),
        required=False,
        min_value=0,
        max_value=MOST_WORTH,
        widget=forms.NumberInput({"step": "0.01", "min": "0", "inputmode": "decimal"}),
        help_text=_("Empty: 5% of what an active customer spends in 90 days."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limits: dict[str, forms.Field] = {
            name: forms.IntegerField(label=WORDS[name], required=False, min_value=1, max_value=MOST) for name in CAPS
        }
        labels: dict[str, Any] = dict(push_labels.CHANNELS)
        prices: dict[str, forms.Field] = {
            name: forms.FloatField(
                label=labels[channel], required=False, min_value=0, max_value=MOST_PRICE,
                widget=forms.NumberInput({"step": "0.0001", "min": "0", "inputmode": "decimal"}),
            )
            for name, channel in PRICES.items()
        }  # fmt: skip
        self.fields = {**limits, **self.fields, **prices}

    @classmethod
    def initial_of(cls, form: PressureForm) -> dict[str, object]:
        """The fields' values of rules."""
        most = {(cap.channel, cap.hours): cap.most for cap in form.caps}
        limits = {name: most.get(of) for name, of in CAPS.items()}
        return {
            **limits, "quiet_from": form.quiet_from, "quiet_until": form.quiet_until,
            "holdout": f"{form.holdout * 100:.6g}", "per_day": form.per_day, "lost_contact": form.lost_contact,
            **{name: form.prices.get(channel) for name, channel in PRICES.items()},
        }  # fmt: skip

    def limits(self) -> list[forms.BoundField]:
        return [self[name] for name in CAPS]

    def prices(self) -> list[forms.BoundField]:
        return [self[name] for name in PRICES]

    def clean_quiet_from(self) -> time:
        return _whole_minute(self.cleaned_data["quiet_from"])

    def clean_quiet_until(self) -> time:
        return _whole_minute(self.cleaned_data["quiet_until"])

    def rules(self) -> PressureForm:
        """The rules of a form that is whole."""
        values = self.cleaned_data
        caps = [
            CapForm(channel=channel, most=values[name], hours=hours)
            for name, (channel, hours) in CAPS.items()
            if values[name] is not None
        ]
        return PressureForm(
            caps=caps, quiet_from=values["quiet_from"], quiet_until=values["quiet_until"],
            holdout=values["holdout"] / 100, per_day=values["per_day"], lost_contact=values["lost_contact"],
            prices={channel: values[name] for name, channel in PRICES.items() if values[name]},
        )  # fmt: skip

    def complain(self, error: ValidationError) -> None:
        """Put what the rules refuse beside its field; of limits and prices, beside the first."""
        for name, texts in error.message_dict.items():
            self.add_error(FIRST_OF.get(name, name), texts)


def _whole_minute(value: time) -> time:
    return value.replace(second=0, microsecond=0)
