"""The items of an answer as cards: what each is made of, where it moved, what staff said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.charts import customer as charts
from analytics.charts.hues import FATIGUE, RULES, VARIETY, of_recommender
from analytics.queries.customer import profile as query
from analytics.queries.customer.stated_taste import confidence_words
from analytics.templatetags.words import label
from recommendations.models import Judgement
from recommendations.services.review.review import Card, Review
from recommendations.services.review.waterfall import TermKind
from recommendations.terms import JudgementKind
from recommendations.wording import labels
from recommendations.wording.instance_labels import instance_label

JUDGEMENTS: Mapping[JudgementKind, str] = {
    JudgementKind.GOOD: "thumb-up",
    JudgementKind.ODD: "mood-puzzled",
    JudgementKind.WRONG: "thumb-down",
}
"""Icon of each judgement."""
BESIDE: Mapping[str, Promise] = {
    RULES: gettext_lazy("Rules"),
    VARIETY: gettext_lazy("Variety"),
    FATIGUE: gettext_lazy("Shown before, not clicked"),
}
"""What a final score has beside the parts of recommenders and goals."""


@dataclass(frozen=True, kw_only=True)
class Moved:
    """Movement of an item from where it stood to where it stands now, as a mark and in words."""

    mark: str
    words: str
    css: str


@dataclass(frozen=True, kw_only=True)
class CardView:
    card: Card
    bar: charts.ScoreBar
    pieces: Sequence[tuple[charts.Piece, str]]
    rules: Sequence[tuple[int, str]]  # key and name of those that acted on it
    judgement: Judgement | None
    moved: Moved | None = None


def judgement_choices() -> list[tuple[str, str, str]]:
    """Code, words and icon of each judgement."""
    return [(code, str(words), JUDGEMENTS[JudgementKind(code)]) for code, words in labels.JUDGEMENTS]


def moved(was: int | None, now: int | None) -> Moved:
    if was is None:
        return Moved(mark="+", words=_("new"), css="is-new")
    if now is None:
        return Moved(mark="×", words=_("out"), css="is-out")
    by = abs(was - now)
    if was > now:
        return Moved(mark=f"▲ {by}", words=_("up from position %(was)d") % {"was": was}, css="is-up")
    if was < now:
        return Moved(mark=f"▼ {by}", words=_("down from position %(was)d") % {"was": was}, css="is-down")
    return Moved(mark="=", words=_("same position"), css="is-same")


def parts(card: Card) -> list[tuple[str, float]]:
    """Parts that add up to the final score of a card: of recommenders and goals, of fatigue, all rules, variety."""
    beside = {TermKind.FATIGUE: FATIGUE, TermKind.BOOST: RULES, TermKind.DIVERSITY: VARIETY}
    sums: dict[str, float] = {}
    for term in card.waterfall:
        if term.kind in beside and term.value:
            sums[beside[term.kind]] = sums.get(beside[term.kind], 0.0) + term.value
    return [*card.contributions, *sums.items()]


def part_label(name: str) -> str:
    return str(BESIDE[name]) if name in BESIDE else instance_label(name)


def card_views(
    found: Review, *, judgements: Mapping[int, Judgement], before: Mapping[int, int] | None = None
) -> list[CardView]:
    """Cards of an answer; ``before``: the place of each item in the answer that it is compared with."""
    bars = charts.score_bars([parts(card) for card in found.cards])
    touched = {entry.item: entry.rules for entry in found.answer.shown}
    names = query.rule_names(key for keys in touched.values() for key in keys)
    return [
        CardView(
            card=card,
            bar=bar,
            pieces=[(piece, part_label(piece.instance)) for piece in bar.pieces],
            rules=[(key, names[key]) for key in touched.get(card.item.pk, ()) if key in names],
            judgement=judgements.get(card.item.pk),
            moved=None if before is None else moved(before.get(card.item.pk), card.rank),
        )
        for card, bar in zip(found.cards, bars, strict=True)
    ]


def answer_context(found: Review) -> dict[str, Any]:
    """Context of an answer beside its cards: legend, table of contributions, hits, and where it came from."""
    of_cards = [(card, dict(parts(card))) for card in found.cards]
    names = list(dict.fromkeys(name for _card, own in of_cards for name in own))
    hits = [card for card in found.cards if card.bought_later]
    reason = found.answer.fallback_reason
    return {
        "review": found,
        "legend": [(part_label(name), *of_recommender(name)) for name in names],
        "table": [(card, [own.get(name) for name in names]) for card, own in of_cards],
        "confidence": confidence_words(found.confidence),
        "hits": len(hits),
        "precision": len(hits) / len(found.cards) if found.cards else None,
        "source": label(labels.SOURCES, found.answer.source),
        "fallback": label(labels.FALLBACKS, reason) if reason else "",
    }


def places(found: Review) -> dict[int, int]:
    """Place of each item in an answer."""
    return {card.item.pk: card.rank for card in found.cards}
