"""What each holder has of a person, what for and for how long, in the reader's language; and the text in an export."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from recommendations.privacy_terms import HolderCode, Kept
from recommendations.wording.privacy import labels as privacy_labels


class HolderWords(NamedTuple):
    """What a holder has, the purpose of it, and how long it is kept."""

    what: Promise
    purpose: Promise
    retention: Promise


_ERASED = _("Until the customer is erased.")
HOLDER_WORDS: Mapping[HolderCode, HolderWords] = {
    HolderCode.CONTACTS: HolderWords(
        _("Addresses, language and quiet hours, and every yes and no to messages."),
        _("To write to the customer only as they agreed, and to prove it."),
        _("Until the customer is erased; then a keyed hash of each address stays, so that nobody writes to it again."),
    ),
    HolderCode.MESSAGES: HolderWords(
        _("Messages to the customer, why each was sent or not, and what came of it."),
        _("To send them, to send not too many, and to see whether they are of use."),
        _("Messages 400 days, the reasons for and against them 90 days."),
    ),
    HolderCode.AGENTS: HolderWords(
        _("What the agent decided about messages to the customer, and by which figures."),
        _("To learn when a message is welcome, and to be able to explain it."),
        _("90 days."),
    ),
    HolderCode.EXPERIMENTS: HolderWords(
        _("The experiments that the customer took part in, the arm, and what they did in that time."),
        _("To compare two ways of recommending fairly."),
        _ERASED,
    ),
    HolderCode.AUDIENCES: HolderWords(
        _("The audiences that the customer belongs to."),
        _("To choose whom a campaign or a rule is meant for."),
        _("Counted anew every ten minutes."),
    ),
    HolderCode.SLATES: HolderWords(
        _("The lists of items that the customer was shown, with their scores, and what came of them."),
        _("To measure whether recommendations help, and to explain each of them."),
        _("As many days as the shop sets, 400 where it sets none; or until the customer is erased."),
    ),
    HolderCode.ANSWERS: HolderWords(
        _("What the answers to the customer were made of, so that they can be made again."),
        _("To explain an answer of the last weeks, and to look for faults."),
        _("As many days as the shop sets (ANSWERS_DAYS); 30 where it sets none."),
    ),
    HolderCode.INTERESTS: HolderWords(
        _("Interests and the segment, which were inferred from what the customer did."),
        _("To recommend what suits the customer."),
        _("Inferred anew with every run; the last versions are kept."),
    ),
    HolderCode.STAFF_WORK: HolderWords(
        _("Rules and verdicts of staff about the customer, and entries of the audit trail."),
        _("To correct recommendations by hand, and to know who did what."),
        _("Until the customer is erased; the audit trail then names “a customer who was erased”."),
    ),
    HolderCode.FILES: HolderWords(
        _("Rows of files that could not be imported; ids in them are hidden."),
        _("To let staff mend the file."),
        _("Files that wait, a day; refused rows as many days as the shop sets, 30 where it sets none."),
    ),
    HolderCode.SOURCES: HolderWords(
        _("That events of the customer were set aside, and by which rule."),
        _("To keep fakes and faults from changing what others see."),
        _ERASED,
    ),
    HolderCode.SNAPSHOTS: HolderWords(
        _("The customer's events in files, from which the models learn: copies, and months that left the database."),
        _("To learn anew every night without reading the whole record."),
        _("As long as the events that they are copies of; months that have left the database by a rule of the shop."),
    ),
    HolderCode.EVENTS: HolderWords(
        _("What the customer did: views, carts, purchases, refunds, likes and dislikes."),
        _("To recommend, and to count for which purchase a recommendation was of use."),
        _("As many days as the shop sets, 730 where it sets none; or until the customer is erased."),
    ),
    HolderCode.LIVE: HolderWords(
        _("What the customer did lately, and what they were shown, in quick memory."),
        _("To let the next answer know what they have just done."),
        _("As long as the events that it is a copy of."),
    ),
    HolderCode.PROCESSES: HolderWords(
        _("Copies of the above in the memory of running programs."),
        _("To answer within milliseconds."),
        _("Minutes."),
    ),
    HolderCode.LEARNED: HolderWords(
        _("What the models learned from the customer, and sums over many people."),
        _("To recommend to the customer and to others."),
        _("Learned anew with every run; sums of many people until the run after an erasure."),
    ),
    HolderCode.CUSTOMER: HolderWords(
        _("The pseudonym, what the shop says of the customer, what they said they like, and visitors joined to them."),
        _("To know that two acts are of the same person."),
        _("Until the customer is erased, or nothing else of them is left."),
    ),
}
COUNTED: Mapping[HolderCode, Promise] = {
    HolderCode.STAFF_WORK: _("Elsewhere sets of rules that were published with a rule for the customer count as well."),
    HolderCode.FILES: _("Elsewhere files that wait and name the customer count as well."),
    HolderCode.SOURCES: _("Elsewhere notes of staff on why they set the customer aside count as well."),
    HolderCode.SNAPSHOTS: _(
        "Elsewhere all lines of these files are counted; here the events tell what they are copies of, and only what "
        "has left the database stands here."
    ),
    HolderCode.EVENTS: _(
        "Elsewhere what was attributed to purchases counts as well, and that others follow the customer."
    ),
    HolderCode.LIVE: _(
        "Elsewhere keys and lines of quick memory are counted; here each act and liking in them is a row."
    ),
    HolderCode.LEARNED: _(
        "Elsewhere each place of a model that names the customer is counted; here each model is a row."
    ),
}
"""Why counts of what an erasure deletes or changes are others than those of an export's rows, where they are."""
KEPT: Mapping[Kept, Promise] = {
    Kept.SUMS_UNTIL_NEXT_RUN: _("sums over many people, until the next run"),
    Kept.ENTRY_OF_TRAIL: _("entries of the audit trail, which name “a customer who was erased”"),
    Kept.SUPPRESSED_ADDRESS: _("a keyed hash of the address, so that nobody writes to it again"),
}


def export_intro(*, shop: str, now: datetime) -> list[str]:
    """What an export is, what is in it, and how recommendations are made, in paragraphs of the active language."""
    at = timezone.localtime(now).strftime("%Y-%m-%d %H:%M %Z")
    return [
        gettext("All that the recommendations of %(shop)s have about you, as of %(at)s.") % {"shop": shop, "at": at},
        gettext(
            "Each folder is a place that holds something about people. Each table in it is there twice, with the same "
            "rows: as .csv for a spreadsheet, and as .json for programs. Moments are in UTC. A text that a spreadsheet "
            "could take for a formula has an apostrophe before it in .csv."
        ),
        gettext(
            "Numbers here are of rows. Elsewhere, as in the receipt of an erasure, everything is counted that an "
            "erasure deletes or changes; where that is another number it is said."
        ),
        gettext(
            "Your id at the shop is not kept: it became a keyed hash when it came in. Interests, segments and weights "
            "were inferred from what you did; you did not say them."
        ),
        gettext(
            "Recommendations are made from what you and others bought and looked at. You may object to that at any "
            "time; the shop then recommends to you as to a new visitor."
        ),
        gettext(
            "It was shared with nobody but those who carry the shop's messages (mail service, push service of your "
            "browser), where you got one."
        ),
    ]


def export_readme(rows: Mapping[HolderCode, Mapping[str, int]], *, shop: str, now: datetime) -> str:
    """The text in an export, in the active language: what each table is, what for, and how long it is kept.

    ``rows`` are those of each sheet of each holder.
    """
    labels = dict(privacy_labels.HOLDERS)
    first, *more = export_intro(shop=shop, now=now)
    lines = [first, "", *more, ""]
    for code, sheets in rows.items():
        words, number = HOLDER_WORDS[code], sum(sheets.values())
        title = f"{labels[code]} ({code}/)"
        lines += [title, "-" * len(title), str(words.what), gettext("Purpose: %(text)s") % {"text": words.purpose}]
        lines += [gettext("Kept: %(text)s") % {"text": words.retention}]
        lines += [gettext("Counts: %(text)s") % {"text": COUNTED[code]}] if code in COUNTED else []
        each = [f"  {name}: {rows_words(count)}" for name, count in sheets.items()]
        lines += [*(each if number else [gettext("There is nothing about you here.")]), ""]
    return "\n".join(lines)


def rows_words(number: int) -> str:
    """Words for a number of rows."""
    return ngettext("%(number)s row", "%(number)s rows", number) % {"number": f"{number:,}"}
