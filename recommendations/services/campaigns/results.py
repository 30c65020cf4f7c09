"""Results of campaigns, for pages and the API: what became of messages, what came of them, whether rules were kept."""

from django.conf import settings

from recommendations.store.push.funnel import MessageFate, fates_of
from recommendations.store.push.outcomes import SHOWING, PushOutcome, outcomes_of_parts
from recommendations.store.push.pressure import PressureProof, erased_messages, proof_statement, prove

__all__ = [
    "SHOWING", "MessageFate", "PressureProof", "PushOutcome", "erased_messages", "fates_of", "parts_of",
    "proof_of_pressure",
]  # fmt: skip


def parts_of(campaign: int) -> dict[tuple[str, int | str | None], PushOutcome]:
    """Outcomes of a campaign as a whole and by part, hours in the shop's zone where the customer's is not known."""
    return outcomes_of_parts(campaign, zone=settings.SHOP_TIME_ZONE)


def proof_of_pressure() -> tuple[PressureProof, str]:
    """Whether any message ever broke a rule, and the statement that counts it."""
    zone = settings.SHOP_TIME_ZONE
    return prove(zone), proof_statement(zone)
