"""Models of the record, one file per aggregate; constraints and querysets with names, no numbers."""

from recommendations.models.access import ApiKey, AuditEntry, ShopSetting, SourceHour
from recommendations.models.answers import AnswerBasis, AnswerRequest, AnswerState
from recommendations.models.approvals import ApprovalRequest
from recommendations.models.attribution import AttributedLine, DueLine, PlacementDay, SlateOutcome
from recommendations.models.audiences import Audience, AudienceMember
from recommendations.models.blending import Blend, BlendWeights, Group, Placement, group_fields
from recommendations.models.catalogue import Category, EmbeddingSpace, Item, ItemPicture, ItemPrice, ItemVector
from recommendations.models.customers import Customer, CustomerAlias, StatedTaste
from recommendations.models.events import CatalogueFile, Event, EventFile, Import, RejectedRow, WaitingLine
from recommendations.models.experiments import Arm, ArmShare, Experiment, ExperimentNote, Reading, Unit
from recommendations.models.interests import AssociationRule, LiveProfile, Segment, SegmentState
from recommendations.models.judgements import Judgement
from recommendations.models.measurements import Evaluation, Measurement
from recommendations.models.merchandising import Rule, RuleBook
from recommendations.models.pages import PageSlot, ShopPage
from recommendations.models.practice import PracticeRun
from recommendations.models.privacy.purposes import PurposeWord
from recommendations.models.privacy.releases import BudgetLine, Release
from recommendations.models.privacy.requests import PrivacyRequest, Receipt
from recommendations.models.privacy.retention import HeldEvent, RetentionDrop, RetentionRule
from recommendations.models.privacy.statements import RecommendationStatement
from recommendations.models.privacy.tombstones import LegalHold, Tombstone
from recommendations.models.promises import NewItem, NewItemBudget, NewItemPromise
from recommendations.models.promotions import Promotion
from recommendations.models.push.absences import ItemAbsence, ShopOccasion
from recommendations.models.push.agents import (
    Agent,
    AgentDecision,
    AgentPractice,
    AgentRules,
    AgentStatement,
    AgentVersion,
)
from recommendations.models.push.campaigns import Campaign, CampaignVersion, Occurrence, PressureRules
from recommendations.models.push.contacts import Address, ConsentStatement, Contact, Permission, Suppression
from recommendations.models.push.endpoints import Endpoint
from recommendations.models.push.learned import PushModel
from recommendations.models.push.messages import Considered, Message, MessageEvent
from recommendations.models.push.outcomes import GuardrailLook, ImportedReceipt
from recommendations.models.push.plans import SendPlan
from recommendations.models.quarantine import Aside, Quarantine
from recommendations.models.serving import Slate
from recommendations.models.staff import AuthenticatorApp, Staff, StaffSession
from recommendations.models.training import Artefact, ModelVersion, Run, RunLogLine, RunStage
from recommendations.models.watches import Alarm, PlacementHour, RateWatch, StabilityReading
from recommendations.models.weight_searches import DraftEstimate, WeightSearch

__all__ = [
    "Address", "Agent", "AgentDecision", "AgentPractice", "AgentRules", "AgentStatement", "AgentVersion", "Alarm",
    "AnswerBasis", "AnswerRequest", "AnswerState", "ApiKey", "ApprovalRequest", "Arm", "ArmShare", "Artefact",
    "Aside", "AssociationRule", "AttributedLine", "Audience", "AudienceMember", "AuditEntry", "AuthenticatorApp",
    "Blend", "BlendWeights", "BudgetLine", "Campaign", "CampaignVersion", "CatalogueFile", "Category",
    "ConsentStatement", "Considered", "Contact", "Customer", "CustomerAlias", "DraftEstimate", "DueLine",
    "EmbeddingSpace", "Endpoint", "Evaluation", "Event", "EventFile", "Experiment", "ExperimentNote", "Group",
    "GuardrailLook", "HeldEvent", "Import", "ImportedReceipt", "Item", "ItemAbsence", "ItemPicture", "ItemPrice",
    "ItemVector", "Judgement", "LegalHold", "LiveProfile", "Measurement", "Message", "MessageEvent", "ModelVersion",
    "NewItem", "NewItemBudget", "NewItemPromise", "Occurrence", "PageSlot", "Permission", "Placement", "PlacementDay",
    "PlacementHour", "PracticeRun", "PressureRules", "PrivacyRequest", "Promotion", "PurposeWord", "PushModel",
    "Quarantine", "RateWatch", "Reading", "Receipt", "RecommendationStatement", "RejectedRow", "Release",
    "RetentionDrop", "RetentionRule", "Rule", "RuleBook", "Run", "RunLogLine", "RunStage", "Segment", "SegmentState",
    "SendPlan", "ShopOccasion", "ShopPage", "ShopSetting", "Slate", "SlateOutcome", "SourceHour", "StabilityReading",
    "Staff", "StaffSession", "StatedTaste", "Suppression", "Tombstone", "Unit", "WaitingLine", "WeightSearch",
    "group_fields",
]  # fmt: skip
