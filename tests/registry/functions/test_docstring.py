"""What a docstring says of parameters and numbers, in Google's style, read with and without running the function."""

from __future__ import annotations

import pytest

from dlnrepro.registry.functions.docstring import Described, described, described_in, in_words

DOCSTRING = """Train a network.

Args:
    depth: the number of layers,
        at least 2
    width (int): the neurons of a layer.

Some remark.

Returns:
    rank: the final rank: a whole number
    loss:
        (no description on its line)
"""


def test_entries_go_on_in_lines_that_are_indented_more_and_end_without_a_full_stop() -> None:
    assert described(DOCSTRING) == Described(
        {"depth": "the number of layers, at least 2", "width": "the neurons of a layer"},
        {"rank": "the final rank: a whole number"},
    )


@pytest.mark.parametrize("text", [None, "", "Train.", "Returns:\n    the numbers of a run", "Returns: numbers"])
def test_a_docstring_without_entries_describes_nothing(text: str | None) -> None:
    assert described(text) == Described({}, {})


def test_the_last_function_of_a_name_is_read_from_the_text_of_a_file() -> None:
    one, two = (f'def f():\n    """F.\n\n    Returns:\n        rank: {text}\n    """\n' for text in ("one", "two"))
    assert described_in(one + two, "f").numbers == {"rank": "two"}
    assert described_in(one, "g") == Described({}, {})
    assert described_in("def f(:", "f") == Described({}, {})


def test_a_name_is_read_as_words() -> None:
    assert in_words("final_rank") == "final rank"
