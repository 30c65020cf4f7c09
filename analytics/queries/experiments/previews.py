"""Examples of what the arms of a draft change, in words: how many of those drawn get another list, and theirs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.queries.experiments.arm_words import ArmNames
from analytics.templatetags.display import number
from recommendations.models import Arm, Item
from recommendations.services.experiments.previews import (
    CUSTOMERS,
    ArmPreview,
    ListPlaces,
    NoPreview,
    NoPreviewError,
    previews,
)
from recommendations.services.weights.movers import Mover
from recommendations.wording.labels import placement_label, shop_page_label

PROBLEMS: Mapping[NoPreview, Promise] = {
    NoPreview.UNCLEAR: gettext_lazy("Examples stand here once it is clear what each version changes."),
    NoPreview.NOT_LEARNED: gettext_lazy("There are no examples before the shop has learned once: see Runs."),
    NoPreview.NOBODY: gettext_lazy("Nobody is in these segments now, so there are no examples."),
}


@dataclass(frozen=True, kw_only=True)
class PreviewWords:
    """An arm with what it changes, how many of those drawn get another list, and three of them."""

    letter: str
    words: str
    sentence: str
    movers: Sequence[Mover]


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Examples for each arm, and the items of their lists by key; ``problem`` says why there are none."""

    arms: Sequence[PreviewWords] = ()
    items: Mapping[int, Item]
    problem: str = ""


def examples(arms: Sequence[Arm], *, placement: str, segments: Sequence[int], seed: int, now: datetime) -> Examples:
    """Examples of customers drawn by the seed; ``placement`` is a bandit's, and empty elsewhere."""
    try:
        shown = previews(arms, placement=placement, segments=segments, seed=seed, now=now)
    except NoPreviewError as error:
        return Examples(items={}, problem=str(PROBLEMS[error.why]))
    names = ArmNames.of(one.arm.changes for one in shown)
    keys = {place.item for one in shown for mover in one.movers for place in (*mover.live, *mover.draft)}
    keys |= {key for one in shown for mover in one.movers for key in mover.context}
    return Examples(
        arms=[_in_words(one, names) for one in shown],
        items=Item.objects.only("shop_id", "title", "brand", "image_url").in_bulk(list(keys)) if keys else {},
    )


def _in_words(shown: ArmPreview, names: ArmNames) -> PreviewWords:
    arm = shown.arm
    rows = names.rows([Arm(position=0, changes={}), Arm(position=1, changes=arm.changes)])
    words = _("; ").join(f"{row.words}: {row.values[1].words}" for row in rows)
    return PreviewWords(letter=arm.letter, words=words, sentence=_sentence(shown), movers=shown.movers)


def _sentence(shown: ArmPreview) -> str:
    if not shown.asked:
        return _("No example: these lists depend on what somebody looks for, opens or does in the visit.")
    if not shown.movers and shown.explores_otherwise:
        text = _(
            "None of %(asked)s customers drawn gets another list as it is ranked. But it explores otherwise than what "
            "is live, so some answers will differ: that is enough for it to start."
        )
        return text % {"asked": number(shown.asked)}
    if not shown.movers:
        text = _(
            "None of %(asked)s customers drawn gets another list. Before it starts %(all)s are asked: where none of "
            "them does either, it does not start."
        )
        return text % {"asked": number(shown.asked), "all": number(CUSTOMERS)}
    text = ngettext(
        "%(changed)s of the first %(asked)s customers drawn gets another list: %(where)s",
        "%(changed)s of the first %(asked)s customers drawn get another list: %(where)s",
        len(shown.movers),
    )
    where = _(", ").join(dict.fromkeys(map(_where, shown.where)))
    return text % {"changed": number(len(shown.movers)), "asked": number(shown.asked), "where": where}


def _where(place: ListPlaces) -> str:
    if place.page:
        return _("page “%(name)s”, from top to bottom") % {"name": shop_page_label(place.page)}
    return placement_label(place.placement)
