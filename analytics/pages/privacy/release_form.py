"""The form of a release: what is counted, of which weeks, and how much of the budget it may spend."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from recommendations.privacy_terms import LEAST_EPSILON, MOST_EPSILON, ReleaseDomain
from recommendations.services.releases.asking import PeriodOutOfRangeError, ReleaseAsk
from recommendations.wording.privacy import labels as privacy_labels

RANGE = gettext_lazy("A number from 0.1 to 10 with at most two decimals.")


class ReleaseForm(forms.Form):
    """Wish for a release; ``now`` says which weeks are over."""

    domain = forms.ChoiceField(
        label=pgettext_lazy("release", "Customers by"), choices=privacy_labels.RELEASE_DOMAINS,
        widget=forms.RadioSelect, initial=ReleaseDomain.TYPES,
    )  # fmt: skip
    weeks = forms.TypedChoiceField(
        label=pgettext_lazy("release", "Period"), coerce=int, widget=forms.RadioSelect, initial=4,
        choices=[(4, pgettext_lazy("release", "Four weeks")), (1, pgettext_lazy("release", "One week"))],
    )  # fmt: skip
    last_day = forms.DateField(
        label=gettext_lazy("Last day"), help_text=gettext_lazy("It has to be over, and within the last year."),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip
    epsilon = forms.DecimalField(
        label=gettext_lazy("Privacy loss, ε"), min_value=LEAST_EPSILON, max_value=MOST_EPSILON, decimal_places=2,
        initial=Decimal(1),
        help_text=gettext_lazy("The larger, the truer the numbers and the less each customer is hidden; 1 is usual."),
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value", "max_decimal_places"), RANGE),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"label_suffix": ""})

    def ask(self) -> ReleaseAsk:
        """The wish, once the form is valid."""
        given = self.cleaned_data
        last_day: date = given["last_day"]
        return ReleaseAsk(
            domain=ReleaseDomain(given["domain"]), weeks=given["weeks"], last_day=last_day, epsilon=given["epsilon"]
        )

    def refuse(self, error: Exception, words: str) -> None:
        """Say beside the field what is wrong with what it asks for."""
        self.add_error("last_day" if isinstance(error, PeriodOutOfRangeError) else "epsilon", ValidationError(words))


def period_words() -> str:
    return _("Choose a day of the last year that is over, and whose weeks are still kept.")
