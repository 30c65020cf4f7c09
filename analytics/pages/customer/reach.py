"""The panel *Reach* of a customer, loaded after the page and a page of its own where no script runs; its acts."""

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.addresses import page_address
from analytics.parameters import note_in
from analytics.queries.customer.profile import merged_into, merged_keys
from analytics.queries.customer.purposes import purposes_of
from analytics.templatetags.display import number
from recommendations.models import Address, Contact, Customer
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.access.policy import Action
from recommendations.services.contacts import staff_acts
from recommendations.services.contacts.reach import last_erasure, reach_of
from recommendations.services.contacts.reading import Erasure
from recommendations.services.contacts.staff_acts import AddressInNoteError
from recommendations.services.mails.line import missing_settings
from recommendations.wording import push_labels


@require_safe
def reach(request: HttpRequest, pk: int) -> HttpResponse:
    """Contacts of all keys of a customer, that of the customer first."""
    owner = merged_into(pk)
    if owner is not None:
        return redirect("reach", pk=owner)
    return _page(request, pk)


@dataclass(frozen=True, kw_only=True)
class _Refused:
    """An act whose note was refused: which one, of which address or contact, and what was typed."""

    act: str
    key: int
    note: str
    problem: str


def _page(request: HttpRequest, pk: int, *, refused: _Refused | None = None) -> HttpResponse:
    customer, keys = get_object_or_404(Customer, pk=pk, erased_at=None), [pk, *merged_keys(pk)]
    contacts = reach_of(keys, now=timezone.now())
    context = {
        "section": "customers",
        "customer": customer,
        "allowed": purposes_of(customer, keys),
        "contacts": contacts,
        "erased": None if contacts else last_erasure(keys),
        "missing": pgettext("between names", ", ").join(missing_settings()),
        "obstacles": dict(push_labels.OBSTACLES),
        "languages": dict(settings.LANGUAGES),
        "shop_zone": ZoneInfo(settings.TIME_ZONE),
        "refused": refused,
        "here": page_address(request, reverse("reach", args=[pk])),
    }
    part = "HX-Request" in request.headers
    template = f"dashboard/customer/{'reach' if part else 'reach_page'}.html"
    return render(request, template, context, status=422 if refused else 200)


@post_requires(Action.MANAGE_CONTACTS)
def silence(request: HttpRequest, pk: int, address: int) -> HttpResponse:
    """Silence an address of the contact of this key."""
    held, by = _address(pk, address), staff_of(request)

    def work(note: str) -> str | None:
        done = staff_acts.silence_address(held, by=by, note=note, now=timezone.now())
        return _("Nothing more is sent to this address, until an admin unblocks it.") if done else None

    return _acted(request, pk, "silence", address, work, otherwise=_("It was blocked already, so nothing was changed."))


@post_requires(Action.MANAGE_CONTACTS)
def speak(request: HttpRequest, pk: int, address: int) -> HttpResponse:
    """Let an address of the contact of this key speak again."""
    held, by = _address(pk, address), staff_of(request)

    def work(note: str) -> str | None:
        done = staff_acts.let_speak(held, by=by, note=note, now=timezone.now())
        return _("The address may be written to again, as far as its owner said yes.") if done else None

    otherwise = _("Nothing was changed: it is not blocked, or for a reason that staff cannot lift.")
    return _acted(request, pk, "speak", address, work, otherwise=otherwise)


@post_requires(Action.MANAGE_CONTACTS)
def erase_this(request: HttpRequest, pk: int) -> HttpResponse:
    """Erase the contact of this key, and show the receipt."""
    get_object_or_404(Contact, pk=pk)
    by = staff_of(request)

    def work(note: str) -> str | None:
        erasure = staff_acts.erase(pk, by=by, note=note, now=timezone.now())
        return _receipt(erasure) if erasure else None

    return _acted(request, pk, "erase", pk, work, otherwise=_("It was erased already."))


def _address(contact: int, address: int) -> Address:
    """An address of the contact that is in use. Raises Http404."""
    held = staff_acts.address_in_use(contact, address)
    if held is None:
        raise Http404
    return held


def _acted(
    request: HttpRequest, contact: int, act: str, key: int, work: Callable[[str], str | None], *, otherwise: str
) -> HttpResponse:
    """Do the work with the note of the form, and say on the customer's page what came of it.

    A note that is refused comes back with its form, so that nobody types it again.
    """
    owner, note = merged_into(contact) or contact, note_in(request.POST)
    try:
        text = work(note)
    except NoteNeededError:
        return _page(
            request, owner, refused=_Refused(act=act, key=key, note=note, problem=_("Say why. Nothing was changed."))
        )
    except AddressInNoteError:
        problem = _("The note stays in the audit trail: write it without the address. Nothing was changed.")
        return _page(request, owner, refused=_Refused(act=act, key=key, note=note, problem=problem))
    if text is None:
        messages.warning(request, otherwise)
    else:
        messages.success(request, text)
    return redirect(reverse("customer", args=[owner], fragment="reach"))


def _receipt(erasure: Erasure) -> str:
    addresses = ngettext("%(count)s address", "%(count)s addresses", erasure.addresses)
    statements = ngettext("%(count)s statement", "%(count)s statements", erasure.statements)
    return _("The contact is erased: %(addresses)s and %(statements)s. What was erased stays blocked for good.") % {
        "addresses": addresses % {"count": number(erasure.addresses)},
        "statements": statements % {"count": number(erasure.statements)},
    }
