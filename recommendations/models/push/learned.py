"""What was learned of messages, with the figures that let it be used or not."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recommendations.push_terms import PushModelKind
from recommendations.wording import push_labels


class PushModel(models.Model):
    """A fitted model of one kind. ``figures`` stand beside those of its baselines, with their intervals; one that did
    not pass its gate is kept with the ``refusal``, and is not used.
    """

    kind = models.CharField(_("what"), max_length=10, choices=push_labels.PUSH_MODEL_KINDS)
    fitted_at = models.DateTimeField(_("learned"), default=timezone.now)
    lessons_until = models.DateTimeField(_("learned from what was before"), null=True)
    parameters = models.JSONField(_("parameters"), default=dict)
    figures = models.JSONField(_("figures"), default=dict)
    refusal = models.CharField(_("why it is not used"), max_length=60, blank=True)
    in_use = models.BooleanField(_("in use"), default=False)

    class Meta:
        verbose_name = _("model of messages")
        verbose_name_plural = _("models of messages")
        ordering: ClassVar[list[str]] = ["kind", "-fitted_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["kind"], condition=models.Q(in_use=True), name="one_push_model_in_use_per_kind"
            ),
            models.CheckConstraint(condition=models.Q(kind__in=list(PushModelKind)), name="push_model_kind_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.fitted_at:%Y-%m-%d}"
