"""Whether webhooks take what they are given: one that says that it is gone, or fails for days, is switched off."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.utils import formats, translation
from django.utils.translation import gettext as _

from recommendations.channels.protocol import Gone, Later, Outcome, Taken
from recommendations.models import Endpoint
from recommendations.services.endpoints.book import switch

GIVES_UP = timedelta(days=5)  # of failures, without one message that was taken
log = structlog.get_logger(__name__)


def note(endpoint: Endpoint, outcome: Outcome, *, now: datetime) -> None:
    """Note what became of a message that went to a webhook."""
    stored = Endpoint.objects.filter(pk=endpoint.pk)
    if isinstance(outcome, Taken):
        stored.update(last_taken_at=now, failing_since=None)
    elif isinstance(outcome, Gone):
        _switch_off(endpoint, _gone)
    elif isinstance(outcome, Later):
        stored.filter(failing_since=None).update(failing_since=now)
        since = stored.values_list("failing_since", flat=True).get()
        if since is not None and now - since >= GIVES_UP:
            _switch_off(endpoint, lambda: _fails(since))


def switched_off() -> list[Endpoint]:
    """Webhooks that switched themselves off, by what they answered."""
    return list(Endpoint.objects.filter(enabled=False).exclude(off_reason="").order_by("name"))


def _switch_off(endpoint: Endpoint, reason: Callable[[], str]) -> None:
    with translation.override(settings.SHOP_LANGUAGE):
        switch(endpoint.pk, on=False, by=None, reason=reason())
    log.warning("webhook switched off", endpoint=endpoint.pk)


def _gone() -> str:
    return _("It answered that it is gone (410).")


def _fails(since: datetime) -> str:
    day = formats.date_format(since, "DATE_FORMAT")
    return _("It has taken nothing since %(day)s.") % {"day": day}
