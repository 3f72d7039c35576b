"""Figures and strip plots, read again with a parser that is not ours: what is drawn, where, and in which colour."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

import matplotlib
import numpy as np
import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from dlnrepro.archive.record import ClaimRecord
from dlnrepro.report.drawing.axes import decades, span
from dlnrepro.report.drawing.canvas import Picture
from dlnrepro.report.drawing.colours import COLOURS, DARK_COLOURS
from dlnrepro.report.drawing.figures import figure
from dlnrepro.report.drawing.strip_plot import logarithmic, strip_plot

Make = Callable[..., ClaimRecord]
LOGLOG = ("arms: [near, far]}", "arms: [near, far], scale: loglog, slope: 2, reference: lone, level: 3}")
SVG = "{http://www.w3.org/2000/svg}"


def parsed(picture: Picture) -> ET.Element:
    """The picture as a file of its own, parsed."""
    return ET.fromstring(picture.alone().encode())


def words(picture: Picture) -> list[str]:
    """All text of a picture."""
    return ["".join(element.itertext()) for element in parsed(picture).iter(f"{SVG}text")]


def drawn(picture: Picture, name: str) -> list[str]:
    """The styles of what is drawn in a colour."""
    return [style for element in parsed(picture).iter() if COLOURS[name] in (style := element.get("style", ""))]


def test_a_figure_says_what_its_axes_show_and_names_every_arm(record_of: Make) -> None:
    found = words(figure(record_of(LOGLOG), 0, "p", titled=True))
    for text in ("Height", "how high it is", "0 … 9", "near", "far (control)", "theory: lone", "level 3", "slope 2"):
        assert text in found


def test_tested_arms_are_coloured_controls_grey_and_theory_in_ink(record_of: Make) -> None:
    picture = figure(record_of(LOGLOG), 0, "p")
    assert drawn(picture, "tested-1")
    assert drawn(picture, "control-1")
    assert any("stroke-dasharray" in style for style in drawn(picture, "ink"))
    assert not drawn(picture, "tested-2")


def test_a_line_is_drawn_through_every_point_that_its_axes_can_show(record_of: Make) -> None:
    series = {"near": {"step": np.arange(10.0)[None], "height": np.array([[0.0, -1, np.nan, 4, 5, 6, 7, 8, 9, 10]])}}
    linear = figure(record_of(series=series), 0, "p")
    assert max(points(linear, "tested-1")) == 9
    logs = figure(record_of(("arms: [near, far]}", "arms: [near, far], scale: loglog}"), series=series), 0, "p")
    assert max(points(logs, "tested-1")) == 7


def points(picture: Picture, name: str) -> list[int]:
    """How many points each open path of a colour has."""
    paths = [path for path in parsed(picture).iter(f"{SVG}path") if f"stroke:{COLOURS[name]}" in path.get("style", "")]
    return [len(re.findall(r"-?[\d.]+ -?[\d.]+", path.get("d", ""))) for path in paths if "z" not in path.get("d", "")]


@pytest.mark.parametrize("scale", ["linear", "semilogx", "semilogy", "loglog"])
@pytest.mark.parametrize("height", [np.nan, 0.0, -3.0, 7.0])
def test_nothing_to_draw_says_so_and_a_flat_curve_is_drawn(record_of: Make, scale: str, height: float) -> None:
    series = {"near": {"step": STEP, "height": np.full((2, 5), height)}}
    picture = figure(
        record_of(("arms: [near, far]}", f"arms: [near, far], scale: {scale}, slope: 1}}"), series=series), 0, "p"
    )
    empty = not np.isfinite(height) or (height <= 0 and scale in {"semilogy", "loglog"})
    assert ("no data" in words(picture)) == empty


STEP = np.tile(np.arange(1.0, 6.0), (2, 1))


def test_a_figure_without_any_arm_says_so(record_of: Make) -> None:
    picture = figure(record_of(series={}), 0, "p")
    assert "no data" in words(picture)
    assert "no arm" in picture.label


def test_a_strip_plot_has_a_point_for_every_run_and_shades_the_interval(record_of: Make) -> None:
    record = record_of()
    picture = strip_plot(record.meanings, record.criteria[0], "p")
    uses = list(parsed(picture).iter(f"{SVG}use"))
    assert len(uses) == 8
    assert len(drawn(picture, "inside")) == 1
    found = words(picture)
    assert {"near", "control far", "1 ± 0.1", "value: the value, up to noise"} <= set(found)


def test_points_lie_in_the_shade_exactly_if_their_runs_lie_inside(record_of: Make) -> None:
    record = record_of(values={"near": [1.0, 0.5, 1.05, 1.5], "far": [5.0, 1.0, 0.2, 3.0]})
    picture = strip_plot(record.meanings, record.criteria[0], "p")
    (shade,) = (path for path in parsed(picture).iter(f"{SVG}path") if COLOURS["inside"] in path.get("style", ""))
    corners = [float(pair.split()[0]) for pair in re.findall(r"-?[\d.]+ -?[\d.]+", shade.get("d", ""))]
    uses = parsed(picture).iter(f"{SVG}use")
    places = sorted(float(use.get("x", "nan")) for use in uses)
    found = [min(corners) <= place <= max(corners) for place in places]
    # In order: 0.2, 0.5 outside; 1, 1, 1.05 inside; 1.5, 3, 5 outside.
    assert found == [False, False, True, True, True, False, False, False]


def test_a_run_on_the_wrong_side_is_a_cross_in_an_ink_of_its_own(record_of: Make) -> None:
    good, bad = record_of(), record_of(values={"near": [1.0, 0.5, 1.05, 1.5], "far": [5.0, 1.0, 0.2, 3.0]})
    assert not drawn(strip_plot(good.meanings, good.criteria[0], "p"), "tested-2")
    picture = strip_plot(bad.meanings, bad.criteria[0], "p")
    assert drawn(picture, "tested-2")
    assert len(list(parsed(picture).iter(f"{SVG}use"))) == 8


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"near": [1e-9, 1e-8], "far": [1.0, 2.0]}, True),
        ({"near": [1.0, 1.1], "far": [5.0, 2.0]}, False),
        ({"near": [1e-9, 0.0], "far": [1.0, 2.0]}, True),
        ({"near": [1e-9, -1e-9], "far": [1.0, 2.0]}, False),
        ({"near": [None, None], "far": [None, None]}, False),
    ],
)
def test_an_axis_is_logarithmic_only_for_decades_of_numbers_that_are_not_negative(
    record_of: Make, values: dict[str, list[float | None]], expected: bool
) -> None:
    record = record_of(values=values)
    assert logarithmic(record.criteria[0]) is expected
    if expected:
        assert ("0" in words(strip_plot(record.meanings, record.criteria[0], "p"))) == (values["near"][1] == 0.0)


def test_undecided_runs_are_counted_and_nothing_at_all_says_no_data(record_of: Make) -> None:
    some = record_of(values={"near": [1.0, None, float("nan"), 1.0], "far": [5.0, 5.0, 5.0, 5.0]})
    assert "2 undecided" in words(strip_plot(some.meanings, some.criteria[0], "p"))
    none = record_of(values={"near": [], "far": []})
    assert "no data" in words(strip_plot(none.meanings, none.criteria[0], "p"))


def test_drawing_twice_gives_the_same_bytes_and_leaves_the_settings_of_others_alone(record_of: Make) -> None:
    matplotlib.rcParams["svg.fonttype"] = "path"
    before = dict(matplotlib.rcParams)
    record = record_of(LOGLOG)
    assert figure(record, 0, "p").alone() == figure(record, 0, "p").alone()
    assert strip_plot(record.meanings, record.criteria[0], "p") == strip_plot(record.meanings, record.criteria[0], "p")
    assert dict(matplotlib.rcParams) == before


def test_words_of_a_claim_are_text_and_never_markup_or_mathematics(record_of: Make) -> None:
    nasty = '<b>&"x" $\\frac{1}{2}$ ]]>'
    record = record_of(("says: the value is one", f"says: '{nasty}'"), ("title: Height", f"title: '{nasty}'"))
    for picture in (
        figure(record, 0, "p", titled=True),
        strip_plot(record.meanings, record.criteria[0], "p", titled=True),
    ):
        assert nasty in " ".join(words(picture))
        ET.fromstring(f"<p>{picture.inline()}</p>")


def test_bold_lines_of_a_picture_end_inside_it(record_of: Make) -> None:
    long = "the gap between momentum and gradient descent grows with the number of layers and " * 3
    record = record_of(("says: the value is one", f"says: {long}"), ("title: Height", f"title: {long}"))
    bold = FontProperties(family="DejaVu Sans", weight="bold")
    for picture in (
        figure(record, 0, "p", titled=True),
        strip_plot(record.meanings, record.criteria[0], "p", titled=True),
    ):
        lines = [text for text in parsed(picture).iter(f"{SVG}text") if text.get("x") == "6"]
        ends = []
        for text in lines:
            found = re.match(r"font-weight:700;font-size:([\d.]+)px", text.get("style", ""))
            if found:
                ends.append(6 + TextPath((0, 0), text.text or "", float(found[1]), prop=bold).get_extents().x1)
        assert len(ends) >= 4
        assert max(ends) <= picture.width


def test_exponents_and_subscripts_are_small_and_the_line_returns_to_where_it_was(record_of: Make) -> None:
    record = record_of(("title: Height", "title: s_1^(2-2/L) + e^(x_i) and W_l^T"))
    (title,) = (text for text in parsed(figure(record, 0, "p", titled=True)).iter(f"{SVG}text") if len(text))
    assert "".join(title.itertext()) == "s12−2/L + exi and WlT"
    sizes = [float(part.get("font-size", "100%").removesuffix("%")) / 100 for part in title]
    moves = [size * float(part.get("dy", "").removesuffix("em")) for part, size in zip(title, sizes, strict=True)]
    found = dict(zip([part.text for part in title], zip(np.cumsum(moves), sizes, strict=True), strict=True))
    raised, lowered, below = (-0.38, 0.72), (0.2, 0.72), (-0.38 + 0.2 * 0.72, 0.72**2)
    expected = {
        "1": lowered, "2−2/L": raised, " + e": (0, 1), "x": raised, "i": below, " and W": (0, 1), "l": lowered,
        "T": raised,
    }  # fmt: skip
    assert found.keys() == expected.keys()
    assert all(found[text] == pytest.approx(place, abs=0.005) for text, place in expected.items())


def test_a_measure_is_named_as_it_is_and_explained_with_signs(record_of: Make) -> None:
    record = record_of()
    record.meanings["value"] = "value^2 over sigma_1"
    assert "value: value2 over σ1" in words(strip_plot(record.meanings, record.criteria[0], "p"))


def test_inks_stand_out_on_white_and_in_the_dark() -> None:
    for colours, ground in ((COLOURS, "#ffffff"), (DARK_COLOURS, "#14171c")):
        for name, colour in colours.items():
            least = {"ink": 7.0, "muted": 4.5, "grid": 1.0, "inside": 1.0}.get(name, 3.0)
            assert contrast(colour, ground) >= least, name
        assert contrast(colours["ink"], colours["inside"]) >= 7
    assert COLOURS.keys() == DARK_COLOURS.keys()


def contrast(one: str, other: str) -> float:
    """The contrast of two colours by WCAG 2.2."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_ticks_are_few_and_lie_on_the_axis() -> None:
    assert decades((1e-12, 1.0)) == [1e-12, 1e-9, 1e-6, 1e-3, 1.0]
    assert decades((0.9, 3.1)) == [1.0, 1.5, 2.0, 3.0]
    assert len(decades((1e-300, 1e300))) <= 7
    assert span([None, float("nan"), -1.0, 0.0], True) is None
    assert span([2.0], False) == pytest.approx((1.9, 2.1))
