"""Where claims are found, and how a selection of them is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlnrepro.claimfile.catalogue import claim_files, claim_paths, command_name, packaged_folder
from dlnrepro.claimfile.gathering import all_faults, gathered, used_instead
from dlnrepro.claimfile.loader import read_claim
from dlnrepro.errors import UsageError
from tests.refusal import refusal


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_a_path_comes_first_then_the_folder_claims_then_the_packaged_ones(elsewhere: Path) -> None:
    inside = packaged_folder() / "rank-one-alignment.yaml"
    assert claim_paths(["rank-one-alignment"]) == [inside]
    (elsewhere / "claims").mkdir()
    own = elsewhere / "claims" / "rank-one-alignment.yaml"
    own.write_text("x: 1")
    assert claim_paths(["rank-one-alignment"]) == [Path("claims/rank-one-alignment.yaml")]
    assert claim_paths([]) == [Path("claims/rank-one-alignment.yaml")]
    assert claim_paths([str(inside)]) == [inside]


def test_no_names_stand_for_all_packaged_claims_where_there_is_no_folder_claims() -> None:
    assert [path.stem for path in claim_paths([])] == sorted(path.stem for path in packaged_folder().glob("*.yaml"))
    assert len(claim_paths([])) >= 7


def test_a_file_that_is_named_twice_is_found_once_and_the_order_of_names_stays(elsewhere: Path) -> None:
    for name in ("b", "a", "c"):
        (elsewhere / f"{name}.yaml").write_text("x: 1")
    assert [path.stem for path in claim_paths(["c.yaml", ".", "c.yaml"])] == ["c", "a", "b"]
    assert [path.stem for path in claim_paths(["b.yaml", "a.yaml", "b.yaml"])] == ["b", "a"]


def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    assert refusal(lambda: claim_paths(["rank-one-aligment"])) == (
        "rank-one-aligment: expected a claim file or the id of a claim, found neither; "
        "did you mean 'rank-one-alignment'?"
    )


def test_the_stem_of_a_file_in_the_working_folder_is_answered_with_the_name_of_the_file() -> None:
    make("l1-bias.yaml", "rank-one-aligment.yml")
    found = "expected a claim file or the id of a claim, found neither; did you mean"
    assert refusal(lambda: claim_paths(["l1-bias"])) == f"l1-bias: {found} 'l1-bias.yaml'?"
    assert refusal(lambda: claim_paths(["rank-one-aligment"])) == (
        f"rank-one-aligment: {found} 'rank-one-aligment.yml'?"
    )


def test_an_id_says_which_file_it_stands_for_if_the_working_folder_has_another_file_of_this_id() -> None:
    make("claims/my-claim.yaml", "my-claim.yaml")
    Path("claims/my-claim.yaml").write_text((packaged_folder() / "rank-one-alignment.yaml").read_text())
    selection = gathered(["my-claim"])
    assert selection.others == ((Path("claims/my-claim.yaml"), Path("my-claim.yaml")),)
    assert used_instead(selection.others) == [
        "my-claim: the file claims/my-claim.yaml is used, not my-claim.yaml in this folder; name 'my-claim.yaml' "
        "to use that"
    ]
    assert gathered(["claims/my-claim.yaml"]).others == ()
    Path("my-claim.yaml").unlink()
    assert gathered(["my-claim"]).others == ()
    Path("my-claim.yaml").symlink_to("claims/my-claim.yaml")
    assert gathered(["my-claim"]).others == ()


def make(*names: str) -> None:
    """Files of these names, with their folders."""
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("x: 1")


def test_a_folder_stands_for_all_claim_files_in_it_and_below() -> None:
    make("f/b.yaml", "f/sub/deeper/a.yml", "f/c.YAML", "f/notes.md", "f/sub/d.Yml")
    assert [str(path) for path in claim_paths(["f"])] == ["f/sub/deeper/a.yml", "f/b.yaml", "f/c.YAML", "f/sub/d.Yml"]
    Path("f").rename("claims")
    assert [path.stem for path in claim_paths([])] == ["a", "b", "c", "d"]
    assert claim_paths(["a"]) == [Path("claims/sub/deeper/a.yml")]


def test_hidden_files_are_passed_over_and_named_and_places_of_other_programs_are_not_entered() -> None:
    make("f/a.yaml", "f/._x.yaml", "f/.old/y.yml", "f/sub/.z.yaml")
    make("f/.git/g.yaml", "f/env/pyvenv.cfg", "f/env/e.yaml", "f/__pycache__/p.yaml", "f/node_modules/n.yaml")
    make("f/outputs/cells/c.yaml", "f/outputs/reports/r.yaml")
    files = claim_files(["f"])
    assert [str(file.path) for file in files.claims] == ["f/a.yaml"]
    assert [str(path) for path in files.hidden] == ["f/._x.yaml", "f/.old/y.yml", "f/sub/.z.yaml"]


def test_links_to_folders_are_followed_without_going_round() -> None:
    make("f/a.yaml", "elsewhere/b.yaml", "f/.kept/c.yaml")
    Path("f/loop").symlink_to(Path("f").absolute())
    Path("f/out").symlink_to(Path("elsewhere").absolute())
    Path("f/seen").symlink_to(Path("f/.kept").absolute())
    files = claim_files(["f"])
    assert [str(file.path) for file in files.claims] == ["f/a.yaml", "f/out/b.yaml", "f/seen/c.yaml"]
    assert files.hidden == ()


def test_a_file_that_several_names_stand_for_is_there_once() -> None:
    make("f/a.yaml")
    Path("link.yaml").symlink_to("f/a.yaml")
    names = ["link.yaml", "f", "f/a.yaml", "./f/../f/a.yaml", str(Path("f/a.yaml").absolute())]
    (file,) = claim_files(names).claims
    assert (str(file.path), file.named) == ("f/a.yaml", True)


def test_a_pattern_stands_for_the_ids_that_match_it() -> None:
    make("claims/one-neuron-own.yaml", "claims/one-neuron-rate.yml")
    found = claim_paths(["one-neuron-[or]*"])
    assert found[0] == packaged_folder() / "one-neuron-oja-clock.yaml"
    assert Path("claims/one-neuron-own.yaml") in found
    assert Path("claims/one-neuron-rate.yml") in found
    assert packaged_folder() / "one-neuron-rate.yaml" not in found
    assert refusal(lambda: claim_paths(["no-such-*"])) == (
        "no-such-*: expected a pattern that fits the id of a claim, found none"
    )


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "\udcff", "a\nb", "f/" + "y" * 5000 + "/"])
def test_a_name_that_no_file_can_have_is_one_line(name: str) -> None:
    with pytest.raises(UsageError) as error:
        claim_paths([name, "rank-one-alignment", "nothing", name])
    lines = str(error.value).splitlines()
    assert lines[-1] == "nothing: expected a claim file or the id of a claim, found neither"
    assert len(lines) == (1 if "/" in name else 2)
    assert max(map(len, lines)) < 200


def test_a_name_with_the_suffix_of_a_claim_may_be_too_long_for_a_file() -> None:
    (file,) = claim_files(["x" * 5000 + ".yaml"]).claims
    assert all_faults(claim_files([str(file.path)]), read_claim)[0].found == "file name too long"


def test_an_empty_name_is_not_the_folder_that_one_is_in() -> None:
    make("mine.yaml")
    assert refusal(lambda: claim_paths([""])) == (
        "'': expected a claim file, a folder or the id of a claim, found no name"
    )


def test_a_file_whose_whole_name_is_a_suffix_is_hidden_and_named() -> None:
    make("claims/.yaml", "claims/good.yaml")
    assert claim_files(["claims"]).hidden == (Path("claims/.yaml"),)


def test_a_claim_is_called_by_its_id_only_where_the_id_stands_for_its_file() -> None:
    inside = packaged_folder() / "rank-one-alignment.yaml"
    assert command_name(inside) == "rank-one-alignment"
    make("claims/rank-one-alignment.yml", "claims/sub/deep.yaml", "mine.yaml", "claims/folder.yaml", "folder/x.yaml")
    assert command_name(Path("claims/rank-one-alignment.yml")) == "rank-one-alignment"
    assert command_name(inside) == str(inside)
    assert command_name(Path("claims/sub/deep.yaml")) == "claims/sub/deep.yaml"
    assert command_name(Path("claims/folder.yaml")) == "claims/folder.yaml"
    assert command_name(Path("mine.yaml")) == "mine.yaml"


def test_a_folder_without_claims_is_refused(elsewhere: Path) -> None:
    (elsewhere / "empty").mkdir()
    assert refusal(lambda: claim_paths(["empty"])) == (
        "empty: expected a folder with claim files (*.yaml, *.yml), found none in it"
    )
