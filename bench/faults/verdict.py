"""Checks of an answer, whatever was asked: a server's error, an error that is no problem, a broken promise."""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator

from bench.faults.cases import Operation, Shot

PROBLEM = "application/problem+json"
ALWAYS = {404, 405}
"""Statuses that need no promise: a hostile part of a path may lead to another address."""


class Reply(NamedTuple):
    status: int
    content_type: str
    body: bytes


class Judge:
    """Judge of the answers of one operation, by what the schema promises."""

    def __init__(self, operation: Operation, document: Mapping[str, Any]) -> None:
        self._operation, self._document = operation, document
        self._validators: dict[tuple[int, str], Draft202012Validator] = {}

    @cached_property
    def promised(self) -> set[int]:
        return {int(status) for status in self._operation.said["responses"]}

    def wrongs(self, shot: Shot, reply: Reply) -> Iterator[str]:
        """Yield what is wrong with an answer; nothing where all is well."""
        kind = reply.content_type.partition(";")[0]
        if reply.status >= 500:
            yield f"answers {reply.status}"
        elif reply.status not in self.promised | ALWAYS:
            yield f"answers {reply.status}, which the schema does not know"
        if reply.status >= 400:
            yield from _wrong_problem(shot, reply, kind)
        elif kind.endswith("json"):
            yield from self._not_as_promised(reply, kind)

    def _not_as_promised(self, reply: Reply, kind: str) -> Iterator[str]:
        content = self._operation.said["responses"].get(str(reply.status), {}).get("content", {})
        if kind not in content:
            yield f"{reply.status} as {kind}, which the schema does not know"
            return
        key = (reply.status, kind)
        if key not in self._validators:
            whole = {**content[kind]["schema"], "components": self._document["components"]}
            self._validators[key] = Draft202012Validator(whole)
        for error in self._validators[key].iter_errors(json.loads(reply.body)):
            yield f"{reply.status} is not as its schema has it: {'/'.join(map(str, error.path))} {error.message[:120]}"


def _wrong_problem(shot: Shot, reply: Reply, kind: str) -> Iterator[str]:
    if kind != PROBLEM:
        yield f"{reply.status} as {kind or 'nothing'}"
        return
    problem = json.loads(reply.body)
    if not {"type", "title", "status", "detail", "errors"} <= problem.keys() or problem["status"] != reply.status:
        yield f"{reply.status} without the parts of a problem"
    elif not (problem["detail"] and all(flaw.keys() == {"pointer", "message"} for flaw in problem["errors"])):
        yield f"{reply.status} without a word"
    elif reply.status == 400 and not problem["errors"]:
        yield "400 that does not say where"
    elif shot.body and reply.status == 400 and not all(_points(flaw["pointer"]) for flaw in problem["errors"]):
        yield "400 whose pointer is none"
    if b"Traceback" in reply.body or b"recommendations/" in reply.body:
        yield f"{reply.status} with our insides"


def _points(pointer: str) -> bool:
    """Whether this is a JSON pointer (RFC 6901) into the body; a parameter's name has no slash, and no body."""
    return not pointer or pointer[0] == "/" or pointer.isidentifier()
