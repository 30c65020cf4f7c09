"""Audiences as staff write them. One that is saved is counted at once, and what is for it follows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q, Value
from django.utils.translation import gettext as _

from recommendations.engine.push.schedule import ONCE
from recommendations.models import Audience, BlendWeights, Campaign, Occurrence, Rule, Staff
from recommendations.push_terms import CampaignKind, OccurrenceState
from recommendations.services.access import audit
from recommendations.services.audiences.form import checked, checked_name
from recommendations.services.rules.editing import Difference, in_order, put_in_order, set_archived
from recommendations.store.audiences import members
from recommendations.store.audiences.members import AudienceCount, Example, Gone
from recommendations.store.live import fetch

__all__ = [
    "AudienceCount", "AudienceIsUsedError", "AudienceUser", "AudienceUsers", "Difference", "Example", "Gone",
    "StaleAudienceError", "archive_audience", "count", "gone", "gone_of_each", "refresh_audiences", "reorder_audiences",
    "restore_audience", "save_audience", "segments_of", "users_of", "users_of_each",
]  # fmt: skip

gone, gone_of_each = members.gone, members.gone_of_each
segments_of, refresh_audiences = members.segments_of, members.refresh_all


class StaleAudienceError(Exception):
    """Somebody changed the audience since it was read; ``current`` is what it is now."""

    def __init__(self, current: Audience, differences: Sequence[Difference]) -> None:
        super().__init__(f"{current} was changed by somebody else")
        self.current, self.differences = current, differences


class AudienceUser(NamedTuple):
    """A rule or a campaign that is for an audience; ``is_over`` says that nothing of it is still to come."""

    pk: int
    name: str
    is_over: bool = False


class AudienceUsers(NamedTuple):
    """What is for an audience: rules, weights that serve or are drafted, and campaigns that nobody has ended."""

    rules: list[AudienceUser]
    weights: list[BlendWeights]
    campaigns: list[AudienceUser]


class AudienceIsUsedError(Exception):
    """An audience that rules, weights or campaigns are for is not archived."""

    def __init__(self, audience: Audience, users: AudienceUsers) -> None:
        super().__init__(f"{audience} is used")
        self.audience, self.users = audience, users


@transaction.atomic
def save_audience(
    *, audience: Audience | None, name: str, conditions: Any, revision: int | None, by: Staff | None, now: datetime
) -> Audience:
    """Create (``audience`` None) or change an audience, and count it, also where it stays as it is.

    ``revision`` is the one that the writer saw. Raises ValidationError with ``message_dict`` by place (``name``,
    ``all-0-days``), and StaleAudienceError; then nothing is saved.
    """
    values = _checked(name, conditions, but=audience)
    if audience is None:
        last = Audience.objects.aggregate(last=Max("position"))["last"] or 0
        made = Audience.objects.create(**values, position=last + 1, author=by, created_at=now, updated_at=now)
        audit.record(by=by, verb="create", subject=made, after=values)
        return members.refresh(made.pk, now=now)
    current = Audience.objects.select_for_update().get(pk=audience.pk)
    seen = {field: getattr(current, field) for field in values}
    differing = [field for field in values if seen[field] != values[field]]
    if not differing:
        return members.refresh(current.pk, now=now)
    if revision != current.revision:
        raise StaleAudienceError(current, [Difference(field, values[field], seen[field]) for field in differing])
    before, after = audit.apply(current, values)
    current.revision, current.updated_at = current.revision + 1, now
    current.save(update_fields=["name", "conditions", "revision", "updated_at"])
    audit.record(by=by, verb="change", subject=current, before=before, after=after)
    return members.refresh(current.pk, now=now)


@transaction.atomic
def archive_audience(*, audience: Audience, by: Staff | None, now: datetime) -> Audience:
    """Archive an audience; ``restore_audience`` undoes it. Raises AudienceIsUsedError."""
    stored = Audience.objects.select_for_update().get(pk=audience.pk)
    if stored.archived_at:
        return stored
    if any(users := users_of(stored)):
        raise AudienceIsUsedError(stored, users)
    return set_archived(stored, now, verb="archive", by=by, now=now)


@transaction.atomic
def restore_audience(*, audience: Audience, by: Staff | None, now: datetime) -> Audience:
    """Take an audience out of the archive, counted anew."""
    stored = Audience.objects.select_for_update().get(pk=audience.pk)
    if not stored.archived_at:
        return stored
    set_archived(stored, None, verb="restore", by=by, now=now)
    return members.refresh(stored.pk, now=now)


@transaction.atomic
def reorder_audiences(*, keys: Sequence[int], by: Staff | None) -> None:
    """Put the audiences in this order, by which their weights act; those that are not named follow as they were."""
    if put_in_order(in_order(Audience.objects.unarchived().select_for_update()), keys, by=by):
        transaction.on_commit(lambda: fetch.announce(fetch.Changed.AUDIENCES))


def users_of(audience: Audience) -> AudienceUsers:
    return users_of_each([audience])[audience.pk]


def users_of_each(audiences: Sequence[Audience]) -> Mapping[int | None, AudienceUsers]:
    """What is for each audience, by its key."""
    keys = [audience.pk for audience in audiences]
    users: dict[int | None, AudienceUsers] = {key: AudienceUsers([], [], []) for key in keys}
    fields = ("of", "name", "pk", "over", "for_whom")
    rules = Rule.objects.unarchived().filter(audience__in=keys)
    rules = rules.annotate(of=Value("rule"), over=Value(value=False), for_whom=F("audience"))
    campaigns = Campaign.objects.unarchived().filter(ended_at=None, audiences__in=keys)
    campaigns = campaigns.annotate(of=Value("campaign"), over=_over(), for_whom=F("audiences"))
    every = rules.order_by().values_list(*fields).union(campaigns.order_by().values_list(*fields), all=True).order_by()
    for of, name, pk, over, key in sorted(every):
        (users[key].rules if of == "rule" else users[key].campaigns).append(AudienceUser(pk, name, over))
    for weights in BlendWeights.objects.in_use().filter(audience__in=keys).select_related("blend", "audience"):
        users[weights.audience_id].weights.append(weights)
    return users


def _over() -> Q:
    """Whether a campaign comes once, and has come."""
    once = Occurrence.objects.filter(
        campaign=OuterRef("pk"), key=ONCE, state__in=[OccurrenceState.FINISHED, OccurrenceState.CANCELLED]
    )
    return Q(kind=CampaignKind.ONCE) & Q(Exists(once))


def count(conditions: Any, *, now: datetime) -> AudienceCount:
    """How many customers meet the conditions, with three of them. Raises ValidationError as ``save_audience``."""
    return members.count(checked(conditions), now=now)


def _checked(name: str, conditions: Any, *, but: Audience | None) -> dict[str, Any]:
    errors: dict[str, Any] = {}
    values: dict[str, Any] = {}
    try:
        values["name"] = checked_name(name)
        others = Audience.objects.exclude(pk=but.pk if but else 0)
        if others.filter(name__iexact=values["name"]).exists():
            raise ValidationError(_("Another audience, perhaps an archived one, already has this name."))
    except ValidationError as error:
        errors["name"] = error
    try:
        values["conditions"] = checked(conditions)
    except ValidationError as error:
        errors |= error.error_dict
    if errors:
        raise ValidationError(errors)
    return values
