"""The process after the restart: makes every answer again, then again after one thing of it was altered."""

import json
import random
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median, quantiles
from typing import Any

import django
import msgspec

django.setup()

from django.conf import settings  # noqa: E402 - Django is set up before
from django.db import transaction  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from recommendations.models import AnswerState, AuditEntry, BlendWeights, RuleBook, Slate, Staff  # noqa: E402
from recommendations.services.review.past_answers import CannotMakeError, Sameness, made_again  # noqa: E402
from recommendations.serving.answer_record import BasisRecord, StateRecord  # noqa: E402
from recommendations.serving.past.past_parts import parts_of  # noqa: E402
from recommendations.store.live.fetch import packed  # noqa: E402
from recommendations.store.serving.answer_parts import content_of  # noqa: E402
from recommendations.store.serving.snapshot_holder import current_snapshot  # noqa: E402
from recommendations.store.serving.stock_at import past_stocks  # noqa: E402

PLANTED = 25  # answers that each thing is altered for
PAGES = 200  # pages that are timed
SEED = 1  # of their choice
FEWEST = 20  # of a kind


def main() -> None:
    ids = json.load(sys.stdin)
    slates = {slate.recommendation_id: slate for slate in Slate.objects.filter(recommendation_id__in=ids)}
    ordered = [slates[own] for own in ids if own in slates]
    outcomes = Counter(_outcome(slate) for slate in ordered)
    planted = {name: _seen(ordered, alter) for name, alter in ALTERED.items()}
    result = {"stored": len(ordered), "outcomes": outcomes, "planted": planted, "page_ms": _page_ms(ordered)}
    sys.stdout.write(json.dumps(result))


def _outcome(slate: Slate) -> str:
    try:
        made = made_again(slate, now=timezone.now())
    except CannotMakeError as error:
        return f"cannot: {error.missing}"
    return made.sameness if not made.missing else f"{made.sameness}, not certain"


def _seen(slates: Sequence[Slate], alter: Callable[[Slate], bool]) -> tuple[int, int]:
    """How often an answer is not called exact after it was altered, and how often it was."""
    seen = altered = 0
    for slate in slates:
        with transaction.atomic():
            if alter(slate):
                altered += 1
                seen += _outcome(slate) != Sameness.EXACT
            transaction.set_rollback(True)
        if altered == PLANTED:
            break
    return seen, altered


def _basis(slate: Slate) -> BasisRecord:
    content = content_of("basis", slate.basis) if slate.basis else None
    if content is None:
        raise LookupError(slate.recommendation_id)
    return msgspec.json.decode(content, type=BasisRecord)


def price(slate: Slate) -> bool:
    """Another price in the trail's entry by which the catalogue of then is made, where that is not the one of now."""
    if _basis(slate).catalogue == current_snapshot().stock.mark:
        return False
    entry = AuditEntry.objects.filter(object_type="item", at__gt=slate.served_at, before__has_key="price").last()
    if entry is None or entry.before is None:
        return False
    AuditEntry.objects.filter(pk=entry.pk).update(before=entry.before | {"price": "9876.54"})
    past_stocks.drop()
    return True


def weights(slate: Slate) -> bool:
    """Another weight of the heaviest recommender that had a say."""
    row = BlendWeights.objects.filter(pk=_basis(slate).weights or 0).first()
    if row is None or slate.source != "model":
        return False
    largest = max(row.weights, key=lambda name: row.weights[name])
    row.weights[largest] *= 0.5
    BlendWeights.objects.filter(pk=row.pk).update(weights=row.weights)
    return True


def rule(slate: Slate) -> bool:
    """A rule less, of a book that acted on the answer."""
    number = _basis(slate).rules
    if not slate.fixed or not number:
        return False
    return bool(RuleBook.objects.filter(number=number).update(rules=[]))


def deed(slate: Slate) -> bool:
    """A customer who said before that they dislike the second item."""
    stored = AnswerState.objects.filter(pk=slate.state).first() if slate.state else None
    if stored is None or len(slate.items) < 2 or slate.fixed:
        return False
    record = msgspec.msgpack.decode(zlib.decompress(stored.content), type=StateRecord)
    state = replace(record.state, disliked={**record.state.disliked, slate.items[1]: slate.served_at.timestamp()})
    changed = StateRecord(packed(state), record.audiences)
    AnswerState.objects.filter(pk=stored.pk).update(content=zlib.compress(msgspec.msgpack.encode(changed)))
    return True


ALTERED: dict[str, Callable[[Slate], bool]] = {"price": price, "weights": weights, "rule": rule, "act": deed}


def _page_ms(slates: Sequence[Slate]) -> dict[str, Any]:
    """Times of the page of an answer, of the live model, for an admin; the first warms."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # nothing is collected beside a bench
    with override_settings(STORAGES=settings.STORAGES | {"staticfiles": plain}):
        return _timed(slates)


def _timed(slates: Sequence[Slate]) -> dict[str, Any]:
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(Staff.objects.filter(is_superuser=True)[0])
    newest = max((slate.model_version or 0 for slate in slates), default=0)
    times: dict[str, list[float]] = {}
    for slate in random.Random(SEED).sample(slates, min(PAGES, len(slates))):  # noqa: S311
        began = time.perf_counter()
        answer = client.get(reverse("past_answer", args=[slate.recommendation_id]))
        taken = (time.perf_counter() - began) * 1e3
        if answer.status_code != 200:
            raise RuntimeError(f"{answer.status_code} of {slate.recommendation_id}")
        kind = "live model" if slate.model_version == newest else "other model"
        times.setdefault(f"{kind}, whole page" if parts_of(slate).request.page else kind, []).append(taken)
    enough = {kind: each[1:] for kind, each in times.items() if len(each) > FEWEST}
    return {kind: {"median": median(each), "p95": quantiles(each, n=20)[-1]} for kind, each in enough.items()}


if __name__ == "__main__":
    main()
