"""Vectors of the catalogue's texts from a service: in the background, a run of the loop never waits for them."""

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from itertools import batched
from typing import Any

import structlog
from django.conf import settings
from django.utils import timezone

from recommendations.channels.embeddings import EmbeddingService, NoEmbeddingsError
from recommendations.models import EmbeddingSpace
from recommendations.models.catalogue import LARGEST_SPACE
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.vectors.item_texts import DueText, due_texts
from recommendations.store.vectors.item_vectors import NewVector, save_vectors, unit
from recommendations.store.vectors.spaces import outcome_since_run, space_of_model
from recommendations.vector_terms import VectorProvider

NAME = "http"
LOCK = 0x1E3BED
BATCH = 64
PATIENCE = 240.0  # seconds of one turn of the task; the next one goes on
COUNTS = ("sent", "embedded", "missing", "other_dimension")

logger = structlog.get_logger(__name__)


def embed_items(*, now: datetime) -> int:
    """Have texts without a vector embedded, at most ``EMBEDDING_PER_RUN`` of them between two runs; how many were.

    What goes wrong is counted in the outcome of the space, and tried again at the next turn.
    """
    if not settings.EMBEDDING_URL:
        return 0
    with advisory_lock(LOCK) as alone:
        if not alone:
            return 0
        space = space_of_model(NAME, provider=VectorProvider.HTTP, model=settings.EMBEDDING_MODEL)
        outcome = outcome_since_run(space, COUNTS)
        room = max(settings.EMBEDDING_PER_RUN - outcome["sent"], 0)
        due = due_texts(space, most=room)
        if not due and (not room or not outcome.get("failure")):
            return 0
        service = EmbeddingService(settings.EMBEDDING_URL, model=settings.EMBEDDING_MODEL, key=settings.EMBEDDING_KEY)
        with closing(service):
            came = _embed(space, due, service)  # of nothing where what failed is no longer there: then nothing fails
        outcome |= {name: outcome[name] + came[name] for name in COUNTS} | {"failure": came["failure"]}
        EmbeddingSpace.objects.filter(pk=space.pk).update(asked_at=now, outcome=outcome)
        return int(came["embedded"])


def _embed(space: EmbeddingSpace, due: Sequence[DueText], service: EmbeddingService) -> dict[str, Any]:
    """Embed texts, each different one once, until there is no more time or the service fails; what came of it."""
    counts, failure, until = Counter[str](), "", time.monotonic() + PATIENCE
    groups: dict[bytes, list[DueText]] = {}
    for one in due:
        groups.setdefault(one.digest, []).append(one)
    for block in batched(groups.values(), BATCH):
        if time.monotonic() >= until:
            break
        try:
            vectors = service.embed([group[0].text for group in block])
        except NoEmbeddingsError as error:
            failure = str(error)
            break
        came = _save(space, list(zip(block, vectors, strict=True)))
        counts += came | Counter(sent=len(block))
        if not came["embedded"]:
            failure = f"none of {len(block)} vectors could be used"
            break
    if failure:
        logger.warning("texts not embedded", space=space.name, reason=failure)
    return {**{name: counts[name] for name in COUNTS}, "failure": failure}


def _save(space: EmbeddingSpace, came: Sequence[tuple[Sequence[DueText], Sequence[float] | None]]) -> Counter[str]:
    """Write the vectors that came of groups of items with one text; how many did, and why others did not."""
    counts, units = Counter[str](), dict[int, NewVector]()
    for group, values in came:
        vector = None if values is None else unit(values)
        if vector is None:
            counts["missing"] += 1
        elif len(vector) != (space.dimensions or len(vector)) or len(vector) > LARGEST_SPACE:
            counts["other_dimension"] += 1
        else:
            space.dimensions = len(vector)
            units |= {one.item: NewVector(one.digest, vector) for one in group}
            counts["embedded"] += 1
    save_vectors(space, units, now=timezone.now())
    return counts
