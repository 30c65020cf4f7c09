"""The project's own Django app, which prepares every process that Django runs in; and which admin site is ours."""

import gc
from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.db.backends.signals import connection_created

from recsite.postgresql_version import refuse_old_server
from recsite.processes import allow_many_files


class RecsiteConfig(AppConfig):
    name = "recsite"
    default = True

    def ready(self) -> None:
        allow_many_files()
        connection_created.connect(refuse_old_server)
        for name in ("celery", "checks"):  # they need the settings, so not when this package is imported
            import_module(f"recsite.{name}")
        gc.freeze()  # half a million objects that stay: no collection looks through them, nor does a process that ends


class AdminConfig(admin.AdminConfig):
    default = False
    default_site = "recsite.admin_site.ShopAdminSite"
