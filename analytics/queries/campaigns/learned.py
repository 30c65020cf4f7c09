"""What messages taught, in words: each model beside naive rules, whether it is in use or why not, and its limits."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from analytics.templatetags.display import number, share
from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.push.figures import Tenth
from recommendations.push_terms import PushModelKind
from recommendations.services.push_models.overview import LEARNED, LearnedModel, learned_models
from recommendations.wording import push_labels

QUESTIONS: Mapping[PushModelKind, Promise] = {
    PushModelKind.DUE: gettext_lazy("Will somebody buy an item again within 7 days?"),
    PushModelKind.RESPONSE: gettext_lazy("Who answers a campaign that is sent to them?"),
    PushModelKind.RELEVANCE: gettext_lazy("Will somebody buy an item of their list within 28 days?"),
    PushModelKind.ACTIVITY: gettext_lazy("At which hours is somebody active?"),
    PushModelKind.FATIGUE: gettext_lazy("Does one more message make somebody leave?"),
}
USES: Mapping[PushModelKind, Promise] = {
    PushModelKind.DUE: gettext_lazy("“Running low” writes to whom it gives the chance that the campaign asks for."),
    PushModelKind.RESPONSE: gettext_lazy("It says who is above or below the campaign's own rate of answers."),
    PushModelKind.RELEVANCE: gettext_lazy("Campaigns that ask for a least chance count only such items."),
    PushModelKind.ACTIVITY: gettext_lazy("Campaigns at the best hour wait for that of each customer."),
    PushModelKind.FATIGUE: gettext_lazy("What it says is part of what a message costs."),
}
INSTEAD: Mapping[PushModelKind, Promise] = {
    PushModelKind.DUE: gettext_lazy("Instead an item is due from 0.8 to 1.5 of the usual gap on."),
    PushModelKind.RESPONSE: gettext_lazy("Instead everybody has the campaign's own rate of answers."),
    PushModelKind.RELEVANCE: gettext_lazy("Instead every item of a list counts."),
    PushModelKind.ACTIVITY: gettext_lazy("Instead everybody's hours together count for each."),
    PushModelKind.FATIGUE: gettext_lazy("Instead one of 400 messages is taken to make somebody leave."),
}
LIMITS: Mapping[PushModelKind, Promise] = {
    PushModelKind.DUE: gettext_lazy("On which day cannot be told, so no page and no mail names one."),
    PushModelKind.RESPONSE: gettext_lazy(
        "It says who answers, not who does so because of the message: nobody was held out of what it learned from. "
        "From campaigns of another system, of coupons, it only learns who; how many, our own answers say."
    ),
    PushModelKind.RELEVANCE: gettext_lazy(
        "It holds for the weights under which it was learned; after other ones were published the next run learns it "
        "anew."
    ),
    PushModelKind.ACTIVITY: gettext_lazy("When they shop; not when they read. A click on a message counts five acts."),
    PushModelKind.FATIGUE: gettext_lazy(
        "It is an association: whoever gets more messages may be another kind of customer."
    ),
}
SCORES: Mapping[str, Promise] = {
    LEARNED: pgettext_lazy("model", "Learned"),
    "mean_gap": gettext_lazy("Last purchase + mean gap"),
    "frequency": gettext_lazy("How often in 56 days"),
    "own_rate": gettext_lazy("Own rate of answers so far"),
    "trips": gettext_lazy("Days with a purchase in 84 days"),
    "kind": gettext_lazy("Rate by kind of campaign"),
    "place": gettext_lazy("Place in the list"),
    "everywhere": gettext_lazy("The same for all"),
    "everybody": gettext_lazy("Everybody's hours"),
    "own_alone": gettext_lazy("Own hours alone"),
}
MEASURES: Mapping[str, Promise] = {
    "top": gettext_lazy("Their likeliest item was bought"),
    "best_fifth": gettext_lazy("… among the surest fifth"),
    "area": gettext_lazy("Pairs in the right order"),
    "best_tenth": gettext_lazy("Answers of the best tenth, beside the average"),
    "half": gettext_lazy("Answers kept when half is sent"),
    "within": gettext_lazy("Next act within the said 3 hours of its day"),
}
SHARES = frozenset({"top", "best_fifth", "area", "half", "within"})
MEANINGS: Mapping[str, Promise] = {
    "area": gettext_lazy(
        "Pairs in the right order: of one who did it and one who did not, how often the first was given the higher "
        "chance. Guessing gets 50%."
    ),
    "best_tenth": gettext_lazy(
        "Best tenth: how many times as many of those with the highest chances answered as of all. Guessing gets 1."
    ),
}
"""What a measure is, where its name alone does not say it."""
REFUSALS: Mapping[str, Promise] = {
    "too_few": gettext_lazy("There is too little to learn from yet."),
    "no_better": gettext_lazy("It is not better than a naive rule beyond chance."),
    "not_calibrated": gettext_lazy("What it says is more than a quarter off in a tenth of the items."),
}


@dataclass(frozen=True, kw_only=True)
class ComparedScore:
    """A score with its figures as text; ``is_learned`` is the model among its baselines."""

    words: str
    is_learned: bool
    figures: Sequence[tuple[str, str]]  # value, interval


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """A model as the page shows it; ``state`` is a sentence, ``tenths`` its calibration where it has one."""

    code: str
    title: str
    question: str
    in_use: bool
    state: str
    use: str
    limit: str
    counts: Sequence[str]
    fitted_at: datetime | None
    lessons_until: datetime | None
    measures: Sequence[str]
    meanings: Sequence[str]
    rows: Sequence[ComparedScore]
    tenths: Sequence[Tenth]
    leaving: Sequence[tuple[str, str, str]]  # messages before, chance, left of taken
    is_prior: bool

    @property
    def surest(self) -> Tenth | None:
        """The tenth with the highest chances."""
        return max(self.tenths, key=lambda each: each.said, default=None)


def cards() -> list[ModelCard]:
    """All models, also those that nothing was learned of yet."""
    stored = learned_models()
    return [_card(kind, stored.get(kind)) for kind in PushModelKind]


def _card(kind: PushModelKind, model: LearnedModel | None) -> ModelCard:
    measures = list(next(iter(model.table.values()), {})) if model else []
    leaving = list(_leaving(model)) if model and kind is PushModelKind.FATIGUE else []
    return ModelCard(
        code=kind.value, title=str(dict(push_labels.PUSH_MODEL_KINDS)[kind]), question=str(QUESTIONS[kind]),
        in_use=model is not None and model.in_use, state=_state(model),
        use=str((USES if model and model.in_use else INSTEAD)[kind]), limit=str(LIMITS[kind]),
        counts=list(_counts(model)) if model else [], fitted_at=model.fitted_at if model else None,
        lessons_until=model.lessons_until if model else None, measures=[str(MEASURES[name]) for name in measures],
        meanings=[str(MEANINGS[name]) for name in measures if name in MEANINGS], rows=_rows(model) if model else [],
        tenths=model.tenths if model else [], leaving=leaving,
        is_prior=bool(leaving) and model is not None and not any(model.parameters["left"]),
    )  # fmt: skip


def _state(model: LearnedModel | None) -> str:
    if model is None:
        return _("Nothing was learned yet: it is with the next run of the loop.")
    if model.in_use:
        return _("In use.")
    if model.refusal:
        return _("Not in use: %(why)s") % {"why": REFUSALS[model.refusal]}
    return _("Not in use: it waits until the version of its run is live.")


def _rows(model: LearnedModel) -> list[ComparedScore]:
    """What was learned comes first, then the naive rules as they were stored."""
    names = sorted(model.table, key=lambda name: name != LEARNED)
    return [_row(name, model.table[name]) for name in names]


def _row(name: str, figures: Mapping[str, Measure]) -> ComparedScore:
    return ComparedScore(
        words=str(SCORES[name]), is_learned=name == LEARNED,
        figures=[_figure(key, measure) for key, measure in figures.items()],
    )  # fmt: skip


def _figure(name: str, measure: Measure) -> tuple[str, str]:
    texts = [share(value, 1) if name in SHARES else number(value, 1) for value in measure]
    whole = all(map(math.isfinite, measure))
    return texts[0], f"{texts[1]}–{texts[2]}" if whole else ""


def _counts(model: LearnedModel) -> Iterator[str]:
    """What it was learned from and judged by."""
    counts = {name: int(value) for name, value in model.counts.items()}
    if "lessons" in counts:
        text = ngettext("learned from %(n)s row", "learned from %(n)s rows", counts["lessons"])
        yield text % {"n": number(counts["lessons"])}
    if "tested" in counts:
        yield ngettext("judged by %(n)s later one", "judged by %(n)s later ones", counts["tested"]) % {
            "n": number(counts["tested"])
        }
    if "acts" in counts:
        yield ngettext("judged by %(n)s later act", "judged by %(n)s later acts", counts["acts"]) % {
            "n": number(counts["acts"])
        }
    if "campaigns" in counts:
        yield ngettext("of %(n)s campaign", "of %(n)s campaigns", counts["campaigns"]) % {
            "n": number(counts["campaigns"])
        }
    if "users" in counts:
        yield ngettext("of %(n)s customer", "of %(n)s customers", counts["users"]) % {"n": number(counts["users"])}


def _leaving(model: LearnedModel) -> Iterator[tuple[str, str, str]]:
    """Chances that somebody leaves, by messages of four weeks before."""
    parts = zip(model.parameters["leaving"], model.parameters["left"], model.parameters["taken"], strict=True)
    for before, (chance, left, taken) in enumerate(parts):
        words = _("%(n)s or more") % {"n": number(before)} if before == 3 else number(before)
        yield words, share(chance, 2), _("%(left)s of %(taken)s") % {"left": number(left), "taken": number(taken)}
