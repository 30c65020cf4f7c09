"""Terms of the push agent in words: their names in a sum, and sentences of what was learned of them."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recommendations.wording.labels import Choices
from recommendations.wording.push_labels import CHANNELS

LEVERS: Choices = [
    ("whether", gettext_lazy("Whether anything is sent today")),
    ("campaign", gettext_lazy("Which campaign")),
    ("subject", gettext_lazy("Which subject")),
    ("channel", gettext_lazy("Which channel")),
    ("hour", gettext_lazy("Which part of the day")),
]
SLOTS: Choices = [
    ("morning", gettext_lazy("Morning, 8–12")),
    ("midday", gettext_lazy("Midday, 12–17")),
    ("evening", gettext_lazy("Evening, 17–21")),
]
GROUPS: Choices = [
    ("agent", gettext_lazy("The agent's people")),
    ("rule", gettext_lazy("The rule's people")),
    ("holdout", gettext_lazy("Held out")),
]
BANDS = (
    gettext_lazy("people who seldom buy"),
    gettext_lazy("people who buy now and then"),
    gettext_lazy("frequent buyers"),
)
"""Bands of buying rate, after “of 100 answers of”."""

NAMES: Mapping[str, Promise] = {
    "level": gettext_lazy("What everybody begins with"),
    "buys_often": gettext_lazy("Buys often"),
    "browses": gettext_lazy("Browses"),
    "newness": gettext_lazy("Is new"),
    "due": gettext_lazy("Something runs low"),
    "sent_7": gettext_lazy("Messages in 7 days"),
    "sent_28": gettext_lazy("Messages in 28 days"),
    "silence": gettext_lazy("Days since the last act"),
    "relevance": gettext_lazy("How well the list suits"),
    "response": gettext_lazy("How likely they answer anything"),
    "campaign": gettext_lazy("Campaign “%(campaign)s”"),
    "campaign_due": gettext_lazy("Campaign “%(campaign)s” × something runs low"),
    "subject": gettext_lazy("Subject %(subject)s of “%(campaign)s”"),
    "subject_buys_often": gettext_lazy("Subject %(subject)s of “%(campaign)s” × buys often"),
    "subject_browses": gettext_lazy("Subject %(subject)s of “%(campaign)s” × browses"),
    "channel": gettext_lazy("Channel: %(channel)s"),
    "channel_buys_often": gettext_lazy("Channel: %(channel)s × buys often"),
    "channel_browses": gettext_lazy("Channel: %(channel)s × browses"),
    "slot": gettext_lazy("Part of the day: %(slot)s"),
    "own_hours": gettext_lazy("Their own hours"),
    "own_answers": gettext_lazy("Their own answers by this channel"),
}
"""Names by the kind of a term, with what it is of."""

LEARNED: Mapping[str, Promise] = {
    "level": gettext_lazy("Everybody answers %(times)s"),
    "buys_often": gettext_lazy("People who buy more often answer %(times)s"),
    "browses": gettext_lazy("People who browse answer %(times)s"),
    "newness": gettext_lazy("Newer customers answer %(times)s"),
    "due": gettext_lazy("People for whom something runs low answer %(times)s"),
    "sent_7": gettext_lazy("With each message of the last 7 days people answer %(times)s"),
    "sent_28": gettext_lazy("With more messages in the last 28 days people answer %(times)s"),
    "silence": gettext_lazy("People who were silent for longer answer %(times)s"),
    "relevance": gettext_lazy("People whom the list suits better answer %(times)s"),
    "response": gettext_lazy("People who are likelier to answer at all answer %(times)s"),
    "campaign": gettext_lazy("“%(campaign)s” is answered, beside “%(other_campaign)s”, %(times)s"),
    "campaign_due": gettext_lazy("People for whom something runs low answer “%(campaign)s” %(times)s"),
    "subject": gettext_lazy("Subject %(subject)s of “%(campaign)s” is answered, beside the first, %(times)s"),
    "subject_buys_often": gettext_lazy(
        "People who buy more often answer subject %(subject)s of “%(campaign)s” %(times)s"
    ),
    "subject_browses": gettext_lazy("People who browse answer subject %(subject)s of “%(campaign)s” %(times)s"),
    "channel": gettext_lazy("%(channel)s: it is answered, beside %(other_channel)s, %(times)s"),
    "channel_buys_often": gettext_lazy("%(channel)s: people who buy more often answer it %(times)s"),
    "channel_browses": gettext_lazy("%(channel)s: people who browse answer it %(times)s"),
    "slot": gettext_lazy("%(slot)s: messages are answered, beside midday, %(times)s"),
    "own_hours": gettext_lazy("At their own hours people answer %(times)s"),
    "own_answers": gettext_lazy("By the channel that they answered before people answer %(times)s"),
}
"""Sentences by the kind of a term, before how many times."""

BETWEEN_TWO = frozenset({"campaign", "subject", "channel", "slot"})
"""Kinds that are one way beside another; all others are of a step."""


def term_name(kind: str, facts: Mapping[str, object]) -> str:
    """What a term is called in a sum."""
    return str(NAMES[kind]) % facts


def learned_sentence(kind: str, facts: Mapping[str, object], *, times: str, low: str, high: str) -> str:
    """What was learned of a term, with the interval of how many times."""
    if kind in BETWEEN_TWO:
        words = _("%(times)s times as often (%(low)s–%(high)s).")
    else:
        words = _("%(times)s times as often for each step more (%(low)s–%(high)s).")
    return str(LEARNED[kind]) % {**facts, "times": words % {"times": times, "low": low, "high": high}}


def value_words(lever: str, value: str) -> str:
    """A lever's value that staff pin or forbid; a subject is told by its number from one on."""
    if lever == "subject" and value.isdigit():
        return _("Subject %(n)s") % {"n": int(value) + 1}
    names = {"channel": dict(CHANNELS), "hour": dict(SLOTS)}
    return str(names.get(lever, {}).get(value, value))
