"""Markdown: as a parser that is not ours reads it, with hostile words, and within GitHub's limits."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from dlnrepro.archive.record import Report
from dlnrepro.report.exchange.markdown import COMMENT_BYTES, markdown
from dlnrepro.report.exchange.markup import code, in_html, text
from dlnrepro.report.words.digest import ARM_HEADS

ReportOf = Callable[..., Report]

ALMOST = " for almost all runs: at least 98 % against at most 80 %"

TOY = """\
### dlnrepro: 1 reproduced

**REDUCED**: 1 of 1 results come from the quick profile.

**Chance of a wrong verdict.** 3 tests are made of almost all runs, with 2 runs per arm; a test is one criterion \
or assumption in one arm or control. If 98 % or more of all possible runs are as required in each of them, the chance \
that any of them ends broken or undecided is at most 3 × 4 % = 12 %. If 80 % or less are, a test still passes with a \
chance of at most 64 %. With 95 % confidence, 2 runs that all are as required leave a share above 16 % possible \
(fewer than 16 runs show little).

| verdict | claim | runs passed | tightest criterion | controls failed as required | computing time | labels |
|---|---|--:|---|--:|--:|---|
| ✓ reproduced | `toy-claim` | 2/2 | near-one; its worst run has value 1.001, 0.099 inside the threshold 1.1 \
(uses 1 % of the tolerance) | 1/1 | 0.0 s | reduced |

<details><summary>✓ reproduced: <b>toy-claim</b>, The toy is near one</summary>

**REDUCED**: quick profile, 2 of 4 runs per arm; with fewer than 16 runs, a criterion holds if no run fails, which \
shows little

- ✓ `near-one`: the value is one. Required: `value = 1 ± 0.1` for almost all runs: at least 98 % against at \
most 80 %; worst run 1.001, 0.099 inside the threshold 1.1 (uses 1 % of the tolerance); 1 of 1 controls failed as \
required.

To repeat this: `dlnrepro run toy-claim.yaml --quick`

</details>

<details><summary>What the words mean</summary>

- **run**: one seed of one arm; it passes if all that must hold in this arm holds
- **arm**: the settings with a few named changes; all arms use the same seeds
- **control**: an arm that must fail, because it breaks one hypothesis; it counts once per criterion, and 4/4 is good
- **almost all runs**: a criterion is tested for at least 98 % against at most 80 % of all possible runs; 16 runs that \
all lie inside decide, and in doubt further runs are made, up to 256 per arm
- **share as required**: the part of the counted runs that lie inside (in a control: outside), in percent; in \
parentheses is its exact 95 % confidence interval, for one arm and one criterion, as for a fixed number of runs
- **tightest criterion**: its worst run (nearest to its threshold, or furthest outside) leaves the least room, \
relative to half the interval or to a single threshold
- **computing time**: the times of all arms added, those of cached arms too

</details>

<sub>..., exit code 0</sub>
"""


def rendered(content: bytes) -> str:
    """The HTML that GitHub's dialect gives, with tables, struck-out words and addresses."""
    return str(MarkdownIt("gfm-like", {"linkify": False, "html": True}).enable("table").render(content.decode()))


def rows(page: str) -> list[list[str]]:
    """The words in the cells of every row of every table."""
    found = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    return [[words(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in found]


def words(markup: str) -> str:
    """What a reader sees of HTML."""
    return html.unescape(re.sub(r"<!--.*?-->|<[^>]+>", "", markup)).strip()


def test_the_whole_page_of_a_claim_reads_as_it_should(report_of: ReportOf) -> None:
    page = re.sub(r"\d\.\d s", "0.0 s", markdown(report_of("--quick")).decode())
    assert re.sub("<sub>.*, exit", "<sub>..., exit", page) == TOY


def test_tables_have_the_cells_they_should(report_of: ReportOf) -> None:
    table = rows(rendered(markdown(report_of("-s", "value=3"))))
    heads = "verdict,claim,runs passed,tightest criterion,controls failed as required,computing time,labels"
    assert table[0] == heads.split(",")
    tightest = "near-one; its worst run has value 3.001, 1.901 outside the threshold 1.1"
    assert table[1][:5] == ["✗ not reproduced", "toy-claim", "0/16", tightest, "1/1"]
    assert table[1][6] == "modified"
    assert table[2] == [*ARM_HEADS]
    assert table[-2:] == [
        ["near", "0/16", "0 % (0–21)", "broken", "3.001", "3 … 3.001"],
        ["control far", "0/16", "100 % (79–100)", "fails as required", "5.001", "5 … 5.001"],
    ]


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        ("diverges", "Because: near-one: value = 1 ± 0.1 is undecided in near: 0 of 16 runs lie inside, 16 undecided"),
        ("raises", "Because: arm near: RuntimeError: the toy broke"),
    ],
)
def test_what_is_not_as_expected_is_open_and_says_why(report_of: ReportOf, behaviour: str, sentence: str) -> None:
    page = rendered(markdown(report_of("-s", f"behaviour={behaviour}")))
    assert "<details open>" in page
    assert sentence in words(page)


@pytest.mark.slow
@pytest.mark.parametrize(("words", "code"), [([], 0), (["-s", "value=3"], 1), (["-s", "behaviour=raises"], 3)])
def test_the_page_ends_with_the_exit_code(report_of: ReportOf, words: list[str], code: int) -> None:
    assert f"exit code {code}" in markdown(report_of(*words)).decode().splitlines()[-1]


def test_an_expected_failure_is_folded_and_says_so(report_of: ReportOf) -> None:
    expected = (("quick:", "expect: not reproduced\nbecause: it is three\nquick:"), ("value: 1\n", "value: 3\n"))
    page = markdown(report_of(changes=expected)).decode()
    assert "| ✗ not reproduced (as expected) |" in page
    assert "<details open>" not in page
    assert "\nWhy this is expected: it is three\n" in page
    unexpected = markdown(report_of(changes=expected[:1])).decode()
    assert "| **✓ reproduced (not expected)** |" in unexpected


@pytest.mark.parametrize("form", [text, code, in_html])
def test_hostile_words_stay_words_wherever_they_stand(hostile: str, form: Callable[[str], str]) -> None:
    seen = " ".join(hostile.replace("\u202e", "\ufffd").replace("\x07", "\ufffd").split())
    if form is in_html:
        page = rendered(f"<details><summary>{form(hostile)}</summary>\n\nrest\n\n</details>\n".encode())
        assert words(page).split("\n") == [seen, "rest"]
    else:
        page = rendered(f"| a | b |\n|---|---|\n| {form(hostile)} | end |\n\n**x**: {form(hostile)}\n".encode())
        assert rows(page) == [["a", "b"], [seen, "end"]]
        assert words(page).endswith(f"x: {seen}")
    assert not re.search(r"<(script|a|em|h1)\b", page)
    # Nothing is left together that GitHub reads as a mention, a reference, an emoji, a formula or an address.
    assert not re.search(r"@\w|#\d|:smile:|\$\w|://", re.sub(r"&#?\w+;", "", page).replace("<!-- -->", "\0"))


def test_a_claim_with_hostile_words_keeps_the_page_whole(hostile: str, hostile_report: Callable[[str], Report]) -> None:
    page = rendered(markdown(hostile_report(hostile)))
    assert [len(row) for row in rows(page)] == [7, 7] + [6] * 5
    assert page.count("<details") == page.count("</details>") == 2
    assert "<script" not in page


def test_formulas_are_typeset_and_measures_are_defined(report_of: ReportOf) -> None:
    notation = (("the value is one", "sigma_1^2 of W_(l+1)^T is one"), ("The toy is near one", "All ||W||_F^2 <= eta"))
    lines = markdown(report_of("-s", "value=3", changes=notation)).decode().splitlines()
    title = next(line for line in lines if "toy-claim</b>" in line)
    assert title == "<details open><summary>✗ not reproduced: <b>toy-claim</b>, All ‖W‖_F² ≤ η</summary>"
    start = lines.index("**✗ near-one**: σ₁² of Wₗ₊₁ᵀ is one")
    assert lines[start + 2 : start + 6] == [
        f"Required: `value = 1 ± 0.1`{ALMOST}",
        "",
        "`value`: the value, up to noise",
        "",
    ]


def test_words_beyond_measure_are_cut() -> None:
    assert len(text("x" * 1_000_000)) == 400


@pytest.mark.slow
@pytest.mark.parametrize("limit", [3_000, COMMENT_BYTES])
def test_a_page_keeps_to_its_limit_and_counts_what_it_leaves_out(many: Callable[[int], Report], limit: int) -> None:
    content = markdown(many(500), limit)
    assert limit * 0.8 < len(content) <= limit
    page = rendered(content)
    left_out = re.search(r"Left out, to stay below [\d,]+ bytes: (\d+) rows and parts", page)
    assert left_out is not None
    arms = sum(row[0] in {"arm", "near", "control far"} for row in rows(page))
    assert len(rows(page)) - 1 - arms + page.count("<details") + int(left_out[1]) == 1_000


@pytest.mark.slow
def test_claims_that_ask_for_attention_come_first(many: Callable[[int], Report]) -> None:
    page = markdown(many(100), 40_000).decode()
    assert page.count("| **✗ not reproduced** |") == page.count("<details open>") == 10
    assert 0 < page.count("<details>") < 90
    assert page.rindex("<details open>") < page.index("<details>")


def test_an_interrupted_report_without_claims_is_a_page(report_of: ReportOf) -> None:
    report = report_of()
    empty = replace(report, claims=[], counts=dict.fromkeys(report.counts, 0), interrupted=True)
    assert "no claim finished\n\n**Interrupted**" in markdown(empty).decode()


def test_a_page_names_what_was_not_judged_and_the_signal(ended: Report) -> None:
    page = markdown(ended).decode()
    assert (
        page.split("| verdict")[0]
        == """\
### dlnrepro: 1 reproduced, 3 not judged

**Ended by SIGTERM**: the claims that are not listed did not finish.

**Chance of a wrong verdict.** 3 tests are made of almost all runs, with 16 to 256 runs per arm; a test is one \
criterion or assumption in one arm or control. If 98 % or more of all possible runs are as required in each of them, \
the chance that any of them ends broken or undecided is at most 3 × 0.0021 % = 0.0063 %. If 80 % or less are, a test \
still passes with a chance of at most 3.2 %. With 95 % confidence, 4 runs that all are as required leave a share above \
40 % possible (fewer than 16 runs show little).

- **not judged**: claims/bad.yaml:<!-- -->6:1: title: expected text, found 3 (1 more error)
- **not judged**: claims/two.yaml:<!-- -->1:1: expected a readable file, found: not a regular file
- **not judged**: a fault of the program

"""
    )
    assert page.endswith(", exit code 143</sub>\n")
