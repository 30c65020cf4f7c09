"""Spaces that are filled in the background: of one model each, and so much between two runs."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from recommendations.models import EmbeddingSpace, Run
from recommendations.vector_terms import VectorProvider


@transaction.atomic
def space_of_model(name: str, *, provider: VectorProvider, model: str) -> EmbeddingSpace:
    """The space of a model, emptied as a whole where it was another one's."""
    space, _made = EmbeddingSpace.objects.select_for_update().get_or_create(
        name=name, defaults={"provider": provider, "model": model}
    )
    if space.model != model:
        space.vectors.all().delete()
        space.model, space.dimensions, space.outcome = model, None, {}
        space.save(update_fields=["model", "dimensions", "outcome"])
    return space


def outcome_since_run(space: EmbeddingSpace, counts: Iterable[str]) -> dict[str, Any]:
    """What was asked for and came since the newest run began; nothing yet where it is another one than before."""
    run = str(Run.objects.values_list("pk", flat=True).first() or "")
    return space.outcome if space.outcome.get("run") == run else {"run": run, **dict.fromkeys(counts, 0)}
