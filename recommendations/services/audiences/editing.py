"""Audiences as staff write them. One that is saved is counted at once, and what is for it follows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Value
from django.utils.translation import gettext as _

from recommendations.models import Audience, BlendWeights, Rule, Staff
from recommendations.services.access import audit
from recommendations.services.audiences.form import checked, checked_name
from recommendations.services.rules.editing import Difference, in_order, put_in_order, set_archived
from recommendations.store.audiences import members
from recommendations.store.audiences.members import AudienceCount, Example, Gone
from recommendations.store.live import fetch

__all__ = [
    "AudienceCount", "AudienceIsUsedError", "AudienceUser", "AudienceUsers", "Difference", "Example", "Gone",
    "StaleAudienceError", "archive_audience", "count", "gone", "gone_of_each", "refresh_audiences", "reorder_audiences",
    "restore_audience", "save_audience", "segments_of", "users_of",
]  # fmt: skip

gone, gone_of_each = members.gone, members.gone_of_each
segments_of, refresh_audiences = members.segments_of, members.refresh_all


class StaleAudienceError(Exception):
    """Somebody changed the audience since it was read; ``current`` is what it is now."""

    def __init__(self, current: Audience, differences: Sequence[Difference]) -> None:
        super().__init__(f"{current} was changed by somebody else")
        self.current, self.differences = current, differences


class AudienceUser(NamedTuple):
    """A rule or a campaign that is for an audience."""

    pk: int
    name: str


class AudienceUsers(NamedTuple):
    """What is for an audience: rules, weights that serve or are drafted, and campaigns that are not over."""

    rules: Sequence[AudienceUser]
    weights: Sequence[BlendWeights]
    campaigns: Sequence[AudienceUser]


class AudienceIsUsedError(Exception):
    """An audience that rules, weights or campaigns are for is not archived."""

    def __init__(self, audience: Audience, users: AudienceUsers) -> None:
        super().__init__(f"{audience} is used")
        self.audience, self.users = audience, users


@transaction.atomic
def save_audience(
    *, audience: Audience | None, name: str, conditions: Any, revision: int | None, by: Staff | None, now: datetime
) -> Audience:
    """Create (``audience`` None) or change an audience, and count it; ``revision`` is the one that the writer saw.

    Raises ValidationError with ``message_dict`` by place (``name``, ``all-0-days``), and StaleAudienceError; then
    nothing is saved.
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
    if revision != current.revision:
        raise StaleAudienceError(current, [Difference(field, values[field], seen[field]) for field in differing])
    if not differing:
        return current
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
    rules = Rule.objects.unarchived().filter(audience=audience).annotate(of=Value("rule"))
    campaigns = audience.campaigns.filter(archived_at=None, ended_at=None).annotate(of=Value("campaign"))
    fields = ("of", "name", "pk")
    every = rules.order_by().values_list(*fields).union(campaigns.order_by().values_list(*fields), all=True).order_by()
    named = sorted(every)
    return AudienceUsers(
        rules=[AudienceUser(pk, name) for of, name, pk in named if of == "rule"],
        weights=list(BlendWeights.objects.in_use().filter(audience=audience).select_related("blend", "audience")),
        campaigns=[AudienceUser(pk, name) for of, name, pk in named if of == "campaign"],
    )


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
