"""The text of a first claim whose runner is a plain function, and of the file with this function.

Two scalars are trained until their product is 1. Both files are small, so that they can be replaced line by line, and
complete, so that they can be run at once.
"""

from __future__ import annotations

CLAIM = """\
# yaml-language-server: $schema={schema}
#
# A claim of your own, tested by the function in {file}. Replace both line by line.
#   dlnrepro check {path}
#   dlnrepro run {path}
schema: 1
title: Gradient descent with a small step size keeps the imbalance of two layers
statement: >
  Gradient descent with step size eta on the loss 1/2 (v u - 1)^2 of two scalars u and v changes u^2 - v^2 by a part of
  order eta only, since gradient flow keeps u^2 - v^2.
experiment: >
  Gradient descent is followed to a given time (step size times number of steps). Each run draws u and v uniformly
  between -0.5 and 0.5.
independent: The training uses the gradient alone, and no conserved quantity.
source: {{kind: own}}     # or published, or preprint, with paper, authors, where, basis (and venue)
runner: ./{file}:imbalance

# The parameters of the function. Seeds 0 to 15 are run in every arm (`seeds: 16` is the default).
setup: {{step_size: 0.001, time: 10.0}}

# The setup with a few named changes. A control changes one thing that the statement needs.
arms:
  small-step: {{}}
  large-step: {{step_size: 0.5}}

# One number that the function returns, one interval (above, below, at_least, at_most; or equals with within), the arms
# in which it must lie there, and the controls in which it must not.
criteria:
  - id: kept
    says: The imbalance u^2 - v^2 changes by at most 2 % of its value.
    measure: change
    at_most: 0.02
    holds_in: small-step
    fails_in: large-step
    why: >-
      derived: a step with the residual r = v u - 1 multiplies u^2 - v^2 by 1 - eta^2 r^2, and r^2 is at most 1.6, so
      that the change is at most 1.6 eta t = 0.016

figures:
  - {{title: The imbalance along the training, y: imbalance, x: times, arms: [small-step, large-step]}}

# What `dlnrepro audit` changes: settings that must not matter, and errors that the criteria must notice.
audit:
  harmless: {{half-step: {{step_size: 0.0005}}}}
  flaws: {{other-step: {{says: The step size is 300 times as large., settings: {{step_size: 0.3}}, breaks: kept}}}}
"""

FUNCTION = '''\
"""Two scalars u and v that are trained until v u = 1. A plain function is called once for each seed."""

import numpy as np


def imbalance(seed: int, step_size: float, time: float) -> dict:
    """Follow gradient descent on 1/2 (v u - 1)^2 from a random start.

    Args:
        step_size: eta, the step size
        time: step size times number of steps

    Returns:
        change: |1 - d(t) / d(0)| at the end, with d = u^2 - v^2
        loss: 1/2 (v u - 1)^2 at the end
        times: step size times number of steps so far
        imbalance: d = u^2 - v^2 at these times
    """
    u, v = np.random.default_rng(seed).uniform(-0.5, 0.5, 2)
    steps = round(time / step_size)
    path = [u**2 - v**2]
    for _ in range(steps):
        residual = v * u - 1
        u, v = u - step_size * residual * v, v - step_size * residual * u
        path.append(u**2 - v**2)
    kept = range(0, steps + 1, max(1, steps // 50))
    return {
        "change": abs(1 - path[-1] / path[0]),
        "loss": (v * u - 1) ** 2 / 2,
        "times": [step * step_size for step in kept],
        "imbalance": [path[step] for step in kept],
    }
'''
