"""Options of a blend: what runs of the loop may do with it by themselves."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from recommendations.models import Blend, Staff
from recommendations.services.access import audit
from recommendations.terms import BlendName, task_of

OPTIONS = ("automatic", "second_stage")


@transaction.atomic
def set_options(*, blend: Blend, changes: Mapping[str, bool], by: Staff | None) -> Blend:
    """Apply ``changes`` of ``automatic`` and ``second_stage``; the next run goes by them.

    Raises ValidationError for a blend that runs do not tune.
    """
    stored = Blend.objects.select_for_update().get(pk=blend.pk)
    before, values = audit.apply(stored, {name: changes[name] for name in OPTIONS if name in changes})
    if not values:
        return stored
    check_options(stored, values)
    stored.save(update_fields=list(values))
    audit.record(by=by, verb="change", subject=stored, before=before, after=values)
    return stored


def check_options(blend: Blend, values: Mapping[str, bool]) -> None:
    """Check options. Raises ValidationError where one is on and the blend is not tuned, as nothing measures it."""
    if any(values.values()) and task_of(BlendName(blend.name)) is None:
        raise ValidationError(
            _("No purchases can measure %(blend)s: runs do not tune it, and a second stage could learn nothing.")
            % {"blend": blend}
        )
