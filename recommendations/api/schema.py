"""Schema of the API (OpenAPI 3.1): its components are the structs that bodies are decoded into."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, ClassVar

import msgspec
from django.utils.translation import override
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from recommendations.api import request_ids
from recommendations.api.access import POLICY, SCHEME, STATE, ApiKeyAuthentication, scope_of
from recommendations.api.errors import CONTENT_TYPE, Flaw, Problem, problem

REFERENCE = "#/components/schemas/{name}"
EVERY_VIEW = (
    HTTPStatus.BAD_REQUEST,  # a query of a thousand parameters, if nothing else
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_ACCEPTABLE,
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
EVERY_BODY = (
    HTTPStatus.LENGTH_REQUIRED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)

PATH_EXAMPLES = {
    "placement": "home",
    "page": "home",
    "item_id": "SKU1",
    "experiment_id": "e1",
    "user_id": "u1",
    "request_id": "7b0c3f0e-2f6c-4c8e-9f65-0d9a6c1d2e3f",
    "slug": "when-the-shop-says-so",
}
NOBODYS_ITEM = "EXAMPLE-1"
"""Item of the examples that change the catalogue."""
PATH_PARAMETERS = {
    "placement": "A place of the shop that asks: home, discover, item, also_bought, cart, category, search …",
    "page": "A page of the shop: home, item, cart, category, search, thanks, or one of the shop's own.",
    "item_id": "An item by the shop's own id; it may have slashes in it.",
    "recommendation_id": "The `recommendation_id` of an answer.",
    "experiment_id": "An experiment as answers call it, such as e7.",
    "user_id": "A customer by the shop's own id; it may have slashes in it.",
    "request_id": "The `request_id` of what was asked for.",
    "slug": "The short name of a campaign, as its page shows it.",
}
TEXT = {"type": "string"}
RETRY_AFTER = ("Retry-After", {"type": "integer", "minimum": 1}, "Seconds to wait.")
HEADERS = {
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate", TEXT, "How to send a key."),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ("Accept-Encoding", TEXT, "identity, where the body was compressed."),
    HTTPStatus.TOO_MANY_REQUESTS: RETRY_AFTER,
    HTTPStatus.SERVICE_UNAVAILABLE: RETRY_AFTER,
}
"""Headers that an error has beside those of every answer."""
RATES = (
    (POLICY, TEXT, 'Limits of the key: `"requests";q=60000;w=60` is 60,000 requests in 60 seconds.'),
    (STATE, TEXT, 'What is left of them: `"requests";r=59998;t=42`, for 42 seconds more.'),
)
NAMED = (request_ids.HEADER, TEXT, "What our log calls the request: what you sent as this header, or a name of ours.")
DECIMAL = r"^-?[0-9]+(\.[0-9]+)?$"  # of one that is written as a text
SURE = frozenset({RETRY_AFTER[0], "WWW-Authenticate"})  # headers that are never left out
NAMES = frozenset({"BatchUser"})
NEED_NO_BODY = frozenset({"answer_again"})
_components: dict[str, Any] = {}


class ScopedSchema(AutoSchema):
    """View schema that says of every operation which scope it needs."""

    def get_auth(self) -> list[dict[str, list[str]]]:
        """The scope; nothing where a view is open to everybody."""
        scope = scope_of(self.view, self.method)
        return [{ApiKeyScheme.name: [str(scope)]}] if self.view.authentication_classes else []

    def _get_request_body(self, direction: str = "request") -> Any:
        """Give the body of a DELETE, too, of a view that says that it ``deletes_by_body``; the framework knows none."""
        described: Callable[[str], Any] = super()._get_request_body
        if self.method != "DELETE" or not getattr(self.view, "deletes_by_body", False):
            return described(direction)
        self.method = "POST"
        try:
            return described(direction)
        finally:
            self.method = "DELETE"


@cache
def document() -> dict[str, Any]:
    """The whole schema; it is the same as long as the process lives."""
    generator: Any = SchemaGenerator  # it has no types
    with override("en"):
        return dict(generator().get_schema(request=None, public=True))


def schema_of(*kinds: Any) -> dict[str, Any]:
    """The schema of a struct, or of any of several; structs become components."""
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REFERENCE)
    for name, raw in components.items():
        component = _with_a_name(_plain(raw)) if name in NAMES else _plain(raw)
        if _components.setdefault(name, component) != component:
            raise ValueError(f"two schemas are called {name}; rename one struct")
    return dict(schemas[0]) if len(schemas) == 1 else {"oneOf": list(schemas)}


def _plain(schema: Any) -> Any:
    """A schema that says of decimals that they are read from numbers, too, and of defaults what they are, in words.

    A field with a default is one that generated clients have to send, or that they take to be in every answer.
    """
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "decimal":
        schema = {**schema, "type": ["string", "number"], "pattern": DECIMAL}
    rest = {name: _plain(part) for name, part in schema.items() if name != "properties"}
    if "properties" not in schema:
        return rest
    return {**rest, "properties": {name: _plain(_without_default(part)) for name, part in schema["properties"].items()}}


def _with_a_name(component: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of who is named by one of two ids, or by both."""
    fields = {name: _given(part) for name, part in component["properties"].items()}
    return {**component, "properties": fields, "minProperties": 1}


def _without_default(field: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: part for name, part in field.items() if name != "default"}
    if field.get("default") in (None, [], {}):
        return rest
    said = f"{rest.get('description', '')} Default: {msgspec.json.encode(field['default']).decode()}."
    return {**rest, "description": said.strip()}


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
    rest = {name: part for name, part in schema.items() if name != "anyOf"}
    return {**kinds[0], **rest}


def problems(*statuses: HTTPStatus) -> dict[tuple[int, str], OpenApiResponse]:
    """The errors that a view can answer with, next to those of every view."""
    schema = schema_of(Problem)
    return {
        (status.value, CONTENT_TYPE): OpenApiResponse(schema, description=status.phrase, examples=_examples(status))
        for status in sorted({*EVERY_VIEW, *statuses})
    }


def open_problems(*statuses: HTTPStatus) -> dict[tuple[int, str], OpenApiResponse]:
    """The errors of a view that asks for no key."""
    keyed = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    return {key: each for key, each in problems(*statuses).items() if key[0] not in keyed}


def _examples(status: HTTPStatus) -> list[OpenApiExample]:
    if status is not HTTPStatus.BAD_REQUEST:
        return []
    flaws = [Flaw("/n", "Send a number of at most 100.")]
    answer = problem(status, "The request has errors.", flaws=flaws)
    return [OpenApiExample("A flaw", msgspec.json.decode(answer.content), media_type=CONTENT_TYPE)]


def complete(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Hook of the schema's generator: add what it does not know by itself."""
    schemas = {**result["components"].get("schemas", {}), **_components}
    result["components"]["schemas"] = dict(sorted(schemas.items()))  # whichever module was imported first
    result["components"]["securitySchemes"] = {ApiKeyScheme.name: ApiKeyScheme.definition}
    for operation in _operations(result):
        operation.setdefault("security", [])  # open to everybody
        if "requestBody" in operation:
            operation["requestBody"]["required"] = operation["operationId"] not in NEED_NO_BODY
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path":
                _explain(parameter, changes=operation["tags"] == ["catalogue"])
        for status, answer in operation["responses"].items():
            answer["headers"] = dict(_headers(HTTPStatus(int(status))))
    return result


def _explain(parameter: dict[str, Any], *, changes: bool) -> None:
    """Say what a part of an address is, with an example; one that ``changes`` the catalogue is nobody's."""
    name = parameter["name"]
    if name in PATH_PARAMETERS:
        parameter.setdefault("description", PATH_PARAMETERS[name])
    if name in PATH_EXAMPLES:
        parameter["example"] = NOBODYS_ITEM if changes and name == "item_id" else PATH_EXAMPLES[name]


def _headers(status: HTTPStatus) -> Iterator[tuple[str, dict[str, Any]]]:
    """Headers of answers of this status."""
    own = [HEADERS[status]] if status in HEADERS else []
    rates = [] if status == HTTPStatus.UNAUTHORIZED else RATES
    for name, kind, meaning in (*own, NAMED, *rates):
        yield name, {"schema": kind, "description": meaning, "required": name in SURE}


def _operations(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in result["paths"].values():
        yield from methods.values()


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = ApiKeyAuthentication
    name = "ApiKey"

    definition: ClassVar[dict[str, str]] = {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": f"`{SCHEME} <prefix>.<secret>`, made in the admin. A key may do what its scopes say.",
    }

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002 - given by the framework
        return self.definition
