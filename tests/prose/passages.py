"""Collects every text that a user reads, with its place, and finds what has to be rewritten in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from tests.prose.habits import HABITS, refused

ROOT = Path(__file__).parent.parent.parent
SHORTEST = 12
"""The fewest characters of a description that can be understood without the field above it."""


@dataclass(frozen=True)
class Passage:
    """A text that a user reads.

    Attributes:
        file: its file, relative to the project's folder.
        line: the line on which it begins.
        text: the text, with code quotes left out.
        spread: whether the ends of lines in the text are those of the file.
    """

    file: str
    line: int
    text: str
    spread: bool = True


@dataclass(frozen=True)
class Finding:
    """One place that has to be rewritten."""

    file: str
    line: int
    habit: str
    found: str
    instead: str

    def __str__(self) -> str:
        """The place, what stands there, and what to write instead."""
        return f"{self.file}:{self.line}: {self.habit}: {self.found!r}; write {self.instead}"


def part(file: str) -> str:
    """The part of the project to which a file belongs: the folder of a claim or of a package, or the file itself."""
    names = file.split("/")
    return names[0] if len(names) == 1 or names[0] != "dlnrepro" else names[1]


def passages(path: Path) -> list[Passage]:
    """The texts of a file that a user reads."""
    file, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    kinds = {".py": _of_python, ".yaml": _of_yaml, ".yml": _of_yaml, ".md": _of_markdown, ".html": _of_page}
    return list(kinds[path.suffix](file, text))


def findings(path: Path) -> list[Finding]:
    """Everything in a file that has to be rewritten."""
    found = []
    for passage in passages(path):
        for habit in HABITS:
            if not habit.where or part(passage.file) in habit.where:
                for match in refused(habit, passage.text):
                    line = passage.line + passage.text[: match.start()].count("\n") * passage.spread
                    around = passage.text[max(0, match.start() - 25) : match.end() + 25]
                    words = " ".join(re.sub("□{2,}", "", around).split())
                    found.append(Finding(passage.file, line, habit.name, words, habit.instead))
    found += [*_descriptions(path), *_of_claim(path)]
    return sorted(found, key=lambda finding: finding.line)


def files() -> list[Path]:
    """The files that hold texts which a user reads."""
    package = [path for path in (ROOT / "dlnrepro").rglob("*") if path.suffix in {".py", ".html"}]
    claims = [path for path in (ROOT / "claims").rglob("*") if path.suffix in {".yaml", ".md"}]
    pages = [
        ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "outputs/README.md", "action.yml")
    ]
    return [path for path in sorted([*package, *claims, *pages]) if path.is_file()]


_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_ARGUMENT = re.compile(r"^ +\w+:(?= )", re.MULTILINE)
"""The name of an argument or an attribute in a docstring."""


def _of_python(file: str, text: str) -> Iterator[Passage]:
    """The docstrings of a module, and its strings of several words."""
    tree = ast.parse(text)
    docstrings: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            first = node.body[0]
            assert isinstance(first, ast.Expr)
            assert isinstance(first.value, ast.Constant)
            docstrings.add(first.value)
            yield Passage(file, first.value.lineno, _ARGUMENT.sub(_blanked, str(first.value.value)))
    inside: set[ast.AST] = set()
    for joined in ast.walk(tree):
        if isinstance(joined, ast.JoinedStr):
            inside |= set(joined.values)
            parts = [str(part.value) if isinstance(part, ast.Constant) else "□" for part in joined.values]
            if _is_prose("".join(parts)):
                yield Passage(file, joined.lineno, "".join(parts), spread=False)
    for piece in ast.walk(tree):
        if piece in docstrings | inside or not isinstance(piece, ast.Constant) or not isinstance(piece.value, str):
            continue
        if _is_prose(piece.value):
            yield Passage(file, piece.lineno, piece.value, piece.end_lineno != piece.lineno and "\n" in piece.value)


def _is_prose(text: str) -> bool:
    """Whether a string has at least two words, and is not a regular expression or a style sheet."""
    return bool(re.search(r"[A-Za-z]\w*[,.]? [A-Za-z(]", text)) and not re.search(r"\(\?|\\[sdwb]|[{;]\s*[\w-]+:", text)


_YAML_PROSE = {"title", "statement", "experiment", "note", "says", "why", "because", "history", "where", "description",
               "independent", "slack"}  # fmt: skip


def _of_yaml(file: str, text: str) -> Iterator[Passage]:
    """The prose of a claim file, or the descriptions of an action."""
    lines = text.splitlines()

    def walk(node: yaml.Node, key: str, parent: str = "") -> Iterator[Passage]:
        if isinstance(node, yaml.MappingNode):
            for name, value in node.value:
                yield from walk(value, name.value, key)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                yield from walk(value, key, parent)
        elif (key in _YAML_PROSE or parent == "controls") and isinstance(node, yaml.ScalarNode):
            first, last = node.start_mark.line, node.end_mark.line
            folded = node.style in (">", "|")
            block = "\n".join(lines[first + folded : last + (not folded)])
            if parent == "controls" and not folded:
                block = node.value  # without the name of the control
            yield Passage(file, first + 1 + folded, block)

    root = yaml.compose(text)
    assert root is not None
    yield from walk(root, "")


def _of_markdown(file: str, text: str) -> Iterator[Passage]:
    """A page, without what it shows of a terminal and without the titles of papers."""
    text = re.sub(r"^```.*?^```", _blanked, text, flags=re.M | re.S)
    for title in _papers():
        text = text.replace(title, "□")
    yield Passage(file, 1, text)


@cache
def _papers() -> list[str]:
    """The titles of the papers, whose words are those of their authors."""
    claims = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "claims").glob("*.yaml")))
    return [line.strip().strip('"') for line in re.findall(r"^  paper: (.*)$", claims, re.MULTILINE)]


def _of_page(file: str, text: str) -> Iterator[Passage]:
    """The words of a page's template, without its markup."""
    for markup in (
        r"<style.*?</style>",
        r"<script.*?</script>",
        r"\{%.*?%\}",
        r"\{\{.*?\}\}",
        r"\{#.*?#\}",
        r"</?[a-z][^>]*>",
    ):
        text = re.sub(markup, _blanked, text, flags=re.S)
    yield Passage(file, 1, text)


def _blanked(found: re.Match[str]) -> str:
    """Squares in the place of a text, with its ends of lines."""
    return re.sub(r"\S", "□", found[0])


def _descriptions(path: Path) -> Iterator[Finding]:
    """Descriptions of parameters, measures and series that cannot be understood alone."""
    file = path.relative_to(ROOT).as_posix()
    if path.suffix != ".py" or part(file) not in {"runners", "settings", "claimfile"}:
        return
    for line, text in _described(ast.parse(path.read_text(encoding="utf-8"))):
        if len(text) < SHORTEST:
            yield Finding(file, line, "short description", text, f"at least {SHORTEST} characters")
        if re.match(r"(?:the same\b|of |to this|also\b|as (?:for|in|above)\b|these\b|it\b|its\b)", text):
            yield Finding(file, line, "fragment", text[:40], "the noun that is meant")


def _described(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The lines and descriptions of a module's parameters, measures and series."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            texts = [word.value for word in node.keywords if word.arg == "description"]
            if isinstance(node.func, ast.Name) and node.func.id == "Series":
                texts += node.args[1:2]
        elif isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            texts = node.value.values if isinstance(target, ast.Name) and target.id == "MEASURES" else []
        else:
            texts = []
        for text in texts:
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield text.lineno, text.value


_KIND = re.compile(r"(?:theory|derived|pilot): (?![A-Z][a-z])")
_VERBS = re.compile(
    r"\b(?:is|are|was|were|has|have|had|does|do|did|can|cannot|may|must|will|would|should|never|"
    r"(?:equal|differ|stay|grow|fall|rise|hold|keep|end|remain|take|give|change|move|follow|agree|exceed|converge|diverge|"
    r"decrease|increase|decay|depend|need|lower|raise|lose|win|share|learn|leave|start|begin|turn|tend|depart|contract|shrink|"
    r"scale|fit|work|show|conserve|determine|make|settle|align|come|drop|bound|cost|find|get|use|oscillate|escape|spread|"
    r"split|double|halve|violate|meet|set|deviate|coincide|collapse|add|gain|realise|realize|build|receive|carr(?:y|ie)|"
    r"cost|explain|predict|bend|dominate|contain|connect|point|span|rotate|return|return|restore|separate|slow|speed|"
    r"become|satisf(?:y|ie)|multipl(?:y|ie)|var(?:y|ie)|appl(?:y|ie)|impl(?:y|ie)|lie|see|propagate|travel|affect)s?|"
    r"(?:reach|vanish|cross|approach|match|pass|go|do|push|stretch|touch)(?:es)?)\b",
    re.IGNORECASE,
)
"""Verbs as criteria use them. A sentence whose verb is missing here is refused without need: then add the verb."""
LONGEST = 40
"""The most words of a sentence in a claim; aim at fewer than 25."""


def _of_claim(path: Path) -> Iterator[Finding]:
    """What a claim's texts lack: an experiment, the kind of a reason, a verb."""
    file = path.relative_to(ROOT).as_posix()
    if path.suffix != ".yaml" or part(file) != "claims":
        return
    root = yaml.compose(path.read_text(encoding="utf-8"))
    assert root is not None
    keys = {name.value: value for name, value in root.value}
    if "experiment" not in keys:
        yield Finding(file, keys["statement"].start_mark.line + 1, "experiment", "none", "how the statement is tested")
    for passage in _of_yaml(file, path.read_text(encoding="utf-8")):
        for sentence in re.split(r"(?<=[a-z0-9)][.;:?])\s+", " ".join(passage.text.split())):
            if len(words := re.findall(r"[A-Za-z][a-z]+(?:-[a-z]+)*", sentence)) > LONGEST:
                beginning = sentence[:60]
                yield Finding(
                    file, passage.line, f"sentence of {len(words)} words", beginning, f"at most {LONGEST} words"
                )
    for test in [*_items(keys.get("assumptions")), *_items(keys.get("criteria"))]:
        texts = {name.value: value for name, value in test.value if isinstance(value, yaml.ScalarNode)}
        says, why = texts["says"], texts.get("why")
        if not _VERBS.search(says.value):
            yield Finding(
                file,
                says.start_mark.line + 1,
                "no verb",
                says.value,
                "a sentence with a verb (or add its verb to _VERBS in tests/prose/passages.py)",
            )
        if why is None:
            continue
        line = why.start_mark.line + 1
        if not _KIND.match(why.value):
            beginning = "'theory: ', 'derived: ' or 'pilot: ' first, and small letters after it"
            yield Finding(file, line, "kind of a reason", why.value[:40], beginning)
        if found := re.search(r"[a-z0-9)][.] +[A-Z][a-z]+ \w+", why.value.strip()):
            yield Finding(
                file, line, "several sentences in why", found[0], "one sentence; the rest belongs in `history`"
            )


def _items(node: yaml.Node | None) -> list[yaml.MappingNode]:
    """The mappings in a list of a claim file."""
    return [item for item in node.value if isinstance(item, yaml.MappingNode)] if node is not None else []
