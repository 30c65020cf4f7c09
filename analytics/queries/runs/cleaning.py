"""Events that the loop left out of what the live model learned from, and why."""

from typing import Any

from django.core.cache import cache

from analytics.templatetags.words import counts_in_words
from recommendations.models import RunStage
from recommendations.terms import Stage

LEFT_OUT = "removed_"
REMEMBERED = 3600  # seconds: what a version learned from does not change any more


def left_out(model: int | None) -> tuple[int, list[tuple[str, str]]] | None:
    """How many events there were, and (count, words) of each reason that occurs; None before the first run."""
    counted = cache.get_or_set(f"runs/left-out/{model}", lambda: _counts(model), REMEMBERED)
    if counted is None:
        return None
    counts = {key: value for key, value in counted.items() if key.startswith(LEFT_OUT)}
    return int(counted.get("events", 0)), counts_in_words(counts)


def _counts(model: int | None) -> dict[str, Any] | None:
    stage = RunStage.objects.filter(run__model_version=model or 0, stage=Stage.PREPROCESS).first()
    return stage.counts if stage else None
