"""The live preview: what a real customer would get of what stands in the form, nothing of it saved."""

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from analytics.pages.access.permission import requires
from analytics.pages.addresses import or_404
from analytics.pages.campaigns.form import STEPS, CampaignEditor, audience_choices, step_of
from analytics.pages.mail_frame import mail_frame
from analytics.parameters import typed
from analytics.queries.campaigns import readers as query
from analytics.queries.campaigns.listing import find_campaign
from analytics.queries.campaigns.words import CampaignWords, part_of, place_words, safety_words, what_words, when_words
from recommendations.customer_codes import customer_key
from recommendations.models import Campaign
from recommendations.push_terms import CampaignKind, Channel
from recommendations.services.access.policy import Action
from recommendations.services.campaigns.form import SUBJECT_SHOWN, CampaignForm, UnfinishedError, Who, frozen_of
from recommendations.services.parcels.notification import BODY, TITLE
from recommendations.services.push.likely import MOST_PEOPLE, kept_shares
from recommendations.services.push.trying import in_view, look_at, with_few_items
from recommendations.serving.serve import NotLoadedError, UnknownPlacementError

WIDTHS: Mapping[str, Promise] = {
    "desktop": gettext_lazy("Desktop"),
    "phone": gettext_lazy("Phone"),
    "dark": gettext_lazy("Dark"),
    "text": gettext_lazy("Plain text"),
}
"""Ways to look at a mail."""
WAYS: Mapping[str, Mapping[str, Promise]] = {
    Channel.EMAIL: WIDTHS,
    Channel.WEB_PUSH: {"notification": gettext_lazy("Notification")},
    Channel.WEBHOOK: {"webhook": gettext_lazy("Webhook")},
}
"""Ways to look at a message, by its channel."""
SCREENS: Mapping[str, Promise] = {"desktop": gettext_lazy("On a computer"), "phone": gettext_lazy("On a phone")}
"""Where a notification is drawn as it would be seen."""
LASTS = 600  # seconds for which a mail that was looked at can be shown
MOST_SHOWN = 8  # mails of a customer
LONGEST_CODE = 128


@require_http_methods(["GET", "HEAD", "POST"])
def campaign_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The preview, of the form that was sent or of what is stored; ``?shown`` is its mail alone, for the frame."""
    if request.method == "POST":
        return _of_form(request, pk)
    if "shown" in request.GET:
        return _frame(request.GET)
    stored = or_404(find_campaign(pk))
    live = stored.versions.filter(is_live=True).first()
    return _answer(request, stored, live.frozen if live else stored.draft, request.GET)


@requires(Action.DRAFT)
def _of_form(request: HttpRequest, pk: int) -> HttpResponse:
    stored = or_404(find_campaign(pk))
    editor = CampaignEditor.sent(stored, request.POST)
    draft = editor.draft
    if request.GET.get("part") == "audiences":
        return _audiences(request, editor)
    if request.GET.get("part") == "likely":
        return render(request, "dashboard/campaigns/likely.html", _likely(stored, draft))
    if request.GET.get("part") == "people":
        who = part_of(draft, "who", Who)
        return render(request, "dashboard/campaigns/view_count.html", {"people": len(in_view(who)) if who else None})
    return _answer(request, stored, draft, request.POST, edited=True)


def _likely(campaign: Campaign, draft: Mapping[str, Any]) -> dict[str, Any]:
    """The shares of people who keep enough likely items; nothing while the form is unfinished."""
    try:
        form = frozen_of(
            draft, recurring=campaign.kind == CampaignKind.RECURRING, triggered=campaign.kind == CampaignKind.TRIGGERED
        )
        people = query.some_of(query.reachable(campaign, form), most=MOST_PEOPLE)
        rows = kept_shares(campaign, form, people, now=timezone.now()) if people else None
    except (UnfinishedError, NotLoadedError, UnknownPlacementError):
        return {"unfinished": True}
    return {"rows": rows, "people": len(people), "least": form.what.least_items, "asked": form.what.least_chance}


def _audiences(request: HttpRequest, editor: CampaignEditor) -> HttpResponse:
    """The audiences to choose from, where there are others than the page has; nothing else is touched."""
    audiences = audience_choices(editor)
    if ",".join(str(key) for key, *_rest in audiences) == request.POST.get("offered", ""):
        return HttpResponse(status=204)
    return render(request, "dashboard/campaigns/audiences.html", {"form": editor, "audiences": audiences})


def _answer(
    request: HttpRequest, campaign: Campaign, draft: Mapping[str, Any], asked: QueryDict, *, edited: bool = False
) -> HttpResponse:
    width, widths = asked.get("width", ""), _widths(draft)
    context: dict[str, Any] = {
        "campaign": campaign,
        "edited": edited,
        "width": width if width in widths else next(iter(widths)),
        "widths": widths.items(),
        "reads": asked.get("reads", "") if asked.get("reads", "") in dict(settings.LANGUAGES) else "",
        "languages": settings.LANGUAGES,
        "mails": WIDTHS,
        "sender": settings.SHOP_NAME,
        "cut": SUBJECT_SHOWN,
        "lines": lines_of(campaign, draft) if edited else {},
    }
    return render(
        request, "dashboard/campaigns/preview.html", context | _look(campaign, draft, asked, context["reads"])
    )


def _widths(draft: Mapping[str, Any]) -> dict[str, Promise]:
    """The ways to look at a message on the channels of a draft, in their order."""
    chosen = draft.get("channels")
    channels = [each for each in chosen if each in WAYS] if isinstance(chosen, list) else []
    return {code: words for channel in channels or [Channel.EMAIL] for code, words in WAYS[channel].items()}


def lines_of(campaign: Campaign, draft: Mapping[str, Any]) -> dict[str, str]:
    """The effect of each step of the editor, in a line."""
    words = CampaignWords.of([draft])
    return dict(
        zip(
            STEPS, (words.who(draft), what_words(draft), when_words(campaign, draft), safety_words(draft)), strict=False
        )
    )


def _look(campaign: Campaign, draft: Mapping[str, Any], asked: QueryDict, language: str) -> dict[str, Any]:
    """What somebody sees, or why nothing can be seen."""
    try:
        form = frozen_of(
            draft, recurring=campaign.kind == CampaignKind.RECURRING, triggered=campaign.kind == CampaignKind.TRIGGERED
        )
    except UnfinishedError as error:
        editor = CampaignEditor(campaign, campaign.name, draft)
        refusals = [
            (place_words(each.pointer), editor.field_of(each.pointer), step_of(each.pointer), each.reason)
            for each in error.refusals
        ]
        return {"refusals": refusals, "code": typed(asked.get("customer"), longest=LONGEST_CODE)}
    now = timezone.now()
    try:
        customer, problem = _customer(campaign, form, asked)
        if customer is None:
            return {"nobody": True, "problem": problem}
        look = look_at(campaign, form, customer=customer, language=language, now=now)
    except NotLoadedError:
        return {"problem": _("No run has finished yet, so there is nothing to recommend. Start one first.")}
    except UnknownPlacementError as error:
        return {"problem": _("The placement “%(name)s” is not there, or is switched off: choose another one.")
                % {"name": error.name}}  # fmt: skip
    token = f"{customer}.{secrets.token_urlsafe(16)}"
    shown = dict([*cache.get(_name(token), {}).items()][1 - MOST_SHOWN :])
    cache.set(_name(token), {**shown, token: look.letter.html}, LASTS)
    return {
        "look": look, "token": token, "problem": problem, "least": form.what.least_items,
        "picture": look.notification.icon.removeprefix(settings.PUBLIC_URL), "host": _shop_host(),
        "screens": SCREENS.items(), "longest": (TITLE, BODY), "page_language": get_language(),
        "hook": msgspec.json.format(look.hook).decode(),
    }  # fmt: skip


def _name(token: str) -> str:
    """Where the mails are kept that were looked at as a customer: by the customer, so that an erasure finds them."""
    return f"campaign-look:{token.partition('.')[0]}"


def _shop_host() -> str:
    """The shop's host as browsers write it under a notification."""
    return urlsplit(settings.SHOP_URL).netloc or "shop.example"


def _customer(campaign: Campaign, form: CampaignForm, asked: QueryDict) -> tuple[int | None, str]:
    """Whom to look as, and what went wrong in choosing them."""
    current = query.existing(customer_key(asked.get("customer", "")))
    if text := typed(asked.get("who"), longest=LONGEST_CODE):
        match = query.named(text)
        if match is not None:
            return match, ""
        problem = _("No customer has this code or this id.")
        return current or query.neighbour(query.reachable(campaign, form), None, step=0), problem
    go = asked.get("go", "")
    if current is not None and go not in {"next", "previous", "random", "few"}:
        return current, ""
    people = query.reachable(campaign, form)
    if go == "few":
        return with_few_items(campaign, form, query.some_of(people), now=timezone.now()), ""
    if go == "random":
        return next(iter(query.some_of(people)), None), ""
    return query.neighbour(people, current, step=-1 if go == "previous" else 1), ""


def _frame(asked: QueryDict) -> HttpResponse:
    """The mail alone, in the light or the dark of its reader; both stand in its style."""
    token = typed(asked.get("shown"), longest=LONGEST_CODE)
    html = cache.get(_name(token), {}).get(token)
    if html is None:
        return mail_frame("", status=404)
    dark = asked.get("width") == "dark"
    html = html.replace("(prefers-color-scheme: dark)", "all" if dark else "not all")
    return mail_frame(html.replace("color-scheme: light dark", f"color-scheme: {'dark' if dark else 'light'}"))
