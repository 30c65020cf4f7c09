"""Sentences that a worker stored in its own language, as the reader's language has them."""

import re

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext, pgettext

register = template.Library()

FORMS = (
    gettext_noop("Send one of these languages: %(known)s."),
    gettext_noop("Write one or several of %(known)s."),
    gettext_noop("Send at most %(most)d bytes of proof."),
    gettext_noop("The shop's promotion weeks start on a {weekday}; enter the date of that day."),
    gettext_noop("The shop's currency is {currency}. Convert the amounts, or leave the column out."),
    gettext_noop("The kind of an item is one of {kinds}."),
    gettext_noop(
        "Events that are older than they are kept: %(count)s. They go with the next night, unless a longer rule is set "
        "before (Privacy → Retention)."
    ),
    gettext_noop("Columns that are ignored: %(names)s."),
    gettext_noop("%(file)s cannot be read: %(reason)s."),
    gettext_noop("%(file)s is empty; its first line must name the columns."),
    gettext_noop("%(file)s: This is %(kind)s, not CSV or Parquet. Save the table as CSV in UTF-8, or as Parquet."),
    gettext_noop("%(file)s: This file is UTF-16; save it as “CSV UTF-8”."),
    gettext_noop("%(file)s: This file is not UTF-8; save it as “CSV UTF-8”."),
    gettext_noop("%(file)s: line 1 is empty; it must name the columns."),
    gettext_noop("%(file)s is not a complete Parquet file (%(reason)s); write or copy it again."),
    gettext_noop("%(file)s, line 1: the column %(names)s is missing. The file has %(present)s; it may have %(known)s."),
    gettext_noop(
        "%(file)s, line 1: the column %(names)s is missing. The file has %(present)s; it may have %(known)s. If "
        "it has another name, manage.py import_items takes it: --map NAME=%(first)s"
    ),
    gettext_noop("%(file)s, line %(line)s: this is no XML that can be read (%(reason)s); nothing was imported."),
    gettext_noop("%(file)s, line %(line)s: this is no JSON that can be read (%(reason)s); nothing was imported."),
    gettext_noop("%(file)s: This XML has no <item> or <entry>, so it is no product feed."),
    gettext_noop("%(file)s: This is a web page, not a feed. Does the address need a login?"),
    gettext_noop("%(file)s: This JSON has no list of objects. Write [{…}, …], or one object on each line."),
    gettext_noop("%(file)s: This is a spreadsheet. Save its table as CSV in UTF-8."),
    gettext_noop("%(file)s must have one file in it, and has %(count)s: %(names)s."),
    gettext_noop("%(file)s is locked with a password; pack it without one."),
    gettext_noop("%(file)s unpacks to more than %(most)s MB, far more than it should; pack it again."),
    gettext_noop("%(file)s cannot be unpacked (%(reason)s); pack or copy it again."),
    gettext_noop("Read under our names: %(names)s."),
    gettext_noop(
        "The feed lacks %(count)s of %(of)s items, %(share)s%%: more than %(most)s%%, so nothing was imported. Look at "
        "the feed; if it is right, run: manage.py import_items ADDRESS --full --yes"
    ),
    gettext_noop("Items that were retired, as the file lacks them: %(count)s."),
    gettext_noop("Retired items that are in the file again, and on sale: %(count)s."),
    gettext_noop("Rows of items that stay retired: %(count)s. Staff put them on sale again, or the API."),
    gettext_noop(
        "Rows of items that stay retired: %(count)s. A file with --full brings back what such a file retired; "
        "staff or the API put the others on sale again."
    ),
    gettext_noop(
        "All amounts of the file are in %(theirs)s, and the shop's currency is %(ours)s. If the shop sells in "
        "%(theirs)s, start it with SHOP_CURRENCY=%(theirs)s (docs/settings.md), and import the file again."
    ),
    gettext_noop(
        "Nothing was retired: %(rows)s refused rows have no item id, and may be those of the %(count)s items that "
        "seem to be lacking. Mend them, and import the file again."
    ),
    gettext_noop("%(address)s could not be read (%(reason)s). Does it open from this machine?"),
    gettext_noop("%(address)s answered %(status)s. Look at the shop's server, and try again."),
    gettext_noop("%(address)s asks for a login: write https://name:password@…"),
    gettext_noop("%(address)s is forbidden to us (403). Let this machine in."),
    gettext_noop("%(address)s has no feed (404). Is the address right?"),
    gettext_noop("%(address)s is larger than %(most)s MB. Split the feed."),
    gettext_noop("%(address)s took longer than %(minutes)s minutes."),
    gettext_noop("%(address)s broke off in the middle; it is asked again later."),
    gettext_noop("%(address)s leads to %(to)s, by another protocol. If that is right, give that address."),
    gettext_noop("%(address)s: the host is not known. Is the name right, and does this machine reach a name server?"),
    gettext_noop("%(file)s, line 1: one of the columns %(names)s is needed. The file has %(present)s."),
    gettext_noop("%(file)s, line 1: the column %(names)s appears twice; remove or rename one."),
    gettext_noop("%(file)s, line 1: the column %(names)s is missing. The columns are %(known)s."),
    gettext_noop("%(file)s, line 1: these columns are missing: %(names)s. The columns are %(known)s."),
    gettext_noop(
        "%(file)s, line 1: these columns are missing: %(names)s, and one of %(either)s. The columns are %(known)s."
    ),
    gettext_noop("The text is too long: at most %(most)s characters."),
    gettext_noop("Rows that repeat a campaign and a customer: %(count)s. With the first they are one receipt."),
    gettext_noop("Events that are left out, because nothing is learned from them: %(counts)s."),
    gettext_noop("%(system)s's “%(name)s” is left out on purpose: nothing is learned from it."),
    gettext_noop("%(system)s's “%(name)s” is left out: nothing is learned from it."),
    gettext_noop("There is no event “%(name)s”, so it is left out; “%(like)s” is one."),
    gettext_noop("There is no event “%(name)s”, so it is left out. There are: %(names)s."),
    gettext_noop("There is no item with this id yet; the line waits for it, %(days)s days."),
    gettext_noop("This looks like %(what)s; send it to %(address)s."),
    gettext_noop("The time is more than 10 minutes ahead of the server's (%(now)s); set the clock correctly."),
    gettext_noop("The time is more than %(days)s days ago; load older events with manage.py import_events."),
    gettext_noop("This shop's currency is %(ours)s; convert the amounts, or leave the currency out."),
    gettext_noop("Send a text of 1 to %(most)s characters, or a UUID; a retry repeats it."),
    gettext_noop("Send %(wanted)s, not %(sent)s."),
    gettext_noop("Send a number of at least %(bound)s."),
    gettext_noop("Send a number of at most %(bound)s."),
    gettext_noop("Send a number above %(bound)s."),
    gettext_noop("Quantity times price: %(text)s"),
    gettext_noop("An amount must be between 0 and %(largest)s."),
    gettext_noop("What is followed is one of %(targets)s."),
    gettext_noop("The proof expired at %(moment)s. Let your server get another from POST /api/v1/identity/."),
    gettext_noop("Send {“events”: [1 to %(most)s events]}, or one event by itself."),
    gettext_noop("Send 1 to %(most)s events."),
    gettext_noop("The body is not UTF-8: byte %(byte)s cannot be read."),
    gettext_noop("The body is not JSON: an unexpected character at byte %(byte)s (line %(line)s, column %(column)s)."),
    gettext_noop("%(file)s: This is no JSON. Without --from it is read as CSV or Parquet."),
    gettext_noop("%(file)s: This looks like %(what)s. Import it with: manage.py import_events FILE --from %(system)s"),
    gettext_noop("%(file)s: This is JSON. Say whose events it holds: --from %(systems)s. Ours come as CSV or Parquet."),
    gettext_noop(
        "Calls that only say who somebody is: %(count)s. Their ids are joined; what people are like comes in with "
        "manage.py import_customers."
    ),
)
"""Sentences of imports and of events that say something of the file, the event or the shop."""
COUNTED = tuple(
    (f"Send at {bound} %(bound)d {what}.", f"Send at {bound} %(bound)d {what}s.")
    for bound in ("least", "most")
    for what in ("character", "element", "field")
)
"""Sentences of one and of several, as ``ingest/misfit.py`` has them."""
_GAP = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")
_WORDS = frozenset({"weekday", "kind", "what", "wanted", "sent", "text"})
"""Gaps that hold words of ours."""
_ENDS = re.compile(r"(?<=\.) ")


def _pattern(form: str) -> re.Pattern[str]:
    parts: list[str] = []
    names, at = set(), 0
    form = form.replace("%%", "%")
    for gap in _GAP.finditer(form):
        name = gap[1] or gap[2]
        parts += [re.escape(form[at : gap.start()]), f"(?P={name})" if name in names else f"(?P<{name}>.*)"]
        names.add(name)
        at = gap.end()
    return re.compile("".join(parts) + re.escape(form[at:]), re.DOTALL)


_PATTERNS = [(form, _pattern(form)) for form in FORMS]
_COUNTED = [(forms, _pattern(form)) for forms in COUNTED for form in forms]


@register.filter
def in_own_words(text: str) -> str:
    """Stored sentences of ours, one a line, in the reader's language; whatever else it is stays as it is."""
    return "\n".join(map(_sentence, text.split("\n"))) if text else text


def _sentence(text: str) -> str:
    return _translated(text) or text


def _translated(text: str) -> str:
    """The sentence in the reader's language, or two that one follows the other; "" where it is none of ours."""
    known = _(text) if text else text
    if known != text:
        return known
    for end in _ENDS.finditer(text):
        if (first := _translated(text[: end.start()])) and (second := _translated(text[end.end() :])):
            return pgettext("two sentences", "%(first)s %(second)s") % {"first": first, "second": second}
    for forms, pattern in _COUNTED:
        if match := pattern.fullmatch(text):
            return ngettext(*forms, int(match["bound"])) % {"bound": int(match["bound"])}
    matches = ((form, pattern.fullmatch(text)) for form, pattern in _PATTERNS)
    return next((_again(form, match) for form, match in matches if match), "")


def _again(form: str, match: re.Match[str]) -> str:
    values = {name: _word(value) if name in _WORDS else value for name, value in match.groupdict().items()}
    return _GAP.sub(lambda gap: values[gap[1] or gap[2]], _(form).replace("%%", "%"))


def _word(text: str) -> str:
    """Words of ours in the reader's language: a sentence, a word, or several of which one is meant."""
    if known := _translated(text):
        return known
    one, _or, other = text.rpartition(" or ")
    return _("%(one)s or %(other)s") % {"one": _word(one), "other": _word(other)} if one else text
