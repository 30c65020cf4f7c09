"""What reports of mail servers lead to: addresses that do not exist go, people who complained are left alone."""

import operator
from datetime import datetime, timedelta
from itertools import dropwhile, takewhile
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from recommendations.models import Address, Message, MessageEvent
from recommendations.push_terms import AddressState, MessageEventKind, MessageState
from recommendations.services.contacts import bounces
from recommendations.services.mails.reports import Report, ReportKind, ReportRefusedError
from recommendations.store.live.counters import Counted, count_at_commit

SOFT_MOST, SOFT_WITHIN = 3, timedelta(days=30)
EVENTS: Final = {
    ReportKind.HARD: MessageEventKind.BOUNCED,
    ReportKind.SOFT: MessageEventKind.SOFT_BOUNCED,
    ReportKind.COMPLAINT: MessageEventKind.COMPLAINED,
}


@transaction.atomic
def take_report(report: Report, *, now: datetime) -> bool:
    """Do what a report asks for; whether anything changed. The second time nothing does.

    Raises ReportRefusedError where what it is about is not known any more.
    """
    if report.kind is ReportKind.NOTHING:
        return False
    if not report.about.is_message:
        return _of_address(report, now=now)
    locked = Message.objects.select_related("address").select_for_update(of=("self",))
    message = locked.filter(pk=report.about.key).first()
    if message is None:
        raise ReportRefusedError("its message is not known any more")
    _event, is_new = MessageEvent.objects.get_or_create(
        message=message, kind=EVENTS[report.kind], place=0, told_as="", defaults={"at": now}
    )
    if is_new and report.kind is ReportKind.COMPLAINT:
        count_at_commit({(Counted.COMPLAINTS,): 1})
    if is_new and message.address is not None:
        _act(report.kind, message, message.address, now=now)
    return is_new


def _of_address(report: Report, *, now: datetime) -> bool:
    """Act on a mail about the address itself; so few go there that a full mailbox says nothing of it."""
    address = Address.objects.filter(pk=report.about.key).first()
    if address is None:
        raise ReportRefusedError("its address is not known any more")
    if report.kind is ReportKind.SOFT or address.state == AddressState.GONE:
        return False
    if report.kind is ReportKind.HARD:
        bounces.let_go(address, now=now)
    else:
        bounces.complain(address, now=now)
    return True


def _act(kind: ReportKind, message: Message, address: Address, *, now: datetime) -> None:
    if kind is ReportKind.COMPLAINT:
        bounces.complain(address, now=now)
    elif kind is ReportKind.HARD or _is_worn_out(message, now=now):
        bounces.let_go(address, now=now)


def _is_worn_out(message: Message, *, now: datetime) -> bool:
    """Whether three in a row that were sent to the address within a month came back.

    Reports come in any order, and of what went out after the last that came back none may be there yet.
    """
    sent = Message.objects.filter(address=message.address, state=MessageState.TAKEN, handed_at__gte=now - SOFT_WITHIN)
    came_back = MessageEvent.objects.filter(kind=MessageEventKind.SOFT_BOUNCED, message=OuterRef("pk"))
    row = list(sent.order_by("-handed_at").annotate(back=Exists(came_back)).values_list("back", flat=True))
    return sum(takewhile(bool, dropwhile(operator.not_, row))) >= SOFT_MOST
