"""The life of a campaign: drafts with a revision, a review, an approval that freezes what is sent, pause and end."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.text import slugify
from django.utils.translation import gettext as _

from recommendations.engine.push.schedule import ONCE
from recommendations.ingest.refusal import Refusal
from recommendations.models import Audience, AuditEntry, Campaign, CampaignVersion, Placement, Staff
from recommendations.push_terms import CampaignKind, OccurrenceState, Purpose, Trigger
from recommendations.services.access import audit
from recommendations.services.access.audit import needed_note
from recommendations.services.campaigns.draft_trail import (
    ASKED,
    BACK,
    CHANGE,
    PUBLISH,
    TAKEN_BACK,
    draft_at,
    last_refusal,
    writers_of,
)
from recommendations.services.campaigns.form import PARTS, CampaignForm, UnfinishedError, as_json, frozen_of
from recommendations.services.campaigns.routes import missing_for, without_route
from recommendations.services.rules.editing import Difference
from recommendations.store.push import outbox

MOST_LIVE = 200
LONGEST_NAME = 120


class StaleCampaignError(Exception):
    """Somebody changed the draft since it was read; ``current`` is what it is now.

    ``base`` is name and draft as they were read, None where nobody knows any more.
    """

    def __init__(
        self, current: Campaign, differences: Sequence[Difference], base: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{current} was changed by somebody else")
        self.current, self.differences, self.base = current, differences, base


class SentBackError(Exception):
    """Somebody sent the draft back since it was looked at; ``refusal`` is who, when and why."""

    def __init__(self, refusal: AuditEntry) -> None:
        super().__init__(f"{refusal.label} was sent back")
        self.refusal = refusal


class NotReadyError(Exception):
    """The campaign cannot be approved; ``refusals`` say what is missing, ``settings`` which of the installation's."""

    def __init__(self, *, refusals: Sequence[Refusal] = (), settings: Sequence[str] = ()) -> None:
        super().__init__("the campaign cannot be approved")
        self.refusals, self.settings = refusals, settings


class NotInReviewError(Exception):
    """Nobody waits for an answer: the draft was approved, sent back or changed meanwhile."""


class OwnApprovalError(Exception):
    """Four eyes: who wrote any part of the draft since the last version does not approve it."""


class CampaignOverError(Exception):
    """The campaign has ended, or is archived."""


class PausedAlreadyError(Exception):
    """Somebody has paused the campaign meanwhile; ``current`` says when and why."""

    def __init__(self, current: Campaign) -> None:
        super().__init__(f"{current} is paused")
        self.current = current


class SentAlreadyError(Exception):
    """The campaign comes once, and has come."""


class ApprovedAlreadyError(Exception):
    """This very draft runs by the same plan, as ``version``: somebody clicked twice."""

    def __init__(self, version: CampaignVersion) -> None:
        super().__init__(f"{version} is this draft")
        self.version = version


@transaction.atomic
def create_campaign(
    *, name: str, kind: CampaignKind, trigger: Trigger | None, purpose: Purpose, draft: Mapping[str, Any],
    by: Staff | None, now: datetime,
) -> Campaign:  # fmt: skip
    """Begin a draft. Raises ValidationError by field."""
    if (kind is CampaignKind.TRIGGERED) != (trigger is not None):
        raise ValidationError({"trigger": _("Choose what triggers it.")})
    made = Campaign.objects.create(
        slug=_free_slug(name), name=_checked_name(name), kind=kind, trigger=trigger or "", purpose=purpose,
        draft=dict(draft), author=by, created_at=now, updated_at=now,
    )  # fmt: skip
    _use_audiences(made)
    audit.record(by=by, verb="create", subject=made, after={"name": made.name, "kind": kind, "purpose": purpose})
    return made


@transaction.atomic
def save_draft(
    *, campaign: Campaign, name: str, draft: Mapping[str, Any], revision: int, by: Staff | None, now: datetime
) -> Campaign:
    """Change a draft, which may be unfinished; a review that was asked for is asked for no more.

    Raises ValidationError by field, StaleCampaignError and CampaignOverError; then nothing is saved.
    """
    name = _checked_name(name, but=campaign)
    current = _stored(campaign)
    if revision != current.revision:
        parts = [part for part in PARTS if draft.get(part) != current.draft.get(part)]
        differences = [Difference(part, draft.get(part), current.draft.get(part)) for part in parts]
        raise StaleCampaignError(current, differences, base=draft_at(current, revision))
    before, after = audit.apply(current, {"name": name, "draft": dict(draft)})
    if not after:
        return current
    was_asked_for = current.review_asked_at is not None
    current.revision, current.updated_at, current.author = current.revision + 1, now, by
    current.review_asked_at, current.review_asked_by = None, None
    current.save()
    _use_audiences(current)
    audit.record(by=by, verb=CHANGE, subject=current, before=before, after=after)
    if was_asked_for:
        audit.record(by=by, verb=TAKEN_BACK, subject=current)
    return current


@transaction.atomic
def ask_for_review(*, campaign: Campaign, note: str, by: Staff | None, now: datetime) -> Campaign:
    """Hand a whole draft to those who approve. Raises NoteNeededError, UnfinishedError and as ``approve``."""
    note, current = needed_note(note), _to_come(campaign)
    form_of(current, now=now)
    current.review_asked_at, current.review_asked_by, current.review_note = now, by, note
    current.save(update_fields=["review_asked_at", "review_asked_by", "review_note"])
    audit.record(by=by, verb=ASKED, subject=current, note=note)
    return current


@transaction.atomic
def send_back(*, campaign: Campaign, note: str, by: Staff | None) -> Campaign:
    """Return a draft to whoever asked for its review, with what is to be done; what runs goes on.

    Raises NoteNeededError, NotInReviewError and CampaignOverError.
    """
    note, current = needed_note(note), _stored(campaign)
    if current.review_asked_at is None:
        raise NotInReviewError
    current.review_asked_at, current.review_asked_by = None, None
    current.save(update_fields=["review_asked_at", "review_asked_by"])
    audit.record(by=by, verb=BACK, subject=current, note=note)
    return current


@transaction.atomic
def approve(
    *, campaign: Campaign, revision: int, expected: Mapping[str, int], note: str, by: Staff | None, now: datetime,
    refusal: int = 0,
) -> CampaignVersion:  # fmt: skip
    """Freeze the draft: from now on it is what is sent. ``expected`` are the counts of the plan that was seen.

    ``refusal`` is the key of the last refusal that was seen, 0 where there was none. Raises NoteNeededError,
    StaleCampaignError, SentBackError, ApprovedAlreadyError, OwnApprovalError, NotReadyError, CampaignOverError and
    SentAlreadyError.
    """
    note, current = needed_note(note), _to_come(campaign)
    check_as_seen(current, revision=revision, refusal=refusal)
    _refuse_again(current, expected)
    if settings.FOUR_EYES and by is not None and by.pk in writers_of(current):
        raise OwnApprovalError
    form = _ready(current, now=now)
    last = current.versions.aggregate(last=Max("number"))["last"] or 0
    current.versions.filter(is_live=True).update(is_live=False)
    version = CampaignVersion.objects.create(
        campaign=current, number=last + 1, frozen=as_json(form), note=note, expected=dict(expected),
        author=current.author, approved_by=by, approved_at=now,
        starts_at=max(form.when.starts_at or now, now), ends_at=form.when.ends_at,
    )  # fmt: skip
    current.review_asked_at, current.review_asked_by = None, None
    current.save(update_fields=["review_asked_at", "review_asked_by"])
    audit.record(by=by, verb=PUBLISH, subject=current, after={"version": version.number}, note=note)
    return version


def check_as_seen(current: Campaign, *, revision: int, refusal: int) -> None:
    """Refuse an approval by a page that is out of date. Raises StaleCampaignError and SentBackError."""
    if revision != current.revision:
        raise StaleCampaignError(current, [])
    last = last_refusal(current)
    if last is not None and last.pk != refusal:
        raise SentBackError(last)


@transaction.atomic
def pause(*, campaign: Campaign, reason: str, by: Staff | None, now: datetime) -> Campaign:
    """Stop a campaign; what waits goes on waiting, and what is being handed over arrives.

    Raises PausedAlreadyError, with which the first reason stays, and CampaignOverError.
    """
    current = _stored(campaign)
    if current.paused_at is not None:
        raise PausedAlreadyError(current)
    current.paused_at, current.pause_reason = now, reason
    current.save(update_fields=["paused_at", "pause_reason"])
    audit.record(by=by, verb="pause", subject=current, note=reason)
    return current


@transaction.atomic
def resume(*, campaign: Campaign, by: Staff | None) -> Campaign:
    """Let a paused campaign go on."""
    current = _stored(campaign)
    if current.paused_at is not None:
        current.paused_at, current.pause_reason = None, ""
        current.save(update_fields=["paused_at", "pause_reason"])
        audit.record(by=by, verb="resume", subject=current)
    return current


@transaction.atomic
def end(*, campaign: Campaign, by: Staff | None, now: datetime, reason: str = "") -> int:
    """End a campaign for good; how many waiting messages were withdrawn."""
    current = _stored(campaign)
    current.ended_at = now
    current.save(update_fields=["ended_at"])
    audit.record(by=by, verb="end", subject=current, note=reason)
    return outbox.end(current.pk, reason="ended")


def form_of(campaign: Campaign, *, now: datetime | None = None) -> CampaignForm:
    """The whole form of the draft, of moments to come where ``now`` is given. Raises UnfinishedError."""
    return frozen_of(
        campaign.draft, recurring=campaign.kind == CampaignKind.RECURRING,
        triggered=campaign.kind == CampaignKind.TRIGGERED, now=now,
    )  # fmt: skip


def has_come(campaign: Campaign) -> bool:
    """Whether the one sending of a campaign that comes once is there."""
    sendings = campaign.occurrences.exclude(state=OccurrenceState.PLANNED)
    return campaign.kind == CampaignKind.ONCE and sendings.filter(key=ONCE).exists()


def unknown_placements(draft: Mapping[str, Any]) -> list[Refusal]:
    """Refusals of lists whose placement is not there, or is switched off: nothing could be decided."""
    what = draft.get("what")
    blocks = what.get("blocks") if isinstance(what, Mapping) else None
    names = [
        each.get("placement") if isinstance(each, Mapping) else ""
        for each in (blocks if isinstance(blocks, list) else ())
    ]
    there = set(Placement.objects.filter(enabled=True).values_list("name", flat=True)) if any(names) else set()
    reason = _("The placement “%(name)s” is not there, or is switched off: choose another one.")
    return [
        Refusal(f"/what/blocks/{place}/placement", reason % {"name": name})
        for place, name in enumerate(names)
        if isinstance(name, str) and name and name not in there
    ]


def _refuse_again(campaign: Campaign, expected: Mapping[str, int]) -> None:
    """Raise ApprovedAlreadyError where the draft runs as it is, with the counts of the same plan."""
    live = campaign.versions.filter(is_live=True).first()
    if live is not None and live.expected == dict(expected):
        with suppress(UnfinishedError):
            if live.frozen == as_json(form_of(campaign)):
                raise ApprovedAlreadyError(live)


def _ready(campaign: Campaign, *, now: datetime) -> CampaignForm:
    """The form of a campaign that may be approved. Raises NotReadyError."""
    missing = missing_for(campaign.draft)
    try:
        form = form_of(campaign, now=now)
    except UnfinishedError as error:
        raise NotReadyError(refusals=error.refusals, settings=missing) from error
    unknown = [*unknown_placements(campaign.draft), *without_route(campaign.draft)]
    if unknown or missing:
        raise NotReadyError(refusals=unknown, settings=missing)
    if Campaign.objects.live().exclude(pk=campaign.pk).count() >= MOST_LIVE:
        reason = _("%(most)d campaigns are live already; end one first.") % {"most": MOST_LIVE}
        raise NotReadyError(refusals=[Refusal("", reason)])
    return form


def _stored(campaign: Campaign) -> Campaign:
    stored = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if stored.ended_at or stored.archived_at:
        raise CampaignOverError
    return stored


def _to_come(campaign: Campaign) -> Campaign:
    """The campaign as it is stored, if it may still be sent. Raises CampaignOverError and SentAlreadyError."""
    stored = _stored(campaign)
    if has_come(stored):
        raise SentAlreadyError
    return stored


def _use_audiences(campaign: Campaign) -> None:
    """Note which audiences the draft names, so that nobody archives them."""
    who = campaign.draft.get("who", {})
    keys = {key for side in ("any_of", "none_of") for key in who.get(side, ()) if isinstance(key, int)}
    campaign.audiences.set(Audience.objects.filter(pk__in=keys))


def _checked_name(name: str, *, but: Campaign | None = None) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise ValidationError({"name": _("Write a name of at most %(most)d characters.") % {"most": LONGEST_NAME}})
    if Campaign.objects.exclude(pk=but.pk if but else 0).filter(name__iexact=name).exists():
        raise ValidationError({"name": _("Another campaign, perhaps an archived one, already has this name.")})
    return name


def _free_slug(name: str) -> str:
    """A short name that no other campaign has."""
    first = slugify(name)[:50] or "campaign"
    taken = set(Campaign.objects.filter(slug__startswith=first).values_list("slug", flat=True))
    return (
        first
        if first not in taken
        else next(slug for number in range(2, len(taken) + 3) if (slug := f"{first}-{number}") not in taken)
    )
