"""What holds nothing of any one person, and why: the counterpart of the list of holders.

Every field that could hold something of a person stands here with its model, or a holder answers for the model
(``tests/architecture/test_holders.py``), so that a new field has to be thought of.
"""

from collections.abc import Mapping
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Unheld(NamedTuple):
    """Models of nobody with their fields that could hold something of somebody, and why they do not."""

    reason: Promise
    fields: Mapping[str, tuple[str, ...]]


NOBODYS: tuple[Unheld, ...] = (
    Unheld(
        _("The catalogue: what is sold says nothing of who buys it."),
        {
            "Item": ("description", "tags", "attributes"),
            "EmbeddingSpace": ("outcome",),
            "ItemVector": ("digest", "values"),
        },
    ),
    Unheld(
        _("Settings, plans and notes of staff, for groups of customers or for everybody."),
        {
            "Audience": ("conditions",),
            "BlendWeights": ("weights", "reason", "note", "expected", "gate"),
            "WeightSearch": ("message", "request", "result"),
            "DraftEstimate": ("message", "result"),
            "Experiment": (
                "hypothesis", "segments", "salt", "guardrails", "scales", "caps", "decision", "beginning",
            ),
            "Arm": ("changes",),
            "PracticeRun": ("message", "truth"),
            "NewItemPromise": ("price", "note"),
            "Campaign": ("draft", "review_note", "pause_reason"),
            "CampaignVersion": ("frozen", "note", "expected"),
            "SendPlan": ("message",),
            "PressureRules": ("caps", "prices", "note"),
            "AgentRules": ("levers", "pins", "forbids", "floors", "note"),
            "Agent": ("paused_reason", "guardrail", "reading"),
            "AgentPractice": ("message", "result"),
            "Endpoint": ("sealed_secret", "sealed_before"),
            "ApiKey": ("digest", "scopes", "origins"),
            "ShopSetting": ("value",),
        },
    ),
    Unheld(
        _("Sums and figures over many people: no number in them leads to one."),
        {
            "Reading": ("facts",),
            "Release": ("message", "rows", "expected"),
            "ExperimentNote": ("facts",),
            "Evaluation": ("overlap", "acts_known", "generalisation", "luck"),
            "Measurement": ("metrics", "against", "slices"),
            "Occurrence": ("counts",),
            "AgentVersion": ("menu", "scales", "mean", "precision", "draws", "digest", "prices", "counts"),
            "AgentStatement": ("facts",),
            "PushModel": ("parameters", "figures"),
            "PlacementHour": ("times",),
            "StabilityReading": ("shifts", "churn", "basis"),
            "Segment": ("automatic_name", "top_categories"),
            "SegmentState": ("top_categories",),
            "AssociationRule": ("antecedents",),
            "ModelVersion": (
                "windows", "instances", "event_weights", "feedback", "visit_shares", "points_proposal", "gate", "guard",
                "risers",
            ),
        },
    ),
    Unheld(
        _("Runs and imports: what was done when, and of how many rows."),
        {
            "Run": ("message",),
            "RunStage": ("counts",),
            "RunLogLine": ("text",),
            "Import": ("reasons", "message"),
        },
    ),
    Unheld(
        _("What many answers share: the shop's side, and requests without ids. It is forgotten with the answers."),
        {"AnswerBasis": ("content",), "AnswerRequest": ("content",)},
    ),
    Unheld(
        _("What customers are told recommendations go by: the shop's own settings, in words."),
        {"RecommendationStatement": ("text", "parameters", "digest", "because")},
    ),
    Unheld(
        _("Sessions of staff, who are no customers."),
        {"StaffSession": ("session_data",)},
    ),
    Unheld(
        _("Proof of what was done: hashes that only who knows the id confirms. Ids are sealed while a request runs."),
        {
            "PrivacyRequest": ("message", "asked_for", "subject", "sealed", "options", "counts"),
            "Receipt": ("document", "signature", "previous"),
            "Tombstone": ("digest",),
            "LegalHold": ("digest", "pseudonym", "reason"),
            "RetentionRule": ("note",),
        },
    ),
)  # fmt: skip
