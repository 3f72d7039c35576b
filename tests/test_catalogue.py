"""Where claims are found, and how a selection of them is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.catalogue import claim_paths, packaged
from dlnrepro.errors import UsageError
from dlnrepro.loader import read_claim
from dlnrepro.selection import selected


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_a_path_comes_first_then_the_folder_claims_then_the_packaged_ones(elsewhere: Path) -> None:
    inside = packaged() / "rank-one-alignment.yaml"
    assert claim_paths(["rank-one-alignment"]) == [inside]
    (elsewhere / "claims").mkdir()
    own = elsewhere / "claims" / "rank-one-alignment.yaml"
    own.write_text("x: 1")
    assert claim_paths(["rank-one-alignment"]) == [Path("claims/rank-one-alignment.yaml")]
    assert claim_paths([]) == [Path("claims/rank-one-alignment.yaml")]
    assert claim_paths([str(inside)]) == [inside]


def test_no_names_stand_for_all_packaged_claims_where_there_is_no_folder_claims() -> None:
    assert [path.stem for path in claim_paths([])] == sorted(path.stem for path in packaged().glob("*.yaml"))
    assert len(claim_paths([])) >= 7


def test_a_file_that_is_named_twice_is_found_once_and_the_order_of_names_stays(elsewhere: Path) -> None:
    for name in ("b", "a", "c"):
        (elsewhere / f"{name}.yaml").write_text("x: 1")
    assert [path.stem for path in claim_paths(["c.yaml", ".", "c.yaml"])] == ["c", "a", "b"]
    assert [path.stem for path in claim_paths(["b.yaml", "a.yaml", "b.yaml"])] == ["b", "a"]


def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match="found neither; did you mean 'rank-one-alignment'"):
        claim_paths(["rank-one-aligment"])


def test_a_folder_without_claims_is_refused(elsewhere: Path) -> None:
    with pytest.raises(UsageError, match="expected a folder with claim files"):
        claim_paths([str(elsewhere)])


@pytest.mark.parametrize(
    ("words", "tags", "count"),
    [
        ("toy", None, 1), ("TOY", None, 1), ("margin", None, 0), ("not margin", None, 1), ("toy and near", None, 1),
        ("toy and (margin or one)", None, 1), ("margin or not one", None, 0), (None, "small", 1), (None, "smal", 0),
        (None, "large,toy", 1), (None, "toy and not small", 0), ("toy", "large", 0),
    ],
)  # fmt: skip
def test_expressions_choose_claims(
    write_claim: Callable[..., Path], words: str | None, tags: str | None, count: int
) -> None:
    assert len(selected([read_claim(write_claim())], words, tags)) == count


@pytest.mark.parametrize("words", ["", "and", "toy and", "(toy", "toy)", "toy toy", "not"])
def test_an_expression_that_cannot_be_read_is_refused(write_claim: Callable[..., Path], words: str) -> None:
    with pytest.raises(UsageError, match="-k: expected"):
        selected([read_claim(write_claim())], words, None)
