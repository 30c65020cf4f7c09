"""The schema at ``/api/schema/``, as JSON or as YAML, for whoever makes a client of it."""

from functools import lru_cache
from hashlib import sha256
from http import HTTPStatus

import msgspec
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _

from recommendations.api.errors import Flaw, only_read, problem
from recommendations.api.reference.catalogue_examples import CATALOGUES, Words, filled, words

FORMATS = {"json": "application/vnd.oai.openapi+json", "yaml": "application/vnd.oai.openapi"}


@only_read
@login_not_required
def schema(request: HttpRequest) -> HttpResponse:
    """Serve the schema as JSON, or with ``?format=yaml`` as YAML; 304 to who has it already."""
    form = request.GET.get("format", "json")
    if form not in FORMATS:
        flaw = Flaw("format", _("One of: %(names)s.") % {"names": ", ".join(FORMATS)})
        return problem(HTTPStatus.BAD_REQUEST, _("The request has errors."), flaws=[flaw])
    content, tag = _written(form, words())
    answer = HttpResponse(content, content_type=FORMATS[form])
    answer["ETag"] = tag
    answer["Content-Disposition"] = f'inline; filename="recsite-openapi.{form}"'
    return get_conditional_response(request, etag=tag, response=answer) or answer


@lru_cache(CATALOGUES * len(FORMATS))
def _written(form: str, given: Words) -> tuple[bytes, str]:
    """The schema as bytes, and its entity tag."""
    content = msgspec.json.encode(filled(given))
    content = msgspec.json.format(content) if form == "json" else msgspec.yaml.encode(msgspec.json.decode(content))
    return content, f'"{sha256(content).hexdigest()[:32]}"'
