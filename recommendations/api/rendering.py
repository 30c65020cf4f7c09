"""Answers as they go over the wire: the structs of the schema, and the bytes that both doors send."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain

import msgspec
from django.http import HttpResponse
from django.utils.translation import override
from msgspec import UNSET, Struct, UnsetType

from recommendations.api.errors import Flaw, problem
from recommendations.api.why import WhyWriter
from recommendations.ingest.refusal import Refusal
from recommendations.services.catalogue.rows import ItemVerdict
from recommendations.services.contacts.rows import ContactVerdict
from recommendations.serving.results import Recommended, product_shown, reasons_given
from recommendations.serving.serve import Served
from recommendations.serving.types import Answer, Shown, ShownReason
from recommendations.terms import Fallback, Reason, Source

HEAD = b'{"recommendation_id":"'
ITEM = frozenset({"item_id", "title"})
IMPERSONAL: Mapping[Reason, frozenset[str]] = {
    Reason.POPULAR: frozenset({"buyers", "days"}),
    Reason.PROMOTED: frozenset({"weeks", "display", "mailer"}),
    Reason.NEW: frozenset({"days"}),
    Reason.SEGMENT: frozenset(),
    Reason.SIMILAR_CUSTOMERS: frozenset(),
    Reason.BOUGHT_TOGETHER: ITEM,
    Reason.BOUGHT_NEXT: ITEM,
    Reason.SIMILAR_ITEM: ITEM,
}
"""Reasons that are nobody's own, and what they may say; those about an item only where the question names it."""


class ArmServed(Struct):
    """An arm of an experiment, by letter; a is the control."""

    experiment_id: str
    variation_id: str


class Recommendations(Struct):
    recommendation_id: str
    placement: str
    model_version: str | None
    weights_version: int | None
    rules_version: int
    experiment: ArmServed | None
    experiments: list[ArmServed]
    personalised: bool
    source: Source
    fallback_reason: Fallback | None
    results: list[Recommended]
    missing_item_ids: list[str]
    next_cursor: str | None
    ignored: list[str] | UnsetType = UNSET
    why_ignored: list[Refusal] | UnsetType = UNSET


@dataclass(frozen=True)
class Writing:
    """Serialiser of answers: in a language of ours, with these parts, and with pictures of this site.

    ``named`` is given for a page that proves nobody: the items that reasons may name.
    """

    lang: str
    fields: frozenset[str]
    site: str
    named: frozenset[str] | None = None

    def __call__(self, answer: Answer) -> bytes:
        """Bytes of an answer after its id, which differs from answer to answer."""
        with override(self.lang):
            return msgspec.json.encode(_body(answer, self)).removeprefix(HEAD)


def as_json(body: Struct, *, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(body), status=status, content_type="application/json")


def whole(served: Served) -> bytes:
    return b"".join((HEAD, served.recommendation_id.encode(), served.content))


def _body(answer: Answer, writing: Writing) -> Recommendations:
    arms = [ArmServed(f"e{arm.experiment}", chr(ord("a") + arm.position)) for arm in answer.arms]
    asked = "why" in writing.fields
    own = WhyWriter.of_answer(answer, writing.lang, proven=writing.named is None) if asked else None
    return Recommendations(
        recommendation_id="",
        placement=answer.placement,
        model_version=f"m{answer.model_version}" if answer.model_version else None,
        weights_version=answer.weights_version,
        rules_version=answer.rules_version,
        experiment=arms[0] if arms else None,
        experiments=arms,
        personalised=answer.personalised,
        source=answer.source,
        fallback_reason=answer.fallback_reason,
        results=[_result(item, answer.rule_names, writing, own) for item in answer.shown],
        missing_item_ids=list(answer.missing_item_ids),
        next_cursor=answer.next_cursor,
    )


def _result(shown: Shown, rule_names: Mapping[int, str], writing: Writing, own: WhyWriter | None) -> Recommended:
    result, fields, named = Recommended(shown.product.shop_id, shown.rank, shown.source), writing.fields, writing.named
    if named is None:  # a rule may be about the customer, by its name
        result.rules = [rule_names[key] for key in shown.rules]
    if "score" in fields:
        result.score, result.final = shown.score, shown.final
    reasons = shown.reasons if named is None else tuple(_impersonal(shown.reasons, named))
    if "reasons" in fields:
        result.reasons = reasons_given(reasons)
    if "contributions" in fields:
        result.contributions = shown.contributions
    if "product" in fields:
        result.product = product_shown(shown.product, writing.site)
    if own is not None:
        result.why = own.of(shown, reasons)
    return result


def _impersonal(reasons: Sequence[ShownReason], named: frozenset[str]) -> Iterator[ShownReason]:
    """The reasons that tell nothing of whom the answer is for."""
    for reason in reasons:
        facts = IMPERSONAL.get(reason.code)
        if facts is None or (facts is ITEM and reason.evidence.get("item_id") not in named):
            continue
        evidence = {name: fact for name, fact in reason.evidence.items() if name in facts}
        yield ShownReason(code=reason.code, evidence=evidence)


def with_ignored(body: bytes, ignored: Sequence[Refusal]) -> bytes:
    """The object of an answer, with what was left out of its question, and why."""
    if not ignored:
        return body
    members = {"ignored": [one.pointer for one in ignored], "why_ignored": ignored}
    return body.removesuffix(b"}") + b"," + msgspec.json.encode(members).removeprefix(b"{")


def answered_rows[Verdict: (ItemVerdict, ContactVerdict)](
    verdicts: Sequence[Verdict], *, under: str, none: str, answer: Callable[[Counter[str], list[Verdict]], Struct]
) -> HttpResponse:
    """The answer to a batch: pointers begin ``under`` the name of its rows; where all are rejected it says ``none``."""
    results = [
        msgspec.structs.replace(verdict, pointer=f"/{under}/{number}{verdict.pointer}")
        if verdict.pointer is not None
        else verdict
        for number, verdict in enumerate(verdicts)
    ]
    counts = Counter[str](verdict.verdict for verdict in results)
    if counts["rejected"] == len(results):
        flaws = list(chain.from_iterable(map(_flaws, results)))
        return problem(HTTPStatus.BAD_REQUEST, none, flaws=flaws, members={"results": results})
    return as_json(answer(counts, results))


def _flaws(result: ItemVerdict | ContactVerdict) -> list[Flaw]:
    others = result.also if isinstance(result, ContactVerdict) else ()
    return [Flaw(result.pointer or "", result.reason or ""), *(Flaw(each.pointer, each.reason) for each in others)]
