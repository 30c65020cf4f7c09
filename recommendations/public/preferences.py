"""The preference centre: what somebody gets, how often, and when not; each act is answered with what is so now."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from math import ceil
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recommendations.public.door import AddressGuest, door
from recommendations.public.sentences import sentence, word, words
from recommendations.public.zones import time_zones, zone_choices
from recommendations.push_terms import BY_TRAITS, Channel, Purpose
from recommendations.services.contacts import acts, own_data
from recommendations.services.contacts.acts import MOST_A_WEEK, OwnAct
from recommendations.services.contacts.preferences import address_on, preferences_of
from recommendations.services.contacts.tokens import LinkKind
from recommendations.services.push.why import reason_of
from recommendations.wording import push_labels


class NotUnderstoodError(Exception):
    """A form has what no form of ours sends, or what cannot be; the first argument says so to its reader."""


class SwitchForm(forms.Form):
    on = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])


class PurposeForm(SwitchForm):
    purpose = forms.ChoiceField(choices=push_labels.PURPOSES)
    channel = forms.ChoiceField(choices=push_labels.CHANNELS, required=False)  # empty: that of the address


class LimitForm(forms.Form):
    most = forms.ChoiceField(choices=[(most, most) for most in ("none", *map(str, MOST_A_WEEK))])


class QuietForm(forms.Form):
    quiet_from = forms.TimeField(required=False)
    quiet_until = forms.TimeField(required=False)
    time_zone = forms.CharField(max_length=64, required=False)

    def clean(self) -> dict[str, Any]:
        hours = [self.cleaned_data.get(name) for name in ("quiet_from", "quiet_until")]
        if not self.errors and (hours.count(None) == 1 or (hours[0] is not None and hours[0] == hours[1])):
            raise forms.ValidationError(_("Quiet hours need two different times, from and until."))
        return self.cleaned_data

    def clean_time_zone(self) -> str:
        zone = str(self.cleaned_data["time_zone"])
        if zone and zone not in time_zones():
            raise forms.ValidationError(_("There is no such time zone."))
        return zone


@door(LinkKind.PREFERENCES)
def preference_centre(guest: AddressGuest) -> HttpResponse:
    if guest.request.method != "POST":
        return _centre(guest)
    deed = guest.request.POST.get("act", "")
    try:
        if deed == "data":
            own_data.ask_for_link(guest.address)
            return guest.to(sent="data")
        if deed not in DEEDS:
            raise NotUnderstoodError(NOT_UNDERSTOOD)
        act = DEEDS[deed](guest)
    except NotUnderstoodError as error:
        return _centre(guest, wrong=error.args[0], status=HTTPStatus.BAD_REQUEST)
    except own_data.NotConfirmedError:
        return _centre(guest, wrong=NOT_CONFIRMED, status=HTTPStatus.FORBIDDEN)
    except own_data.CannotMailError:
        return _centre(guest, wrong=CANNOT_MAIL, status=HTTPStatus.SERVICE_UNAVAILABLE)
    except own_data.TooManyLinksError as error:
        answer = _centre(guest, wrong=TOO_MANY_LINKS, status=HTTPStatus.TOO_MANY_REQUESTS)
        answer.headers["Retry-After"] = str(ceil(error.wait))
        return answer
    return guest.to(was=acts.signed(act, guest.address, now=guest.now))


NOT_UNDERSTOOD = _("We did not understand this form. Nothing was changed.")
TOO_OLD = _("This can no longer be undone. Nothing was changed.")
NOT_CONFIRMED = _("Confirm this address first, by the link that we mailed to it.")
CANNOT_MAIL = _("The mail cannot be sent at the moment. Please try again later.")
TOO_MANY_LINKS = _("Three links were sent within an hour. Please look into your mailbox, or try again later.")


def _centre(guest: AddressGuest, *, wrong: Promise | str = "", status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    own = preferences_of(guest.address, now=guest.now)
    may = {purpose: own.personalise or purpose not in BY_TRAITS for purpose in Purpose}
    purposes = [
        {
            "code": purpose.value,
            "name": word(push_labels.PURPOSES, purpose),
            "sentence": word(push_labels.PURPOSE_SENTENCES, purpose),
            "on": own.given[purpose],
            "asked": purpose in own.asked,
            "objected": own.given[purpose] and not may[purpose],
        }
        for purpose in Purpose
    ]
    browsers = own.browsers if guest.address.channel != Channel.WEB_PUSH else None
    zones = zone_choices()
    listed = {name for _region, names in zones for name, _words in names}
    context = {
        "own": own,
        "purposes": purposes,
        "browsers": _of_browsers(browsers, may) if browsers is not None else (),
        "names": words(push_labels.PURPOSES, [purpose for purpose in Purpose if own.given[purpose] and may[purpose]]),
        "wrong": wrong,
        "zones": zones,
        "own_zone": own.time_zone if own.time_zone not in listed else "",
        "shop_zone": settings.TIME_ZONE,
        "sent": guest.request.method != "POST" and guest.request.GET.get("sent") == "data",
        "why": _why(guest),
        **_done(guest),
    }
    return guest.answer("centre", context, status=status)


def _of_browsers(given: Mapping[Purpose, bool], may: Mapping[Purpose, bool]) -> list[Mapping[str, Any]]:
    """A switch for each purpose of browser notifications."""
    return [
        {
            "code": purpose.value,
            "name": word(push_labels.PURPOSES, purpose),
            "on": given[purpose],
            "objected": given[purpose] and not may[purpose],
        }
        for purpose in Purpose
    ]


def _why(guest: AddressGuest) -> Mapping[str, Any] | None:
    """Why the reader got the message that led here; None where they came by another way."""
    token = guest.request.GET.get("why", "")
    if guest.request.method == "POST" or not token:
        return None
    reason = reason_of(token, guest.address, now=guest.now)
    if reason is None:
        return {"unknown": True}
    return {
        "reason": reason,
        "purpose": word(push_labels.PURPOSES, reason.purpose),
        "called": word(push_labels.TRIGGER_SENTENCES, reason.trigger) if reason.trigger else "",
    }


def _done(guest: AddressGuest) -> Mapping[str, Any]:
    """What the page before has led to, if it is still so, and the act by which it can be undone."""
    text = guest.request.GET.get("was", "")
    act = acts.of_signed(text, guest.address, now=guest.now)
    if guest.request.method == "POST" or act is None or not acts.holds(guest.address, act, now=guest.now):
        return {}
    return {"done": sentence(act), "was": text if act.before != act.after else "", "undoes": act.undoes}


def _valid[Form: forms.Form](form: Form) -> Form:
    if not form.is_valid():
        [problem, *_others] = [text for texts in form.errors.values() for text in texts]
        raise NotUnderstoodError(problem if isinstance(form, QuietForm) else NOT_UNDERSTOOD)
    return form


def _switch(guest: AddressGuest) -> OwnAct:
    form = _valid(PurposeForm(guest.request.POST))
    purpose, on = Purpose(form.cleaned_data["purpose"]), form.cleaned_data["on"] == "yes"
    address = address_on(guest.address, Channel(form.cleaned_data["channel"] or guest.address.channel))
    if address is None:
        raise NotUnderstoodError(NOT_UNDERSTOOD)
    return acts.switch(address, purpose, on=on, now=guest.now)


def _limit(guest: AddressGuest) -> OwnAct:
    most = _valid(LimitForm(guest.request.POST)).cleaned_data["most"]
    return acts.limit(guest.address, None if most == "none" else int(most), now=guest.now)


def _keep_quiet(guest: AddressGuest) -> OwnAct:
    values = _valid(QuietForm(guest.request.POST)).cleaned_data
    return acts.keep_quiet(
        guest.address, values["quiet_from"], values["quiet_until"], time_zone=values["time_zone"], now=guest.now
    )


def _recommend_by_traits(guest: AddressGuest) -> OwnAct:
    form = _valid(SwitchForm(guest.request.POST))
    return acts.recommend_by_traits(guest.address, on=form.cleaned_data["on"] == "yes", now=guest.now)


def _undo(guest: AddressGuest) -> OwnAct:
    act = acts.of_signed(guest.request.POST.get("was", ""), guest.address, now=guest.now)
    if act is None:
        raise NotUnderstoodError(TOO_OLD)
    return acts.undo(guest.address, act, now=guest.now)


DEEDS: Mapping[str, Callable[[AddressGuest], OwnAct]] = {
    "purpose": _switch,
    "limit": _limit,
    "pause": lambda guest: acts.pause(guest.address, now=guest.now),
    "go_on": lambda guest: acts.go_on(guest.address, now=guest.now),
    "quiet": _keep_quiet,
    "traits": _recommend_by_traits,
    "stop": lambda guest: acts.stop(guest.address, now=guest.now),
    "undo": _undo,
}
