"""Schema of the API at ``/api/schema/`` (OpenAPI 3.1): its components are the structs that bodies are decoded into."""

from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import override
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from recommendations.api.access import SCHEME, ApiKeyAuthentication, scope_of
from recommendations.api.errors import CONTENT_TYPE, Flaw, Problem, only_read, problem

REFERENCE = "#/components/schemas/{name}"
EVERY_VIEW = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_ACCEPTABLE,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
EVERY_BODY = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.LENGTH_REQUIRED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)

PATH_PARAMETERS = {
    "placement": "A place of the shop that asks: home, discover, item, also_bought, cart, category, search …",
    "page": "A page of the shop: home, item, cart, category, search, thanks, or one of the shop's own.",
    "item_id": "An item by the shop's own id; it may have slashes in it.",
    "recommendation_id": "The `recommendation_id` of an answer.",
    "experiment_id": "An experiment as answers call it, such as e7.",
    "user_id": "A customer by the shop's own id; it may have slashes in it.",
    "slug": "The short name of a campaign, as its page shows it.",
}
HEADERS = {
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate", {"type": "string"}, "How to send a key."),
    HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After", {"type": "integer", "minimum": 1}, "Seconds to wait."),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After", {"type": "integer", "minimum": 1}, "Seconds to wait."),
}
FORMATS = {"json": "application/vnd.oai.openapi+json", "yaml": "application/vnd.oai.openapi"}

_components: dict[str, Any] = {}


class ScopedSchema(AutoSchema):
    """View schema that says of every operation which scope it needs."""

    def get_auth(self) -> list[dict[str, list[str]]]:
        return [{ApiKeyScheme.name: [str(scope_of(self.view, self.method))]}]


@cache
def document() -> dict[str, Any]:
    """The whole schema; it is the same as long as the process lives."""
    generator: Any = SchemaGenerator  # it has no types
    with override("en"):
        return dict(generator().get_schema(request=None, public=True))


@cache
def _written(form: str) -> bytes:
    content = msgspec.json.encode(document())
    return msgspec.json.format(content) if form == "json" else msgspec.yaml.encode(msgspec.json.decode(content))


@only_read
@login_not_required
def schema(request: HttpRequest) -> HttpResponse:
    """Serve the schema as JSON, or with ``?format=yaml`` as YAML."""
    form = request.GET.get("format", "json")
    if form not in FORMATS:
        flaw = Flaw("format", _("One of: %(names)s.") % {"names": ", ".join(FORMATS)})
        return problem(HTTPStatus.BAD_REQUEST, _("The request has errors."), flaws=[flaw])
    answer = HttpResponse(_written(form), content_type=FORMATS[form])
    answer["Content-Disposition"] = f'inline; filename="recsite-openapi.{form}"'
    return answer


def schema_of(*kinds: Any) -> dict[str, Any]:
    """The schema of a struct, or of any of several; structs become components."""
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REFERENCE)
    for name, component in _with_numbers(components).items():
        if _components.setdefault(name, component) != component:
            raise ValueError(f"two schemas are called {name}; rename one struct")
    return dict(schemas[0]) if len(schemas) == 1 else {"oneOf": list(schemas)}


def _with_numbers(schema: Any) -> Any:
    """A schema that says of decimals that they are read from numbers, too."""
    if isinstance(schema, dict):
        if schema.get("format") == "decimal":
            return {**schema, "type": ["string", "number"]}
        return {name: _with_numbers(part) for name, part in schema.items()}
    return [_with_numbers(part) for part in schema] if isinstance(schema, list) else schema


def body_like(*kinds: Any) -> dict[str, Any]:
    return {"application/json": schema_of(*kinds)}


def parameters_of(kind: type[msgspec.Struct], *, described: Mapping[str, str]) -> list[OpenApiParameter]:
    """A query parameter per field of the struct, with what is said of it. There is no null in a query."""
    schema_of(kind)
    fields = _components.pop(kind.__name__)["properties"]
    return [
        OpenApiParameter(name, _given(schema), location=OpenApiParameter.QUERY, description=described.get(name, ""))
        for name, schema in fields.items()
    ]


def _given(schema: Mapping[str, Any]) -> dict[str, Any]:
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return dict(schema)
    rest = {name: part for name, part in schema.items() if name not in {"anyOf", "default"}}
    return {**kinds[0], **rest}


def problems(*statuses: HTTPStatus) -> dict[tuple[int, str], OpenApiResponse]:
    """The errors that a view can answer with, next to those of every view."""
    schema = schema_of(Problem)
    return {
        (status.value, CONTENT_TYPE): OpenApiResponse(schema, description=status.phrase, examples=_examples(status))
        for status in sorted({*EVERY_VIEW, *statuses})
    }


def _examples(status: HTTPStatus) -> list[OpenApiExample]:
    if status is not HTTPStatus.BAD_REQUEST:
        return []
    flaws = [Flaw("/n", "Send a number of at most 100.")]
    answer = problem(status, "The request has errors.", flaws=flaws)
    return [OpenApiExample("A flaw", msgspec.json.decode(answer.content), media_type=CONTENT_TYPE)]


def complete(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Hook of the schema's generator: add what it does not know by itself."""
    result["components"].setdefault("schemas", {}).update(_components)
    for operation in _operations(result):
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path" and parameter["name"] in PATH_PARAMETERS:
                parameter.setdefault("description", PATH_PARAMETERS[parameter["name"]])
        for status, answer in operation["responses"].items():
            if header := HEADERS.get(HTTPStatus(int(status))):
                name, kind, meaning = header
                answer["headers"] = {name: {"schema": kind, "description": meaning, "required": True}}
    return result


def _operations(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in result["paths"].values():
        yield from methods.values()


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = ApiKeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002 - given by the framework
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": f"`{SCHEME} <prefix>.<secret>`, made in the admin. A key may do what its scopes say.",
        }
