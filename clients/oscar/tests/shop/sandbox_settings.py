"""Settings of Oscar's own sandbox, and of Recsite beside it; they lie in its folder, as ``settings_recsite``."""

import os
from pathlib import Path

from settings import *  # noqa: F403 - the sandbox's own

INSTALLED_APPS += ["oscar_recsite.apps.OscarRecsiteConfig"]  # noqa: F405
MIDDLEWARE += ["oscar_recsite.people.RecsiteMiddleware"]  # noqa: F405
TEMPLATES[0]["DIRS"].append(Path(os.environ["SHOP_TEMPLATES"]))  # noqa: F405
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # noqa: F405

for name in ("URL", "KEY", "PAGES_KEY", "SHOP_URL"):
    globals()[f"RECSITE_{name}"] = os.environ.get(f"RECSITE_{name}", "")
RECSITE_CONSENT = "oscar_recsite.people.everybody"
