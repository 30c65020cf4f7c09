"""Sentences that a worker stored in its own language, as the reader's language has them."""

import re

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

register = template.Library()

FORMS = (
    gettext_noop("Send one of these languages: %(known)s."),
    gettext_noop("Write one or several of %(known)s."),
    gettext_noop("Send at most %(most)d bytes of proof."),
    gettext_noop("The shop's promotion weeks start on a {weekday}; enter the date of that day."),
    gettext_noop("The shop's currency is {currency}. Convert the amounts, or leave the column out."),
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
    gettext_noop("%(file)s, line 1: the column “%(name)s” is missing. The columns are %(known)s."),
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
)
"""Sentences of imports and of events that say something of the file, the event or the shop."""
_GAP = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")
_WORDS = frozenset({"weekday", "kind", "what"})
"""Gaps that hold words of ours."""


def _pattern(form: str) -> re.Pattern[str]:
    parts, at = [], 0
    form = form.replace("%%", "%")
    for gap in _GAP.finditer(form):
        parts += [re.escape(form[at : gap.start()]), f"(?P<{gap[1] or gap[2]}>.*)"]
        at = gap.end()
    return re.compile("".join(parts) + re.escape(form[at:]), re.DOTALL)


_PATTERNS = [(form, _pattern(form)) for form in FORMS]


@register.filter
def in_own_words(text: str) -> str:
    """Stored sentences of ours, one a line, in the reader's language; whatever else it is stays as it is."""
    return "\n".join(map(_sentence, text.split("\n"))) if text else text


def _sentence(text: str) -> str:
    known = _(text) if text else text
    if known != text:
        return known
    matches = ((form, pattern.fullmatch(text)) for form, pattern in _PATTERNS)
    return next((_again(form, match) for form, match in matches if match), text)


def _again(form: str, match: re.Match[str]) -> str:
    values = {name: _(value) if name in _WORDS and value else value for name, value in match.groupdict().items()}
    return _GAP.sub(lambda gap: values[gap[1] or gap[2]], _(form).replace("%%", "%"))
