"""What ``/api/schema/`` says (OpenAPI 3.1): the structs that bodies are decoded into are its components."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from recommendations.api.access import SCHEME, ApiKeyAuthentication
from recommendations.api.errors import CONTENT_TYPE, Problem

REFERENCE = "#/components/schemas/{name}"
EVERY_VIEW = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
EVERY_BODY = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.LENGTH_REQUIRED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)

_components: dict[str, Any] = {}


def schema_of(*kinds: Any) -> dict[str, Any]:
    """The schema of a struct, or of any of several; structs become components."""
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REFERENCE)
    for name, component in _with_numbers(components).items():
        if _components.setdefault(name, component) != component:
            raise ValueError(f"two schemas are called {name}; rename one struct")
    return dict(schemas[0]) if len(schemas) == 1 else {"oneOf": list(schemas)}


def _with_numbers(schema: Any) -> Any:
    """Amounts are read from numbers, too, which the schema of a decimal does not say."""
    if isinstance(schema, dict):
        if schema.get("format") == "decimal":
            return {**schema, "type": ["string", "number"]}
        return {name: _with_numbers(part) for name, part in schema.items()}
    return [_with_numbers(part) for part in schema] if isinstance(schema, list) else schema


def body_like(*kinds: Any) -> dict[str, Any]:
    return {"application/json": schema_of(*kinds)}


def parameters_of(kind: type[msgspec.Struct], *, described: Mapping[str, str]) -> list[OpenApiParameter]:
    """A query parameter per field of the struct, with what is said of it."""
    schema_of(kind)
    fields = _components.pop(kind.__name__)["properties"]
    return [
        OpenApiParameter(name, schema, location=OpenApiParameter.QUERY, description=described.get(name, ""))
        for name, schema in fields.items()
    ]


def problems(*statuses: HTTPStatus) -> dict[tuple[int, str], OpenApiResponse]:
    """The errors that a view can answer with, next to those of every view."""
    schema = schema_of(Problem)
    return {
        (status.value, CONTENT_TYPE): OpenApiResponse(schema, description=status.phrase)
        for status in sorted({*EVERY_VIEW, *statuses})
    }


def add_components(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """A hook of the schema's generator."""
    result["components"].setdefault("schemas", {}).update(_components)
    return result


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
