"""What a run measures of how people look at lists: attention by slot first, then patience, which needs it."""

from collections.abc import Mapping
from dataclasses import replace

from recommendations.engine.experiments.attention import FEWEST, SlotCounts, attention_of
from recommendations.engine.feedback.patience import ENOUGH_PAIRS, fit_patience
from recommendations.loop.context import RunContext
from recommendations.store.models.feedback import (
    LearnedFeedback,
    last_feedback,
    ranked_answers,
    repeated_showings,
    save_feedback,
)


def measure_feedback(context: RunContext) -> Mapping[str, object]:
    """Measure η and κ on the 28 days before the run, and keep them with the version.

    Where there is too little to measure, the last version's hold.
    """
    answers = ranked_answers(until=context.run.now)
    learned = replace(
        last_feedback(context.version), answers=len(answers.places), kappa_measured=False, eta_measured=False, pairs=0
    )
    if learned.answers >= FEWEST:
        attention = attention_of(SlotCounts.of(answers.places, answers.clicks, versions=answers.versions))
        if not attention.assumed:
            learned = replace(learned, eta=attention.eta, eta_measured=True)
    repeated = repeated_showings(until=context.run.now)
    learned = replace(learned, pairs=len(repeated.clicks))
    if learned.pairs >= ENOUGH_PAIRS:
        patience = fit_patience(repeated.clicks, repeated.ignored, eta=max(learned.eta, 0.0))
        if patience.chance is not None:
            learned = replace(learned, kappa=patience.kappa, kappa_measured=True)
    save_feedback(context.version, learned)
    context.report(1, text=_line(learned))
    return {"looks": round(learned.kappa, 1), "attention": round(learned.eta, 2)}


def _line(learned: LearnedFeedback) -> str:
    whence = ["measured" if each else "as before" for each in (learned.kappa_measured, learned.eta_measured)]
    return (
        f"patience {learned.kappa:.1f} looks ({whence[0]}, {learned.pairs:,} pairs), "
        f"attention k^-{learned.eta:.2f} ({whence[1]}, {learned.answers:,} answers)"
    )
