"""``/api/docs/``: the schema as a page to read, where every request can be tried with a key of one's own.

Swagger's page breaks rules of accessibility that its options do not mend; this one is made from the same schema. It is
in English, as the schema is.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from itertools import zip_longest
from typing import Any

import msgspec
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import override

from recommendations.api.access import SCHEME
from recommendations.api.errors import only_read
from recommendations.api.reference.catalogue_examples import CATALOGUES, Words, filled, words
from recommendations.api.schema import REFERENCE, document
from recommendations.terms import Scope

LIMITS = {
    "minLength": "from {} characters",
    "maxLength": "up to {} characters",
    "minimum": "from {}",
    "exclusiveMinimum": "above {}",
    "maximum": "up to {}",
    "minItems": "from {} entries",
    "maxItems": "up to {} entries",
}
DEEPEST = 5
CODE = re.compile(r"`+([^`]+)`+")


@dataclass(frozen=True, kw_only=True)
class Field:
    """A parameter, or a field of a body; ``level`` is how deep it lies in others."""

    name: str
    kind: str
    meaning: SafeString
    required: bool = False
    level: int = 0
    place: str = ""  # of a parameter: path or query
    many: bool = False
    example: str = ""


@only_read
@login_not_required
def docs(request: HttpRequest) -> HttpResponse:
    with override("en"):
        return render(request, "api/docs.html", {"reference": reference(words())})


@lru_cache(CATALOGUES)
def reference(given: Words) -> SafeString:
    """The page without its frame, its examples in these words."""
    context = {
        "groups": groups(filled(given)),
        "problem_fields": list(_fields({"$ref": REFERENCE.format(name="Problem")})),
        "scheme": SCHEME,
        "scopes": list(Scope),
        "version": document()["info"]["version"],
    }
    return render_to_string("api/reference.html", context)


def groups(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Operations by tag, in the order of the tags, as the page shows them."""
    tags = {tag["name"]: tag["description"] for tag in schema["tags"]}
    by_tag: dict[str, list[dict[str, Any]]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append(_operation(path, method, operation))
    places = {name: place for place, name in enumerate(tags)}
    ordered = sorted(by_tag.items(), key=lambda group: places.get(group[0], len(places)))
    return [{"name": name, "meaning": tags.get(name, ""), "operations": operations} for name, operations in ordered]


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    answers = [
        {"status": int(status), "meaning": answer["description"], "bodies": list(_bodies(answer))}
        for status, answer in sorted(operation["responses"].items())
    ]
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "description": [_marked(part) for part in operation.get("description", "").split("\n\n") if part.strip()],
        "scopes": [scope for need in operation["security"] for scopes in need.values() for scope in scopes],
        "parameters": sorted(map(_parameter, operation.get("parameters", ())), key=lambda field: not field.required),
        "body": next(_bodies(operation.get("requestBody", {})), None),
        "answers": [answer for answer in answers if answer["status"] < HTTPStatus.BAD_REQUEST],
        "problems": [answer for answer in answers if answer["status"] >= HTTPStatus.BAD_REQUEST],
    }


def _bodies(part: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for content_type, content in part.get("content", {}).items():
        examples = [
            {"name": example.get("summary", name), "text": _text(example["value"])}
            for name, example in content.get("examples", {}).items()
        ]
        yield {"content_type": content_type, "fields": list(_fields(content["schema"])), "examples": examples}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _parameter(parameter: Mapping[str, Any]) -> Field:
    schema = parameter["schema"]
    return Field(
        name=parameter["name"],
        kind=_kind(schema),
        meaning=_marked(f"{parameter.get('description', '')} {_limits(schema)}"),
        required=parameter.get("required", False),
        place=parameter["in"],
        many=schema.get("type") == "array",
        example=str(parameter.get("example", "")),
    )


def _fields(schema: Mapping[str, Any], level: int = 0) -> Iterator[Field]:
    """The fields of an object, each before those that lie in it; of alternatives the first that has fields."""
    whole = next((part for part in _parts(schema) if "properties" in part), None)
    if whole is None or level > DEEPEST:
        return
    for name, part in whole["properties"].items():
        yield Field(
            name=name,
            kind=_kind(part),
            meaning=_marked(f"{_meaning(part)} {_limits(part)}"),
            required=name in whole.get("required", ()),
            level=level,
        )
        yield from _fields(part, level + 1)


def _marked(text: str) -> SafeString:
    """A text as HTML: what stands between backticks is code."""
    parts = CODE.split(text.strip())  # text and code by turns
    codes = [format_html("<code>{}</code>", part) for part in parts[1::2]]
    return format_html_join("", "{}{}", zip_longest(parts[::2], codes, fillvalue=""))


def _parts(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The schema itself and what it is made of: alternatives, what it refers to, the entries of a list."""
    yield schema
    if "$ref" in schema:
        yield from _parts(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    for part in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
        yield from _parts(part)
    if isinstance(schema.get("items"), dict):
        yield from _parts(schema["items"])


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if kinds := schema.get("oneOf") or schema.get("anyOf"):
        return " or ".join(dict.fromkeys(_kind(kind) for kind in kinds))
    if "$ref" in schema:
        return _kind(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    kind = schema.get("type", "anything")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)


def _meaning(schema: Mapping[str, Any]) -> str:
    """Description of a schema; that of an alternative where it has none."""
    own = (schema, *schema.get("anyOf", ()))
    return next((part["description"] for part in own if "description" in part), "")


def _limits(schema: Mapping[str, Any]) -> str:
    parts = [part for part in (schema, *schema.get("anyOf", ())) if isinstance(part, dict)]
    texts = [words.format(part[name]) for part in parts for name, words in LIMITS.items() if name in part]
    default = schema.get("default")
    if default not in (None, [], ""):
        texts.append(f"default {msgspec.json.encode(default).decode()}")
    return f"{', '.join(texts).capitalize()}." if texts else ""
