"""The page of what is held of somebody: in words, as a file, and its erasure; one page behind two links.

A link that was mailed works where its owner confirmed the address. A link from the shop shows all of it; one that came
with an answer works for 30 days, so it shows only how much there is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from recommendations.models import Address, ConsentStatement, Customer
from recommendations.privacy_terms import RequestState
from recommendations.public.door import AddressGuest, CustomerGuest, Guest, customer_door, door
from recommendations.public.own_acts import follow_word
from recommendations.public.sentences import word
from recommendations.services.contacts.links import link_path
from recommendations.services.contacts.own_data import (
    address_of_customer,
    addresses_of,
    file_of,
    masked_address,
    statements_of,
)
from recommendations.services.contacts.own_messages import sent_to
from recommendations.services.contacts.staff_acts import erase_for
from recommendations.services.contacts.tokens import LinkKind
from recommendations.services.operations.housekeeping import MESSAGE_DAYS, VERDICT_DAYS
from recommendations.services.privacy import my_data as held
from recommendations.services.privacy.exports import ExportExpiredError, ExportNotReadyError
from recommendations.services.privacy.own_links import is_joined
from recommendations.services.privacy.requests import ERASE_WORDS
from recommendations.services.privacy.sealed import PrivacyKeysMissingError, SealBrokenError
from recommendations.wording import push_labels

FILE = "my-data.json"
ARCHIVE = "my-data.zip"
NOTHING_ASKED = held.OwnRequests(export=None, erasure=None)


@dataclass(frozen=True, kw_only=True)
class DataOwner:
    """Whose page it is. ``address``: what is kept to write to it is shown; ``counts``: how much there is of all else;
    ``whole``: all of it may be taken along and erased.
    """

    customer: Customer
    address: Address | None
    counts: bool
    whole: bool


@door(LinkKind.OWN_DATA)
def own_data(guest: AddressGuest) -> HttpResponseBase:
    """Page behind a mailed link; whoever did not confirm the address may have got somebody else's mail."""
    if guest.address.confirmed_at is None:
        return HttpResponseRedirect(link_path(guest.address, LinkKind.PREFERENCES, now=guest.now))
    customer = guest.address.contact.customer
    is_owners = not is_joined(customer)
    return _page(guest, DataOwner(customer=customer, address=guest.address, counts=is_owners, whole=is_owners))


@customer_door(LinkKind.MY_DATA)
def my_data(guest: CustomerGuest) -> HttpResponseBase:
    """Page behind a link from the shop."""
    if guest.customer is None:
        return guest.answer("nothing_held", {})
    whole = bool(guest.link.minutes)
    address = address_of_customer(guest.customer) if whole else None
    return _page(guest, DataOwner(customer=guest.customer, address=address, counts=True, whole=whole))


def _page(guest: Guest, owner: DataOwner) -> HttpResponseBase:
    """Do what the form says, and show what is so now."""
    address = owner.address
    if guest.deed == "file" and address:
        answer = JsonResponse(file_of(address, now=guest.now), json_dumps_params={"indent": 2})
        answer.headers["Content-Disposition"] = f'attachment; filename="{FILE}"'
        return answer
    if guest.deed == "erase" and address:
        masked = masked_address(address)
        receipt = erase_for(address.contact, by=None, now=guest.now)
        return guest.answer("erased", {"receipt": receipt, "at": guest.now, "address": masked})
    deeds = {**(COUNTING if owner.counts else {}), **(WHOLE_DEEDS if owner.whole else {})}
    if guest.deed in deeds:
        try:
            return deeds[guest.deed](guest, owner)
        except (PrivacyKeysMissingError, SealBrokenError):
            return _show(guest, owner, wrong=_("This cannot be done at the moment. Please ask the shop."))
    return _show(guest, owner, said=guest.deed if follow_word(guest, owner.customer) else "")


def _count(guest: Guest, owner: DataOwner) -> HttpResponseBase:
    """Show what every place holds, which takes a moment and so is not counted before somebody asks."""
    try:
        return _show(guest, owner, holdings=held.holdings_of(owner.customer))
    except held.CannotCountError:
        return _show(guest, owner, wrong=_("This cannot be counted at the moment. Please try it again in a minute."))


def _export(guest: Guest, owner: DataOwner) -> HttpResponseBase:
    held.ask_own_export(owner.customer, now=guest.now)
    return _show(guest, owner, said="export")


def _download(guest: Guest, owner: DataOwner) -> HttpResponseBase:
    request = held.own_requests(owner.customer, now=guest.now).export
    try:
        if request is None:
            raise ExportExpiredError
        pieces = held.read_own_export(request, now=guest.now)
    except ExportNotReadyError:
        return _show(guest, owner)
    except ExportExpiredError:
        return _show(guest, owner, wrong=_("The file is no longer there. Please ask for it again."))
    answer = StreamingHttpResponse(pieces, content_type="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="{ARCHIVE}"'
    return answer


def _ask_for_word(guest: Guest, _owner: DataOwner) -> HttpResponseBase:
    return guest.answer("erase_all", {"wrong": False})


def _erase_all(guest: Guest, owner: DataOwner) -> HttpResponseBase:
    if guest.request.POST.get("word", "").strip().casefold() not in ERASE_WORDS:
        return guest.answer("erase_all", {"wrong": True}, status=HTTPStatus.BAD_REQUEST)
    request = held.ask_own_erasure(owner.customer, guest.token, now=guest.now)
    is_held = held.is_held(owner.customer, now=guest.now)
    return guest.answer("erasing", {"request": request, "is_held": is_held})


COUNTING: Mapping[str, Callable[[Guest, DataOwner], HttpResponseBase]] = {"show": _count}
WHOLE_DEEDS: Mapping[str, Callable[[Guest, DataOwner], HttpResponseBase]] = {
    "export": _export, "download": _download, "sure": _ask_for_word, "erase_all": _erase_all,
}  # fmt: skip
"""What may be done with all that is held."""


def _show(
    guest: Guest,
    owner: DataOwner,
    *,
    said: str = "",
    wrong: str = "",
    holdings: Sequence[held.OwnHolding] | None = None,
) -> HttpResponse:
    asked = held.own_requests(owner.customer, now=guest.now) if owner.whole else NOTHING_ASKED
    context = {
        "said": said,
        "wrong": wrong,
        "personalise": owner.customer.personalise,
        "counts": owner.counts,
        "holdings": holdings,
        "whole": owner.whole,
        "can_be_asked": held.can_be_asked(),
        "export": asked.export,
        "is_ready": asked.export is not None and asked.export.state == RequestState.DONE,
        "erasing": asked.erasure,
        **(_of_address(owner.address, whole=owner.whole, now=guest.now) if owner.address else {}),
    }
    return guest.answer("own_data", context)


def _of_address(address: Address, *, whole: bool, now: datetime) -> dict[str, object]:
    """What is kept to write to somebody, at this address alone or at the ``whole`` of theirs."""
    messages, total = sent_to(address.contact_id)
    contact = address.contact
    return {
        "addresses": [
            {
                "channel": word(push_labels.CHANNELS, each.channel), "masked": masked_address(each),
                "since": each.created_at,
            }
            for each in (addresses_of(address.contact_id) if whole else [address])
        ],
        "messages": [
            {
                "at": each.at, "purpose": word(push_labels.PURPOSES, each.purpose),
                "channel": word(push_labels.CHANNELS, each.channel), "clicked": each.clicked,
            }
            for each in messages
        ],
        "total": total,
        "message_days": MESSAGE_DAYS,
        "verdict_days": VERDICT_DAYS,
        "contact": contact,
        "paused_until": contact.paused_until if contact.paused_until and contact.paused_until > now else None,
        "statements": [_row(each) for each in statements_of(address)],
        "centre": link_path(address, LinkKind.PREFERENCES, now=now),
    }  # fmt: skip


def _row(statement: ConsentStatement) -> dict[str, object]:
    return {
        "at": statement.at,
        "purpose": word(push_labels.PURPOSES, statement.purpose),
        "channel": word(push_labels.CHANNELS, statement.channel),
        "said": word(push_labels.CONSENT_STATES, statement.state),
        "where": word(push_labels.CONSENT_SOURCES, statement.source),
    }
