"""Labels of the codes of push on a page, in the reader's language."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.push_terms import (
    AddressState,
    Channel,
    ConsentSource,
    ConsentState,
    Purpose,
    SuppressionReason,
)
from recommendations.wording.labels import Choices

CHANNELS: Choices = [(Channel.EMAIL, _("E-mail"))]
PURPOSES: Choices = [
    (Purpose.FOR_YOU, _("Recommendations for you")),
    (Purpose.REMINDERS, _("Reminders")),
    (Purpose.NEWS, _("News and offers for everybody")),
]
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
    (ConsentSource.STAFF, _("Staff")),
    (ConsentSource.DEMO, _("Invented for the demo")),
]
ADDRESS_STATES: Choices = [
    (AddressState.UNCONFIRMED, pgettext_lazy("address", "Not confirmed")),
    (AddressState.ACTIVE, pgettext_lazy("address", "In use")),
    (AddressState.GONE, pgettext_lazy("address", "Gone")),
]
SUPPRESSION_REASONS: Choices = [
    (SuppressionReason.HARD_BOUNCE, _("It does not exist")),
    (SuppressionReason.COMPLAINT, _("Complained")),
    (SuppressionReason.UNSUBSCRIBED_ALL, _("Unsubscribed from everything")),
    (SuppressionReason.STAFF, _("Set by staff")),
    (SuppressionReason.ERASED, _("Erased")),
]
