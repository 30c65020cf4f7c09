"""The web process: ready for its first visitor, and up where there is nothing to read yet."""

import os
import subprocess
import sys

import pytest

STARTED = """
import sys, recsite.wsgi
from recommendations.services.weights.panels import panels
panels().settle()
print("analytics.charts.weights" in sys.modules, recsite.wsgi.django, recsite.wsgi.application)
"""
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.mark.parametrize("changed", [{}, {"DATABASE_URL": NOWHERE}], ids=["empty database", "database away"])
def test_the_process_starts_with_its_pages_loaded(changed: dict[str, str]) -> None:
    started = subprocess.run(
        [sys.executable, "-c", STARTED], capture_output=True, text=True, check=False, timeout=60,
        env=os.environ | changed,
    )  # fmt: skip
    assert started.returncode == 0, started.stderr
    assert started.stdout.startswith("True <django.core.handlers.wsgi.WSGIHandler")
