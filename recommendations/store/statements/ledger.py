"""Versions of the statement: one is added, in the transaction of what changed, where main parameters differ."""

import hashlib
import json
from typing import Any

from django.db import connection, transaction

from recommendations.models import (
    BlendWeights,
    Experiment,
    NewItemPromise,
    Placement,
    RecommendationStatement,
    RuleBook,
)
from recommendations.statement_terms import StatementCause
from recommendations.store.statements.parameters import LiveConfiguration, parameters_of
from recommendations.terms import ExperimentKind
from recommendations.wording.statement.text import statement_text

LOCK = 7_264_119
STATED = "recsite.unstated"
"""Setting of a transaction that a trigger sets where what is live changed; commits with it set fail."""


@transaction.atomic
def note_statement(cause: StatementCause, key: int | str | None = None) -> RecommendationStatement | None:
    """State the main parameters anew, where they are not those of the last statement; None where they are.

    ``key`` is that of the row that changed. To be called last in the transaction of the change. Of two transactions the
    second waits, so it states what the first has changed, too.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s), set_config(%s, '', true)", [LOCK, STATED])
    parameters = json.loads(json.dumps(parameters_of(live_configuration())))
    text = statement_text(parameters)
    last = last_statement()
    if last and last.parameters == parameters and last.text == text:
        return None
    number = last.number + 1 if last else 1
    return RecommendationStatement.objects.create(
        number=number, text=text, parameters=parameters, because={cause: key},
        digest=digest_of(number, text, parameters, before=bytes(last.digest) if last else b""),
    )  # fmt: skip


def last_statement() -> RecommendationStatement | None:
    """The statement that holds; None before the first start."""
    return RecommendationStatement.objects.order_by("-number").first()


def digest_of(number: int, text: Any, parameters: Any, *, before: bytes) -> bytes:
    """Digest of a statement, 32 bytes; with that of the one before in it no version can be put in another's place."""
    body = json.dumps([number, text, parameters], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(before + body.encode()).digest()


def live_configuration() -> LiveConfiguration:
    """The rows that are live; A/A tests, in which everybody is served the same, are left out."""
    book = RuleBook.objects.filter(is_default=True).first()
    running = Experiment.objects.running().exclude(kind=ExperimentKind.AA).prefetch_related("arms").order_by("pk")
    return LiveConfiguration(
        placements=list(Placement.objects.filter(enabled=True).order_by("pk")),
        weights=list(BlendWeights.objects.defaults().select_related("blend").order_by("pk")),
        rules=book.rules if book else (),
        book=book.number if book else 0,
        promises=list(NewItemPromise.objects.filter(is_default=True).order_by("pk")),
        experiments=[(each, [arm.changes for arm in each.arms.all()]) for each in running],
    )
