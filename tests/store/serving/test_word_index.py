"""The index of words finds what a look at every text finds, also after edits, which do not make it anew."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.store.serving import word_index
from recommendations.store.serving.word_index import WordIndex, words_of

WORDS = ["a", "tea", "teapot", "Straße", "STRASSE", "café", "红", "红酒", "葡萄酒", "7", "x_1", "İ"]
texts = st.lists(st.lists(st.sampled_from([*WORDS, "-", "\n", "tea.pot"]), max_size=4).map(" ".join), max_size=8)


def looked_through(all_texts: list[str], word: str) -> list[bool]:
    inside = not word.isascii()
    return [any(one.startswith(word) or (inside and word in one) for one in words_of(text)) for text in all_texts]


def assert_finds(index: WordIndex, all_texts: list[str]) -> None:
    for asked in (*WORDS, "te", "酒", "é", "zebra"):
        for word in words_of(asked):
            assert index.with_word(word).tolist() == looked_through(all_texts, word)


@given(before=texts, added=texts, data=st.data())
def test_the_index_finds_what_a_look_at_each_text_finds(
    before: list[str], added: list[str], data: st.DataObject
) -> None:
    index = WordIndex.of(before)
    assert_finds(index, before)
    edited = data.draw(st.dictionaries(st.sampled_from(range(len(before))), st.sampled_from(WORDS))) if before else {}
    after = [edited.get(row, text) for row, text in enumerate(before)] + added
    new = {len(before) + place: text for place, text in enumerate(added)}
    assert_finds(index.updated({**edited, **new}, texts=after, n=len(after)), after)
    assert_finds(index, before)  # an answer that goes on has the old one


def test_the_index_is_made_anew_only_after_many_edits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_index, "MOST_YOUNG", 2)
    now = [f"tea {row}" for row in range(5)]
    index, read = WordIndex.of(now), []
    for row in (0, 1, 0, 2):
        now[row] = f"wine {row}"
        index = index.updated({row: now[row]}, texts=(read.append(text) or text for text in now), n=5)
        assert np.flatnonzero(index.with_word("wine")).tolist() == [at for at in range(5) if now[at].startswith("wine")]
        assert bool(read) is (row == 2)
    assert index.updated({}, texts=(), n=5) is index
