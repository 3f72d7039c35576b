"""The text of a first claim about a linear network that it describes itself, with everything that it may say.

Gradient descent of two layers settles on a cycle of two values if its step size is above the stability limit.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

NETWORK = "linear_network"
"""The runner of the claim."""

_WIDTH = 120

CLAIM = """\
# yaml-language-server: $schema={schema}
#
# A claim about a network that this file describes. Replace it line by line; a list of all settings and quantities is
# at the end.
#   dlnrepro check {path}
#   dlnrepro run {path}
schema: 1
title: Gradient descent settles on a 2-cycle below the step size 2/(s1 + s2), and not above
statement: >
  A linear network with two layers is trained by gradient descent on 1/2 ||W_2 W_1 - diag(s1, s2, 0, 0)||^2 with s1 >
  s2, from a small random initialization. If the step size eta is between 1/s1 and 2/(s1 + s2), the entry P_11 of the
  product P = W_2 W_1 settles on two values in turn, whose sum is s1 + 1/eta.
experiment: >
  Two layers of width 4 take 5000 steps of gradient descent on white inputs. Each run draws Gaussian weights.
independent: The training uses the gradient alone, which is compared with that by autograd in every run.
source: {{kind: own}}     # or published, or preprint, with paper, authors, where, basis (and venue)
runner: linear_network

# Seeds 0 to 15 are run in every arm (`seeds: 16` is the default). A number may be a formula of other settings.
setup:
  depth: 2
  width: 4
  strengths: [1.0, 0.7]
  basis: diagonal
  start: gaussian
  scale: 0.02
  step_size: 0.95 * 2 / (strengths[1] + strengths[2])
  steps: 5000
  record: last
  points: 41

# What is measured: formulas of recorded quantities and of settings. See the README, "Measures in the claim file".
measures:
  sum_gap:
    says: largest distance of P_11(t) + P_11(t - 1) from s1 + 1/eta in the last 40 steps
    largest: abs(product[1,1] + product[1,1](t - 1) - strengths[1] - 1 / step_size)

# The setup with a few named changes. A control changes one thing that the statement needs. An arm that sets another
# `method` does not inherit what only the former method has, such as `time`.
arms:
  below: {{}}
  above: {{step_size: "1.03 * 2 / (strengths[1] + strengths[2])"}}

# A hypothesis of the statement, which is checked before it counts.
assumptions:
  - {{says: the step size is above 1/s1, holds: "1 / strengths[1] < step_size", holds_in: [below]}}

# One measure, one interval (above, below, at_least, at_most; or equals with within), the arms in which it must lie
# there, and the controls in which it must not.
criteria:
  - id: cycle
    says: In the last 40 steps the sum of two successive entries P_11 is s1 + 1/eta.
    measure: sum_gap
    at_most: 1e-6
    holds_in: below
    fails_in: above
    why: "theory: the cycle is exact, and only rounding and the rest of the way to it remain"

figures:
  - {{title: The entry P_11 in the last steps, y: entry, x: step, arms: [below, above]}}
series: {{entry: "product[1,1]"}}

# What `dlnrepro audit` changes: settings that must not matter, and errors that the criteria must notice.
audit:
  harmless: {{wider: {{width: 8}}}}
  flaws: {{small-step: {{says: The step size is below 1/s1., settings: {{step_size: 0.8}}, breaks: cycle}}}}

# Settings of linear_network. All but `start`, and what the data and the method need, may be left out:
{settings}

# Quantities that measures, series and figures may name (a list is indexed from 1, a matrix as in product[1,2]). A
# setting that is a number or a list may be named too.
{quantities}
"""


def first_network(path: str, schema: str, settings: Mapping[str, str], quantities: Mapping[str, str]) -> str:
    """The text of the claim.

    Args:
        path: the path of the file, for its comments.
        schema: the path of the schema, relative to the file.
        settings: each setting of the runner with its description.
        quantities: each quantity with its definition.
    """
    return CLAIM.format(schema=schema, path=path, settings=_listed(settings), quantities=_listed(quantities))


def _listed(words: Mapping[str, str]) -> str:
    """Names and their meanings as comments."""
    lines: list[str] = []
    for name, says in words.items():
        lines += textwrap.wrap(
            f"{name}: {says}",
            _WIDTH,
            initial_indent="#   ",
            subsequent_indent="#       ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)
