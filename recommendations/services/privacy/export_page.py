"""The page of an export, to be read without any program but a browser: what each place has, its first rows, its files.

It is there in every language, without a script; in the tables are the words of the language that was asked for.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import get_language_info, ngettext
from django.utils.translation import gettext as _

from recommendations.privacy_terms import HolderCode
from recommendations.wording.privacy import labels as privacy_labels
from recommendations.wording.privacy.words import COUNTED, HOLDER_WORDS, HolderWords, export_intro, rows_words

FIRST = 10
"""Rows of a table that stand on the page."""
LONGEST = 200
"""Characters of a cell that stand there."""
INFERRED = frozenset({HolderCode.INTERESTS, HolderCode.LEARNED})


@dataclass(kw_only=True)
class SheetCopy:
    """What the page has of a sheet whose rows are written elsewhere: their number, and the first of them."""

    code: HolderCode
    name: str
    columns: Sequence[str]
    count: int = 0
    first: list[list[str]] = field(default_factory=list)

    def note(self, row: Sequence[Any]) -> None:
        """Note that a row was written."""
        self.count += 1
        if self.count <= FIRST:
            self.first.append([_text_of(value) for value in row])

    @property
    def csv(self) -> str:
        return quote(f"{self.code}/{self.name}.csv")

    @property
    def json(self) -> str:
        return quote(f"{self.code}/{self.name}.json")

    @property
    def extent(self) -> str:
        """How much of the table is here."""
        if self.count <= FIRST:
            return rows_words(self.count)
        text = ngettext(
            "The first %(first)s of %(rows)s row; all are in the files.",
            "The first %(first)s of %(rows)s rows; all are in the files.",
            self.count,
        )
        return text % {"first": FIRST, "rows": f"{self.count:,}"}


@dataclass(frozen=True, kw_only=True)
class PlaceCopy:
    """A holder on the page, with its sheets."""

    code: HolderCode
    title: str
    words: HolderWords
    sheets: Sequence[SheetCopy]

    @property
    def is_empty(self) -> bool:
        return not any(sheet.count for sheet in self.sheets)

    @property
    def count(self) -> str:
        return rows_words(sum(sheet.count for sheet in self.sheets))

    @property
    def other_counts(self) -> str:
        """Why counts elsewhere are others, "" where they are the same."""
        return str(COUNTED.get(self.code, ""))

    @property
    def inferred(self) -> bool:
        return self.code in INFERRED


def export_pages(sheets: Mapping[HolderCode, Sequence[SheetCopy]], *, now: datetime) -> Iterator[tuple[str, str]]:
    """Name and text of the page in each language; that of the active one is ``index.html``."""
    written_in = translation.get_language()
    codes = [code for code, _name in settings.LANGUAGES]
    named = {code: "index.html" if code == written_in else f"index.{code}.html" for code in codes}
    for code, name in named.items():
        others = [(named[each], each, get_language_info(each)["name_local"]) for each in codes if each != code]
        with translation.override(code):
            titles = dict(privacy_labels.HOLDERS)
            context = {
                "language": code, "written_in": written_in, "others": others, "shop": settings.SHOP_NAME,
                "intro": export_intro(shop=settings.SHOP_NAME, now=now),
                "places": [
                    PlaceCopy(code=holder, title=str(titles[holder]), words=HOLDER_WORDS[holder], sheets=copies)
                    for holder, copies in sheets.items()
                ],
            }  # fmt: skip
            yield name, render_to_string("export/index.html", context)


def _text_of(value: Any) -> str:
    """A cell as somebody reads it: moments in UTC, lists in a row, nothing longer than a few lines."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict | list | tuple):
        value = json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
