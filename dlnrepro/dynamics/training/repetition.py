"""An action on tensors that is carried out thousands of times: on a GPU it is recorded once and then replayed.

The matrices of this project are small. So on a GPU most of the time goes into starting kernels one by one, and not into
arithmetic. A CUDA graph starts the kernels of a whole step at once. The kernels are the same, so the results are
bitwise identical.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

EAGER = 20
"""How many repetitions are carried out one by one before the action is recorded: libraries allocate during the first
ones, and for fewer repetitions a recording would not pay."""


def repeated(action: Callable[[], object], state: Tensor) -> Callable[[], object]:
    """A function that carries out the action; on a GPU it replays a recording after the first `EAGER` calls.

    Args:
        action: reads and changes tensors in place, and does nothing else: a recording repeats its kernels, not its
            Python code. What changes between two repetitions must be read from a tensor. It may not wait for the GPU.
        state: one of the tensors that it changes; where it lives decides whether there is anything to record.
    """
    return _Replayed(action) if state.is_cuda else action


class _Replayed:
    """An action that is recorded after its first repetitions."""

    def __init__(self, action: Callable[[], object]) -> None:
        self._action = action
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self) -> None:
        """Carry out the action once."""
        self._calls += 1
        if self._calls <= EAGER:
            self._action()
            return
        if self._graph is None:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self._action()
            self._graph = graph
        self._graph.replay()
