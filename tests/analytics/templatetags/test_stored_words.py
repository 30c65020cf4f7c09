"""What a worker stored is said again in the reader's language; what is not ours stays as it is."""

import pytest
from django.utils.translation import override

from analytics.templatetags.stored_words import FORMS, in_own_words
from recommendations.store.imports.reasons import REASONS


def test_every_reason_and_every_sentence_is_said_in_chinese() -> None:
    with override("en"):
        stored = [str(reason) for reason in REASONS.values()]
        stored += [form.replace("%(most)d", "20").replace("%(", "“").replace(")s", "”") for form in FORMS]
    with override("zh-hans"):
        for text in stored:
            assert in_own_words(text) != text
            assert "%(" not in in_own_words(text)
        assert "星期一" in in_own_words("The shop's promotion weeks start on a Monday; enter the date of that day.")
    with override("en"):
        assert [in_own_words(text) for text in stored] == stored


@pytest.mark.parametrize("text", ["", "no space left on device", "Columns", "%(file)s", "a.csv: 100% {odd} %(x)s"])
def test_what_is_not_ours_stays(text: str) -> None:
    with override("zh-hans"):
        assert in_own_words(text) == text
