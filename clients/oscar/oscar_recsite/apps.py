"""The adapter as a Django app: receivers and checks."""

from django.apps import AppConfig
from django.utils.module_loading import import_string


class OscarRecsiteConfig(AppConfig):
    name = "oscar_recsite"
    verbose_name = "Recsite"

    def ready(self) -> None:
        import_string("oscar_recsite.checks.register_all")()
        import_string("oscar_recsite.receivers.connect")()  # it needs models, which are there from now on
