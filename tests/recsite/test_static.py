"""The static files as production serves them: hashed, without a missing reference."""

import json
from pathlib import Path

from django.core.management import call_command
from pytest_django.fixtures import Settings

STORAGE = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"  # compression alone takes ten seconds


def test_every_file_can_be_collected(settings: Settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": STORAGE}}
    call_command("collectstatic", verbosity=0, interactive=False)
    paths = json.loads((tmp_path / "staticfiles.json").read_text(encoding="utf-8"))["paths"]
    for name in ("vendor/htmx.min.js", "vendor/tabler.min.css", "vendor/plotly-cartesian.min.js", "img/icons.svg"):
        assert (tmp_path / paths[name]).exists()
        assert paths[name] != name
