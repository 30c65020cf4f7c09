"""Decisions of the push agent on a person. What it learned of many people at once stays: no number in it leads back."""

from recommendations.models import AgentDecision
from recommendations.privacy_terms import HolderCode
from recommendations.store.holders.tables import OwnRows, TableHolder

AGENTS = TableHolder(
    HolderCode.AGENTS,
    OwnRows(
        model=AgentDecision,
        columns=(
            "day", "group", "held", "chance", "trial", "value", "worth", "leaving", "answered", "void", "decided_at",
        ),
    ),
)  # fmt: skip
