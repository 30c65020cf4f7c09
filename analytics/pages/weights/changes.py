"""Changes of weights: a draft is saved or discarded, published after a look at what it does, and rolled back."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import post_requires, requires, staff_of
from analytics.pages.undo import offer_undo
from analytics.pages.weights.desk import desk_page, first_messages, form_values, given_in, place_in
from analytics.parameters import note_in, number
from analytics.queries.experiments.holding import holdings
from analytics.queries.weights import changes as query
from analytics.queries.weights.groups import place
from analytics.templatetags.weights import group_key, whom
from recommendations.models import BlendWeights, Group
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.access.policy import Action
from recommendations.services.weights import blending, drafts
from recommendations.terms import BlendName

DIALOGS = ("publish", "ask")
"""What the page can open over itself once a draft is saved."""


@post_requires(Action.DRAFT)
def save_weights(request: HttpRequest) -> HttpResponse:
    """Save what is on the sliders as the draft; ``then`` opens a dialog on the page, or leads to a test of it."""
    (blend, group), given = place_in(request.POST), given_in(request.POST)
    revision = number(request.POST.get("revision"))
    try:
        draft = drafts.save_draft(
            blend=blend, group=group, values=form_values(given), revision=revision, by=staff_of(request),
            now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        return desk_page(request, blend, group, given=given, errors=first_messages(error))
    except drafts.StaleDraftError as error:
        conflict = query.draft_conflict(error, given, edited=revision)
        return desk_page(request, blend, group, given=given, more={"conflict": conflict})
    if (then := request.POST.get("then")) in DIALOGS:
        return _back(blend, group, **{then: "1"})
    if then == "try" and group is None:
        return redirect("try_weights", pk=draft.pk)
    messages.success(request, _("%(draft)s is saved. What is live stays live.") % {"draft": draft})
    return _back(blend, group)


@post_requires(Action.DRAFT)
def discard_weights(request: HttpRequest) -> HttpResponse:
    blend, group = place_in(request.POST)
    draft, revision = drafts.draft_of(blend, group), number(request.POST.get("revision"))
    values = None
    try:
        if draft and revision is not None:
            values = drafts.discard_draft(draft=draft, revision=revision, by=staff_of(request))
    except drafts.StaleDraftError:
        messages.warning(
            request, _("Someone has changed the draft in the meantime, so it was not discarded. Here it is.")
        )
        return _back(blend, group)
    text = _("The draft is discarded. What is live stays live.")
    if values is None:
        messages.success(request, text)
    else:
        facts = {"group": group_key(group), "values": values.as_fields()}
        offer_undo(request, text, "weights discarded", blend=str(blend), **facts)
    return _back(blend, group)


@requires(Action.PUBLISH)
@require_safe
def weights_publication(request: HttpRequest) -> HttpResponse:
    """The part of the dialog that says what publishing would do: figures of the panel, and the gate, once."""
    blend, group = place_in(request.GET)
    draft = drafts.draft_of(blend, group)
    publication = query.publication(draft) if draft else None
    return render(request, "dashboard/weights/publication.html", {"publication": publication})


@post_requires(Action.PUBLISH)
def publish_weights(request: HttpRequest) -> HttpResponse:
    blend, group = place_in(request.POST)
    draft = drafts.draft_of(blend, group)
    if draft is None:
        messages.warning(request, _("The draft no longer exists: it was published or discarded in the meantime."))
        return _back(blend, group)
    note, override = note_in(request.POST), "override" in request.POST
    again = partial(_dialog, request, draft, note=note, override=override)
    try:
        published = blending.publish(
            weights=draft, by=staff_of(request), now=timezone.now(), note=note, override=override,
            revision=number(request.POST.get("revision")) or 0, replacing=number(request.POST.get("replacing")),
        )  # fmt: skip
    except NoteNeededError:
        return again(note_error=_("Say why: it stays with the version."))
    except blending.GateClosedError:
        return again(gate_error=_("Tick the box to publish it anyway."))
    except drafts.StaleDraftError:
        return again(stale=_("Someone has changed the draft since you looked."))
    except blending.StaleDefaultError as error:
        text = _("%(version)s was published since you looked.") % {"version": error.current}
        return again(stale=text)
    except blending.AlreadyPublishedError as error:
        messages.warning(request, _("%(version)s is already published.") % {"version": error.weights})
        return _back(blend, group)
    text = _("%(version)s is live: the shop's next request uses it.")
    if group:
        text = _("%(version)s is live for %(whom)s: the shop's next request uses it.")
    elif holdings(f"weights:{blend}"):
        text = _("%(version)s is live: the next request uses it, but for the visitors of the running experiment.")
    messages.success(request, text % {"version": published, "whom": whom(group)})
    return _back(blend, group)


@post_requires(Action.PUBLISH)
def withdraw_weights(request: HttpRequest, version: int) -> HttpResponse:
    """Take a group's own weights out of use."""
    target = _version(version)
    note = note_in(request.POST)
    try:
        blending.withdraw(weights=target, note=note, by=staff_of(request))
    except NoteNeededError:
        messages.warning(request, _("Say why: it stays in Activity. Nothing was changed."))
    except blending.NothingToWithdrawError:
        messages.warning(request, _("%(version)s is no longer live, so nothing was changed.") % {"version": target})
    else:
        texts = {"version": target, "whom": whom(target.group)}
        messages.success(request, _("%(version)s is offline: %(whom)s has no weights of its own.") % texts)
    return _back(BlendName(target.blend.name), target.group)


@requires(Action.PUBLISH)
@require_safe
def weights_roll_back(request: HttpRequest, version: int) -> HttpResponse:
    """Content of the dialog to roll back: what would be served again, and what changes."""
    target = _version(version)
    return render(request, "dashboard/weights/roll_back.html", {"way_back": query.way_back(target)})


@post_requires(Action.PUBLISH)
def roll_back_weights(request: HttpRequest, version: int) -> HttpResponse:
    target = _version(version)
    blend, group = BlendName(target.blend.name), target.group
    try:
        live = blending.roll_back(
            weights=target,
            note=note_in(request.POST),
            by=staff_of(request),
            now=timezone.now(),
        )
    except NoteNeededError:
        messages.warning(request, _("Say why you roll back: it stays with the version. Nothing was changed."))
    except blending.NothingToRollBackToError:
        messages.warning(request, _("%(version)s is already live, so nothing was changed.") % {"version": target})
    else:
        texts = {"made": live, "version": f"v{target.number}"}
        messages.success(request, _("%(made)s is live, with the weights of %(version)s.") % texts)
    return _back(blend, group)


def _dialog(request: HttpRequest, draft: BlendWeights, **said: str | bool) -> HttpResponse:
    """The page again with the dialog open, and what was typed into it."""
    more: Mapping[str, Any] = {"publishing": said | {"publication": query.publication(draft)}}
    return desk_page(request, BlendName(draft.blend.name), draft.group, more=more)


def _version(key: int) -> BlendWeights:
    return get_object_or_404(BlendWeights.objects.select_related("blend", "segment", "audience"), pk=key)


def _back(blend: BlendName, group: Group, **more: str) -> HttpResponse:
    return redirect(reverse("weights", query=place(str(blend), group) | more))
