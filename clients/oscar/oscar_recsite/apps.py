"""The adapter as a Django app: receivers and checks."""

from django.apps import AppConfig


class OscarRecsiteConfig(AppConfig):
    name = "oscar_recsite"
    verbose_name = "Recsite"

    def ready(self) -> None:
        from oscar_recsite import checks, receivers  # noqa: PLC0415 - models are there from now on

        checks.register_all()
        receivers.connect()
