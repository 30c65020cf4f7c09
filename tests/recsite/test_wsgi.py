"""The web process: ready for its first visitor, and up where there is nothing to read yet."""

import subprocess
import sys

STARTED = """
import sys, recsite.wsgi
from recommendations.services.panels import panels
panels().settle()
print("analytics.charts.weights" in sys.modules, recsite.wsgi.application)
"""


def test_the_process_starts_on_an_empty_database_with_its_pages_loaded() -> None:
    started = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True, check=False, timeout=60)
    assert started.returncode == 0, started.stderr
    assert started.stdout.startswith("True <django.core.handlers.wsgi.WSGIHandler")
