"""Question marks beside figures."""

import re

import pytest
from django.template import Context, Template
from django.utils.translation import override

from analytics.templatetags.help import EXAMPLES, FIGURES, figure_name
from analytics.templatetags.words import METRICS


def mark(name: str, more: str = "") -> str:
    page = Template("{% load help %}{% help_on name more %}").render(Context({"name": name, "more": more}))
    return " ".join(page.split())


@pytest.mark.parametrize("name", [*FIGURES, *METRICS])
def test_every_figure_has_a_sentence_and_an_example_behind_a_button(name: str) -> None:
    page = mark(name)
    [key] = re.findall(
        r'<button type="button" class="help-button" popovertarget="help-(\w+)" aria-label="What does', page
    )
    assert f'id="help-{key}" popover' in page
    assert re.search(r"<span>[^<]+\.</span><span class=\"help-example\">Example: [^<]+\.?</span>", page)


def test_two_marks_on_one_page_open_each_its_own_text() -> None:
    keys = re.findall(r"popovertarget=\"([^\"]+)", mark("orders") + mark("orders"))
    assert len(set(keys)) == 2


def test_what_is_said_beside_it_stands_in_it() -> None:
    assert "<span>95% interval: 8% to 10%.</span>" in mark("better", "95% interval: 8% to 10%.")


def test_metrics_have_a_name_and_an_example_each() -> None:
    assert EXAMPLES.keys() == METRICS.keys()
    assert [figure_name(name) for name in ("ndcg@10", "revenue_ndcg@10", "recall@10")] == [
        "Accuracy", "Revenue", "Recall@10",
    ]  # fmt: skip
    with override("zh-hans"):
        assert figure_name("ndcg@10") == "准确度"
