"""The Django app of the data loop."""

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.apps import apps as present
from django.db.models import fields
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RecommendationsConfig(AppConfig):
    name = "recommendations"
    verbose_name = _("Recommendations")

    def ready(self) -> None:
        """Call the empty choice of the admin's lists by a text that has a translation; Django's has none.

        After migrations customers are told what recommendations go by, in the words of this version.
        """
        fields.BLANK_CHOICE_LABEL = _("Choose…")
        post_migrate.connect(_state_parameters, sender=self)


def _state_parameters(*, apps: Any = present, **_options: Any) -> None:
    """Note the first statement, or new words of it; nothing where the tables are those of a former version."""
    if "recommendationstatement" not in apps.all_models["recommendations"]:
        return
    import_module("recommendations.services.statements").state_at_start()  # it knows Django's models
