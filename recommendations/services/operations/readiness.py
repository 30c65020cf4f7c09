"""Readiness: what a process reads before its first visitor, and what a database that answers still lacks."""

from contextlib import suppress

from django.db import connection

from recommendations.models import ModelVersion
from recommendations.services.access import keys
from recommendations.services.weights.panels import panels
from recommendations.store.events.pseudonyms import key_is_the_stored_one
from recommendations.store.serving.snapshot_holder import NotLoadedError, snapshot_holder


def prepare() -> None:
    """Read what the first answers and pages need; what cannot be read yet is read by the first who asks for it."""
    with suppress(NotLoadedError):
        snapshot_holder().current(None)
    keys.prepare()
    connection.close()
    panels().warm()


def what_is_missing() -> dict[str, str]:
    """A sentence for each part that is missing; empty when nothing is."""
    missing = {}
    if not key_is_the_stored_one():
        missing["pseudonym_key"] = "This database was filled under another PSEUDONYM_KEY: all would be strangers."
    if not ModelVersion.objects.live().exists():
        missing["model_version"] = "No run of the loop has finished yet; start one on the page Runs."
    return missing
