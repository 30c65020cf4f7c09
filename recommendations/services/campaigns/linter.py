"""What stands against a campaign: what refuses its approval, with the place, and what somebody should look at."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from recommendations.ingest.refusal import Refusal
from recommendations.models import Audience, Campaign, Contact
from recommendations.push_terms import CampaignKind, Purpose, Trigger
from recommendations.services.campaigns.form import (
    BRACES,
    SUBJECT_SHOWN,
    CampaignForm,
    Layout,
    UnfinishedError,
    frozen_of,
)
from recommendations.services.campaigns.lifecycle import has_come, unknown_placements
from recommendations.services.campaigns.presets import fits
from recommendations.services.campaigns.routes import missing_for, without_route
from recommendations.wording import push_labels

HAS_COME = gettext_lazy("It comes once, and it has come. Copy it to send something like it again.")
TYPICAL = {"{first_item}": "x" * 20, "{count}": "5"}
"""What names in braces come to, to say how long a subject is."""


class CampaignFinding(NamedTuple):
    """What stands against a campaign, where; one that refuses has to be mended before the approval."""

    pointer: str
    text: str
    refuses: bool


def findings(campaign: Campaign, draft: Mapping[str, Any] | None = None) -> list[CampaignFinding]:
    """All that stands against the draft of a campaign, or against another one that it would have."""
    draft = campaign.draft if draft is None else draft
    missing = missing_for(draft)
    come = has_come(campaign)
    form, refusals = _form_of(campaign, draft, now=None if come else timezone.now())
    refusals += [*unknown_placements(draft), *without_route(draft), *([Refusal("", str(HAS_COME))] if come else [])]
    own = [CampaignFinding(each.pointer, each.reason, refuses=True) for each in refusals]
    own += [CampaignFinding("", _unset(missing), refuses=True)] if missing else []
    if form is None:
        return own
    warnings = (
        *_of_purpose(campaign),
        *_of_audiences(form),
        *_of_languages(form),
        *_of_subjects(form),
        *_of_list(form),
    )
    return [*own, *(CampaignFinding(*each, refuses=False) for each in warnings)]


def _form_of(
    campaign: Campaign, draft: Mapping[str, Any], *, now: datetime | None
) -> tuple[CampaignForm | None, list[Refusal]]:
    """The form of a draft, or what refuses it."""
    recurring, triggered = (campaign.kind == kind for kind in (CampaignKind.RECURRING, CampaignKind.TRIGGERED))
    try:
        return frozen_of(draft, recurring=recurring, triggered=triggered, now=now), []
    except UnfinishedError as error:
        return None, error.refusals


def _unset(missing: list[str]) -> str:
    text = ngettext(
        "Nothing can be sent while this setting is empty: %(names)s.",
        "Nothing can be sent while these settings are empty: %(names)s.",
        len(missing),
    )
    return text % {"names": ", ".join(missing)}


def _of_purpose(campaign: Campaign) -> Iterator[tuple[str, str]]:
    trigger = Trigger(campaign.trigger) if campaign.trigger else None
    if not fits(Purpose(campaign.purpose), trigger):
        text = _("People who said yes to “%(purpose)s” do not expect this: it goes to those, and to nobody else.")
        yield "", text % {"purpose": dict(push_labels.PURPOSES)[campaign.purpose]}


def _of_audiences(form: CampaignForm) -> Iterator[tuple[str, str]]:
    for side in ("any_of", "none_of"):
        keys = set(getattr(form.who, side))
        gone = keys - set(Audience.objects.unarchived().filter(pk__in=keys).values_list("pk", flat=True))
        if gone:
            yield f"/who/{side}", _("A chosen audience is archived: it no longer changes. Choose another one.")


def _of_languages(form: CampaignForm) -> Iterator[tuple[str, str]]:
    without = [code for code, _name in settings.LANGUAGES if code not in form.what.texts]
    if not without:
        return
    names = dict(settings.LANGUAGES)
    contacts = dict(Contact.objects.values_list("language").annotate(n=Count("pk")))
    for code in without:
        n = contacts.get(code, 0)
        text = ngettext(
            "There is no text in %(language)s: %(n)d contact reads it and gets it in %(shop)s.",
            "There is no text in %(language)s: %(n)d contacts read it and get it in %(shop)s.",
            n,
        )
        yield f"/what/texts/{code}", text % {"language": names[code], "n": n, "shop": names[settings.SHOP_LANGUAGE]}


def _of_subjects(form: CampaignForm) -> Iterator[tuple[str, str]]:
    for code, texts in form.what.texts.items():
        for place, subject in enumerate(texts.subjects):
            long = len(BRACES.sub(lambda match: TYPICAL.get(match[0], settings.SHOP_NAME), subject))
            if long > SUBJECT_SHOWN:
                text = _("The subject has about %(long)d characters; many phones show %(most)d.")
                yield f"/what/texts/{code}/subjects/{place}", text % {"long": long, "most": SUBJECT_SHOWN}


def _of_list(form: CampaignForm) -> Iterator[tuple[str, str]]:
    most = sum(block.n for block in form.what.blocks)
    if form.what.layout is Layout.SINGLE and most > 4:
        yield "/what/layout", _("This layout shows one item large and the others as text: few items suit it best.")
