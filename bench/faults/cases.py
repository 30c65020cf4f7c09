"""Requests that go wrong: what the schema allows, what it forbids, and examples with something hostile in them.

Everything comes from the schema of the API, so that an operation that is added is tried without a word here.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode

HOSTILE = [
    "\x00", "a\x00b", "=cmd|' /C calc'!A0", "'; drop table recommendations_event;--", "<script>alert(1)</script>",
    "\ud800", "\u202e", "𝄞" * 60, "x" * 10_000, "", "null", "%00", "{{7*7}}", "\r\nX: y", "NaN", "1e999", "-0",
    "\\u0000", "../../etc/passwd", "a/b", "a//b", "?x=1#y", "%", "%zz", "%2e%2e%2f", "İ", "home\n", "true", "[]",
]  # fmt: skip
NUMBERS: list[Any] = [
    float("nan"), float("inf"), -float("inf"), 1e308, -1, 0, 2**15, 2**31, 2**63, 2**64, 10**400, -(2**63), 1e-320,
    9999999999.99, 9999999999.995, True, None, "1", "sNaN", "1e-999999999", "9" * 40, [], {},
]  # fmt: skip
TIMES: list[Any] = [
    "0000-00-00T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59",
    "2026-02-30T00:00:00Z", "2026-11-24", "1e9", 1732454400, -1, "2026-11-24T00:00:00+99:99", "2026-06-30T23:59:60Z",
    "-4713-01-01T00:00:00Z", "infinity", "now()", "", "10000-01-01T00:00:00Z",
]  # fmt: skip
BODIES = [
    b"", b"[]", b"{}", b"null", b"[" * 100_000, b'{"a":' * 5_000, b'{"events":[]}', b"\xff\xfe", b'{"events":[{}]}',
    b'{"events":{"0":1}}', b'\xef\xbb\xbf{"events":[]}', b'{"events":[' + b"1," * 50_000 + b"1]}",
    b'{"events":[' + b'{"x":' * 400 + b"1" + b"}" * 400 + b"]}", b'{"events":[[],[]],"events":[1]}',
    b'{"a":1,"a":2}', b"-", b'"', b'{"x":"\\ud800"}', b'{"x":1e400}', b" " * 1_000,
]  # fmt: skip
TYPES = [
    "text/plain",
    "application/json; charset=latin-1",
    "application/xml",
    "",
    "multipart/form-data",
    "*/*",
    "a/b/c",
]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.sampled_from(HOSTILE + NUMBERS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
odd = st.sampled_from(HOSTILE) | st.sampled_from(NUMBERS) | st.sampled_from(TIMES) | anything


class Shot(NamedTuple):
    """A request; the target is path and query, as they go over the wire."""

    operation: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


type Draft = Callable[[], Shot]
"""Written out when it is sent: some ways to write a body ask for random numbers, which a strategy must not."""


class Operation(NamedTuple):
    """Operation of the schema, with all that is said of it."""

    id: str
    method: str
    path: str
    said: Mapping[str, Any]

    @property
    def takes_input(self) -> bool:
        return bool(self.said.get("parameters") or "requestBody" in self.said)


def operations(document: Mapping[str, Any]) -> list[Operation]:
    return [
        Operation(operation["operationId"], method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def of_schema(
    document: dict[str, Any], mode: GenerationMode, *, known: Mapping[str, Sequence[str]]
) -> dict[str, st.SearchStrategy[Draft]]:
    """Strategies for what the schema allows (positive) or forbids (negative), by operation, at addresses that exist."""
    strategies = {}
    listed: Iterator[Any] = schemathesis.openapi.from_dict(document).get_all_operations()
    for result in listed:
        operation = result.ok()
        schema = operation.definition.raw
        places = [parameter["name"] for parameter in schema.get("parameters", ()) if parameter["in"] == "path"]
        path = {name: known[name][0] for name in places if name in known}
        cases = operation.as_strategy(generation_mode=mode, path_parameters=path or None)
        strategies[schema["operationId"]] = cases.map(lambda case: partial(_shot, case))
    return strategies


def _shot(case: Any) -> Shot:
    fields = case.as_transport_kwargs(base_url="http://127.0.0.1")
    names = ("method", "url", "headers", "params", "json", "data", "files")
    sent = requests.Request(**{name: fields[name] for name in names if name in fields}).prepare()
    body: Any = sent.body or b""
    kind = sent.headers.get("Content-Type")
    return Shot(
        operation=case.operation.definition.raw["operationId"],
        method=sent.method or "",
        target=sent.path_url,
        headers={"Content-Type": str(kind)} if kind else {},
        body=body.encode() if isinstance(body, str) else body,
    )


def hostile(operation: Operation, *, known: Mapping[str, Sequence[str]]) -> st.SearchStrategy[Draft]:
    """Examples of the operation with something hostile in them; ``known``: values of parameters that mean something."""
    bodies = [
        example["value"]
        for content in operation.said.get("requestBody", {}).get("content", {}).values()
        for example in content["examples"].values()
    ]

    @st.composite
    def shots(draw: st.DrawFn) -> Shot:
        path, query = _address(draw, operation, known)
        body = _body(draw, bodies) if bodies else b""
        headers = {"Content-Type": "application/json"} if bodies else {}
        if draw(st.integers(0, 19)) == 0:
            headers[draw(st.sampled_from(["Content-Type", "Accept"]))] = draw(st.sampled_from(TYPES))
        target = f"{path}?{urlencode(query, errors='surrogatepass')}" if query else path
        return Shot(operation.id, operation.method, target, headers, body)

    return shots().map(lambda shot: lambda: shot)


def _address(
    draw: st.DrawFn, operation: Operation, known: Mapping[str, Sequence[str]]
) -> tuple[str, list[tuple[str, str]]]:
    path, query = operation.path, []
    for parameter in operation.said.get("parameters", ()):
        name = parameter["name"]
        values = st.sampled_from([*known.get(name, ("1", "u1"))])
        if parameter["in"] == "path":
            value = draw(values if draw(st.integers(0, 3)) else st.sampled_from(HOSTILE) | st.text(max_size=20))
            path = path.replace(f"{{{name}}}", quote(value, safe="", errors="surrogatepass"))
        elif draw(st.integers(0, 3)) == 0:
            values |= st.sampled_from(HOSTILE) | st.text(max_size=20) | st.sampled_from(NUMBERS).map(str)
            query += [(name, draw(values)) for _ in range(draw(st.sampled_from([1, 1, 1, 1, 2, 3])))]
    if draw(st.integers(0, 29)) == 0:
        query += [(draw(st.text(max_size=8)), "1")] * draw(st.sampled_from([1, 2, 1_500]))
    return path, query


def _body(draw: st.DrawFn, examples: Sequence[Any]) -> bytes:
    kind = draw(st.integers(0, 19))
    if kind == 0:
        return draw(st.binary(max_size=200))
    if kind == 1:
        return draw(st.sampled_from(BODIES))
    if kind == 2:
        return json.dumps(draw(anything)).encode("utf-8", "surrogatepass")
    value = _fresh(draw(st.sampled_from(examples)), random.Random(draw(st.integers(0, 2**32))))  # noqa: S311 - ids
    for _ in range(draw(st.integers(0, 3))):
        value = _changed(draw, value)
    text = json.dumps(value, ensure_ascii=draw(st.booleans()))
    if kind == 3:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.text(max_size=3)) + text[at + draw(st.integers(0, 3)) :]
    return text.encode("utf-8", "surrogatepass")


def _fresh(value: Any, ids: random.Random) -> Any:
    """The example as it would be sent now."""
    if isinstance(value, list):
        return [_fresh(inner, ids) for inner in value]
    if not isinstance(value, dict):
        return value
    fresh: dict[str, Callable[[], str]] = {
        "event_id": lambda: f"{ids.getrandbits(128):032x}",
        "timestamp": lambda: datetime.now(UTC).isoformat(),
    }
    return {name: fresh[name]() if name in fresh else _fresh(inner, ids) for name, inner in value.items()}


def _changed(draw: st.DrawFn, value: Any) -> Any:
    """Copy with one place changed: another value, gone, there twice, or one field more."""
    path = draw(st.sampled_from(list(_places(value))))
    what = draw(st.sampled_from(["odd", "odd", "odd", "gone", "more", "many"]))

    def change(part: Any, rest: Sequence[Any]) -> Any:
        if not rest:
            if what == "more" and isinstance(part, dict):
                return {**part, draw(st.text(max_size=8)): draw(odd)}
            if what == "many" and isinstance(part, list):
                return part * draw(st.sampled_from([2, 30, 1_001]))
            return draw(odd)
        first = rest[0]
        if what == "gone" and len(rest) == 1 and isinstance(part, dict):
            return {name: inner for name, inner in part.items() if name != first}
        if isinstance(part, dict):
            return {name: change(inner, rest[1:]) if name == first else inner for name, inner in part.items()}
        return [change(inner, rest[1:]) if place == first else inner for place, inner in enumerate(part)]

    return change(value, path)


def _places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield before
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in parts:
        yield from _places(inner, (*before, name))
