"""Published claims about deep linear networks, as experiments that anyone can run and that can fail.

import dlnrepro

results = dlnrepro.run("rank-one-alignment", seeds=4)     # as `dlnrepro run rank-one-alignment --seeds 4`
results["rank-one-alignment"].verdict                      # 'reproduced'

claim = dlnrepro.load_claim(Path("claims/mine.yaml"))      # checked against the schema and its runner
dlnrepro.judge(claim, outcomes)                            # the verdict on numbers from anywhere

The packages, lowest layer first; the docstring of each package describes its modules:

* `dynamics` has the mathematics of networks, by topic. `settings` has the fields that parameters of runners share.
* `runners` train and measure, by the same topics. `registry` finds a runner and hashes what determines its numbers.
* `claimfile` reads claim files. `verdict` judges numbers. `compute` computes the arms of a claim.
* `archive` stores results. `session` is one whole invocation. `report` shows the results.
* `commands` has the commands of the command line, which `cli` starts; `interface` is the interface for Python.

Single modules: `runner` says what a runner must define, and `errors` has the errors that a user can correct. `files`
writes files completely or not at all, `signals` ends the program in order, and `visible` makes text from outside safe
to show.
"""

from __future__ import annotations

import importlib
import os
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlnrepro.claimfile.loader import load_claim as load_claim
    from dlnrepro.errors import ClaimError as ClaimError
    from dlnrepro.errors import ReproError as ReproError
    from dlnrepro.errors import UsageError as UsageError
    from dlnrepro.interface import Results as Results
    from dlnrepro.interface import run as run
    from dlnrepro.verdict.judge import Verdict as Verdict
    from dlnrepro.verdict.judge import judge as judge
    from dlnrepro.verdict.outcome import Outcome as Outcome

__version__ = "0.1.0"

# MKL chooses how to multiply and factorise by the place of a matrix in memory, so that the last bits of a run at odd
# sizes would depend on its place in the batch. This setting, which MKL reads before its first product, prevents that
# at no cost.
os.environ["MKL_CBWR"] = "AUTO"

_PUBLIC = {
    "Outcome": "verdict.outcome",
    "ClaimError": "errors",
    "ReproError": "errors",
    "UsageError": "errors",
    "Results": "interface",
    "run": "interface",
    "load_claim": "claimfile.loader",
    "Verdict": "verdict.judge",
    "judge": "verdict.judge",
}

__all__ = ["ClaimError", "Outcome", "ReproError", "Results", "UsageError", "Verdict", "judge", "load_claim", "run"]


def __getattr__(name: str) -> Any:
    """A public name, imported when it is asked for: `dlnrepro --help` must not wait for torch."""
    if name in _PUBLIC:
        # Some libraries draw random names when they are imported; the caller's generator must not move.
        state = random.getstate()
        try:
            return getattr(importlib.import_module(f"dlnrepro.{_PUBLIC[name]}"), name)
        finally:
            random.setstate(state)
    raise AttributeError(f"module 'dlnrepro' has no attribute '{name}'")


def __dir__() -> list[str]:
    """The public names."""
    return [*__all__, "__version__"]
