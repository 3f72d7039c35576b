"""Several reports as one: their claims by name, and the provenance of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dlnrepro.archive.joining import joined
from dlnrepro.archive.record import Report, compile_report, from_json, origin, to_json
from dlnrepro.errors import Unjudged

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


@pytest.fixture
def reports(command: Command, write_claim: Write) -> list[Report]:
    """Reports of two claims, not in the order of their names."""
    return [
        from_json(command("run", write_claim(name=name), "--json", "-q")[1].encode()) for name in ("b-toy", "a-toy")
    ]


def test_the_claims_are_in_the_order_of_their_names_and_counted(reports: list[Report]) -> None:
    whole = joined(reports)
    assert [record.id for record in whole.claims] == ["a-toy", "b-toy"]
    assert (whole.counts["reproduced"], whole.exit_code, whole.interrupted) == (2, 0, False)


def test_each_claim_keeps_the_provenance_of_its_own_report(reports: list[Report]) -> None:
    other = replace(reports[1], provenance={**reports[1].provenance, "processor": "another"})
    whole = joined([reports[0], other])
    assert origin(whole, whole.claims[1]) == reports[0].provenance
    assert origin(whole, whole.claims[0]) == other.provenance
    assert "processor" not in whole.provenance
    assert whole.provenance["versions"] == reports[0].provenance["versions"]


def test_the_versions_on_which_all_claims_agree_are_those_of_the_whole(reports: list[Report]) -> None:
    one, two = (
        replace(report, provenance={"versions": {"python": "3.11.7", "numpy": version}})
        for report, version in zip(reports, ("1.0", "2.0"), strict=True)
    )
    whole = joined([one, two])
    assert whole.provenance == {"versions": {"python": "3.11.7"}}
    assert whole.origins == {"a-toy": {"versions": {"numpy": "2.0"}}, "b-toy": {"versions": {"numpy": "1.0"}}}
    assert joined([whole]) == whole


def test_the_origins_of_a_joined_report_are_part_of_its_json(reports: list[Report]) -> None:
    whole = joined([reports[0], replace(reports[1], provenance={"processor": "another"})])
    assert from_json(to_json(whole)) == whole
    assert whole.origins["a-toy"] == {"processor": "another"}


def test_claims_of_one_provenance_have_no_origins_of_their_own(reports: list[Report]) -> None:
    whole = joined([replace(report, provenance={"device": "cpu"}) for report in reports])
    assert (whole.provenance, whole.origins) == ({"device": "cpu"}, {})


def test_what_one_report_could_not_judge_or_finish_is_in_the_whole(reports: list[Report]) -> None:
    lost = Unjudged(2, "x.yaml", "no claim")
    ended = compile_report(reports[0].claims, reports[0].provenance, 143, False, [lost])
    whole = joined([ended, reports[1]])
    assert (whole.interrupted, whole.exit_code, whole.unjudged) == (True, 143, [lost])


def test_no_reports_make_a_report_without_claims() -> None:
    assert joined([]) == compile_report([], {}, None, allow_inconclusive=False)
