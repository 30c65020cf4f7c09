"""CORS: requests from the pages of a shop, to the addresses that take in, and to those that recommend.

Which origins may call depends on the key, which django-cors-headers cannot say. A browser asks first, without the key
(preflight): it hears yes where any key that may do it allows its origin. The request itself is taken where its own key
does. A request without ``Origin`` comes from no page; what its key may state is the same (``ingest/facts.py``), and it
is told nothing: an origin list keeps other pages from using a key that they found, it is no secret. No other address
ever answers with a header of CORS.
"""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api.access import UnfitKeyError
from recommendations.api.errors import problem
from recommendations.ingest.arrivals import note_turned_away, source_name
from recommendations.services.access import keys
from recommendations.terms import Scope, Side

MAX_AGE = 3_600  # seconds for which a browser need not ask again
HEADERS = "authorization, content-type"
READABLE = "retry-after, ratelimit, ratelimit-policy, x-request-id"  # of an answer, next to what a page may always read


class BrowserView(APIView):
    """A view that the pages of a shop may call; it needs a scope of ``keys.ASKS``, or no key could allow them to."""

    for_pages = True
    required_scope: Scope
    allowed_origin = ""

    def initial(self, request: Request, *arguments: Any, **options: Any) -> None:
        if not _is_preflight(request):
            super().initial(request, *arguments, **options)

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        key: Any = request.auth  # a KnownKey, or the line above has refused
        origin = _origin(request)
        if origin in key.origins:
            self.allowed_origin = origin
        elif not origin and key.side is Side.PAGE and self.required_scope not in keys.SENDS:
            message = _("Pages of its origins alone ask with this API key; ask from your server with a key of its own.")
            self.permission_denied(request, message=message)
        elif origin and origin != f"{request.scheme}://{request.get_host()}":  # our own pages are no others
            if key.side is Side.SERVER:
                keys.note_page(key, origin)
                message = _(
                    "This is a server key, and a browser sent it. If it is in a page, replace it and use a page key "
                    "there."
                )
            else:
                message = _("This API key cannot be used by pages of %(origin)s; make one that names this origin.")
            self.permission_denied(request, message=message % {"origin": origin})

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, AuthenticationFailed | NotAuthenticated | PermissionDenied):
            key: Any = exc.key if isinstance(exc, UnfitKeyError) else None
            self._turn_away(str(exc.detail), key=self.request.auth if isinstance(exc, PermissionDenied) else key)
        return super().handle_exception(exc)

    def _turn_away(self, reason: str, *, key: Any = None) -> None:
        """Let whoever looks on see that events were not let in: by a key that sends some, else by the address."""
        if self.required_scope is not Scope.EVENTS_WRITE:
            return
        address = "/".join(self.request.path.split("/")[:5]).rstrip("/")  # without another system's own end
        sends = isinstance(key, keys.KnownKey) and Scope.EVENTS_WRITE in key.scopes
        source = source_name(key=key.pk if sends else None)
        note_turned_away(reason, at=timezone.now(), source=source, address=f"{address}/")

    def options(self, request: Any, *arguments: Any, **options: Any) -> Any:
        if _is_preflight(request):
            return self._preflight(_origin(request))
        return super().options(request, *arguments, **options)

    def finalize_response(self, request: Request, response: Any, *arguments: Any, **options: Any) -> Any:
        answer = super().finalize_response(request, response, *arguments, **options)
        if self.allowed_origin:
            answer["Access-Control-Allow-Origin"] = self.allowed_origin
            answer["Access-Control-Expose-Headers"] = READABLE
        patch_vary_headers(answer, ["Origin"])
        return answer

    def _preflight(self, origin: str) -> HttpResponse:
        if not keys.key_ring().knows_origin(origin, scope=self.required_scope):
            reason = _("No API key can be used by pages of %(origin)s.") % {"origin": origin}
            self._turn_away(reason)
            return problem(HTTPStatus.FORBIDDEN, reason)
        self.allowed_origin = origin
        answer = HttpResponse(status=HTTPStatus.NO_CONTENT)
        answer["Access-Control-Allow-Methods"] = ", ".join(sorted({*self.allowed_methods} - {"OPTIONS", "HEAD"}))
        answer["Access-Control-Allow-Headers"] = HEADERS
        answer["Access-Control-Max-Age"] = str(MAX_AGE)
        return answer


def _is_preflight(request: Request) -> bool:
    return request.method == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.META


def _origin(request: Request) -> str:
    return str(request.META.get("HTTP_ORIGIN", ""))
