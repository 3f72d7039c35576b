"""A figure as text: a caption, every arm above its own theory on one scale, and the first arm in numbers."""

from __future__ import annotations

from collections.abc import Sequence

from dlnrepro.archive.figure_data import Drawing, Line
from dlnrepro.report.terminal.sparklines import text_figure
from dlnrepro.report.terminal.terminal_page import TerminalPage

POSITIONS: list[float | None] = [0, 1, 2, 3]


def line(arm: str, series: str, values: Sequence[float | None]) -> Line:
    return Line(arm, series, POSITIONS, [*values], [], [])


def drawn(lines: list[Line], references: list[Line]) -> list[str]:
    page = TerminalPage(72)
    text_figure(page, Drawing("Height", "time", ["height"], "linear", None, None, lines, references))
    return page.text().splitlines()


def test_every_arm_stands_above_the_theory_of_this_arm() -> None:
    lines = [
        line("slow", "height", [0, 1, 2, 3]),
        line("fast", "height", [0, 3, 6, 7]),
        line("free", "height", [7] * 4),
    ]
    theory = [line("slow", "law", [0, 1, 2, 4]), line("fast", "law", [0, 3, 6, 6])]
    assert drawn(lines, theory) == [
        "    vertical: height, median over runs, from 0 to 7 (linear)",
        "    horizontal: time from 0 to 3 (linear)",
        "    slow            ▁▂▃▄ 0 → 3",
        "    theory for slow ▁▂▃▅ 0 → 4",
        "    fast            ▁▄▇█ 0 → 7",
        "    theory for fast ▁▄▇▇ 0 → 6",
        "    free            ████ 7 → 7",
        "    values in the arm slow (median over runs):",
        "    time    0  1  2  3",
        "    height  0  1  2  3",
        "    theory  0  1  2  4",
    ]


def test_a_figure_of_one_arm_names_this_arm_above_its_numbers() -> None:
    assert drawn([line("only", "height", [0, None, 2, 3])], [])[:1] + drawn(
        [line("only", "height", [0, None, 2, 3])], []
    )[2:] == [
        "    vertical: height, median over runs, from 0 to 3 (linear)",
        "    only ▁ ▆█ 0 → 3",
        "    values in the arm only (median over runs):",
        "    time    0     1  2  3",
        "    height  0  none  2  3",
    ]


def test_a_series_without_numbers_has_no_ends() -> None:
    assert drawn([line("only", "height", [None] * 4)], [])[::2][:2] == [
        "    vertical: height, median over runs, no numbers",
        "    only  none",
    ]


def test_the_caption_says_what_the_series_are_as_far_as_that_is_known() -> None:
    page = TerminalPage(72)
    lines = [line("only", "height", [0, 1, 2, 3])]
    text_figure(page, Drawing("Height", "time", ["height"], "linear", None, None, lines, []), {"height": "sigma_1 / 2"})
    assert page.text().splitlines()[:2] == [
        "    vertical: height, median over runs, from 0 to 3 (linear); σ₁ / 2",
        "    horizontal: time from 0 to 3 (linear)",
    ]


def test_the_numbers_are_those_of_the_first_arm_whose_curve_is_not_constant() -> None:
    flat, rising = line("flat", "height", [0] * 4), line("rising", "height", [0, 1, 2, 3])
    assert drawn([flat, rising], [])[4:] == [
        "    values in the arm rising (median over runs):",
        "    time    0  1  2  3",
        "    height  0  1  2  3",
    ]
    assert drawn([flat], [])[3:4] == ["    values in the arm flat (median over runs):"]


def test_the_caption_names_logarithmic_axes_and_leaves_out_what_has_no_place_on_them() -> None:
    page = TerminalPage(100)
    lines = [line("only", "gap", [1.0, 0.1, 1e-6, 0.0])]
    text_figure(page, Drawing("Gap", "time", ["gap"], "loglog", None, None, lines, []))
    assert page.text().splitlines()[:2] == [
        "    vertical: gap, median over runs, from 1e-6 to 0.1 (logarithmic)",
        "    horizontal: time from 1 to 3 (logarithmic)",
    ]


def test_a_figure_of_few_points_shows_each_of_them_and_the_true_ends() -> None:
    page = TerminalPage(80)
    lines = [
        Line("short", "steps", [8.0, 16.0, 32.0], [15.0, 33.0, 68.0], [], []),
        Line("long", "steps", [8.0, 16.0, 32.0, 64.0], [17.0, 34.0, 69.0, 138.0], [], []),
    ]
    text_figure(page, Drawing("Steps", "depth", ["steps"], "loglog", None, None, lines, []))
    text = page.text()
    assert "vertical: steps, median over runs, from 15 to 138 (logarithmic)" in text
    assert "15 → 68" in text
    assert "17 → 138" in text
    assert "    depth   8  16  32\n    steps  15  33  68\n" in text
