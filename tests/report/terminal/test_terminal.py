"""The terminal report: short numbers, honest curves, and a page that survives narrow and plain terminals."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.archive.figure_data import Drawing, Line
from dlnrepro.archive.record import ClaimRecord, Report
from dlnrepro.report.terminal.detail import record_page
from dlnrepro.report.terminal.summary import summary
from dlnrepro.report.terminal.terminal_page import TerminalPage
from dlnrepro.report.words.numbers import duration, number, sparkline

Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (0.00012345, "0.0001234"), (2e-13, "2e-13"), (1e12, "1e12"), (None, "none")]
)
def test_numbers_are_short(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0 s"), (9.9, "9.9 s"), (12.4, "12 s"), (200, "3 min 20 s")])
def test_times_are_short(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_sparkline_rises_with_its_values_and_leaves_gaps() -> None:
    assert sparkline([0, 1, 2, None, 7], False, [0, 7]) == "▁▂▃ █"
    assert sparkline([1e-9, 1e-2, 0.0, 1e5], True, [1e-9, 1e5, None]) == "▁▅ █"
    assert sparkline([3.0, 3.0], False, [3.0]) == "▁▁"
    assert sparkline([None, None], True, [None]) == ""
    assert sparkline([1, 2], False, [0, 1, 2, 7]) == "▂▃"


def test_a_sparkline_leaves_a_gap_for_what_is_no_number() -> None:
    values = [1.0, math.nan, math.inf, -math.inf, None, 2.0]
    assert sparkline(values, logarithmic=False, scale=values) == "▁    █"
    assert sparkline(values, logarithmic=True, scale=values) == "▁    █"
    assert sparkline([math.nan], logarithmic=False, scale=[math.nan]) == ""


def test_a_page_for_an_old_encoding_is_plain_ascii() -> None:
    page = TerminalPage(80, False, "ascii")
    page.line("✓ η ≤ 1 ± 0.1 · ▁█ – é")
    assert page.text() == "+ eta <= 1 +- 0.1 - _# - ?\n"


def test_a_page_typesets_words_with_the_signs_that_its_encoding_has() -> None:
    for encoding, text in (("utf-8", "σ₁^(2-2/L) ≤ ‖W‖_F²\n"), ("latin-1", "sigma_1^(2-2/L) <= ||W||_F^2\n")):
        page = TerminalPage(encoding=encoding)
        page.line(page.typeset("sigma_1^(2-2/L) <= ||W||_F^2"))
        assert page.text() == text


def test_long_lines_wrap_with_their_indent() -> None:
    page = TerminalPage(60)
    page.line("word " * 30, indent=4, hang=2)
    lines = page.text().splitlines()
    assert all(len(line) <= 60 for line in lines)
    assert lines[0].startswith("    word")
    assert lines[1].startswith("      word")


@pytest.mark.slow
def test_the_page_of_every_packaged_claim_fits_eighty_columns() -> None:
    from dlnrepro.claimfile.catalogue import packaged_folder
    from dlnrepro.claimfile.loader import read_claim
    from dlnrepro.registry.meanings import measure_meanings, setting_meanings
    from dlnrepro.report.terminal.detail import claim_page

    for path in packaged_folder().glob("*.yaml"):
        page = TerminalPage(80)
        claim = read_claim(path)
        claim_page(
            page, claim, Path(path.name), None, measure_meanings(claim.runner), settings=setting_meanings(claim.runner)
        )
        assert max(len(line) for line in page.text().splitlines()) <= 80


def test_a_long_id_breaks_at_its_hyphens(command: Callable[..., tuple[int, str, str]], write_claim: Write) -> None:
    name = "a-claim-whose-long-name-does-not-fit-beside-all-the-other-columns-of-its-line"
    lines = command("run", write_claim(name=name), "-q")[1].splitlines()
    shown = [line[13:].split("  ")[0].split(" 4/4")[0].strip() for line in lines[2 : lines.index("") - 2]]
    assert "".join(shown) == name
    assert all(part.endswith("-") for part in shown[:-1])
    assert max(map(len, lines)) <= 80


def test_a_summary_names_what_was_not_judged_and_the_signal(ended: Report) -> None:
    page = TerminalPage(80)
    summary(page, ended)
    assert page.text().split("\n\n")[-1] == (
        "not judged: claims/bad.yaml:6:1: title: expected text, found 3 (1 more error)\n"
        "not judged: claims/two.yaml:1:1: expected a readable file, found: not a\n"
        "  regular file\n"
        "not judged: a fault of the program\n"
        "1 reproduced, 3 not judged; computing time 1.0 s; the whole invocation took\n  1.5 s\n"
        "chance of a wrong verdict: 3 tests are made of almost all runs, with 16 to 256\n"
        "  runs per arm; a test is one criterion or assumption in one arm or control. If\n"
        "  98 % or more of all possible runs are as required in each of them, the chance\n"
        "  that any of them ends broken or undecided is at most 3 × 0.0021 % = 0.0063 %.\n"
        "  If 80 % or less are, a test still passes with a chance of at most 3.2 %. With\n"
        "  95 % confidence, 4 runs that all are as required leave a share above 40 %\n"
        "  possible (fewer than 16 runs show little).\n"
        "ended by SIGTERM: the claims that are not listed did not finish\n"
    )


def test_what_is_copied_is_never_broken() -> None:
    page = TerminalPage(30, True)
    page.verbatim(f"outputs/reports/{'long' * 20}/report.json", style="dim")
    assert page.text() == f"\x1b[2moutputs/reports/{'long' * 20}/report.json\x1b[0m\n"


def test_a_claim_without_numbers_has_one_line_in_the_summary(
    record_of: Callable[..., ClaimRecord], report_with: Callable[..., Report]
) -> None:
    page = TerminalPage(80)
    summary(page, report_with(record_of(values={"near": [None] * 4, "far": [None] * 4}), record_of()))
    assert page.text().splitlines()[:6] == [
        "                           runs controls computing",
        "verdict        claim     passed   failed      time",
        "? inconclusive toy-claim    0/4      0/1     1.0 s",
        "✓ reproduced   toy-claim    4/4      1/1     1.0 s",
        "  tightest criterion: near-one; its worst run has value 1.02, 0.08 inside the",
        "    threshold 1.1 (uses 20 % of the tolerance)",
    ]


def test_a_figure_says_where_theory_runs_below_rounding(record_of: Callable[..., ClaimRecord]) -> None:
    places: list[float | None] = [0.0, 1.0, 2.0]
    lines = [Line("near", "height", places, [1.0, 1e-9, 1.2e-14], [], [])]
    theory = [Line("near", "law", places, [1.0, 1e-9, 2e-30], [], [])]
    drawing = Drawing("Height", "step", ["height"], "semilogy", None, None, lines, theory)
    page = TerminalPage(80)
    record_page(page, record_of(drawings=[drawing]))
    assert "    The computed curves level off near 1e-14. Numbers in float64" in page.text()
