"""Why an item is not in a customer's answer, and the smallest single change that would bring it in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from recommendations.models import BlendWeights, Item, Rule, Staff
from recommendations.services.review.review import live_ready
from recommendations.services.review.suggestions import Suggestion, all_but, suggestions
from recommendations.services.review.why_words import remedy, rule_name, stage_text
from recommendations.services.rules.editing import save_rule
from recommendations.services.weights.drafts import draft_of, save_draft
from recommendations.services.weights.values import Values
from recommendations.serving.pipeline import complete
from recommendations.simulation.asked_length import asked_length
from recommendations.simulation.counterfactuals import CounterfactualKind
from recommendations.simulation.diagnosis import Diagnosis, diagnose
from recommendations.store.rules.conditions import frozen
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.terms import BlendName


@dataclass(frozen=True, kw_only=True)
class Question:
    """The question why an item is not in a customer's answer."""

    customer: int
    placement: str
    item: int
    n: int | None = None
    context_items: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WhyNot:
    """Answer to a question, with the diagnosis of where the item ``stands``."""

    question: Question
    item: Item
    stands: Diagnosis
    n: int  # how many items the answer has room for
    words: str  # what happened
    remedy: str  # what to do where no single change of weights or rules helps; else empty
    rule: str  # name of the rule that took it out, buries it or gives its place away; else empty
    suggestions: Sequence[Suggestion]  # the one that disturbs others least first


class SuggestionGoneError(Exception):
    """The change no longer brings the item in: something else changed meanwhile."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key} does not bring the item in any more")
        self.key = key


class DraftExistsError(Exception):
    """There is a draft of these weights with other values; it would be lost."""

    def __init__(self, draft: BlendWeights) -> None:
        super().__init__(f"{draft} is a draft already")
        self.draft = draft


def why_not(question: Question) -> WhyNot:
    """Diagnose the item in the live answer, as long as the shop asks for it where the question does not say.

    Nothing is suggested where an experiment keeps the customer's weights or rules as they are.

    Raises UnknownPlacementError, NotLoadedError, and Item.DoesNotExist.
    """
    thing, n = Item.objects.get(pk=question.item), question.n
    if n is None and (placement := current_snapshot().placements.get(question.placement)):
        n = asked_length(placement)
    prepared = live_ready(
        customer=question.customer, placement=question.placement, n=n, context_items=question.context_items
    )
    stands = diagnose(prepared, complete(prepared), thing.pk)
    held = any(arm.weights or arm.book for arm in prepared.arms)
    changes = [] if held else suggestions(prepared, stands, thing)
    return WhyNot(
        question=question,
        item=thing,
        stands=stands,
        n=prepared.params.n,
        words=stage_text(stands, prepared),
        remedy=remedy(stands, prepared, suggested=bool(changes), held=held),
        rule=rule_name(stands.rule, prepared),
        suggestions=changes,
    )


def apply_suggestion(
    *, question: Question, key: str, by: Staff, now: datetime, replace_draft: bool = False
) -> BlendWeights | Rule:
    """Make the change a draft, of the weights or of a rule; nothing is served differently before it is published.

    Once more gives the same draft. Raises SuggestionGoneError, ValidationError, StaleDraftError, StaleRuleError, and
    DraftExistsError where a draft of these weights says something else and may not be replaced.
    """
    answer = why_not(question)
    suggestion = next((one for one in answer.suggestions if one.key == key), None)
    if suggestion is None:
        raise SuggestionGoneError(key)
    if suggestion.draft.weights is not None:
        return _draft_weights(suggestion.draft.weights, by=by, now=now, replace_draft=replace_draft)
    return _draft_rule(suggestion, answer.item, by=by, now=now)


def _draft_weights(wanted: BlendWeights, *, by: Staff, now: datetime, replace_draft: bool) -> BlendWeights:
    blend = BlendName(wanted.blend.name)
    draft, values = draft_of(blend, wanted.group), Values.of(wanted)
    begun = Values.of(draft.parent) if draft and draft.parent else None
    if draft is not None and not replace_draft and Values.of(draft) not in (values, begun):
        raise DraftExistsError(draft)
    return save_draft(
        blend=blend, group=wanted.group, values=values.as_fields(), revision=draft.revision if draft else None,
        by=by, now=now,
    )  # fmt: skip


def _draft_rule(suggestion: Suggestion, item: Item, *, by: Staff, now: datetime) -> Rule:
    rule, change = suggestion.rule, suggestion.change
    if rule is None:
        raise SuggestionGoneError(suggestion.key)
    if change.kind in (CounterfactualKind.LIMIT, CounterfactualKind.END):
        stored = Rule.objects.get(pk=change.rule)
        kept_out = all_but(item)
        if change.kind is CounterfactualKind.LIMIT and kept_out in stored.items:
            return stored  # somebody has drafted it already
        limited = {"items": [*stored.items, kept_out]}
        values = limited if change.kind is CounterfactualKind.LIMIT else {"ends_at": now}
        return save_rule(rule=stored, values=values, revision=stored.revision, by=by, now=now)
    for drafted in Rule.objects.unarchived().filter(action=rule["action"], items=rule["items"]):
        if frozen(drafted) == {**rule, "id": drafted.pk}:
            return drafted
    fields = {name: value for name, value in rule.items() if name != "id"}
    return save_rule(rule=None, values=fields, revision=None, by=by, now=now)
