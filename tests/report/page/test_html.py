"""The HTML page, read again with the standard library's parser: all is there, nothing is fetched, words stay words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from dlnrepro.archive.record import ClaimRecord, Report, from_json, to_json
from dlnrepro.report.page.html import to_html
from dlnrepro.report.words.glossary import GLOSSARY
from dlnrepro.report.words.numbers import number

Make = Callable[..., ClaimRecord]
With = Callable[..., Report]
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """What a page consists of; a tag that is not closed in its turn is an error."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        source = to_html(report).decode()
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._open += [tag] * (tag not in VOID)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.text += f"{data} "

    @property
    def words(self) -> str:
        """All text in one line."""
        return " ".join(self.text.split())


@pytest.fixture
def page(record_of: Make, report_with: With) -> Page:
    return Page(report_with(record_of()))


def test_every_claim_criterion_arm_and_number_is_on_the_page(record_of: Make, report_with: With) -> None:
    record = record_of(stamps=["toy"])
    words = Page(report_with(record)).words
    for text in ("The toy is near one", "A toy that measures one.", "A. Author", "Nowhere 2026", "Basis: derived"):
        assert text in words
    for text in (
        "near-one",
        "value 1 ± 0.1",
        "the noise is at most 1e-3",
        "control far",
        "100 % (39–100)",
        "for almost all runs: at least 98 % against at most 80 %",
        "3 tests are made of almost all runs",
    ):
        assert text in words
    for text in (
        "dlnrepro run toy-claim",
        "a" * 16,
        "b" * 64,
        "284 MB",
        "torch 2.13.0",
        "unknown",
        "the quick profile",
    ):
        assert text in words
    for check in (*record.criteria[0].holds_in, *record.criteria[0].fails_in):
        assert all(number(value) in words for value in (check.median, check.min, check.max))


def test_nothing_is_fetched_and_nothing_is_run(page: Page) -> None:
    assert {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "embed", "base"} == set()
    for tag, attributes in page.tags:
        assert not {"src", "srcset", "action", "style" if tag == "a" else "src"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
        outside = [value for name, value in attributes.items() if "//" in value and name != "xmlns"]
        assert not outside or tag == "a"


def test_the_only_links_that_leave_the_page_go_to_the_paper(record_of: Make, report_with: With) -> None:
    record = record_of(("where: everywhere", 'where: everywhere\n  arxiv: "1810.02032"'))
    links = [attributes["href"] for tag, attributes in Page(report_with(record)).tags if tag == "a"]
    assert [link for link in links if not link.startswith("#")] == ["https://arxiv.org/abs/1810.02032"]


@pytest.mark.slow
def test_every_link_inside_the_page_leads_somewhere_and_every_id_is_the_only_one(
    record_of: Make, report_with: With
) -> None:
    record = record_of()
    page = Page(report_with(record, record, record))
    ids = Counter(attributes["id"] for _, attributes in page.tags if "id" in attributes)
    assert max(ids.values()) == 1
    links = {value for tag, attributes in page.tags for name, value in attributes.items() if name == "href"}
    inner = {link.removeprefix("#") for link in links if link.startswith("#")}
    clips = {found for _, attributes in page.tags for found in re.findall(r"url\(#(.*?)\)", str(attributes))}
    named = {value for _, attributes in page.tags if (value := attributes.get("aria-labelledby"))}
    assert inner | clips | named <= ids.keys()
    assert {"toy-claim", "toy-claim.2", "toy-claim.3"} <= ids.keys()


@pytest.mark.slow
def test_no_id_of_a_claim_or_a_criterion_is_one_of_the_page(record_of: Make, report_with: With) -> None:
    names = ["summary", "provenance", "2", "figure.0", "f0-0", "title", "criterion.2"]
    records = [record_of(("id: near-one", f"id: '{name}'")) for name in names for _ in range(2)]
    records += [replace(record_of(), id=name) for name in ("summary", "provenance", "toy-claim-title", "page")]
    page = Page(report_with(*records))
    ids = Counter(attributes["id"] for _, attributes in page.tags if "id" in attributes)
    assert max(ids.values()) == 1


def test_a_page_can_be_read_without_seeing_it(page: Page) -> None:
    pictures = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(pictures) == 2
    assert all(picture["role"] == "img" and len(picture["aria-label"]) > 20 for picture in pictures)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert next(attributes for tag, attributes in page.tags if tag == "html")["lang"] == "en"
    assert "✓ reproduced" in page.words
    assert "✓ pass" in page.words


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"near": [3.0, 3, 3, 3], "far": [5.0, 5, 5, 5]}, ["✗ not reproduced", "not as expected", "✗ fail"]),
        (
            {"near": [1.0, 1, 1, 1], "far": [1.0, 1, 1, 1]},
            ["? inconclusive", "passes too", "so the two are not separated"],
        ),
        ({"near": [1.0, 1, None, 1], "far": [5.0, 5, 5, 5]}, ["? inconclusive", "? undecided", "1 run is undecided"]),
        ({"near": [None] * 4, "far": [None] * 4}, ["? inconclusive", "none", "no data"]),
    ],
)
def test_every_verdict_is_said_in_words(
    record_of: Make, report_with: With, values: dict[str, list[float | None]], words: list[str]
) -> None:
    text = Page(report_with(record_of(values=values))).words
    assert all(part in text for part in words)


def test_an_interrupted_run_without_claims_is_a_page_too(report_with: With) -> None:
    words = Page(report_with(interrupted=True)).words
    assert "The run was ended by SIGINT: the claims that are not listed did not finish." in words
    assert "No claim finished" in words


NASTY = "<script>alert(1)</script> & \"quoted\" 'too' </style></svg>]]>"


def test_words_of_a_claim_stay_words(record_of: Make, report_with: With) -> None:
    quoted = "'" + NASTY.replace("'", "''") + "'"
    record = record_of(
        ("title: The toy is near one", f"title: {quoted}"),
        ("statement: A toy that measures one.", f"statement: {quoted}"),
        ("paper: Toys", f"paper: {quoted}"),
        ("says: the value is one", f"says: {quoted}"),
        ("why: the noise is at most 1e-3", f"why: {quoted}"),
        ("title: Height", f"title: {quoted}"),
        path=NASTY,
        command=NASTY,
        stamps=[NASTY],
        meanings=dict.fromkeys(("value", "noise", "step", "height"), NASTY),
    )
    report = report_with(replace(record, because=NASTY))
    report = replace(report, provenance={"command": [NASTY], "processor": NASTY, "versions": {NASTY: NASTY}})
    page = Page(report)
    assert not {"script"} & {tag for tag, _ in page.tags}
    assert page.words.count("<script>alert(1)</script>") > 12


def test_a_record_from_elsewhere_that_calls_itself_anything_is_a_page(
    hostile_report: Callable[[str], Report], hostile: str
) -> None:
    page = Page(hostile_report(hostile))
    assert "claim" in {attributes.get("id") for _, attributes in page.tags}
    assert not {"script"} & {tag for tag, _ in page.tags}
    assert "\u202e" not in page.text
    assert "\x07" not in page.text


def test_the_same_report_gives_the_same_bytes_also_after_it_was_stored(record_of: Make, report_with: With) -> None:
    report = report_with(record_of())
    assert to_html(report) == to_html(report) == to_html(from_json(to_json(report)))


def test_a_sentence_of_the_verdict_keeps_the_names_of_measures_and_arms(record_of: Make, report_with: With) -> None:
    said = "clock-k: theta ≥ {} is undecided in near"
    page = Page(report_with(replace(record_of(), because=said.format("-0.5"))))
    assert said.format("−0.5") in page.words


def test_settings_say_where_they_depart_from_the_file(record_of: Make, report_with: With) -> None:
    setup = {"value": 2, "behaviour": "steady", "bytes": 1000}
    words = Page(report_with(record_of(params={"near": setup, "far": {**setup, "value": 5.0}}))).words
    assert "value 2 (claim file: 1)" in words
    assert "behaviour steady" in words
    assert "The claim file asks for 4 runs per arm, and for more in an arm in doubt ." in words
    fewer = Page(report_with(record_of(("seeds: 4", "seeds: 16")))).words
    assert "The claim file asks for 16 runs per arm, and for more in an arm in doubt ; this result has 4 ." in fewer
    assert "value = 5" in words


def test_the_way_a_claim_is_tested_and_what_was_changed_later_are_on_its_card(
    record_of: Make, report_with: With
) -> None:
    record = record_of(
        ("source:", "experiment: A toy of one layer draws noise.\nsource:"),
        ("holds_in: near}", "holds_in: near, why: noise is small, history: it was 1e-3 at first}"),
        (
            "why: the noise is at most 1e-3",
            "why: 'theory: the noise is at most 1e-3'\n    history: it was 0.2 at first",
        ),
    )
    page = Page(report_with(record))
    for text in (
        "Experiment. A toy of one layer draws noise.",
        "Threshold from theory: the noise is at most 1e-3 History it was 0.2 at first",
        "Threshold: noise is small History it was 1e-3 at first",
        "Place in the source: everywhere. Basis: derived (the criteria rest on a derivation for this project).",
    ):
        assert text in page.words
    assert [tag for tag, _ in page.tags].count("details") == 2


def test_a_reduced_result_says_so_at_the_top_of_the_page_in_the_summary_and_on_its_card(
    record_of: Make, report_with: With
) -> None:
    record = record_of(("seeds: 4", "seeds: 16"), stamps=["toy"], command="dlnrepro run toy-claim --quick")
    words = Page(report_with(record)).words
    assert words.count("REDUCED") == 3
    assert "REDUCED: The result comes from the quick profile, with 4 instead of 16 runs per arm." in words
    few = "with fewer than 16 runs, a criterion holds if no run fails, which shows little"
    full = "dlnrepro run toy-claim runs the claim in full."
    assert f"REDUCED: quick profile, 4 of 16 runs per arm; {few}. {full}" in words
    assert "REDUCED" not in Page(report_with(record_of())).words


def test_a_departure_from_the_claim_file_has_its_own_notice_and_every_other_label_is_explained(
    record_of: Make, report_with: With
) -> None:
    record = record_of(("seeds: 4", "seeds: 16"), stamps=["fixed-seeds", "modified", "no-controls", "cached", "dirty"])
    words = Page(report_with(record)).words
    for text in (
        "FIXED RUNS: 4 runs per arm (claim file: 16, and more for an arm in doubt); with fewer than 16 runs,",
        "MODIFIED: other settings than the claim file's.",
        "NO CONTROLS: the negative controls were not run, so nothing shows that the criteria can fail.",
        "cached with numbers that were computed before, by the same code",
        "uncommitted code with code that had uncommitted changes",
    ):
        assert text in words
    assert "modified with" not in words


def test_an_arm_without_runs_neither_passes_nor_fails(record_of: Make, report_with: With) -> None:
    words = Page(report_with(record_of(values={"near": [1.0, 1.01, 0.99, 1.0]}))).words
    assert "control far not run 0/0 not run none none none" in words


def test_every_word_of_the_glossary_stands_on_the_page_and_what_leads_there_says_its_meaning(page: Page) -> None:
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    links = [attributes for tag, attributes in page.tags if tag == "a" and attributes.get("class") == "term"]
    assert len({link["href"] for link in links}) >= 8
    assert {link["href"].removeprefix("#") for link in links} <= ids
    assert {link["title"] for link in links} <= {*GLOSSARY.values()}
    assert all(meaning in page.words for meaning in GLOSSARY.values())


def test_a_criterion_whose_control_passes_is_not_called_a_pass(record_of: Make, report_with: With) -> None:
    words = Page(report_with(record_of(values={"near": [1.0] * 4, "far": [1.0] * 4}))).words
    assert "? uninformative the value is one" in words


def test_claims_of_different_verdicts_can_be_filtered_without_a_script(record_of: Make, report_with: With) -> None:
    bad = record_of(values={"near": [3.0] * 4, "far": [5.0] * 4})
    page = Page(report_with(record_of(), bad))
    buttons = [attributes for tag, attributes in page.tags if tag == "input"]
    assert [button["id"] for button in buttons] == [
        "page.show.all", "page.show.reproduced", "page.show.not-reproduced", "page.show.not-as-expected",
    ]  # fmt: skip
    assert ["checked" in button for button in buttons] == [True, False, False, False]
    source = to_html(report_with(record_of(), bad)).decode()
    assert all(f"#{button['id']}:checked".replace(".", "\\.") in source for button in buttons[1:])
    assert not [tag for tag, _ in Page(report_with(record_of())).tags if tag == "input"]


def test_the_columns_of_the_summary_are_explained_above_it(record_of: Make, report_with: With) -> None:
    source = to_html(report_with(record_of())).decode()
    assert 0 < source.index("Runs passed: the runs that satisfy") < source.index('<table class="summary">')


def test_a_page_names_what_was_not_judged_and_the_signal(ended: Report) -> None:
    page = to_html(ended).decode()
    assert "<title>dlnrepro: 1 claim, 1 reproduced, 3 not judged</title>" in page
    assert (
        page.split("</ul>\n", 1)[1].split("</header>")[0]
        == """\
<p class="notice">The run was ended by SIGTERM: the claims that are not listed did not finish.</p><div class="notice">\
<p>Not judged, though selected:</p>
<ul>
<li>claims/bad.yaml:6:1: title: expected text, found 3 (1 more error)</li>
<li>claims/two.yaml:1:1: expected a readable file, found: not a regular file</li>
<li>a fault of the program</li>
</ul></div>
"""
    )
