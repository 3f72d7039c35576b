"""The glossary: every word stands in its own sentence, and each is a word of a reader, not of a program."""

from __future__ import annotations

import re

import pytest

from dlnrepro.report.words.glossary import GLOSSARY, glossary_lines


@pytest.mark.parametrize("word", GLOSSARY)
def test_a_meaning_is_one_short_sentence_about_its_word(word: str) -> None:
    meaning = GLOSSARY[word]
    assert re.match(rf"(A|An|The) {re.escape(word)}\b", meaning) or f" {word} " in meaning
    assert meaning.endswith(".")
    assert ". " not in meaning
    assert len(meaning.split()) <= 30


def test_markdown_has_one_line_for_each_word_in_the_order_of_the_glossary() -> None:
    assert glossary_lines()[:2] == [
        "- **run**: A run is one seed of one arm; the seed fixes everything that is drawn at random.",
        "- **report**: A report is what one invocation leaves: the verdicts, every measured number, and where they "
        "come from.",
    ]
    assert len(glossary_lines()) == len(GLOSSARY)
