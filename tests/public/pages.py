"""Pages for customers as a browser asks for them, and what stands behind them."""

import re
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from recommendations.models import Address, ConsentStatement, Contact, Customer, Permission, Suppression
from recommendations.services.contacts.links import link_path
from recommendations.services.contacts.tokens import LinkKind
from tests.services.contacts.addresses import address_of, said

UNKNOWN = "We no longer know this link."
HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}


def contact(**fields: Any) -> Address:
    consents = [said("for_you"), said("news", "refused")]
    return address_of(**{"consents": consents, "confirmed": True, "now": timezone.now(), **fields})


def page_of(address: Address, kind: LinkKind = LinkKind.PREFERENCES) -> str:
    return link_path(address, kind, now=timezone.now())


def rows() -> list[Any]:
    models = (Address, ConsentStatement, Contact, Customer, Permission, Suppression)
    return [list(model.objects.order_by("pk").values()) for model in models]


def states() -> dict[str, str]:
    return dict(Permission.objects.values_list("purpose", "state"))


def do(page: str, **form: str) -> str:
    """The page that answers a form."""
    answer = Client().post(page, form)
    assert answer.status_code == 302, answer.content
    return shown(Client().get(answer["Location"]))


def shown(answer: HttpResponse) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def undone(page: str, text: str) -> str:
    [was] = re.findall(r'name="was" value="([^"]+)"', text)
    return do(page, act="undo", was=was)
