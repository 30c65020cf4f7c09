"""The people of a sending by their verdict, and one of them: why, what would have to change, what they would see."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.exports.sending import sending_file
from analytics.pages.addresses import or_404
from analytics.parameters import page_number
from analytics.queries.agents.sendings import chosen_by_agent
from analytics.queries.campaigns import people as query
from analytics.queries.campaigns.sendings import find_sending, revision_of
from analytics.queries.campaigns.verdict_words import caps_text, verdict_sentence, what_would_change_it
from analytics.queries.customer.profile import items_by_key
from recommendations.models import Considered, Message
from recommendations.push_terms import OccurrenceState, Priority
from recommendations.services.campaigns.form import CampaignForm
from recommendations.services.push.deciding import RANKS
from recommendations.services.push.person import NoListsError, form_of_sending, lists_now, messages_to, person_now
from recommendations.serving.pipeline import UnknownPlacementError
from recommendations.wording import push_labels
from recommendations.wording.reasons import reason_text


@require_safe
def sending_people(request: HttpRequest, pk: int, occurrence: int) -> HttpResponse:
    sending = or_404(find_sending(pk, occurrence))
    verdict, channel = query.verdict_in(request.GET.get("verdict")), query.channel_in(request.GET.get("channel"))
    stored = query.people(sending, verdict=verdict, channel=channel)
    if request.GET.get("format") == "csv":
        return sending_file(sending, stored[: query.MOST_IN_A_FILE].iterator(chunk_size=2_000))
    counts = sending.counts
    choices = [(code, words, counts.get(code, 0)) for code, words in push_labels.VERDICTS]
    context = {
        "section": "campaigns", "campaign": sending.campaign, "occurrence": sending, "counts": counts,
        "verdict": verdict, "channel": channel, "choices": choices, "channels": push_labels.CHANNELS,
        "erased": query.erased(sending, verdict=verdict), "is_plan": sending.state == OccurrenceState.PLANNED,
        "page": query.people_page(stored, page=page_number(request.GET.get("page"))),
    }  # fmt: skip
    return render(request, "dashboard/campaigns/people.html", context)


@require_safe
def sending_person(request: HttpRequest, pk: int, occurrence: int, customer: int) -> HttpResponse:
    """The verdicts on one person; their products alone, with reasons, where htmx asks for an occasion's."""
    cases = query.cases_of(pk, occurrence, customer)
    case = or_404(
        next((each for each in cases if each.key == request.GET.get("occasion")), cases[0] if cases else None)
    )
    sending, messages = case.occurrence, messages_to(case)
    form = form_of_sending(case.occurrence, revision=revision_of(case.occurrence))
    lists = _lists(case, form, messages) if "lists" in request.GET else {}
    if request.headers.get("HX-Request"):
        return render(request, "dashboard/campaigns/person_lists.html", {"case": case, **lists})
    context = {
        "section": "campaigns", "campaign": sending.campaign, "occurrence": sending, "cases": cases, "case": case,
        "sentence": verdict_sentence(case), "form": form, "is_plan": sending.state == OccurrenceState.PLANNED, **lists,
        "stored_items": [] if lists else list(items_by_key(case.items).values()),
        **(_now(case, form, messages) if form else {}),
    }  # fmt: skip
    return render(request, "dashboard/campaigns/person.html", context)


def _now(case: Considered, form: CampaignForm, messages: Sequence[Message]) -> dict[str, Any]:
    """What holds for the person now."""
    facts = person_now(case, form=form, messages=messages, now=timezone.now())
    chosen = chosen_by_agent(case, facts)
    return {
        "facts": facts, "chosen": chosen, "sentence": (chosen and chosen.sentence) or verdict_sentence(case),
        "change": (chosen and chosen.change) or what_would_change_it(case, facts, form), "zone": facts.person.zone.key,
        "caps": caps_text(facts.full), "priority": dict(push_labels.PRIORITIES)[form.safety.priority],
        "rivals": sorted(
            ((each, _priority(each)) for each in facts.rivals), key=lambda rival: (RANKS[rival[1]], -rival[0].value)
        ),
        "priorities": dict(push_labels.PRIORITIES),
    }  # fmt: skip


def _priority(case: Considered) -> Priority:
    """The class in which a message of another campaign competes."""
    version = case.occurrence.version
    return Priority((version.frozen.get("safety", {}) if version else {}).get("priority", Priority.CAMPAIGN))


def _lists(case: Considered, form: CampaignForm | None, messages: Sequence[Message]) -> dict[str, Any]:
    """The products with their reasons, made now."""
    if form is None:
        return {"trouble": _("The draft was changed since, so its lists cannot be made again.")}
    try:
        lists = lists_now(case, form=form, messages=messages, now=timezone.now())
    except NoListsError:
        return {"trouble": _("Nothing is loaded yet. Try again in a moment.")}
    except UnknownPlacementError as error:
        return {"trouble": _("The placement “%(name)s” is gone, or switched off.") % {"name": error.name}}
    rows = [(one, [reason_text(reason.code, reason.evidence) for reason in one.reasons[:1]]) for one in lists.items]
    items = items_by_key([one.item for one in lists.items])
    return {
        "lists": [(items.get(one.item), reasons) for one, reasons in rows],
        "made_with": lists.model_version,
        "is_newer": lists.model_version != case.occurrence.model_version,
    }
