"""Options that several commands share: help that lists what there is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dlnrepro.report.delivery import FORMATS

Command = Callable[..., tuple[int, str, str]]

DELIVERY = ("--allow-inconclusive", "--json", "-o, --write FILE", "--figures DIR", "-q, --quiet", "-v, --verbose")


@pytest.mark.parametrize("name", ["run", "report"])
def test_the_help_lists_every_format_of_a_report_with_what_it_is_for(command: Command, name: str) -> None:
    code, out, _ = command(name, "--help")
    assert code == 0
    written = ", ".join(f"{suffix}: {form.says}" for suffix, form in FORMATS.items())
    assert f"in the format of its suffix ({written})" in " ".join(out.split())


def test_the_options_of_a_delivered_report_read_alike_in_every_command(command: Command) -> None:
    helps = [" ".join(command(name, "--help")[1].split()) for name in ("run", "report")]
    passages = [text[text.index(DELIVERY[0]) : text.index(DELIVERY[-1])] for text in helps]
    assert passages[0] == passages[1]
    assert [name for name in DELIVERY if name in helps[0]] == [*DELIVERY]
