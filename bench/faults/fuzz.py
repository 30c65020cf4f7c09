"""Fuzz test: thousands of requests that go wrong, against every operation of the schema: no answer is a server's error.

By itself it makes a small shop in the database that it is given (an empty one) and asks within the process:

    python -m recsite.embedded --ephemeral -- python bench/faults/fuzz.py

or it asks a running installation: ``--url http://127.0.0.1:8000 --key …``. Prints a table and every finding, writes
``--json``, and ends with 1 where there is a finding. ``--each 10000`` asks every operation so often (``make
bench-schema``), ``--only`` some of them.
"""

import http.client
import json
import logging
import os
import sys
import time
import warnings
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisDeprecationWarning, Unsatisfiable
from schemathesis import GenerationMode

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")

import django

from bench.faults.cases import Draft, Operation, Shot, hostile, of_schema, operations
from bench.faults.verdict import Judge, Reply

type Send = Callable[[Shot], Reply]

SHARES: Mapping[str, float] = {"allowed": 0.3, "forbidden": 0.2, "hostile": 0.5}
ODD_CALLS = 20  # of an operation that takes nothing: types that it does not have, parameters that nobody asked for
SHOWN = 20  # findings that are printed; the file has all
QUIET = settings(
    database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), print_blob=False
)


@dataclass
class Tally:
    """Counts of what came of one operation."""

    cases: Counter[str] = field(default_factory=Counter)
    refused: int = 0  # of the cases that the schema allows
    statuses: Counter[int] = field(default_factory=Counter)
    findings: list[dict[str, Any]] = field(default_factory=list)
    slowest: float = 0.0  # seconds


def fire(drafts: st.SearchStrategy[Draft], visit: Callable[[Shot], None], *, cases: int, seed: int) -> None:
    """Fire as many shots as there are, ``cases`` at most; of an operation with nothing to forbid there are none."""

    @hypothesis.seed(seed)
    @settings(QUIET, max_examples=cases)
    @given(draft=drafts)
    def each(draft: Draft) -> None:
        visit(draft())

    with warnings.catch_warnings(), suppress(Unsatisfiable):
        warnings.simplefilter("ignore", HypothesisDeprecationWarning)  # of how schemathesis draws
        each()


def fuzz(
    document: dict[str, Any],
    send: Send,
    *,
    cases: int,
    known: Mapping[str, Sequence[str]],
    seed: int = 0,
    only: Collection[str] = (),
    odd_calls: int = ODD_CALLS,
) -> dict[str, Tally]:
    """Try ``cases`` in all, shared by the operations that take anything; the others are asked ``odd_calls`` times.

    ``only``: operations that are asked; all of them where none is named.
    """
    offered = [operation for operation in operations(document) if not only or operation.id in only]
    each = -(-cases // max(sum(operation.takes_input for operation in offered), 1))
    kinds = {
        "allowed": of_schema(document, GenerationMode.POSITIVE, known=known),
        "forbidden": of_schema(document, GenerationMode.NEGATIVE, known=known),
        "hostile": {operation.id: hostile(operation, known=known) for operation in offered},
    }
    tallies = {}
    for operation in offered:
        tally = tallies[operation.id] = Tally()
        for kind, share in SHARES.items() if operation.takes_input else [("hostile", 0.0)]:
            left = each - tally.cases.total() if kind == "hostile" else round(each * share)  # others may run dry
            left = left if operation.takes_input else odd_calls
            visit = _visitor(operation, document, send, kind, tally)
            fire(kinds[kind][operation.id], visit, cases=max(left, 1), seed=seed)
    return tallies


def _visitor(
    operation: Operation, document: Mapping[str, Any], send: Send, kind: str, tally: Tally
) -> Callable[[Shot], None]:
    judge = Judge(operation, document)

    def visit(shot: Shot) -> None:
        begun = time.perf_counter()
        reply = send(shot)
        tally.slowest = max(tally.slowest, time.perf_counter() - begun)
        tally.cases[kind] += 1
        tally.refused += kind == "allowed" and reply.status == 400
        tally.statuses[reply.status] += 1
        for wrong in judge.wrongs(shot, reply):
            request = f"{shot.method} {shot.target[:300]} {dict(shot.headers)} {shot.body[:500]!r}"
            tally.findings.append(
                {"wrong": wrong, "request": request, "answer": reply.body[:300].decode(errors="replace")}
            )

    return visit


def as_text(tallies: Mapping[str, Tally]) -> str:
    heads = f"{'cases':>7} {'allowed':>8} {'forbidden':>9} {'hostile':>8} {'refused':>8} {'slowest':>9}  statuses"
    lines = [f"{'operation':<24} {heads}"]
    for name, tally in tallies.items():
        cases = " ".join(f"{tally.cases[kind]:>{width}}" for kind, width in zip(SHARES, (8, 9, 8), strict=True))
        statuses = " ".join(f"{status}:{count}" for status, count in sorted(tally.statuses.items()))
        lines.append(
            f"{name:<24} {tally.cases.total():>7} {cases} {tally.refused:>8} {tally.slowest * 1e3:>6.0f} ms  {statuses}"
        )
    findings = [finding for tally in tallies.values() for finding in tally.findings]
    kinds = Counter(finding["wrong"] for finding in findings)
    lines += ["", f"{sum(tally.cases.total() for tally in tallies.values()):,} cases, {len(findings)} findings"]
    lines += [f"  {count} × {wrong}" for wrong, count in kinds.most_common()]
    return "\n".join(lines + [f"    {finding['request']}\n      {finding['answer']}" for finding in findings[:SHOWN]])


def to_address(url: str, key: str) -> Send:
    """Make a sender over one connection, which is made again when the server closes it."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=30)

    def send(shot: Shot) -> Reply:
        headers = {**shot.headers, "Authorization": f"Api-Key {key}"}
        connection.request(shot.method, shot.target, shot.body or None, headers)
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers.get("Content-Type", ""), answer.read())

    return send


def within_this_process() -> tuple[dict[str, Any], Send, Mapping[str, Sequence[str]]]:
    django.setup()
    logging.disable()  # a line per refusal
    from bench.faults import small_shop  # noqa: PLC0415 - models can be read once Django is set up
    from recommendations.api.schema import document  # noqa: PLC0415

    return document(), small_shop.Within(small_shop.open_shop()), small_shop.KNOWN


def _read_schema(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=30)
    connection.request("GET", "/api/schema/")
    return dict(json.loads(connection.getresponse().read()))


def _arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="of all operations together")
    parser.add_argument("--each", type=int, metavar="N", help="cases of every operation, instead of --cases")
    parser.add_argument("--only", metavar="NAMES", help="of operations, with commas")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--url", help="of a running installation; without it, a small shop within this process")
    parser.add_argument("--key", help="with every scope, for --url")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args()


def main() -> int:
    given = _arguments()
    if given.url:
        document, send = _read_schema(given.url), to_address(given.url, given.key or os.environ["RECSITE_KEY"])
        values: Mapping[str, Sequence[str]] = {"placement": ["home", "item", "cart"]}
    else:
        document, send, values = within_this_process()
    begun = time.monotonic()
    only = set(filter(None, (given.only or "").split(",")))
    if unknown := only - {operation.id for operation in operations(document)}:
        sys.stderr.write(f"The schema has no operation {', '.join(sorted(unknown))}.\n")
        return 2
    chosen = [one for one in operations(document) if one.takes_input and (not only or one.id in only)]
    cases = given.each * len(chosen) if given.each else given.cases
    tallies = fuzz(
        document, send, cases=cases, known=values, seed=given.seed, only=only, odd_calls=given.each or ODD_CALLS
    )
    took = time.monotonic() - begun
    sys.stdout.write(f"{as_text(tallies)}\n{took:.0f} s\n")
    if given.json:
        figures = {
            "cases": sum(tally.cases.total() for tally in tallies.values()),
            "seconds": round(took, 1),
            "operations": {name: vars(tally) for name, tally in tallies.items()},
        }
        given.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return int(any(tally.findings for tally in tallies.values()))


if __name__ == "__main__":
    sys.exit(main())
