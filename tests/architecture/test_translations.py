"""Every string has a Chinese text, and the compiled catalogue is that of the readable one."""

import ast
import gettext
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

CATALOGUES = sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po"))
OF_DOMAINS = sorted((ROOT / "locale" / "domains").glob("*/*/LC_MESSAGES/django.po"))
PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|%[sd]|\{[a-z_]*\}")

type Entry = dict[str, str]


def entries(catalogue: Path) -> Iterator[tuple[set[str], Entry]]:
    """Flags and fields (msgctxt, msgid, msgid_plural, msgstr, msgstr[0] …) of each entry but the header."""
    for block in catalogue.read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("#~")]
        flags = {flag.strip() for line in lines if line.startswith("#,") for flag in line[2:].split(",")}
        fields: Entry = {}
        field = ""
        for line in lines:
            if line.startswith("msg"):
                field = line.partition(" ")[0]
                fields[field] = ""
            if field and '"' in line:
                fields[field] += ast.literal_eval(line[line.index('"') :])
        if fields.get("msgid"):
            yield flags, fields


def texts(fields: Entry) -> list[str]:
    return [text for field, text in fields.items() if field.startswith("msgstr")]


def key(fields: Entry) -> str:
    context = fields.get("msgctxt")
    return f"{context}\x04{fields['msgid']}" if context else fields["msgid"]


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.parts[-3])
def test_no_translation_is_empty_or_guessed(catalogue: Path) -> None:
    assert [fields["msgid"] for flags, fields in entries(catalogue) if "fuzzy" in flags] == []
    assert [fields["msgid"] for _flags, fields in entries(catalogue) if not all(texts(fields))] == []


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.parts[-3])
def test_placeholders_are_kept(catalogue: Path) -> None:
    wrong = []
    for _flags, fields in entries(catalogue):
        source = set(PLACEHOLDER.findall(fields["msgid"] + fields.get("msgid_plural", "")))
        wrong += [fields["msgid"] for text in texts(fields) if set(PLACEHOLDER.findall(text)) != source]
    assert wrong == []


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.parts[-3])
def test_the_shops_name_is_no_part_of_a_chinese_word(catalogue: Path) -> None:
    """It may be of Latin letters, so a space is on either side; a language, which is named likewise, is Chinese."""
    own = [text for _flags, fields in entries(catalogue) for text in texts(fields) if "%(language)s" not in text]
    assert [text for text in own if re.search(r"[\u4e00-\u9fff]%\(shop\)s|%\(shop\)s[\u4e00-\u9fff]", text)] == []


@cache
def compiled(catalogue: Path) -> dict[str, str]:
    with catalogue.with_suffix(".mo").open("rb") as file:
        messages = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {name if isinstance(name, str) else f"{name[0]}[{name[1]}]": text for name, text in messages.items()}


@pytest.mark.parametrize("catalogue", [*CATALOGUES, *OF_DOMAINS], ids=lambda path: "-".join(path.parts[-4:-2]))
def test_the_compiled_catalogue_is_in_step(catalogue: Path) -> None:
    expected = {}
    for _flags, fields in entries(catalogue):
        plural = "msgid_plural" in fields
        for field, text in fields.items():
            if field.startswith("msgstr"):
                expected[key(fields) + (field.removeprefix("msgstr") if plural else "")] = text
    assert {name: text for name, text in compiled(catalogue).items() if name} == expected


@pytest.mark.skipif(not shutil.which("xgettext"), reason="needs gettext's xgettext")
def test_every_string_of_the_source_is_in_the_catalogue(tmp_path: Path) -> None:
    for name in ("recommendations", "analytics", "demo", "recsite", "templates", "locale", "static"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
    argv = [sys.executable, "-m", "django", "makemessages", "--all", "--no-obsolete", "--no-location"]
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for catalogue in CATALOGUES:
        fresh = {key(fields) for _flags, fields in entries(tmp_path / catalogue.relative_to(ROOT))}
        ours = {key(fields) for _flags, fields in entries(catalogue)}
        assert fresh - ours == set(), "add these by hand, with their Chinese: CONTRIBUTING.md, Translations"
        assert ours - fresh == set(), "these are used no more"


def test_there_are_catalogues() -> None:
    assert [path.parts[-3] for path in CATALOGUES] == ["zh_Hans"]
