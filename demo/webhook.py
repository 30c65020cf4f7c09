"""The demo's webhook: a till of the shop that listens on this machine, so that one can be tried at once."""

import os
from datetime import datetime

from django.conf import settings

from recommendations.models import Endpoint
from recommendations.services.endpoints.book import create

NAME = "Till"
SECRET = "webhook-secret"  # noqa: S105 - the name of its file
"""File of the post office in which the receiver finds what it believes by."""


def furnish_webhook(*, now: datetime) -> bool:
    """Make the webhook and tell the post office its secret, once; whether it was made.

    None is made where the post office does not listen for any.
    """
    if not settings.WEBHOOK_HOSTS or Endpoint.objects.exists():
        return False
    folder = settings.DATA / "post"
    folder.mkdir(mode=0o700, exist_ok=True)
    made = create(NAME, f"{min(settings.WEBHOOK_HOSTS)}/hooks/till/", by=None, now=now)
    part = folder / f"{SECRET}.part"
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(made.secret)
    part.rename(folder / SECRET)
    return True
