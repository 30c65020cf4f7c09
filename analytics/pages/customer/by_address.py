"""The way from an e-mail address to its customer: by POST, so that the address is in no web address and in no log."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics.pages.access.permission import post_requires
from analytics.queries.customer.profile import merged_into
from recommendations.push_terms import SuppressionReason
from recommendations.services.access.policy import Action
from recommendations.services.contacts.lookup import Holders, InvalidAddressError, KeysMissingError, holders_of
from recommendations.wording import push_labels

LONGEST = 320


@post_requires(Action.MANAGE_CONTACTS)
def find_by_address(request: HttpRequest) -> HttpResponse:
    """Open the customer who has the address; no answer repeats it, as messages are stored."""
    try:
        holders = holders_of(request.POST.get("email", "")[:LONGEST], now=timezone.now())
    except InvalidAddressError:
        messages.warning(request, _("This is no e-mail address; write one such as ann@example.com."))
        return redirect("customers")
    except KeysMissingError:
        messages.warning(request, _("This installation has no keys for contacts yet."))
        return redirect("customers")
    if holders.silent_for and not holders.customers:
        text = _("No customer has this address. It is blocked: %(reason)s.")
        messages.info(request, text % {"reason": _reason(holders.silent_for)})
    elif not holders.customers:
        messages.info(request, _("No customer has this address."))
    else:
        return _opened(request, holders)
    return redirect("customers")


def _opened(request: HttpRequest, holders: Holders) -> HttpResponse:
    first, *others = holders.customers
    messages.info(request, _("Found by e-mail address: this is customer %(code)s.") % {"code": first})
    if others:
        codes = pgettext("between names", ", ").join(str(each) for each in others)
        messages.info(request, _("It waits for its owner's yes with others as well: %(codes)s.") % {"codes": codes})
    return redirect(reverse("customer", args=[merged_into(first.pk) or first.pk], fragment="reach"))


def _reason(reason: SuppressionReason) -> str:
    return str(dict(push_labels.SUPPRESSION_REASONS)[reason])
