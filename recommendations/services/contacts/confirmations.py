"""Confirmation mails: an address that the shop does not vouch for is asked twice at the most, three days apart.

They are no advertising, so no cap and no quiet hour holds them back. A mail counts before it leaves: a process that is
killed on the way leaves one unsent rather than sent twice.
"""

from collections.abc import Collection, Sequence
from contextlib import closing
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from recommendations.channels.protocol import Gone, Later, Line, Parcel
from recommendations.models import Address, Permission, Suppression
from recommendations.push_terms import AddressState, Channel
from recommendations.services.contacts import bounces
from recommendations.services.contacts.confirming import MOST, wanted_purposes
from recommendations.services.contacts.links import link_for
from recommendations.services.contacts.preferences import OPEN
from recommendations.services.contacts.tokens import LinkKind
from recommendations.services.mails.line import mail_line, missing_settings
from recommendations.services.mails.service import ServiceMail, parcel_of
from recommendations.store.contacts.sealing import SealBrokenError, unseal
from recommendations.wording import push_labels

log = structlog.get_logger(__name__)
AGAIN = timedelta(days=3)
HOUR = timedelta(hours=1)
MOST_AN_HOUR = 5  # addresses of a contact that are asked
AT_ONCE = 300
NEWEST = 100  # of these come before those that wait the longest
PAGE = 1_000  # addresses that are looked at together
RETRY = timedelta(minutes=5)  # until an address is tried again that the server put off
PATIENCE = 3  # mails in a row that the server puts off


def send_waiting(*, now: datetime) -> int:
    """Ask whoever waits by the installation's mail server; nobody where it is not set up."""
    if missing_settings() or not _due(now).exists():
        return 0
    with closing(mail_line()) as line:
        return send_confirmations(line, now=now)


def send_confirmations(line: Line, *, now: datetime) -> int:
    """Ask the owners of addresses that wait; how many mails left. It stops where the server takes none."""
    addresses, left, late = _take_up(now), 0, 0
    for place, address in enumerate(addresses):
        try:
            parcel = _parcel(address, now=now)
        except (SealBrokenError, UnicodeError) as error:  # the others are asked all the same
            log.warning("address could not be asked", address=address.pk, error=type(error).__name__)
            continue
        outcome = line.hand_over(parcel)
        if isinstance(outcome, Later):
            _give_back([address], asked_at=now - AGAIN + RETRY)
            late += 1
            if late == PATIENCE:
                _give_back(addresses[place + 1 :])
                break
            continue
        left, late = left + 1, 0
        if isinstance(outcome, Gone):
            bounces.let_go(address, now=now)
    return left


def _due(now: datetime) -> QuerySet[Address]:
    """Addresses whose owners were not asked, or not lately."""
    unconfirmed = Address.objects.filter(channel=Channel.EMAIL, state=AddressState.UNCONFIRMED)
    return unconfirmed.filter(Q(asked_at=None) | Q(asked_at__lte=now - AGAIN))


@transaction.atomic
def _take_up(now: datetime) -> Sequence[Address]:
    """Count the mails of the addresses that are asked next; nobody else takes them up.

    The newest come first, then those that wait the longest: who signs up now does not wait behind a file of thousands.
    What is due is looked at a page at a time, each page as a whole, its contacts by their keys. One statement for all,
    or a join, would compare every address with all others where PostgreSQL takes the tables for small ones.
    """
    due = _due(now).prefetch_related("contact").select_for_update(skip_locked=True)
    taken = {each.pk: each for each in _askable(list(due.order_by("-pk")[:NEWEST]), now)}
    last = 0
    while len(taken) < AT_ONCE and (page := list(due.filter(pk__gt=last).order_by("pk")[:PAGE])):
        taken |= {each.pk: each for each in _askable(page, now)}
        last = page[-1].pk
    keys = list(taken)[:AT_ONCE]
    Address.objects.filter(pk__in=keys).update(confirmations=F("confirmations") + 1, asked_at=now)
    return [taken[key] for key in keys]


def _askable(page: Sequence[Address], now: datetime) -> list[Address]:
    """Rows of the page that somebody said yes for, neither silent nor asked too often; of equal addresses one."""
    digests = {bytes(each.digest) for each in page}
    of_all = Address.objects.filter(channel=Channel.EMAIL, digest__in=digests).values_list("digest")
    mails = {bytes(digest): number for digest, number in of_all.annotate(Sum("confirmations"))}
    lately = Address.objects.filter(contact__in={each.contact_id for each in page}, asked_at__gt=now - HOUR)
    tries = dict(lately.values_list("contact").annotate(Count("pk")))
    quiet = Suppression.objects.filter(channel=Channel.EMAIL, digest__in=digests).exclude(until__lte=now)
    silent = set(map(bytes, quiet.values_list("digest", flat=True)))
    first = _first_of_each(digests, now)
    return [
        each
        for each in page
        if first.get(digest := bytes(each.digest)) == each.pk and digest not in silent
        and mails[digest] < MOST and tries.get(each.contact_id, 0) < MOST_AN_HOUR
    ]  # fmt: skip


def _first_of_each(digests: Collection[bytes], now: datetime) -> dict[bytes, int]:
    """Key of the first row that is due of each address, of those with somebody's yes, maybe for another one."""
    due = list(_due(now).filter(digest__in=digests).order_by("-pk").values_list("digest", "pk", "contact"))
    yes = Permission.objects.filter(channel=Channel.EMAIL, state__in=OPEN, contact__in={contact for *_, contact in due})
    agreed = set(yes.values_list("contact", flat=True))
    return {bytes(digest): pk for digest, pk, contact in due if contact in agreed}


def _give_back(addresses: Sequence[Address], *, asked_at: datetime | None = None) -> None:
    """Take the counts of mails back that did not leave; ``asked_at`` puts them off."""
    for each in addresses:
        each.asked_at = asked_at or each.asked_at
    Address.objects.bulk_update(addresses, ["confirmations", "asked_at"])


def _parcel(address: Address, *, now: datetime) -> Parcel:
    opened, key = unseal(address.sealed), f"confirm-{address.pk}-{address.confirmations + 1}"
    with translation.override(address.contact.language):
        mail = _mail(address, opened["email"], now=now)
    return parcel_of(mail, address=address.pk, opened=opened, key=key, now=now)


def _mail(address: Address, email: str, *, now: datetime) -> ServiceMail:
    facts = {"shop": settings.SHOP_NAME, "address": email, "purposes": _purposes(address)}
    request = _("Please confirm that %(shop)s may write to %(address)s. If it was not you, do nothing.")
    return ServiceMail(
        language=address.contact.language,
        subject=_("Please confirm your address"),
        preheader=_("It takes one click. If it was not you, do nothing."),
        intro="\n".join(text % facts for text in (request, _("What was asked for: %(purposes)s."))),
        button=_("Confirm my address"),
        link=link_for(address, LinkKind.CONFIRM, now=now),
        why=_("You get this because your address was entered at %(shop)s.") % facts,
    )


def _purposes(address: Address) -> str:
    """Names of the purposes that wait for the owner's yes."""
    wanted = wanted_purposes(address)
    names = [str(name) for code, name in push_labels.PURPOSES if code in wanted]
    return pgettext("between names", ", ").join(names)
