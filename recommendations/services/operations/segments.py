"""Segments, which are interest groups, as staff see and name them."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from recommendations.models import Segment, Staff
from recommendations.services.access import audit
from recommendations.store.live import fetch
from recommendations.store.models.segments import Picture, load_moves, load_picture

__all__ = ["Picture", "load_moves", "picture", "rename_segment"]

LONGEST_NAME = 100


def picture(model: int | None) -> Picture | None:
    """Picture of a version's segments; None before the first run, and of versions older than pictures."""
    return load_picture(model) if model else None


@transaction.atomic
def rename_segment(*, segment: Segment, name: str, by: Staff | None) -> Segment:
    """Give a segment a name of its own, which later runs leave alone; an empty one takes it back.

    Raises ValidationError (``name``) for a name that is too long or that another segment has.
    """
    stored = Segment.objects.select_for_update(of=("self",)).get(pk=segment.pk)
    name = " ".join(name.replace("\x00", "").split())
    if len(name) > LONGEST_NAME:
        raise ValidationError({"name": _("A name has at most %(longest)s characters.") % {"longest": LONGEST_NAME}})
    others = Segment.objects.exclude(pk=stored.pk)
    if name and any(str(other).casefold() == name.casefold() for other in others):
        raise ValidationError({"name": _("Another segment already has this name.")})
    before, after = audit.apply(stored, {"name": name})
    if after:
        Segment.objects.filter(pk=stored.pk).update(name=name)
        audit.record(by=by, verb="rename", subject=stored, before=before, after=after)
        transaction.on_commit(lambda: fetch.announce(fetch.Changed.CATALOGUE))
    return stored
