"""View of the addresses that do not exist."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt

from recommendations.api.errors import unknown_path


@csrf_exempt
@login_not_required
def unknown(request: HttpRequest) -> HttpResponse:
    return unknown_path(request, known=_is_known(f"{request.path}/"))


def _is_known(path: str) -> bool:
    try:
        return resolve(path).url_name != "unknown-path"
    except Resolver404:
        return False
