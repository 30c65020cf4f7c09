"""The stages of an answer in words."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from recommendations.terms import AnswerStage

STAGES: Mapping[AnswerStage, Promise] = {
    AnswerStage.MODEL: pgettext_lazy("stage of an answer", "Known to the model"),
    AnswerStage.CANDIDATES: pgettext_lazy("stage of an answer", "Candidates"),
    AnswerStage.ELIGIBILITY: pgettext_lazy("stage of an answer", "Eligible"),
    AnswerStage.FATIGUE: pgettext_lazy("stage of an answer", "Not ignored too often"),
    AnswerStage.RULES: pgettext_lazy("stage of an answer", "Rules"),
    AnswerStage.RANKING: pgettext_lazy("stage of an answer", "Ranking by score"),
    AnswerStage.DIVERSITY: pgettext_lazy("stage of an answer", "Diversity and placing"),
    AnswerStage.SHOWN: pgettext_lazy("stage of an answer", "Shown"),
}


def passed(lost_at: AnswerStage) -> list[tuple[str, str]]:
    """Every stage with what became of the item there: "passed", "lost" or, behind that, "never"."""
    order = list(STAGES)
    at = order.index(lost_at)
    if lost_at is AnswerStage.SHOWN:
        return [(str(words), "passed") for words in STAGES.values()]
    fates = ["passed"] * at + ["lost"] + ["never"] * (len(order) - at - 1)
    return [(str(words), fate) for words, fate in zip(STAGES.values(), fates, strict=True)]
