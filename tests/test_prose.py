"""The language of everything that a user reads: `tests/prose/habits.py` has the habits that are refused.

`pytest tests/test_prose.py -k one-neuron` looks at the files whose path contains these words; `python -m tests.prose`
counts what is to be rewritten in each part of the project.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.cli import COMMANDS
from tests.prose.habits import HABITS, Habit, refused
from tests.prose.passages import ROOT, Passage, files, findings, passages

Command = Callable[..., tuple[int, str, str]]


def _paths(path: Path) -> str:
    """The name of a file's test."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", files(), ids=_paths)
def test_a_text_that_users_read_is_plain_english(path: Path) -> None:
    assert not (found := findings(path)), "\n" + "\n".join(map(str, found))


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_the_help_of_a_command_is_plain_english(name: str, command: Command) -> None:
    _, text, _ = command(*[name] * bool(name), "--help")
    found = [f"{habit.name}: {match[0]!r}; write {habit.instead}" for habit in HABITS for match in refused(habit, text)]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("habit", HABITS, ids=[habit.name for habit in HABITS])
def test_a_habit_is_found_in_its_examples_and_in_no_good_sentence(habit: Habit) -> None:
    assert habit.wrong
    assert habit.right
    assert [text for text in habit.wrong if not refused(habit, text)] == []
    assert [text for text in habit.right if refused(habit, text)] == []


def test_a_habit_is_found_across_the_end_of_a_line_but_not_in_code() -> None:
    (habit,) = (habit for habit in HABITS if habit.name == "but for")
    assert [match[0] for match in refused(habit, "nothing moves but\n    for rounding")] == ["but\n    for"]
    assert refused(habit, "the text `but for` is quoted") == []


def test_the_place_of_a_finding_is_its_file_and_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.prose.passages.ROOT", tmp_path)
    module = tmp_path / "dlnrepro" / "report" / "one.py"
    module.parent.mkdir(parents=True)
    module.write_text('"""The module.\n\nA row beside it.\n"""\n\nTEXT = f"{1} is told to {2}"\nKEY = "beside"\n')
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n```\nbeside\n```\n\nIt says that\nwhoever asks `beside` is heard.\n")
    assert [str(finding) for path in (module, page) for finding in findings(path)] == [
        "dlnrepro/report/one.py:3: beside: 'The module. A row beside it.'; write 'next to', 'below', 'with'",
        "dlnrepro/report/one.py:6: told: '□ is told to □'; write of a control: 'fails, as required'; of a formula: "
        "'uses'; otherwise: 'says', 'shows', 'distinguishes'",
        "page.md:8: whoever: 'It says that whoever asks `beside` is heard.'; write 'a user who', 'everyone who'",
    ]


def test_a_claim_without_experiment_verb_or_kind_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.prose.passages.ROOT", tmp_path)
    claim = tmp_path / "claims" / "one.yaml"
    claim.parent.mkdir()
    claim.write_text(
        "title: The layers align\nstatement: The layers of the network align.\ncriteria:\n"
        "- {id: one, says: no slope at any depth, why: Far from 1; some are near it.}\n"
        "- {id: two, says: the layers align, why: 'theory: the bound is 0.1'}\n"
    )
    assert [str(finding) for finding in findings(claim)] == [
        "claims/one.yaml:2: experiment: 'none'; write how the statement is tested",
        "claims/one.yaml:4: no verb: 'no slope at any depth'; "
        "write a sentence with a verb (or add its verb to _VERBS in tests/prose/passages.py)",
        "claims/one.yaml:4: kind of a reason: 'Far from 1; some are near it.'; "
        "write 'theory: ', 'derived: ' or 'pilot: ' first, and small letters after it",
    ]


def test_a_description_that_needs_the_one_above_it_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.prose.passages.ROOT", tmp_path)
    module = tmp_path / "dlnrepro" / "runners" / "one.py"
    module.parent.mkdir(parents=True)
    module.write_text(
        'MEASURES = {"a": "n_0", "b": "the width of the first layer"}\n'
        'SERIES = {"c": Series("c", "the same for the second layer")}\n'
    )
    assert [str(finding) for finding in findings(module)] == [
        "dlnrepro/runners/one.py:1: short description: 'n_0'; write at least 12 characters",
        "dlnrepro/runners/one.py:2: fragment: 'the same for the second layer'; write the noun that is meant",
    ]


def test_the_texts_of_every_part_are_collected() -> None:
    collected: dict[str, list[Passage]] = {_paths(path): passages(path) for path in files()}
    assert "README.md" in collected
    assert any("claims/" in file for file in collected)
    assert any("/templates/" in file for file in collected)
    for file, texts in collected.items():
        assert texts, file
