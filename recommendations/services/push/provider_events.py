"""What events of a mail service lead to: the same acts as reports of mail servers, and what was unknown is known."""

from datetime import datetime
from typing import Final

from django.db import transaction

from recommendations.models import Message, MessageEvent
from recommendations.push_terms import MessageEventKind
from recommendations.services.mails.providers import EventKind, ProviderEvent
from recommendations.services.mails.reports import Report, ReportKind, ReportRefusedError
from recommendations.services.mails.returns import ReturnedTo
from recommendations.services.push.coming_back import take_report
from recommendations.services.push.unsubscribing import unsubscribe
from recommendations.store.push import outbox

REPORTS: Final = {
    EventKind.HARD: ReportKind.HARD,
    EventKind.SOFT: ReportKind.SOFT,
    EventKind.COMPLAINT: ReportKind.COMPLAINT,
}


@transaction.atomic
def take_event(event: ProviderEvent, *, now: datetime) -> bool:
    """Do what an event asks for; whether anything changed. The second time nothing does, nor for mail of others."""
    if event.kind is EventKind.OTHER or event.about is None:
        return False
    settled = bool(event.about.is_message and outbox.confirm_taken([event.about.key]))
    if event.kind in REPORTS:
        try:
            return take_report(Report(kind=REPORTS[event.kind], about=event.about), now=now) or settled
        except ReportRefusedError:
            return False
    return _of_message(event, event.about, now=now) or settled


def _of_message(event: ProviderEvent, about: ReturnedTo, *, now: datetime) -> bool:
    stored = Message.objects.select_related("campaign", "address__contact__customer")
    message = stored.filter(pk=about.key).first() if about.is_message else None
    if message is None:
        return False
    if event.kind is EventKind.UNSUBSCRIBED:
        if message.address is None:
            return False
        act = unsubscribe(message, now=now)
        return act.before != act.after
    _event, is_new = MessageEvent.objects.get_or_create(
        message=message, kind=MessageEventKind.DELIVERED, place=0, told_as="", defaults={"at": now}
    )
    return is_new
