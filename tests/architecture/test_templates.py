"""Pages stay within the strict content security policy, and name only icons that exist."""

import re
import xml.etree.ElementTree as ET

import pytest
from django.template.loader import get_template

from tests.architecture.source import ROOT, tracked

BANNED = {
    "inline script": r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>",
    "inline style": r"<style|\sstyle\s*=",
    "inline handler": r"\son[a-z]+\s*=",
    "htmx handler (needs eval)": r"hx-on\b|data-hx-on\b",
    "htmx expression (needs eval)": r"""=\s*["']\s*(?:js|javascript):""",
    "htmx trigger filter (needs eval)": r"""hx-trigger\s*=\s*["'][^"']*\w\[""",
    "address of another host": r"""(?:src|href|action)\s*=\s*["']?(?:https?:)?//""",
    "text that is not escaped": r"\|\s*safe\b|\bautoescape off",
}


# A figure's JSON, in which Plotly escapes "<" and "/", stands in a block of data as it is.
FIGURE = re.compile(r"(<script type=\"application/json\"[^>]*>)\{\{ [\w.]*figure[\w.]*\|safe \}\}</script>")


def templates() -> dict[str, str]:
    pages = [path for path in tracked() if path.suffix == ".html" and "tests" not in path.parts]
    return {str(path.relative_to(ROOT)): FIGURE.sub(r"\1</script>", path.read_text(encoding="utf-8")) for path in pages}


def is_sent(name: str) -> bool:
    """Whether the template is a mail's, or of a file that somebody takes home: it brings its style along."""
    return name.startswith(("templates/push/", "templates/export/"))


@pytest.mark.parametrize("what", BANNED)
def test_no_banned_markup(what: str) -> None:
    pattern = re.compile(BANNED[what], flags=re.IGNORECASE)
    texts = {name: text for name, text in templates().items() if not (what == "inline style" and is_sent(name))}
    assert [f"{name}: {match.group()}" for name, text in texts.items() for match in pattern.finditer(text)] == []


@pytest.mark.parametrize(
    ("what", "markup"),
    [
        ("inline script", "<script>go()</script>"),
        ("inline style", '<p class="a" style="color:red">'),
        ("inline handler", '<button onclick="go()">'),
        ("htmx handler (needs eval)", '<button hx-on:click="go()">'),
        ("htmx expression (needs eval)", """<a hx-vals="js:{a: 1}">"""),
        ("htmx trigger filter (needs eval)", """<a hx-trigger="keyup[key=='s']">"""),
        ("address of another host", '<script src="//cdn.example/x.js">'),
        ("text that is not escaped", "{{ title|safe }}"),
    ],
)
def test_banned_markup_is_seen(what: str, markup: str) -> None:
    assert re.search(BANNED[what], markup, flags=re.IGNORECASE)


def test_every_template_compiles() -> None:
    """A part that loads no library of its own fails only when somebody asks for it, perhaps by htmx."""
    names = [name.removeprefix("templates/") for name in templates() if name.startswith("templates/")]
    assert len(names) > 100
    for name in names:
        get_template(name)


def test_icons_exist() -> None:
    sprite = ET.parse(ROOT / "static/img/icons.svg").getroot()
    icons = {symbol.get("id") for symbol in sprite}
    used = {name for text in templates().values() for name in re.findall(r"""{%\s*icon\s+["']([\w-]+)["']""", text)}
    assert used - icons == set()


FORM = re.compile(r"<form\b((?:[^>{]|\{[{%].*?[%}]\})*)>(.*?)</form>", flags=re.DOTALL)
WITHOUT_TOKEN = re.compile(r'hx-params="not [^"]*csrfmiddlewaretoken')


def tokens_in_addresses(name: str, text: str) -> list[str]:
    """Forms with a token that the browser, or htmx, sends in an address."""
    forms = [(head, body) for head, body in FORM.findall(text) if "csrf_token" in body]
    by_get = [
        head
        for head, body in forms
        if re.search(r"formmethod=.get", body) or not re.search(r"method=.post|hx-post", head)
    ]
    fetching = [head for head, body in forms if re.search(r"\bhx-get=", head)]
    keys = [match[1] for head, _body in forms if (match := re.search(r'\bid="([^"]+)"', head))]
    including = [
        tag
        for tag in re.findall(r"<\w+\b[^>]*\bhx-get=[^>]*>", text)
        if any(re.search(rf'hx-include="[^"]*#{key}[",]', tag) for key in keys) and not WITHOUT_TOKEN.search(tag)
    ]
    return [f"{name}: {each[:120]}" for each in (*by_get, *fetching, *including)]


def test_no_token_of_a_form_gets_into_an_address() -> None:
    assert [each for name, text in templates().items() for each in tokens_in_addresses(name, text)] == []
