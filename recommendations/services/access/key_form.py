"""The form of an API key: what it may do, where it is used, how much it may send."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.functional import Promise, lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from recommendations.models import ApiKey, Staff
from recommendations.services.access import keys
from recommendations.services.access.origins import MOST, NotAnOriginError, TooManyOriginsError, read_origins
from recommendations.terms import Scope, Side
from recommendations.wording import labels

if TYPE_CHECKING:
    OfKey = forms.ModelForm[ApiKey]
else:
    OfKey = forms.ModelForm


def _with_code(words: Promise | str, code: str) -> SafeString:
    return format_html("{} <code>{}</code>", words, code)


_SCOPES = [(code, lazy(_with_code, str)(words, code)) for code, words in labels.SCOPES if code != Scope.EVENTS_REPLAY]
"""Scopes by what they let a key do, and by what docs and commands call them; the demo makes its own key of a replay."""


def _why_not_in_a_page(scopes: Sequence[str]) -> str:
    if {*scopes} >= keys.SENDS and {*scopes} <= keys.ASKS:
        return gettext("To do more in a page than send events, a key needs the origins of these pages.")
    return gettext(
        "Anyone who looks into a page finds its key: such a key can only send events and, from its origins, read "
        "recommendations and subscribe browsers."
    )


class KeyForm(OfKey):
    """The form of a new key; each complaint stands at its field."""

    scopes = forms.MultipleChoiceField(
        label=capfirst(_("may")), choices=_SCOPES, widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "A key in a page can “Send events” and, from its origins, “Read recommendations” and “Subscribe browsers "
            "to notifications”."
        ),
    )  # fmt: skip
    origins = forms.CharField(
        label=capfirst(_("origins")), required=False, widget=forms.Textarea(attrs={"rows": 3, "cols": 50}),
        help_text=_(
            "Where a browser may use it: the pages of these origins, one per line, such as https://shop.example. A "
            "key that no browser uses has none."
        ),
    )  # fmt: skip

    class Meta:
        model = ApiKey
        fields = ("name", "side", "scopes", "origins", *keys.LIMITS)

    def clean_origins(self) -> list[str]:
        try:
            return read_origins(str(self.cleaned_data["origins"]).splitlines())
        except NotAnOriginError as error:
            text = _("“%(text)s” is not an origin: write scheme and host, such as https://shop.example.")
            raise forms.ValidationError([text % {"text": wrong} for wrong in error.texts]) from error
        except TooManyOriginsError as error:
            raise forms.ValidationError(_("At most %(most)s origins.") % {"most": MOST}) from error

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        side, scopes = given.get("side"), given.get("scopes")
        if given.get("origins") and side == Side.SERVER:
            self.add_error("side", _("A key with origins is in a page."))
        elif side == Side.PAGE and scopes and not keys.fits_a_page(scopes, origins=given.get("origins", ["?"])):
            self.add_error("scopes", _why_not_in_a_page(scopes))
        for name in keys.NEVER_0:
            if given.get(name) == 0:
                self.add_error(name, _("Enter at least 1: with 0 the key could send nothing."))
        if side == Side.SERVER and given.get("new_people_per_hour") is not None:
            self.add_error("new_people_per_hour", _("This limits only a key in a page. Clear the field."))
        return given

    def create(self, *, by: Staff) -> tuple[ApiKey, str]:
        """Create the key of a valid form, with its secret."""
        given = self.cleaned_data
        return keys.create_key(
            name=given["name"],
            scopes=[Scope(scope) for scope in given["scopes"]],
            side=Side(given["side"]),
            origins=given["origins"],
            by=by,
            **{name: given[name] for name in keys.LIMITS},
        )
