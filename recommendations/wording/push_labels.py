"""Labels of the codes of push on a page, in the reader's language."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.push_terms import (
    AddressState,
    AgentStatus,
    CampaignKind,
    CampaignStatus,
    Channel,
    ConsentSource,
    ConsentState,
    MessageEventKind,
    MessageState,
    Obstacle,
    OccurrenceState,
    Priority,
    Purpose,
    PushModelKind,
    PushRate,
    SuppressionReason,
    Trigger,
    Verdict,
)
from recommendations.wording.labels import Choices

CHANNELS: Choices = [
    (Channel.EMAIL, _("E-mail")),
    (Channel.WEB_PUSH, _("Browser notification")),
    (Channel.WEBHOOK, _("Webhook")),
]
PURPOSES: Choices = [
    (Purpose.FOR_YOU, _("Recommendations for you")),
    (Purpose.REMINDERS, _("Reminders")),
    (Purpose.NEWS, _("News and offers for everybody")),
]
TEXT_VERSION = "1"
"""Version of the names and sentences of purposes, which proofs of what was said on our own pages name."""
PURPOSE_SENTENCES: Choices = [
    (Purpose.FOR_YOU, _("What may suit you, by what you bought and looked at.")),
    (Purpose.REMINDERS, _("What you left in the cart, what runs low, what is back in stock.")),
    (Purpose.NEWS, _("The same for all customers.")),
]
CONSENT_STATES: Choices = [
    (ConsentState.ASKED, pgettext_lazy("consent", "Asked")),
    (ConsentState.GIVEN, pgettext_lazy("consent", "Given")),
    (ConsentState.REFUSED, pgettext_lazy("consent", "Refused")),
    (ConsentState.WITHDRAWN, pgettext_lazy("consent", "Withdrawn")),
]
CONSENT_SOURCES: Choices = [
    (ConsentSource.API, _("The shop's server")),
    (ConsentSource.IMPORT, _("An imported file")),
    (ConsentSource.CONFIRMED, _("Confirmation mail")),
    (ConsentSource.PREFERENCES, _("Preference page")),
    (ConsentSource.ONE_CLICK, _("One-click unsubscribe")),
    (ConsentSource.COMPLAINT, _("Complaint")),
    (ConsentSource.BROWSER, _("Browser")),
    (ConsentSource.STAFF, _("Staff")),
    (ConsentSource.DEMO, _("Invented for the demo")),
]
ADDRESS_STATES: Choices = [
    (AddressState.UNCONFIRMED, pgettext_lazy("address", "Not confirmed")),
    (AddressState.ACTIVE, pgettext_lazy("address", "In use")),
    (AddressState.GONE, pgettext_lazy("address", "Gone")),
]
OBSTACLES: Choices = [
    (Obstacle.NO_ADDRESS, _("Nothing is sent: there is no address.")),
    (Obstacle.UNCONFIRMED, _("Nothing is sent until the owner has confirmed the address.")),
    (Obstacle.SILENT, _("Nothing is sent: the address is blocked.")),
    (Obstacle.OBJECTION, _("Nothing is sent: they object to recommendations by what they did.")),
    (Obstacle.PAUSED, _("Nothing is sent during their pause.")),
]
SUPPRESSION_REASONS: Choices = [
    (SuppressionReason.HARD_BOUNCE, _("It does not exist")),
    (SuppressionReason.COMPLAINT, _("Complained")),
    (SuppressionReason.UNSUBSCRIBED_ALL, _("Unsubscribed from everything")),
    (SuppressionReason.STAFF, _("Set by staff")),
    (SuppressionReason.ERASED, _("Erased")),
]
CAMPAIGN_KINDS: Choices = [
    (CampaignKind.ONCE, pgettext_lazy("campaign", "Once")),
    (CampaignKind.RECURRING, pgettext_lazy("campaign", "Recurring")),
    (CampaignKind.TRIGGERED, pgettext_lazy("campaign", "Triggered")),
    (CampaignKind.IMPORTED, pgettext_lazy("campaign", "Imported")),
]
TRIGGERS: Choices = [
    (Trigger.CART_LEFT, _("Left in the cart")),
    (Trigger.VIEWED, _("Looked at and not bought")),
    (Trigger.BACK_IN_STOCK, _("Back in stock")),
    (Trigger.PRICE_DROP, _("Cheaper now")),
    (Trigger.DUE_AGAIN, _("Running low")),
    (Trigger.NEW_FOR_YOU, _("New for you")),
    (Trigger.WIN_BACK, _("Long not seen")),
    (Trigger.SHOP, _("The shop says so")),
]
TRIGGER_SENTENCES: Choices = [
    (Trigger.CART_LEFT, _("You had put something into the cart and not bought it yet.")),
    (Trigger.VIEWED, _("You had looked at something several times and not bought it.")),
    (Trigger.BACK_IN_STOCK, _("Something that you asked for or looked at is in the shop again.")),
    (Trigger.PRICE_DROP, _("Something that you looked at costs less than it did then.")),
    (Trigger.DUE_AGAIN, _("You buy something again and again, and it may be about time.")),
    (Trigger.NEW_FOR_YOU, _("Something new came into the shop that may suit you.")),
    (Trigger.WIN_BACK, _("You had not been in the shop for longer than usual.")),
    (Trigger.SHOP, _("Something happened at the shop that it wanted you to know.")),
]
"""What called for a message, to its reader."""
CAMPAIGN_START_SENTENCES: Choices = [
    (CampaignKind.ONCE, _("One message to everybody in view, at once or at a moment that you choose.")),
    (CampaignKind.RECURRING, _("Comes again on the days of the week that you choose, each time with new items.")),
    (Trigger.CART_LEFT, _("Somebody put something into the cart and has not ordered it some hours later.")),
    (Trigger.VIEWED, _("Somebody looked at an item several times and did not buy it.")),
    (Trigger.BACK_IN_STOCK, _("An item that was sold out when somebody looked for it is for sale again.")),
    (Trigger.PRICE_DROP, _("The price of an item fell after somebody had looked at it.")),
    (Trigger.DUE_AGAIN, _("By somebody's own rhythm, something that they buy again and again is due.")),
    (Trigger.NEW_FOR_YOU, _("An item of the last seven days stands high in somebody's own list.")),
    (Trigger.WIN_BACK, _("Somebody has stayed away for much longer than usual.")),
    (Trigger.SHOP, _("Your own system says so by the API: an order has arrived, points run out.")),
]
"""What a campaign of the kind, or with the trigger, comes of."""
CAMPAIGN_STATUSES: Choices = [
    (CampaignStatus.DRAFT, pgettext_lazy("campaign", "Draft")),
    (CampaignStatus.IN_REVIEW, pgettext_lazy("campaign", "In review")),
    (CampaignStatus.SCHEDULED, pgettext_lazy("campaign", "Scheduled")),
    (CampaignStatus.LIVE, pgettext_lazy("campaign", "Live")),
    (CampaignStatus.PAUSED, pgettext_lazy("campaign", "Paused")),
    (CampaignStatus.ENDED, pgettext_lazy("campaign", "Ended")),
    (CampaignStatus.ARCHIVED, pgettext_lazy("campaign", "Archived")),
]
PRIORITIES: Choices = [
    (Priority.SERVICE, _("Asked for by the customer")),
    (Priority.REMINDER, _("Reminder")),
    (Priority.CAMPAIGN, _("Campaign")),
]
VERDICTS: Choices = [
    (Verdict.NO_ADDRESS, pgettext_lazy("verdict", "No address in use")),
    (Verdict.NO_CONSENT, pgettext_lazy("verdict", "No consent")),
    (Verdict.SUPPRESSED, pgettext_lazy("verdict", "Must not be written to")),
    (Verdict.HELD_OUT, pgettext_lazy("verdict", "Held out")),
    (Verdict.CAPPED, pgettext_lazy("verdict", "Has had enough")),
    (Verdict.DONE_ALREADY, pgettext_lazy("verdict", "Bought or seen already")),
    (Verdict.TOO_LITTLE, pgettext_lazy("verdict", "Nothing good to say")),
    (Verdict.NOT_WORTH, pgettext_lazy("verdict", "Costs more than it brings")),
    (Verdict.OUTRANKED, pgettext_lazy("verdict", "A better message first")),
    (Verdict.WAITS, pgettext_lazy("verdict", "Not today")),
    (Verdict.OVER_BUDGET, pgettext_lazy("verdict", "Over the budget")),
    (Verdict.LATER, pgettext_lazy("verdict", "Sent later")),
    (Verdict.NOW, pgettext_lazy("verdict", "Sent now")),
]
OCCURRENCE_STATES: Choices = [
    (OccurrenceState.PLANNED, pgettext_lazy("sending", "Planned")),
    (OccurrenceState.DUE, pgettext_lazy("sending", "Due")),
    (OccurrenceState.WAITING, pgettext_lazy("sending", "Waits for approval")),
    (OccurrenceState.DECIDED, pgettext_lazy("sending", "Going out")),
    (OccurrenceState.FINISHED, pgettext_lazy("sending", "Finished")),
    (OccurrenceState.CANCELLED, pgettext_lazy("sending", "Cancelled")),
]
MESSAGE_STATES: Choices = [
    (MessageState.HELD, pgettext_lazy("message", "Held out")),
    (MessageState.DUE, pgettext_lazy("message", "Waiting")),
    (MessageState.LEASED, pgettext_lazy("message", "Taken up")),
    (MessageState.HANDING, pgettext_lazy("message", "Being handed over")),
    (MessageState.TAKEN, pgettext_lazy("message", "Taken")),
    (MessageState.REFUSED, pgettext_lazy("message", "Refused")),
    (MessageState.GONE, pgettext_lazy("message", "Address is gone")),
    (MessageState.UNKNOWN, pgettext_lazy("message", "Not known whether it arrived")),
    (MessageState.WITHDRAWN, pgettext_lazy("message", "Withdrawn")),
    (MessageState.EXPIRED, pgettext_lazy("message", "Too late")),
    (MessageState.FAILED, pgettext_lazy("message", "Failed")),
]
MESSAGE_EVENTS: Choices = [
    (MessageEventKind.CLICKED, pgettext_lazy("message", "Clicked")),
    (MessageEventKind.MACHINE_CLICKED, pgettext_lazy("message", "Opened by a machine")),
    (MessageEventKind.UNSUBSCRIBED, pgettext_lazy("message", "Unsubscribed")),
    (MessageEventKind.RESUBSCRIBED, pgettext_lazy("message", "Unsubscribed by mistake")),
    (MessageEventKind.BOUNCED, pgettext_lazy("message", "Came back")),
    (MessageEventKind.SOFT_BOUNCED, pgettext_lazy("message", "Came back for now")),
    (MessageEventKind.COMPLAINED, pgettext_lazy("message", "Complained")),
    (MessageEventKind.DELIVERED, pgettext_lazy("message", "Delivered")),
]
PUSH_MODEL_KINDS: Choices = [
    (PushModelKind.DUE, _("What runs low")),
    (PushModelKind.RESPONSE, _("Who answers")),
    (PushModelKind.RELEVANCE, _("What suits")),
    (PushModelKind.ACTIVITY, _("When they act")),
    (PushModelKind.FATIGUE, _("What tires")),
]
PUSH_RATES: Choices = [
    (PushRate.COMPLAINTS, _("Complaints")),
    (PushRate.BOUNCES, _("Addresses that do not exist")),
    (PushRate.UNSUBSCRIBES, _("Unsubscribed")),
    (PushRate.FAILURES, _("Refused or failed")),
]
AGENT_STATUSES: Choices = [
    (AgentStatus.OFF, pgettext_lazy("agent", "Off")),
    (AgentStatus.WATCHES, pgettext_lazy("agent", "Watches")),
    (AgentStatus.EXPLORES, pgettext_lazy("agent", "Explores")),
    (AgentStatus.ACTS, pgettext_lazy("agent", "Acts")),
    (AgentStatus.PAUSED, pgettext_lazy("agent", "Paused")),
]
