"""What an address leads to: what it names, if that is there, and back to a page of this site, never to another one."""

from django.http import Http404, HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def or_404[Thing](thing: Thing | None) -> Thing:
    """The thing itself; raises Http404 where there is none."""
    if thing is None:
        raise Http404
    return thing


def page_address(request: HttpRequest, page: str) -> str:
    """The address under which a reader can come back: the ``page`` itself where it is what a form's address answers."""
    return page if request.method == "POST" else request.get_full_path()


def own_address(request: HttpRequest, target: str, *, otherwise: str) -> str:
    """The target, which somebody sent, if it is an address of this site."""
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if safe else otherwise
