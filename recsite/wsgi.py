"""The WSGI entry of the web process."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
django = get_wsgi_application()

# Pages, charts and what answers are made from are read now, not while the first visitor waits.
import_module(settings.ROOT_URLCONF)
import_module("recommendations.services.operations.readiness").prepare()
import_module("recsite.checks").log_what_is_missing()
plain = import_module("recsite.many_fields").ManyFields(django)
forwarding = import_module("recsite.forwarding").Forwarding(plain, to=settings.PAGES_URL)
application = import_module("recommendations.api.fast_path").Door(forwarding)
