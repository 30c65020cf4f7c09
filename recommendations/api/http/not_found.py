"""View of the addresses that do not exist."""

from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from recommendations.api.errors import problem


@csrf_exempt
@login_not_required
def unknown(request: HttpRequest) -> HttpResponse:
    detail = _("There is nothing at %(path)s.")
    if _is_known(f"{request.path}/"):
        detail = _("There is nothing at %(path)s; the address ends with a slash: %(path)s/")
    return problem(HTTPStatus.NOT_FOUND, detail % {"path": request.path})


def _is_known(path: str) -> bool:
    try:
        return resolve(path).url_name != "unknown-path"
    except Resolver404:
        return False
