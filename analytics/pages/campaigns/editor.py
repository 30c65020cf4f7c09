"""The editor of a campaign: five steps in one form, saved by one POST; what runs stays as it was approved."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.decorators.http import require_http_methods

from analytics.pages.access.permission import requires, staff_of
from analytics.pages.addresses import or_404
from analytics.pages.campaigns.form import STEPS, CampaignEditor, audience_choices, list_choices
from analytics.pages.campaigns.parsing import ABOUT
from analytics.pages.campaigns.preview import lines_of
from analytics.pages.undo import offer_undo
from analytics.parameters import number
from analytics.queries.campaigns import words
from analytics.queries.campaigns.listing import find_campaign
from analytics.queries.campaigns.merging import MergedDraft, merge_with_theirs
from analytics.queries.campaigns.reviews import returned
from analytics.queries.campaigns.view import trigger_call
from analytics.queries.segments.choices import missing
from recommendations.models import Campaign, CampaignVersion, Placement
from recommendations.push_terms import CampaignKind, Trigger
from recommendations.services.access.policy import Action
from recommendations.services.campaigns.form import LONGEST_SUBJECT, LONGEST_TEXT
from recommendations.services.campaigns.lifecycle import (
    LONGEST_NAME,
    CampaignOverError,
    StaleCampaignError,
    has_come,
    save_draft,
)
from recommendations.services.campaigns.linter import CampaignFinding, findings
from recommendations.services.endpoints.book import in_use
from recommendations.wording import push_labels
from recommendations.wording.labels import placement_label
from recommendations.wording.linter import listed

TITLES: Mapping[str, Promise] = {
    "who": pgettext_lazy("step", "Who"),
    "what": pgettext_lazy("step", "What"),
    "when": pgettext_lazy("step", "When"),
    "safety": pgettext_lazy("step", "Safety"),
    "review": pgettext_lazy("step", "Review"),
}
NAMES_IN_BRACES: Mapping[str, Promise] = {
    "first_item": gettext_lazy("First item"),
    "count": gettext_lazy("Number of the others"),
    "shop": gettext_lazy("Name of the shop"),
}


OCCASION_FIELDS: Mapping[str, Sequence[tuple[str, Promise, Promise]]] = {
    Trigger.CART_LEFT: [("hours", gettext_lazy("In the cart for at least"), pgettext_lazy("unit", "hours"))],
    Trigger.VIEWED: [
        ("views", gettext_lazy("Looked at it within 72 hours at least"), pgettext_lazy("unit", "times")),
        ("hours", gettext_lazy("It comes after the last look by"), pgettext_lazy("unit", "hours")),
    ],
    Trigger.PRICE_DROP: [("percent", gettext_lazy("Cheaper by at least"), pgettext_lazy("unit", "%"))],
    Trigger.DUE_AGAIN: [
        (
            "due_percent",
            gettext_lazy("They buy it again within 7 days with a chance of at least"),
            pgettext_lazy("unit", "%"),
        )
    ],
    Trigger.WIN_BACK: [
        (
            "days",
            gettext_lazy("No purchase for three times as long as usual, and at least"),
            pgettext_lazy("unit", "days"),
        )
    ],
}
"""The numbers of each trigger, with the words before and behind them."""


class EditorStep(NamedTuple):
    """A step as the page shows it: what it comes to in a line, and how many of its fields have a complaint."""

    code: str
    title: str
    line: str
    problems: int
    is_open: bool


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.DRAFT)
def edit_campaign(request: HttpRequest, pk: int) -> HttpResponse:
    stored = or_404(find_campaign(pk))
    if stored.ended_at or stored.archived_at:
        return _over(request, stored)
    if request.method == "POST":
        revision = number(request.POST.get("over")) or number(request.POST.get("revision")) or 0
        return _save(request, stored, CampaignEditor.sent(stored, request.POST), revision)
    return _render(request, stored, CampaignEditor.of(stored))


def _save(
    request: HttpRequest, stored: Campaign, editor: CampaignEditor, revision: int, merged: MergedDraft | None = None
) -> HttpResponse:
    """Save what stands in the form; ``merged`` is what of others is in it already."""
    before = {"name": stored.name, "draft": stored.draft}
    try:
        saved = save_draft(
            campaign=stored, name=editor.name, draft=editor.draft, revision=revision, by=staff_of(request),
            now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        editor.problems["name"] = " ".join(error.message_dict.get("name", ()))
        return _render(request, stored, editor, status=422)
    except StaleCampaignError as error:
        both = merge_with_theirs(error, name=editor.name, draft=editor.draft)
        editor = CampaignEditor(error.current, both.name, both.draft)
        if not both.conflicts:
            return _save(request, error.current, editor, both.revision, both)
        return _render(request, error.current, editor, more={"stale": both, "revision": revision}, status=409)
    except CampaignOverError:
        return _over(request, stored)
    editor.complain(findings(stored, editor.draft))
    text = _saved_text(saved.name, len(editor.problems), live=None if has_come(stored) else _live(stored))
    if merged and merged.taken:
        fields = listed([words for words, _value in merged.taken])
        text = f"{text} {_('Kept as %(who)s saved it meanwhile: %(fields)s.') % {'who': merged.who, 'fields': fields}}"
    if saved.revision != stored.revision:
        if stored.review_asked_at:
            text = f"{text} {_('It is no longer waiting for approval: ask again.')}"
        offer_undo(request, text, "campaign changed", campaign=saved.pk, revision=saved.revision, **before)
    else:
        messages.success(request, text)
    asked = request.POST.get("then", "") or request.POST.get("step", "")
    return redirect(reverse("edit_campaign", args=[saved.pk], query={"step": _step(asked)}))


def _saved_text(name: str, missing: int, *, live: CampaignVersion | None) -> str:
    text = _("“%(name)s” saved.") % {"name": name}
    if missing:
        left = ngettext("%(n)d field is not finished yet.", "%(n)d fields are not finished yet.", missing)
        text = f"{text} {left % {'n': missing}}"
    if live:
        text = f"{text} {_('What runs is v%(number)d until this is approved.') % {'number': live.number}}"
    return text


def _render(
    request: HttpRequest,
    stored: Campaign,
    editor: CampaignEditor,
    *,
    more: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    every = findings(stored, editor.draft)
    editor.complain(every)
    triggered = stored.kind == CampaignKind.TRIGGERED
    context = {
        "section": "campaigns",
        "campaign": stored,
        "form": editor,
        "revision": number(request.POST.get("revision")) or stored.revision,
        "steps": (steps := _steps(request, stored, editor, every)),
        "opened": next(code for code, step in steps.items() if step.is_open),
        "triggered": triggered,
        "occasion": OCCASION_FIELDS.get(stored.trigger, ()),
        "live": _live(stored),
        "returned": returned(stored),
        "call": trigger_call(stored),
        "has_come": has_come(stored),
        "audiences": audience_choices(editor),
        "weekdays": [(day + 1, name) for day, name in WEEKDAYS.items()],
        "names": NAMES_IN_BRACES.items(),
        "channels": push_labels.CHANNELS,
        "endpoints": [(str(each.pk), each.name) for each in in_use()],
        "layouts": words.LAYOUTS.items(),
        "clocks": words.CLOCKS.items(),
        "goals": words.GOALS.items(),
        "priorities": push_labels.PRIORITIES,
        "lists": _lists(editor, triggered=triggered),
        "findings": [
            (each, words.place_words(each.pointer) if each.pointer else "", editor.field_of(each.pointer))
            for each in every
        ],
        "refuses": any(each.refuses for each in every),
        "longest_name": LONGEST_NAME,
        "longest_subject": LONGEST_SUBJECT,
        "longest_text": LONGEST_TEXT,
        **(more or {}),
    }
    return render(request, "dashboard/campaigns/editor.html", context, status=status)


def _steps(
    request: HttpRequest, stored: Campaign, editor: CampaignEditor, every: Sequence[CampaignFinding]
) -> dict[str, EditorStep]:
    """The steps by their code; the one that the address asks for is open, else the first with a complaint."""
    problems = {step: editor.problems_of(step) for step in STEPS}
    opened = _step(request.GET.get("step") or request.POST.get("step", ""))
    if request.method == "POST":
        opened = next((step for step in STEPS if problems[step]), opened)
    refuses, warns = (sum(each.refuses is kind for each in every) for kind in (True, False))
    lines = lines_of(stored, editor.draft) | {"review": review_line(refuses, warns)}
    return {step: EditorStep(step, str(TITLES[step]), lines[step], problems[step], step == opened) for step in STEPS}


def review_line(refuses: int, warns: int) -> str:
    """How much stands against an approval."""
    if refuses:
        return ngettext("%(n)d thing to fix first", "%(n)d things to fix first", refuses) % {"n": refuses}
    if warns:
        return ngettext("%(n)d thing to look at", "%(n)d things to look at", warns) % {"n": warns}
    return _("Nothing stands against it")


def _step(asked: str) -> str:
    return asked if asked in STEPS else STEPS[0]


def _live(stored: Campaign) -> CampaignVersion | None:
    return stored.versions.filter(is_live=True).first()


def _lists(editor: CampaignEditor, *, triggered: bool) -> list[tuple[str, str]]:
    """Lists that a message may have; one that is chosen and is not there any more stays and says so."""
    stored = list(Placement.objects.filter(enabled=True).order_by("pk").values_list("name", "needs_context"))
    offered = list_choices(
        [(name, str(placement_label(name))) for name, _needs in stored],
        needing=[name for name, needs in stored if needs], triggered=triggered,
    )  # fmt: skip
    gone = {row.list for row in editor.blocks if row.list} - {code for code, _words in offered}
    return [*offered, *((code, missing(code.removeprefix(ABOUT))) for code in sorted(gone))]


def _over(request: HttpRequest, stored: Campaign) -> HttpResponse:
    messages.warning(request, _("“%(name)s” has ended, or is archived: copy it to change it.") % {"name": stored.name})
    return redirect("campaign", pk=stored.pk)
