"""Events that the loop left out of what the live model learned from, and why."""

from analytics.templatetags.words import counts_in_words
from recommendations.models import RunStage
from recommendations.terms import Stage

LEFT_OUT = "removed_"


def left_out(model: int | None) -> tuple[int, list[tuple[str, str]]] | None:
    """How many events there were, and (count, words) of each reason that occurs; None before the first run."""
    stage = RunStage.objects.filter(run__model_version=model or 0, stage=Stage.PREPROCESS).first()
    if stage is None:
        return None
    counts = {key: value for key, value in stage.counts.items() if key.startswith(LEFT_OUT)}
    return int(stage.counts.get("events", 0)), counts_in_words(counts)
