"""Why an item is shown, and what its customer can do about it: the field ``why`` of an item."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from recommendations.privacy_terms import WhyCode
from recommendations.services.contacts.tokens import LinkKind
from recommendations.services.privacy.own_links import address_of_statement, own_address
from recommendations.serving.results import WhyAction, WhyShown
from recommendations.serving.types import Answer, Shown, ShownReason
from recommendations.wording.privacy.why_labels import ACTIONS
from recommendations.wording.reasons import why_text

KINDS = {WhyCode.DISLIKE: LinkKind.DISLIKE, WhyCode.OBJECT: LinkKind.OBJECT, WhyCode.MY_DATA: LinkKind.MY_DATA}


@dataclass(frozen=True, kw_only=True)
class WhyWriter:
    """Writer of ``why`` for the items of one answer; ``lasting`` are actions that are the same for all of them."""

    customer: int | None
    language: str
    statement: str
    lasting: Sequence[WhyAction]
    now: datetime

    @classmethod
    def of_answer(cls, answer: Answer, language: str, *, proven: bool) -> "WhyWriter":
        """Writer in a language; a page that is not ``proven`` to be its customer's gets no links."""
        customer, now = answer.customer if proven else None, timezone.now()
        lasting = [] if customer is None else [
            _action(code, customer, language=language, now=now) for code in (WhyCode.OBJECT, WhyCode.MY_DATA)
        ]  # fmt: skip
        return cls(
            customer=customer, language=language, statement=address_of_statement(language), lasting=lasting, now=now
        )

    def of(self, shown: Shown, reasons: Sequence[ShownReason]) -> WhyShown:
        first = next(((each.code, each.evidence) for each in reasons), None)
        placed = any(key not in shown.boosts for key in shown.rules)
        raised = any(added > 0 for added in shown.boosts.values())
        text = why_text(first, placed=placed, raised=raised)
        if self.customer is None:
            return WhyShown(text, self.statement, [])
        own = _action(WhyCode.DISLIKE, self.customer, item=shown.item, language=self.language, now=self.now)
        return WhyShown(text, self.statement, [own, *self.lasting])


def _action(code: WhyCode, customer: int, *, item: int = 0, language: str, now: datetime) -> WhyAction:
    url = own_address(KINDS[code], customer, item=item, language=language, now=now)
    return WhyAction(code, str(ACTIONS[code]), url)
