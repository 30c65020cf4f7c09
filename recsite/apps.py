"""The project's own Django app: it makes the Celery app known wherever Django runs."""

from importlib import import_module

from django.apps import AppConfig


class RecsiteConfig(AppConfig):
    name = "recsite"

    def ready(self) -> None:
        import_module("recsite.celery")  # needs the settings, so not when this package is imported
