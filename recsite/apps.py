"""The project's own Django app, which makes the Celery app known wherever Django runs; and which admin site is ours."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin import apps as admin


class RecsiteConfig(AppConfig):
    name = "recsite"
    default = True

    def ready(self) -> None:
        import_module("recsite.celery")  # needs the settings, so not when this package is imported


class AdminConfig(admin.AdminConfig):
    default = False
    default_site = "recsite.admin_site.ShopAdminSite"
