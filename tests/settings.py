"""The product's settings with what a test run needs. ``make test`` gives the servers."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

os.environ.setdefault("RECSITE_DEMO", "1")
if "SECRET_KEY_FILE" not in os.environ:
    for name in ("SECRET_KEY", "PSEUDONYM_KEY", "CONTACT_KEYS", "CONTACT_HASH_KEY", "LINK_KEYS", "EXPORT_KEYS"):
        os.environ.setdefault(name, "demo-" + "only-for-tests-" * 4)
    os.environ.setdefault("VAPID_KEY", "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")  # RFC 8291's own
    os.environ.setdefault("RECEIPT_KEYS", "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")  # RFC 8032's first
os.environ.setdefault("DATABASE_URL", "postgresql:///nowhere")
# The tests empty their Valkey database, so it is never the one that somebody works with.
os.environ["REDIS_URL"] = urlsplit(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"))._replace(path="/9").geturl()
os.environ.setdefault("DATA", tempfile.gettempdir())

from recsite.settings import *  # noqa: F403
from recsite.settings import STATICFILES_DIRS, STORAGES

if os.environ["DATA"] == tempfile.gettempdir():  # of this process alone: who was erased in another is none of it
    DATA = Path(tempfile.mkdtemp(prefix="recsite-tests-"))
    atexit.register(shutil.rmtree, DATA, ignore_errors=True)
SERVERS_ARE_GIVEN = os.environ["DATABASE_URL"] != "postgresql:///nowhere"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one takes a third of a second a login
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
STATICFILES_DIRS = [*STATICFILES_DIRS, Path(__file__).with_name("vendor")]  # axe, which judges pages
WHITENOISE_AUTOREFRESH = True
