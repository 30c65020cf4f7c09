"""A new campaign: what calls for it, a name, and what people said yes to; the draft is whole at once."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from analytics.pages.access.permission import requires, staff_of
from analytics.parameters import number, typed
from recommendations.models import Audience
from recommendations.push_terms import CampaignKind, Purpose
from recommendations.services.access.policy import Action
from recommendations.services.campaigns.lifecycle import LONGEST_NAME, create_campaign
from recommendations.services.campaigns.presets import CampaignPreset, fits, offered
from recommendations.services.campaigns.shelving import free_name
from recommendations.wording import push_labels


class KindCard(NamedTuple):
    """A campaign to begin with, as a card: its code in the address, its name, what fires it."""

    code: str
    title: str
    sentence: str


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.DRAFT)
def new_campaign(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _create(request)
    preset = _preset(request.GET.get("start", ""))
    return _render(request, preset, name=free_name(preset.title) if preset else "")


def kind_cards() -> list[tuple[str, Sequence[KindCard]]]:
    """The cards: first those that come by the calendar, then those that something calls for."""
    calendar = [_card(each) for each in offered() if each.kind is not CampaignKind.TRIGGERED]
    return [("calendar", calendar), ("trigger", [_card(each) for each in offered() if each.trigger])]


def _create(request: HttpRequest) -> HttpResponse:
    preset = _preset(request.POST.get("start", ""))
    if preset is None:
        return _render(request, None, status=422)
    name = typed(request.POST.get("name"), longest=2 * LONGEST_NAME)
    asked = request.POST.get("purpose", "")
    purpose = Purpose(asked) if asked in set(Purpose) else preset.purpose
    begun = preset.under(purpose)
    if name == free_name(preset.title):  # the name that stood there, before anybody had chosen a purpose
        name = free_name(begun.title)
    try:
        campaign = create_campaign(
            name=name, kind=preset.kind, trigger=preset.trigger, purpose=purpose,
            draft=begun.draft() | _who(_audience(request)),
            by=staff_of(request), now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        return _render(request, preset, name=name, purpose=purpose, errors=error.message_dict, status=422)
    return redirect(reverse("edit_campaign", args=[campaign.pk], query={"step": "who"}))


def _render(
    request: HttpRequest,
    preset: CampaignPreset | None,
    *,
    name: str = "",
    purpose: Purpose | None = None,
    errors: dict[str, list[str]] | None = None,
    status: int = 200,
) -> HttpResponse:
    sentences = dict(push_labels.PURPOSE_SENTENCES)
    context = {
        "section": "campaigns",
        "audience": _audience(request),
        "groups": kind_cards(),
        "card": _card(preset) if preset else None,
        "name": name,
        "longest_name": LONGEST_NAME,
        "purpose": purpose or (preset.purpose if preset else ""),
        "purposes": [
            (code, words, sentences[code], fits(Purpose(code), preset.trigger)) for code, words in push_labels.PURPOSES
        ] if preset else [],
        "name_error": " ".join((errors or {}).get("name", ())),
        "nothing_chosen": status == 422 and preset is None,
    }  # fmt: skip
    return render(request, "dashboard/campaigns/new.html", context, status=status)


def _audience(request: HttpRequest) -> Audience | None:
    """The audience that somebody came from, as the address or the form says."""
    key = number(request.POST.get("audience") or request.GET.get("audience"))
    return Audience.objects.unarchived().filter(pk=key).first() if key else None


def _who(audience: Audience | None) -> dict[str, Any]:
    return {"who": {"any_of": [audience.pk]}} if audience else {}


def _card(preset: CampaignPreset) -> KindCard:
    code = preset.trigger or preset.kind
    labels = dict((*push_labels.CAMPAIGN_KINDS, *push_labels.TRIGGERS))
    return KindCard(code, str(labels[code]), str(dict(push_labels.CAMPAIGN_START_SENTENCES)[code]))


def _preset(code: str) -> CampaignPreset | None:
    return next((each for each in offered() if (each.trigger or each.kind) == code), None)
