"""Claims of this project, written for the general runner: the same numbers as by their own runners."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from dlnrepro.claimfile.catalogue import packaged_folder
from dlnrepro.claimfile.document import parse
from dlnrepro.claimfile.loader import load_claim
from dlnrepro.registry.names import load_runner
from dlnrepro.runner import Result, silent
from tests.runners.running import quick_setup, seeded

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent / "claims"
SEEDS = (0, 1, 2)
RELATIVE = 1e-9


def written() -> Iterator[Any]:
    """Each arm of each file, with the changes of its claim's setup, its settings, and its measures."""
    for path in sorted(FOLDER.glob("*.yaml")):
        content = parse(path.read_text(encoding="utf-8")).value
        for arm, own in (content.get("arms") or {"only": {}}).items():
            special = {**content.get("special", {}), **own.get("special", {})}
            kept = {key: value for key, value in content["setup"].items() if key not in own.get("remove", [])}
            setup = {**kept, **own.get("setup", {}), "measures": content["measures"]}
            allowed = {**content.get("absolute", {}), **dict.fromkeys(own.get("without", []))}
            yield pytest.param(path.stem, special, setup, allowed, id=f"{path.stem}-{arm}")


@pytest.mark.parametrize(("claim", "special", "setup", "allowed"), [*written()])
def test_a_claim_has_the_same_numbers_by_the_general_runner(
    claim: str, special: Mapping[str, Any], setup: Mapping[str, Any], allowed: Mapping[str, float | None]
) -> None:
    runner = load_claim(packaged_folder() / f"{claim}.yaml").runner
    expected = result_of(runner, quick_setup(claim, **special))
    found = result_of("linear_network", setup)

    for name, numbers in found.measures.items():
        wanted, absolute = expected.measures.get(name.removesuffix("_")), allowed.get(name, 0.0)
        if wanted is not None and absolute is not None:
            assert bool(torch.isfinite(numbers).any()), f"{name} is NaN in every run"
            torch.testing.assert_close(numbers, wanted, rtol=RELATIVE, atol=absolute, equal_nan=True, msg=name)


def result_of(runner: str, setup: Mapping[str, Any]) -> Result:
    """The result of a runner for a few seeds, in the mode in which the engine runs it."""
    module = load_runner(runner)
    with torch.inference_mode():
        return module.run(module.Params.model_validate(setup), seeded(SEEDS), silent)
