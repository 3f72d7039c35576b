"""The HTML page in a real browser: nothing overflows, nothing is fetched, links lead where they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dlnrepro.archive.record import ClaimRecord, Report, from_json
from dlnrepro.report.page.html import to_html
from tests.report.page.browser import Browser, browsing, missing

REFERENCE = Path(__file__).parents[3] / "outputs" / "reference"
CUT = "[...document.querySelectorAll('.scroll')].filter(part => part.scrollWidth > part.clientWidth).length"
"""How many tables are wider than their place."""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(missing() is not None, reason=str(missing()))]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture
def page(record_of: Callable[..., ClaimRecord], report_with: Callable[..., Report], tmp_path: Path) -> Path:
    """A page with words that are hard to lay out."""
    long = "an-arm-whose-name-goes-on-and-on-and-never-comes-to-an-end"
    record = record_of(
        ("near", long),
        ("title: The toy is " + long, f"title: {'Sesquipedalian' * 8}"),
        ("statement: A toy that measures one.", f"statement: {'x' * 300}"),
        values={long: [1.0, 1.01, 0.99, None], "far": [5e-300, 5.1, 4.9, 5.2e300]},
        command=f"dlnrepro run {'a-long-path/' * 30}",
        stamps=["toy", "modified", "cached", "dirty"],
    )
    path = tmp_path / "report.html"
    path.write_bytes(to_html(report_with(record)))
    return path


@pytest.mark.parametrize("width", [1280, 768, 390, 320])
def test_the_page_is_never_wider_than_its_window(browser: Browser, page: Path, width: int) -> None:
    browser.resize(width)
    browser.open(page)
    assert browser.evaluate("innerWidth") == width
    assert browser.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1280, 1040, 900, 768, 390, 320])
def test_no_table_of_a_claim_is_cut_at_its_right_edge(
    browser: Browser,
    record_of: Callable[..., ClaimRecord],
    report_with: Callable[..., Report],
    tmp_path: Path,
    width: int,
) -> None:
    path = tmp_path / "report.html"
    printed = "    printed: {value: 1.000000, where: here, runs: one}\n"
    path.write_bytes(to_html(report_with(record_of(("    why: the noise", f"{printed}    why: the noise")))))
    browser.resize(width)
    browser.open(path)
    assert browser.evaluate(CUT) == 0


@pytest.mark.parametrize("width", [1280, 390])
def test_the_widest_tables_of_the_stored_reports_are_not_cut(browser: Browser, tmp_path: Path, width: int) -> None:
    path = tmp_path / "report.html"
    stored = from_json((REFERENCE / "symmetry-restoration-matrices.json").read_bytes())
    path.write_bytes(to_html(stored))
    browser.resize(width)
    browser.open(path)
    assert browser.evaluate(CUT) == 0


def test_nothing_is_fetched_and_the_console_stays_empty(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.evaluate("performance.getEntriesByType('resource').length") == 0
    assert browser.evaluate("document.scripts.length") == 0
    assert browser.evaluate("document.compatMode") == "CSS1Compat"


def test_a_link_of_the_summary_shows_the_card_of_its_claim(browser: Browser, page: Path) -> None:
    browser.resize(1280)
    browser.open(page)
    browser.evaluate("document.querySelector('.summary tbody a').click()")
    assert browser.evaluate("location.hash") == "#toy-claim"
    browser.tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    assert browser.evaluate("document.querySelector(':target h2').textContent").startswith("Sesquipedalian")


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_the_page_and_its_pictures_follow_the_preference_for_light_or_dark(
    browser: Browser, page: Path, scheme: str, dark: bool
) -> None:
    browser.prefer(scheme)
    browser.open(page)
    ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    ink = browser.evaluate("getComputedStyle(document.querySelector('svg text')).fill")
    assert (brightness(ground) < 0.2) is dark
    assert (brightness(ink) > 0.5) is dark


def test_the_filter_shows_the_claims_of_one_verdict_alone(
    browser: Browser, record_of: Callable[..., ClaimRecord], report_with: Callable[..., Report], tmp_path: Path
) -> None:
    bad = record_of(("A. Author", "A. Zebra"), values={"near": [3.0] * 4, "far": [5.0] * 4})
    path = tmp_path / "report.html"
    path.write_bytes(to_html(report_with(record_of(), bad, bad)))
    browser.open(path)
    shown = (
        "[...document.querySelectorAll('article, .summary tbody, .summary tbody tr')]"
        ".filter(part => part.checkVisibility()).map(part => part.tagName)"
    )
    one = ["TBODY", "TR", "TR"]
    assert browser.evaluate(shown) == [*one, *one, "TR", *["ARTICLE"] * 3]
    browser.evaluate("document.getElementById('page.show.reproduced').click()")
    assert browser.evaluate(shown) == [*one, "ARTICLE"]
    browser.evaluate("document.getElementById('page.show.not-as-expected').click()")
    assert browser.evaluate(shown) == [*one, "TR", *["ARTICLE"] * 2]
    browser.evaluate("document.getElementById('page.show.all').click()")
    assert browser.evaluate(shown) == [*one, *one, "TR", *["ARTICLE"] * 3]


def brightness(colour: str) -> float:
    """The mean of `rgb(r, g, b)`, from 0 to 1."""
    parts = [float(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]
    return sum(parts) / 765


def test_text_of_a_picture_stays_inside_it(browser: Browser, page: Path) -> None:
    browser.resize(1280)
    browser.open(page)
    beyond = browser.evaluate(
        "[...document.querySelectorAll('svg')].flatMap(svg => { const box = svg.getBoundingClientRect();"
        " return [...svg.querySelectorAll('text')].map(text => [text.textContent, text.getBoundingClientRect()])"
        " .filter(([_, r]) => r.left < box.left - 1 || r.right > box.right + 1 || r.bottom > box.bottom + 1)"
        " .map(([words]) => words) })"
    )
    assert beyond == []
