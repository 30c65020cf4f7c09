"""A page in Chinese has its English page's commands, headings, links and pictures, and the screens' names of pages."""

import os
import re
from difflib import ndiff
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.architecture.test_citations import FENCE, LINK, SPAN, unfenced, written
from tests.architecture.test_translations import CATALOGUES, compiled

CHINESE = {
    "README.zh.md": "README.md",
    **{f"docs/zh/{path.name}": f"docs/{path.name}" for path in sorted((ROOT / "docs/zh").glob("*.md"))},
}
"""The English page of each Chinese one."""

COMMENT = re.compile(r"(?:^|\s)#\s.*$")
PATH = re.compile(r"[a-z_]+(?:/[a-z_]*)+")
HEADING = re.compile(r"^(#+) ", flags=re.MULTILINE)
PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
NAME = re.compile(r"\*\*([^*]+)\*\*")
NAVIGATION = re.compile(r'\{% icon "[a-z-]+" %\}\{% translate "(\w+)"(?: context "(\w+)")? %\}')
TYPED = re.compile(r"\b(?:make|manage\.py|python|docker|pip) \S|^(?:[A-Z]+ )?/|://")
"""What a reader types: a command or an address."""

ENGLISH_TEXT = """English · [中文](README.zh.md)

# Start

```sh
make demo   # the shop
make test
```

`make lint` and `/api/docs/`; [keys](docs/keys.md) in `keys.py`.

```
ingest/ ──► loop/train
the events  fit
```

![Page](docs/page.png)
"""

CHINESE_TEXT = """[English](README.md) · 中文

# 开始

```sh
make demo     # 商店
make test
```

`make lint` 和 `/api/docs/`。在 `keys.py` 中的[密钥](docs/keys.md)。

```
ingest/ ──► loop/train
事件        训练
```

![页面](docs/page.png)
"""


def blocks(text: str) -> list[str]:
    """Lines of all blocks of code without comments; of a drawing, which is a block of no language, the paths alone."""
    lines = []
    for fence in FENCE.finditer(text):
        first, *code, _end = fence[0].splitlines()
        drawn = first.strip() == "```"
        lines += [first, *(PATH.findall(" ".join(code)) if drawn else [COMMENT.sub("", line) for line in code])]
    return [line.rstrip() for line in lines if line]


def spans(text: str) -> list[str]:
    """What stands in backticks, each on one line."""
    return [" ".join(span[2].split()) for span in SPAN.finditer(unfenced(text))]


def typed(text: str) -> list[str]:
    return [span for span in spans(text) if TYPED.search(span)]


def targets(text: str, *, page: str, pattern: re.Pattern[str] = LINK) -> list[str]:
    """Addresses and paths from the root that the page links to."""
    links = [link.partition("#")[0] for link in pattern.findall(unfenced(text))]
    return [link if ":" in link else os.path.normpath(Path(page).parent / link) for link in links]


def in_english(paths: list[str]) -> list[str]:
    """The same, sorted, with the English page in the place of a Chinese one."""
    return sorted(CHINESE.get(path, path) for path in paths)


def differences(english: str, chinese: str, *, page: str) -> dict[str, list[str]]:
    """What only the text of the English page has (``-``) and only that of the Chinese one (``+``), by what it is."""
    pages = [(CHINESE[page], english), (page, chinese)]
    seen = {
        "blocks of code": [blocks(text) for _, text in pages],
        "commands and addresses": [typed(text) for _, text in pages],
        "names in backticks": [sorted(spans(text)) for _, text in pages],
        "headings": [HEADING.findall(unfenced(text)) for _, text in pages],
        "links": [in_english(targets(text, page=name)) for name, text in pages],
        "pictures": [targets(text, page=name, pattern=PICTURE) for name, text in pages],
    }
    changes = {what: [line for line in ndiff(*both) if line[0] in "+-"] for what, both in seen.items()}
    return {what: lines for what, lines in changes.items() if lines}


@pytest.mark.parametrize("chinese", CHINESE)
def test_a_chinese_page_follows_its_english_one(chinese: str) -> None:
    assert differences(written(CHINESE[chinese]), written(chinese), page=chinese) == {}


@pytest.mark.parametrize("chinese", CHINESE)
def test_the_first_lines_of_two_pages_lead_to_each_other(chinese: str) -> None:
    english = CHINESE[chinese]
    assert targets(written(english).splitlines()[0], page=english) == [chinese]
    assert targets(written(chinese).splitlines()[0], page=chinese) == [english]


@pytest.mark.parametrize("chinese", CHINESE)
def test_pages_of_the_dashboard_have_their_names_of_the_navigation(chinese: str) -> None:
    navigation = dict(NAVIGATION.findall(written("templates/dashboard/sections.html")))
    names = NAME.findall(written(CHINESE[chinese]))
    keys = [f"{navigation[name]}\x04{name}" if navigation.get(name) else name for name in names]
    assert NAME.findall(written(chinese)) == [compiled(CATALOGUES[0]).get(key) for key in keys]


def test_texts_with_the_same_commands_do_not_differ() -> None:
    assert differences(ENGLISH_TEXT, CHINESE_TEXT, page="README.zh.md") == {}


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("make test", "make test\nmake fuzz", {"blocks of code"}),
        ("make demo", "PORT=1 make demo", {"blocks of code"}),
        ("loop/train", "loop/learn", {"blocks of code"}),
        ("`make lint`", "`make lint` `make audit`", {"commands and addresses", "names in backticks"}),
        ("`/api/docs/`", "`/api/`", {"commands and addresses", "names in backticks"}),
        ("`keys.py`", "keys", {"names in backticks"}),
        ("\n# ", "\n## ", {"headings"}),
        ("![", "\n## B\n\n![", {"headings"}),
        ("docs/keys.md", "docs/locks.md", {"links"}),
        ("docs/page.png", "docs/pages.png", {"links", "pictures"}),
        ("![", "[", {"pictures"}),
    ],
)
@pytest.mark.parametrize("side", ["english", "chinese"])
def test_what_only_one_side_has_is_seen(before: str, after: str, what: set[str], side: str) -> None:
    text = {"english": ENGLISH_TEXT, "chinese": CHINESE_TEXT}
    text[side] = text[side].replace(before, after)
    assert set(differences(**text, page="README.zh.md")) == what


def test_the_order_of_commands_counts() -> None:
    swapped = CHINESE_TEXT.replace("`make lint` 和 `/api/docs/`", "`/api/docs/` 和 `make lint`")
    assert set(differences(ENGLISH_TEXT, swapped, page="README.zh.md")) == {"commands and addresses"}
