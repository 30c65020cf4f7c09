"""What the documents, docstrings and comments cite exists: files, folders, and sections of the mathematics."""

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGES, ROOT, tracked

BASES = ("", "recommendations", "analytics", "bench", "docs", "templates/dashboard")
"""Folders that a path may begin in, beside the citing file's own and those above it."""

PAGES = ("*.md", "docs/*.md", "docs/decisions/*.md", "docs/zh/*.md", "bench/README.md", "bench/*/README.md")
CODE = (*PACKAGES, "bench", "tests")
SUFFIXES = (".py", ".md", ".html", ".css", ".js", ".toml", ".yml", ".yaml", ".conf", ".sh")
"""Files of the repository; what a program writes or a shop sends has other ones."""

FENCE = re.compile(r"^ *```.*?^ *```", flags=re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", flags=re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PAGE = re.compile(r"(?<![\w/`.-])docs/[\w/-]+\.md\b")
PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")
SECTION = re.compile(r"maths\.md`* §(\d+)")

type Citation = tuple[str, str]
"""Who cites, as ``path:line``, and what."""


@cache
def files() -> frozenset[str]:
    return frozenset(str(path.relative_to(ROOT)) for path in tracked())


@cache
def folders() -> frozenset[str]:
    return frozenset(str(folder) for name in files() for folder in Path(name).parents)


@cache
def names_of_files() -> Counter[str]:
    return Counter(Path(name).name for name in files())


@cache
def names_of_folders() -> frozenset[str]:
    return frozenset(Path(name).name for name in folders())


def pages() -> list[str]:
    return [str(path.relative_to(ROOT)) for pattern in PAGES for path in sorted(ROOT.glob(pattern))]


def code() -> list[str]:
    parts = {name: Path(name).parts for name in files() if name.endswith(".py")}
    return sorted(name for name, part in parts.items() if part[0] in CODE and not {"migrations", "vendor"} & set(part))


def written(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Docstrings, also of attributes, and comments, each with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def paths_in(text: str) -> Iterator[tuple[int, str]]:
    """Paths in backticks, and pages by name, each with the lines before it."""
    for span in SPAN.finditer(text):
        for word in span[2].split():
            token = word.strip("(),;:").removesuffix(".")
            if PATH.fullmatch(token) and is_path(token):
                yield text.count("\n", 0, span.start()), token
    for page in PAGE.finditer(text):
        yield text.count("\n", 0, page.start()), page[0]


def is_path(token: str) -> bool:
    """Whether it is a file of ours, a folder (a slash at its end), or a module by its path from the root."""
    module = "/" in token and "." not in Path(token).name and token.partition("/")[0] in folders()
    return module or token.endswith((*SUFFIXES, "/"))


def exists(token: str, *, citing: str) -> bool:
    """Whether it is found from the citing file; a bare name may stand anywhere, in code if only one file has it."""
    path = token.removesuffix("/")
    starts = [*BASES, *map(str, Path(citing).parents)]
    places = {str(Path(start) / path) for start in starts}
    if places & folders():
        return True
    if token.endswith("/"):
        return "/" not in path and path in names_of_folders()
    if places & files() or (not path.endswith(SUFFIXES) and {f"{place}.py" for place in places} & files()):
        return True
    return "/" not in path and (names_of_files()[path] == 1 or (citing.endswith(".md") and path in names_of_files()))


def missing_paths(text: str, *, citing: str, line: int = 1) -> list[Citation]:
    return [(f"{citing}:{line + at}", path) for at, path in paths_in(text) if not exists(path, citing=citing)]


def missing_links(text: str, *, citing: str) -> list[Citation]:
    missing = []
    for link in LINK.finditer(text):
        target = link[1].partition("#")[0]
        if target and not re.match(r"[a-z]+:", target) and not (ROOT / citing).parent.joinpath(target).exists():
            missing.append((f"{citing}:{text.count('\n', 0, link.start()) + 1}", link[1]))
    return missing


def unfenced(text: str) -> str:
    """Without its blocks of code, whose lines stay."""
    return FENCE.sub(lambda block: "\n" * block[0].count("\n"), text)


def sections() -> set[str]:
    return set(re.findall(r"^## (\d+)\. ", written("docs/maths.md"), flags=re.MULTILINE))


@pytest.mark.parametrize("document", pages())
def test_what_a_document_cites_exists(document: str) -> None:
    text = unfenced(written(document))
    assert missing_paths(text, citing=document) + missing_links(text, citing=document) == []


def test_what_the_code_cites_exists() -> None:
    missing = []
    for name in code():
        for line, text in prose(written(name)):
            missing += missing_paths(text, citing=name, line=line)
    assert missing == []


def test_every_section_of_the_mathematics_that_is_cited_exists() -> None:
    cited = {(name, number) for name in (*code(), *pages()) for number in SECTION.findall(written(name))}
    assert len(cited) >= 20
    assert {each for each in cited if each[1] not in sections()} == set()


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("``maths.md`` and ``loop/run.py``", []),
        ("``beside.py`` of ``engine/none/``, see docs/nothing.md.", ["beside.py", "engine/none/", "docs/nothing.md"]),
        ("`python bench/accuracy.py --json out.json`; `python bench/precision.py`", ["bench/precision.py"]),
        ("``recommendations/loop`` and ``recommendations/circle``", ["recommendations/circle"]),
        ("``/api/docs/``, ``queries/<page>``, ``segments/numbers``, ``kept.csv``", []),
    ],
)
def test_a_path_that_does_not_exist_is_seen(text: str, missing: list[str]) -> None:
    assert [path for _, path in missing_paths(text, citing="recommendations/terms.py")] == missing


def test_a_link_that_leads_nowhere_is_seen() -> None:
    text = "[a](docs/keys.md#top) [b](docs/locks.md) [c](https://example.com/) [d](#here)"
    assert missing_links(text, citing="README.md") == [("README.md:1", "docs/locks.md")]


def test_comments_and_docstrings_are_read_and_strings_are_not() -> None:
    source = '"""``a.py``"""\nx = "``b.py``"  # ``c.py``\n"""``d.py``"""\n'
    assert sorted(text for _, text in prose(source)) == ["# ``c.py``", "``a.py``", "``d.py``"]
