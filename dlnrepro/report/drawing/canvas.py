"""The canvas that every figure is drawn on: one size, one set of colours, and SVG that is bitwise identical every time.

A figure is drawn by matplotlib in the colours of a white page. It becomes one of two things: a file that stands alone,
or a part of a page, in which each colour is a CSS variable, so that the page chooses the colours on a dark screen.
Text stays text: it can be read aloud, searched and copied, and it takes the page's own typeface.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from io import BytesIO
from typing import Any

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from dlnrepro.report.drawing.colours import COLOURS
from dlnrepro.report.drawing.svg import SVG, tidied
from dlnrepro.visible import in_a_line

WIDTH = 360.0
"""The width in points, about the number of pixels on a phone."""

TEXT = 8.5
TYPEFACE = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

_STYLE: dict[Any, Any] = {
    "axes.edgecolor": COLOURS["muted"],
    "axes.formatter.use_mathtext": False,
    "axes.labelcolor": COLOURS["ink"],
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": TEXT,
    "svg.fonttype": "none",
    "svg.hashsalt": "dlnrepro",
    "text.color": COLOURS["ink"],
    "text.parse_math": False,
    "xtick.color": COLOURS["muted"],
    "xtick.labelcolor": COLOURS["ink"],
    "xtick.bottom": False,
    "xtick.minor.visible": False,
    "ytick.color": COLOURS["muted"],
    "ytick.labelcolor": COLOURS["ink"],
    "ytick.left": False,
    "ytick.minor.visible": False,
}


@dataclass(frozen=True)
class Picture:
    """A drawn figure.

    Attributes:
        markup: the SVG's contents, in the colours of a white page.
        width: points.
        height: points.
        label: what it shows, in a sentence, for readers who cannot see it.
    """

    markup: str
    width: float
    height: float
    label: str

    def alone(self) -> str:
        """The figure as a file of its own, on white."""
        size = f'width="{self.width:g}pt" height="{self.height:g}pt" '
        ground = f'<rect width="{self.width:g}" height="{self.height:g}" fill="#ffffff"/>'
        head = '<?xml version="1.0" encoding="utf-8"?>\n'
        title = f"<title>{escape(self.label)}</title>"
        return f'{head}{self._opened(f"""xmlns="{SVG}" {size}""")}{title}{ground}{self.markup}</svg>\n'

    def inline(self) -> str:
        """The figure as a part of a page whose style sheet gives the colours as `--ink` and so on."""
        by_colour = {colour: name for name, colour in COLOURS.items()}

        def variable(found: re.Match[str]) -> str:
            """A colour as the variable of the style sheet; another colour stays as it is."""
            return f"var(--{by_colour[found[0]]})" if found[0] in by_colour else found[0]

        return self._opened("") + re.sub("#[0-9a-f]{6}", variable, self.markup) + "</svg>"

    def _opened(self, attributes: str) -> str:
        """The opening tag."""
        label = f'role="img" aria-label="{escape(self.label)}"'
        size = f'viewBox="0 0 {self.width:g} {self.height:g}"'
        return f'<svg {attributes}{size} {label} font-family="{TYPEFACE}" stroke-linejoin="round">'


@contextmanager
def _settings() -> Iterator[None]:
    """Use matplotlib's own defaults and our style, whatever the user has set; afterwards the settings are restored."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        # Text stays text, so the reader's own typeface draws letters that matplotlib's typeface lacks.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def drawn_file(suffix: str, height: float, draw: Callable[[Figure], None]) -> bytes:
    """The content of a file with the figure that `draw` draws on an empty figure, on white.

    Args:
        suffix: `.png`, `.svg` or `.pdf`.
        height: points.
        draw: the function that draws; it receives the figure.
    """
    with _settings():
        figure = Figure(figsize=(WIDTH / 72, height / 72))
        draw(figure)
        file = BytesIO()
        dates = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
        figure.savefig(file, format=suffix.removeprefix("."), dpi=200, metadata=dates[suffix])
    return file.getvalue()


def picture(name: str, label: str, height: float, draw: Callable[[Figure], None]) -> Picture:
    """The picture that `draw` draws on an empty figure.

    Args:
        name: begins every id of the SVG, so that many can stand in one page.
        label: what it shows, in a sentence.
        height: points.
        draw: the function that draws; it receives the figure.
    """
    with _settings():
        figure = Figure(figsize=(WIDTH / 72, height / 72))
        figure.patch.set_visible(False)
        canvas = FigureCanvasSVG(figure)
        draw(figure)
        file = BytesIO()
        canvas.print_svg(file, metadata={"Date": None, "Creator": None, "Type": None, "Format": None})  # type: ignore[no-untyped-call]
    return Picture(tidied(file.getvalue(), name), WIDTH, height, in_a_line(label))
