"""`dlnrepro sweep`: where a claim holds, as a list, a map, a table and a figure, and where its verdict changes."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.report.sweep.sweep_page import sweep_page
from dlnrepro.report.sweep.swept import Swept
from dlnrepro.report.terminal.terminal_page import TerminalPage
from dlnrepro.session.sweeps.axes import Axis
from dlnrepro.session.sweeps.points import Point

Command = Callable[..., tuple[int, str, str]]

FUNCTION = '''
from typing import Annotated, Literal

from annotated_types import Ge


def height(seed: int, x: float, limit: float, rule: Literal["whole", "half"], depth: Annotated[int, Ge(2)]) -> dict:
    """A value that is x, or half of it, over a limit.

    Returns:
        height: x over the limit, and a little that depends on the seed.
    """
    if x == 7:
        raise ValueError("seven")
    return {"height": (x if rule == "whole" else x / 2) / limit * depth / 2 + 1e-9 * seed}
'''

CLAIM = """
schema: 1
title: The height is below one
statement: The height is below one while x is below its limit.
source: {kind: own}
runner: ./height.py:height
setup: {x: 0.5, limit: 2.0, rule: whole, depth: 2}
arms: {low: {}, high: {x: 5.0}}
criteria:
  - {id: low-enough, says: It is below one., measure: height, below: 1.0, holds_in: low, fails_in: high}
"""


@pytest.fixture(autouse=True)
def _claim(tmp_path: Path) -> None:
    (tmp_path / "height.py").write_text(FUNCTION, encoding="utf-8")
    (tmp_path / "low.yaml").write_text(CLAIM, encoding="utf-8")


def test_one_parameter_is_a_list_and_the_change_is_halved_until_it_is_narrow(command: Command) -> None:
    code, out, err = command(
        "sweep", "low.yaml", "-s", "x=1:3:3", "--seeds", 4, "--refine", 4, "--theory", "limit", "--json"
    )
    found = json.loads(out)

    assert code == 0, err
    assert [point["values"][0] for point in found["points"]] == [1, 1.5, 1.75, 1.875, 1.9375, 2, 3]
    assert [point["verdict"] for point in found["points"]] == [*["reproduced"] * 5, *["not reproduced"] * 2]
    (change,) = found["changes"]
    assert (change["before"], change["after"]) == (1.9375, 2)
    assert found["theory"] == {"formula": "limit", "values": [2.0]}
    assert found["own"] == [0.5]


def test_a_parameter_that_must_be_whole_is_halved_at_whole_numbers(command: Command) -> None:
    code, out, _ = command("sweep", "low.yaml", "-s", "depth=2,9", "--seeds", 4, "--refine", 9, "-s", "x=1.2", "--json")
    found = json.loads(out)

    assert code == 0
    assert [point["values"][0] for point in found["points"]] == [2, 3, 4, 6, 9]
    assert (found["changes"][0]["before"], found["changes"][0]["after"]) == (3, 4)


def test_the_list_says_where_the_verdict_changes_what_theory_expects_and_how_far_the_claim_is(command: Command) -> None:
    code, out, _ = command("sweep", "low.yaml", "-s", "x=1:3:3", "--seeds", 4, "--refine", 2, "--theory", "1.5 * limit")

    assert code == 0
    assert out.splitlines() == [
        "low over x: 5 points (no controls, fixed runs)",
        "",
        "                          low-",
        "   x  verdict           enough",
        "   1  ✓ reproduced         0.5",
        " 1.5  ✓ reproduced        0.75",
        "1.75  ✓ reproduced       0.875",
        "   2  ✗ not reproduced       1",
        "   3  ✗ not reproduced     1.5",
        "",
        "3 reproduced, 2 not reproduced",
        "reproduced becomes not reproduced between x = 1.75 and 2; theory expects 1.5 *",
        "  limit = 3, which is 1 away from them",
        "the claim's own x = 0.5 is 1.375 ± 0.125 away from the nearest change",
    ]


def test_two_parameters_are_a_map_with_the_second_one_upwards(command: Command, tmp_path: Path) -> None:
    words = ("sweep", "low.yaml", "-s", "x=1,3", "-s", "limit=1:4:4", "--seeds", 4, "-q", "-o", "map.csv")
    code, out, _ = command(*words)

    assert code == 0
    assert out.splitlines()[2:10] == [
        "  limit",
        "      4 │ ✓ ✓",
        "      3 │ ✓ ✗",
        "      2 │ ✓ ✗",
        "      1 │ ✗ ✗",
        "        └────",
        "          x: 1 … 3",
        "  ✓ reproduced, ✗ not reproduced",
    ]
    rows = list(csv.DictReader((tmp_path / "map.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["x"], row["limit"], row["verdict"]) for row in rows[:2]] == [
        ("1", "1", "not reproduced"),
        ("1", "2", "reproduced"),
    ]
    assert float(rows[1]["low-enough:worst"]) == pytest.approx(0.5, abs=1e-8)
    assert rows[1]["low-enough:mark"] == "pass"


def test_a_map_with_more_columns_than_the_page_has_shows_some_of_them() -> None:
    axes = (Axis("x", tuple(range(41))), Axis("limit", (1, 4)))
    points = tuple(Point((x, y), refused="no") for x in range(41) for y in (1, 4))
    page = TerminalPage(40)
    sweep_page(page, Swept("low", axes, points, (0.5, 2.0), (), "", (), (), "", ""))
    lines = page.text().splitlines()

    assert [line.count("·") for line in lines if "│" in line] == [21, 21]
    assert max(map(len, lines)) <= 40
    assert "one of 2 values is shown" in page.text()


def test_words_and_a_fixed_value_may_be_given(command: Command) -> None:
    code, out, _ = command("sweep", "low.yaml", "-s", "rule=whole,half", "-s", "x=3", "--seeds", 4)

    assert code == 0
    assert "not reproduced becomes" not in out
    assert [line.split()[:2] for line in out.splitlines() if "reproduced " in line and "," not in line] == [
        ["whole", "✗"],
        ["half", "✓"],
    ]


def test_points_that_cannot_be_run_are_named_and_the_others_are_run(command: Command) -> None:
    code, out, _ = command("sweep", "low.yaml", "-s", "depth=1:3:3", "--seeds", 4)

    assert code == 0
    assert "1 refused" in out
    assert "depth=1 cannot be run: " in out
    assert "expected" in out
    assert command("sweep", "low.yaml", "-s", "depth=0,1", "--seeds", 4)[0] == 2


def test_an_error_at_a_point_is_an_error_of_the_sweep_and_no_verdict(command: Command) -> None:
    code, out, _ = command("sweep", "low.yaml", "-s", "x=1,7", "--seeds", 4)

    assert code == 3
    assert "! error" in out


def test_a_sweep_goes_on_where_it_stopped_and_its_runs_are_a_report(command: Command) -> None:
    command("sweep", "low.yaml", "-s", "x=1:3:3", "--seeds", 4)

    assert command("sweep", "low.yaml", "-s", "x=1:3:5", "--seeds", 4, "-n") == (
        0,
        "5 points, 5 arms with 20 runs at first; 3 arms are stored\n",
        "",
    )
    code, _, err = command("sweep", "low.yaml", "-s", "x=1:3:5", "--seeds", 4)
    assert code == 0
    assert "5 points: 2 arms to compute; 3 more are cached" in err
    assert "x=1: reproduced" in err
    code, out, _ = command("report", "latest", "-v")
    assert code == 1
    assert "-s x=1.5" in out
    assert command("replay", "latest")[0] == 0


@pytest.mark.parametrize("name", ["map.svg", "map.png", "map.pdf"])
@pytest.mark.parametrize("more", [(), ("--measure", "low-enough")], ids=["verdicts", "measure"])
def test_a_sweep_is_drawn(command: Command, tmp_path: Path, name: str, more: tuple[str, ...]) -> None:
    line = ("sweep", "low.yaml", "-s", "x=1:3:3", "--seeds", 4, "--theory", "limit", *more, "-o", name)
    grid = (*line[:4], "-s", "limit=1:4:4", *line[4:], "--quiet")

    for words in (line, grid):
        assert command(*words)[0] == 0
        content = (tmp_path / name).read_bytes()
        assert len(content) > 3000
        assert name != "map.svg" or all(word in content for word in (b"theory: limit", b"low", b">x<"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-s", "x=1"), "expected one or two parameters with several values"),
        ((), "expected one or two parameters with several values"),
        (("-s", "x=1:2"), "-s x=1:2: expected LOW:HIGH:COUNT or LOW:HIGH:COUNT:log, found '1:2'"),
        (("-s", "x=1:2:1"), "-s x=1:2:1: expected a whole number of values from 2 to 1000, found '1'"),
        (("-s", "x=1:1:5"), "-s x=1:1:5: expected two different numbers LOW and HIGH, found '1:1'"),
        (("-s", "x=a:b:5"), "-s x=a:b:5: expected two different numbers LOW and HIGH, found 'a:b'"),
        (("-s", "x=1:2:3:4"), "-s x=1:2:3:4: expected nothing or log after LOW:HIGH:COUNT, found '4'"),
        (("-s", "x=-1:2:3:log"), "expected LOW and HIGH above 0"),
        (("-s", "x=1,,2"), "-s x=1,,2: expected a value between the commas, found ''"),
        (("-s", "x=1,2,1"), "expected different values"),
        (("-s", "x=1,2", "-s", "x=3,4"), "-s: expected each parameter once, found 'x' again"),
        (("-s", "x=1,2", "-s", "limit=3,4", "-s", "depth=2,3"), "found 3"),
        (("-s", "x=1:2:900", "-s", "limit=1:2:900"), "-s: expected at most 10,000 points, found 810,000"),
        (("-s", "y=1,2"), "expected one of x, limit, rule, depth, found 'y'"),
        (
            ("-s", "x=1,2", "--measure", "low-enuogh"),
            "--measure: expected one of low-enough, found 'low-enuogh'; did you",
        ),
        (("-s", "x=1,2", "-s", "limit=1,2", "--refine", "2"), "--refine: expected one parameter with numbers"),
        (("-s", "rule=whole,half", "--refine", "2"), "--refine: expected one parameter with numbers"),
        (("-s", "x=1,2", "--theory", "limmit"), "--theory limmit: "),
        (("-s", "x=1,2", "--theory", "limit +"), "--theory limit +: "),
        (("-s", "x=1,2", "-o", "map.html"), "-o map.html: expected"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_is_one_line_before_anything_is_computed(
    command: Command, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    code, out, err = command("sweep", "low.yaml", *words)

    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    assert not list(tmp_path.glob("outputs/cells/*"))


def test_a_sweep_is_of_one_claim(command: Command, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(CLAIM, encoding="utf-8")

    code, _, err = command("sweep", tmp_path, "-s", "x=1,2")

    assert code == 2
    assert "expected one claim, found 2" in err
