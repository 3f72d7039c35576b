"""The words with which a call is refused, to be compared as a whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dlnrepro.errors import ReproError


def refusal(call: Callable[[], object]) -> str:
    """What a call says when it refuses what it was given; one line for each fault."""
    with pytest.raises(ReproError) as refused:
        call()
    return str(refused.value)
