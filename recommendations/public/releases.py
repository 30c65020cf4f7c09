"""Releases that are published, for everybody: each as a file under an address of its own."""

from http import HTTPStatus
from math import ceil
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from recommendations.models import Release
from recommendations.services.access.readers import count_reader, reader_language
from recommendations.services.releases.file import file_name, release_csv


@require_safe
@login_not_required
def public_release(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The file in the language that is asked for; one that is withdrawn is not there any more."""
    with translation.override(reader_language(request, request.GET.get("lang"))):
        rate = count_reader(request, "releases")
        if rate.wait is not None:
            too_many = HttpResponse(status=HTTPStatus.TOO_MANY_REQUESTS)
            too_many.headers["Retry-After"] = str(ceil(rate.wait))
            return too_many
        release = Release.objects.filter(pk=pk).first()
        if release is None or not release.is_public:
            status = HTTPStatus.GONE if release is not None and release.withdrawn_at else HTTPStatus.NOT_FOUND
            return HttpResponse(status=status)
        answer = HttpResponse(release_csv(release), content_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = f'attachment; filename="{file_name(release)}"'
        answer.headers["Content-Language"] = translation.get_language() or ""
    patch_vary_headers(answer, ["Accept-Language"])
    return answer
