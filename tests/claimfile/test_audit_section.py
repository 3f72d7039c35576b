"""The audit section of a claim file: what it may say, and one line for each of its faults, at its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.claimfile.loader import load_claim
from dlnrepro.errors import ClaimError

Write = Callable[..., Path]

AUDIT = """\
audit:
  harmless:
    slower:
      seconds: 0.001
      near.share: 0.999
  flaws:
    factor:
      says: The value is 5 % too large.
      plant: factor
      settings: {value: 1.2}
      breaks: [near-one]
    other:
      says: The value is another.
      settings: {near.value: 2.0}
      breaks: near-one
"""


@pytest.fixture
def write(write_chancy: Write) -> Write:
    """Write a claim with an audit section, parts of which are replaced."""

    def write(*changes: tuple[str, str]) -> Path:
        text = AUDIT
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = write_chancy()
        path.write_text(path.read_text() + text)
        return path

    return write


def faults(path: Path) -> list[str]:
    """The faults of a file, without its name and the lines above the section."""
    above = path.read_text().index("audit:")
    lines = path.read_text()[:above].count("\n")
    with pytest.raises(ClaimError) as refused:
        load_claim(path)
    found = []
    for fault in refused.value.faults:
        line, column, text = str(fault).removeprefix(f"{path}:").split(":", 2)
        found.append(f"{int(line) - lines}:{column}:{text}")
    return found


def test_a_whole_section_is_read(write: Write) -> None:
    audit = load_claim(write()).audit
    assert audit.harmless == {"slower": {"seconds": 0.001, "near.share": 0.999}}
    assert list(audit.flaws) == ["factor", "other"]
    assert audit.flaws["factor"].plant == "factor"
    assert audit.flaws["other"].breaks == ("near-one",)


def test_a_claim_without_the_section_has_an_empty_one(write_chancy: Write) -> None:
    audit = load_claim(write_chancy()).audit
    assert (audit.harmless, audit.flaws) == ({}, {})


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("  harmless:", "  harmles:",
         "2:3: audit.harmles: expected one of harmless, flaws, found 'harmles'; did you mean 'harmless'?"),
        ("breaks: [near-one]", "breaks: [near-won]",
         "11:7: audit.flaws.factor.breaks: expected one of near-one, found 'near-won'; did you mean 'near-one'?"),
        ("breaks: [near-one]", "breaks: []",
         "11:7: audit.flaws.factor.breaks: expected a list of length 1 or more, found []"),
        ("      breaks: [near-one]\n", "", "7:5: audit.flaws.factor.breaks: expected this key, found nothing"),
        ("      says: The value is another.\n", "", "12:5: audit.flaws.other.says: expected this key, found nothing"),
        ("plant: factor", "plant: factr",
         "9:7: audit.flaws.factor.plant: expected one of factor, offset, sign, found 'factr'; "
         "did you mean 'factor'?"),
        ("      settings: {near.value: 2.0}\n", "",
         "12:5: audit.flaws.other.plant: expected a flaw of the runner in 'plant', or 'settings', found neither"),
        ("{near.value: 2.0}", "{neer.value: 2.0}",
         "14:18: audit.flaws.other.settings.neer.value: expected one of near, found 'neer'; did you mean 'near'?"),
        ("{near.value: 2.0}", "{near.valu: 2.0}",
         "14:18: audit.flaws.other.settings.near.valu: expected one of value, failing, missing, loud, share, "
         "breaks_at, seconds, found 'valu'; did you mean 'value'?"),
        ("seconds: 0.001", "second: 0.001",
         "4:7: audit.harmless.slower.second: expected one of value, failing, missing, loud, share, breaks_at, "
         "seconds, found 'second'; did you mean 'seconds'?"),
        ("near.share: 0.999", "near.share: 1.5",
         "5:7: audit.harmless.slower.near.share: expected a number of at most 1, found 1.5"),
        ("seconds: 0.001", "seconds: slow", "4:7: audit.harmless.slower.seconds: expected a number, found 'slow'"),
        ("near.share: 0.999", "near.share: 1.0",
         "5:7: audit.harmless.slower.near.share: expected another value than the tested arms have, found 1.0"),
        ("{near.value: 2.0}", "{value: 1.0}",
         "14:18: audit.flaws.other.settings.value: expected another value than the tested arms have, found 1.0"),
        ("      seconds: 0.001\n      near.share: 0.999\n", "      {}\n",
         "3:5: audit.harmless.slower: expected at least one setting with another value, found none"),
        ("    slower:", "    far too slow:",
         "3:5: audit.harmless.far too slow: expected text of the form ^[A-Za-z0-9][A-Za-z0-9_.-]*$, "
         "found 'far too slow'"),
    ],
)  # fmt: skip
def test_each_fault_is_one_line_at_its_place(write: Write, old: str, new: str, fault: str) -> None:
    assert faults(write((old, new))) == [fault]


def test_all_faults_of_the_section_are_reported_at_once(write: Write) -> None:
    found = faults(
        write(("plant: factor", "plant: none"), ("seconds: 0.001", "seconds: -1"), ("near.value", "value.x"))
    )
    assert [line.split(": ")[1] for line in found] == [
        "audit.harmless.slower.seconds",
        "audit.flaws.factor.plant",
        "audit.flaws.other.settings.value.x",
    ]


def test_a_runner_without_flaws_says_so(write_claim: Write) -> None:
    path = write_claim()
    flaw = "audit: {flaws: {factor: {says: It is wrong., plant: factor, breaks: near-one}}}\n"
    path.write_text(path.read_text() + flaw)
    assert faults(path) == ["1:46: audit.flaws.factor.plant: expected a flaw of the runner 'toy', found 'factor'"]
