"""The forms of privacy: who is meant, and what is asked for. Ids are taken from a form alone, never from an address."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from analytics.parameters import YEARS
from analytics.queries.privacy.retention import range_words
from analytics.templatetags.privacy import ERASE_MODES
from recommendations.customer_codes import customer_key
from recommendations.fields import LONGEST_ID
from recommendations.models import Customer
from recommendations.privacy_terms import RETENTION, EraseMode, RequestKind, RetentionKind
from recommendations.services.privacy.requests import ERASE_WORDS, MOST_IDS
from recommendations.services.privacy.retention import DaysOutOfRangeError, RuleIsTheSameError, check_days
from recommendations.wording.privacy import labels as privacy_labels

LONGEST_REFERENCE = 128
LONGEST_REASON = 500


class IdsForm(forms.Form):
    """Who is meant: the shop's id of somebody, and those of visitors who are the same person."""

    user_id = forms.CharField(
        label=gettext_lazy("Your shop's id of the customer"), max_length=LONGEST_ID, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    anonymous_ids = forms.CharField(
        label=gettext_lazy("Anonymous ids"), required=False,
        help_text=gettext_lazy("Of visitors who are the same person, one a line; those merged are found anyway."),
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"label_suffix": ""})

    def clean_anonymous_ids(self) -> Sequence[str]:
        """The lines with something on them, each once."""
        lines = self.cleaned_data["anonymous_ids"].splitlines()
        for number, line in enumerate(lines, start=1):
            if len(line.strip()) > LONGEST_ID:
                text = _("Line %(line)s has more than %(most)s characters.")
                raise ValidationError(text, params={"line": number, "most": LONGEST_ID})
        ids = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
        if len(ids) > MOST_IDS:
            text = _("At most %(most)s ids go into one request; make another one for the rest.")
            raise ValidationError(text, params={"most": MOST_IDS})
        return ids

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.errors and not self.names_somebody(given):
            self.add_error("user_id", _("Type an id, here or among the anonymous ones."))
        return given

    def names_somebody(self, given: dict[str, Any]) -> bool:
        return bool(given["user_id"] or given["anonymous_ids"])


class PrivacyForm(IdsForm):
    """What is asked for, and of whom: by ids, or as ``customer``, the customer whose page it was asked on."""

    of_erasure: ClassVar[frozenset[str]] = frozenset({"mode", "export_first", "word"})

    kind = forms.ChoiceField(
        label=gettext_lazy("What is asked for"), choices=privacy_labels.KINDS, widget=forms.RadioSelect
    )
    mode = forms.ChoiceField(
        label=gettext_lazy("If the id comes back"), required=False, widget=forms.RadioSelect,
        choices=list(ERASE_MODES.items()),
    )  # fmt: skip
    export_first = forms.BooleanField(label=gettext_lazy("Make the export file first"), required=False)
    reference = forms.CharField(
        label=gettext_lazy("Your reference"), max_length=LONGEST_REFERENCE, required=False,
        help_text=gettext_lazy("Such as a ticket's number; it stays, so write no name. Sent twice it is one request."),
    )  # fmt: skip
    word = forms.CharField(
        label=pgettext_lazy("typed word", "Type “erase”, as it cannot be undone"), required=False, max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    customer = forms.CharField(required=False, widget=forms.HiddenInput)

    field_order = [  # noqa: RUF012 - as Django declares it
        "kind", "user_id", "anonymous_ids", "mode", "export_first", "reference", "word", "customer",
    ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self["customer"].value():
            del self.fields["user_id"], self.fields["anonymous_ids"]

    def clean_customer(self) -> Customer | None:
        """The customer with the code. Raises ValidationError where they are gone meanwhile."""
        code = self.cleaned_data["customer"]
        if not code:
            return None
        customer = Customer.objects.filter(pk=customer_key(code) or 0, erased_at=None).first()
        if customer is None:
            raise ValidationError(_("This customer is not there any more."))
        return customer

    def clean_mode(self) -> EraseMode:
        return EraseMode(self.cleaned_data["mode"] or EraseMode.FORGET)

    def clean_word(self) -> str:
        """The word, where somebody is to be erased. Raises ValidationError where it is another one."""
        word: str = self.cleaned_data["word"].strip()
        if self.data.get("kind") == RequestKind.ERASE and word.casefold() not in ERASE_WORDS:
            raise ValidationError(_("Type “erase” to go on. Nothing was changed."))
        return word

    def names_somebody(self, given: dict[str, Any]) -> bool:
        return bool(given.get("customer")) or super().names_somebody(given)


class HoldForm(IdsForm):
    """Whom to hold, why, and until when."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=LONGEST_REASON,
        help_text=gettext_lazy("Such as a case's number, without a name: it stays."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    until = forms.DateField(
        label=pgettext_lazy("legal hold", "Until"), required=False,
        help_text=gettext_lazy("Empty: until somebody lifts it."),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip

    def clean_until(self) -> datetime | None:
        """The end of that day in the shop's time zone. Raises ValidationError where it is over."""
        day: date | None = self.cleaned_data["until"]
        if day is None:
            return None
        if day.year not in YEARS or day < timezone.localdate():
            raise ValidationError(_("Choose today or a later day."))
        return timezone.make_aware(datetime.combine(day, time.max))


class LiftForm(forms.Form):
    """Why a hold is lifted."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=LONGEST_REASON,
        help_text=gettext_lazy("Such as a case's number, without a name: it stays in the audit trail."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"label_suffix": ""})


class RetentionForm(forms.Form):
    """Days for which a kind is kept; ``noted``: they are to be saved, and somebody says why."""

    days = forms.IntegerField(
        label=gettext_lazy("Days"), error_messages={"invalid": gettext_lazy("Type a whole number of days.")}
    )
    note = forms.CharField(
        label=gettext_lazy("Why"), max_length=LONGEST_REASON, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("It stays with the rule, and in the audit trail."),
    )  # fmt: skip

    def __init__(self, *args: Any, kind: RetentionKind, kept: int, noted: bool = False, **kwargs: Any) -> None:
        """``kept``: the days by now."""
        super().__init__(*args, **kwargs | {"label_suffix": ""})
        self.kind, self.kept = kind, kept
        if noted:
            self.fields["days"].widget = forms.HiddenInput()
        else:
            del self.fields["note"]
            self.fields["days"].help_text = range_words(kind)
            self.fields["days"].widget.attrs |= {"min": RETENTION[kind].least, "max": RETENTION[kind].most}

    def clean_days(self) -> int:
        """The days. Raises ValidationError where they are out of range or nothing would change."""
        days: int = self.cleaned_data["days"]
        try:
            check_days(self.kind, days, kept=self.kept)
        except DaysOutOfRangeError as error:
            raise ValidationError(range_words(self.kind)) from error
        except RuleIsTheSameError as error:
            raise ValidationError(_("It is kept for so many days already.")) from error
        return days
