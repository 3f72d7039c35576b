"""A figure as text: every arm above its own theory, all curves on one scale, then the first arm in numbers."""

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
        "    slow     ▁▂▃▄ 0 → 3",
        "      theory ▁▂▃▅ 0 → 4",
        "    fast     ▁▄▇█ 0 → 7",
        "      theory ▁▄▇▇ 0 → 6",
        "    free     ████ 7 → 7",
        "    the numbers of slow:",
        "    time    0  1  2  3",
        "    height  0  1  2  3",
        "    theory  0  1  2  4",
    ]


def test_a_figure_of_one_arm_need_not_name_the_arm_of_its_numbers() -> None:
    assert drawn([line("only", "height", [0, None, 2, 3])], []) == [
        "    only ▁ ▆█ 0 → 3",
        "    time    0     1  2  3",
        "    height  0  none  2  3",
    ]


def test_a_series_without_numbers_has_no_ends() -> None:
    assert drawn([line("only", "height", [None] * 4)], [])[0] == "    only  none"
