"""The demo's mailbox: every message to a customer, as it came, as its reader sees it, and where its links lead.

Its links hold for whoever presses them, so mails are opened by those only who may publish.
A mail is foreign: it is shown in a frame of its own, from an address whose policy lets nothing run, load or be sent.
"""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import requires, roles_words
from analytics.pages.addresses import or_404
from analytics.pages.mail_frame import mail_frame
from analytics.parameters import page_number, typed
from demo import mailbox as post
from demo import notices
from demo.contacts import DOMAIN
from demo.notices import NoticeKind
from recommendations.customer_codes import customer_key
from recommendations.services.access.policy import Action

PER_PAGE = 50
LONGEST_QUERY = 128
PHONE = "phone"
OWN_PAGES: dict[str, Promise] = {
    "confirm_address": gettext_lazy("Page to confirm the address"),
    "preference_centre": gettext_lazy("Preference page"),
    "unsubscribe": gettext_lazy("Page to unsubscribe"),
    "follow_link": gettext_lazy("The shop; it counts as a click"),
    "own_data": gettext_lazy("Page of what is stored about the customer"),
    "unknown_link": gettext_lazy("No page"),
}
KINDS: dict[NoticeKind, Promise] = {
    NoticeKind.PUSHES: gettext_lazy("Browser notifications"),
    NoticeKind.HOOKS: gettext_lazy("Webhooks"),
}
_INVENTED = re.compile(rf"customer-(C-\w+)@{re.escape(DOMAIN)}")


@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """List of the mails, or of what else came, fifty a page."""
    kind = typed(request.GET.get("kind"), longest=LONGEST_QUERY)
    if kind in set(NoticeKind):
        return _notices(request, NoticeKind(kind))
    text = typed(request.GET.get("q"), longest=LONGEST_QUERY)
    keys = post.matching(settings.MAILBOX, text) if text else post.keys_of(settings.MAILBOX)
    page = Paginator(keys, PER_PAGE).get_page(page_number(request.GET.get("page")))
    context = {
        "section": "mailbox",
        "kinds": _kinds(""),
        "text": text,
        "page": page,
        "mails": post.lines_of(settings.MAILBOX, page),
        "who_opens": roles_words(Action.PUBLISH),
        "is_real": settings.DEMO_REAL_MAIL,
    }
    return render(request, "demo/mailbox.html", context)


def _notices(request: HttpRequest, kind: NoticeKind) -> HttpResponse:
    keys = notices.notice_keys(settings.MAILBOX, kind)
    page = Paginator(keys, PER_PAGE).get_page(page_number(request.GET.get("page")))
    context = {
        "section": "mailbox",
        "kind": kind,
        "kinds": _kinds(kind),
        "page": page,
        "notices": notices.notices_of(settings.MAILBOX, kind, page),
        "who_opens": roles_words(Action.PUBLISH),
        "is_real": settings.DEMO_REAL_MAIL,
    }
    return render(request, "demo/notices.html", context)


def _kinds(current: str) -> list[tuple[str, Promise, int, bool]]:
    """The tabs: code, words, how many, and whether it is the one that is open."""
    mails = len(post.keys_of(settings.MAILBOX))
    return [("", gettext_lazy("E-mails"), mails, not current)] + [
        (code, words, len(notices.notice_keys(settings.MAILBOX, code)), code == current)
        for code, words in KINDS.items()
    ]


@require_safe
@requires(Action.PUBLISH)
def notice(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """One notification or webhook: as it is seen, its headers and what it is made of."""
    if kind not in set(NoticeKind):
        raise Http404
    opened = notices.notices_of(settings.MAILBOX, NoticeKind(kind), [key])
    context = {"section": "mailbox", "kind": kind, "notice": or_404(opened[0] if opened else None)}
    return render(request, "demo/notice.html", context)


@require_safe
@requires(Action.PUBLISH)
def mail(request: HttpRequest, key: str) -> HttpResponse:
    opened = or_404(post.mail_of(settings.MAILBOX, key))
    context = {
        "section": "mailbox",
        "mail": opened,
        "customer": _customer_of(opened.line.to),
        "links": [(link, _is_web(link.address), _target(link.address)) for link in opened.links],
        "one_click": next((path for link in opened.links if (path := _one_click(link.address))), ""),
        "source": opened.source[: post.LONGEST_SOURCE],
        "is_cut": len(opened.source) > post.LONGEST_SOURCE,
        "phone": request.GET.get("width") == PHONE,
    }
    return render(request, "demo/mail.html", context)


@require_safe
@requires(Action.PUBLISH)
def mail_html(_request: HttpRequest, key: str) -> HttpResponse:
    """The HTML part alone, for the frame; the policy holds as well where somebody opens its address."""
    html = post.html_of(settings.MAILBOX, key)
    if html is None:
        raise Http404
    return mail_frame(html)


def _customer_of(recipient: str) -> int | None:
    """Key of the customer whose invented address it is."""
    match = _INVENTED.fullmatch(recipient)
    return customer_key(match[1]) if match else None


def _is_web(address: str) -> bool:
    return address.lower().startswith(("http://", "https://"))


def _target(address: str) -> str:
    """What a link leads to, in words."""
    if not _is_web(address):
        return _("No web page")
    try:
        parts = urlsplit(address)
    except ValueError:
        return _("No web page")
    if f"{parts.scheme}://{parts.netloc}" != settings.PUBLIC_URL:
        return parts.netloc
    name = _page_of(parts.path)
    return str(OWN_PAGES.get(name, _("Another page of this installation"))) if name else _("No page")


def _one_click(address: str) -> str:
    """Path of a link that a mail program posts to when its reader unsubscribes; "" for another link."""
    path = address.removeprefix(settings.PUBLIC_URL)
    return path if path != address and _page_of(path) == "unsubscribe" else ""


def _page_of(path: str) -> str:
    """Name of the page at a path of this installation; "" where there is none."""
    try:
        return resolve(path).url_name or ""
    except Resolver404:
        return ""
