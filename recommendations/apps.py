"""The Django app of the data loop."""

from django.apps import AppConfig
from django.db.models import fields
from django.utils.translation import gettext_lazy as _


class RecommendationsConfig(AppConfig):
    name = "recommendations"
    verbose_name = _("Recommendations")

    def ready(self) -> None:
        """Call the empty choice of the admin's lists by a text that has a translation; Django's has none."""
        fields.BLANK_CHOICE_LABEL = _("Choose…")
