"""scipy's two implicit solvers, BDF and Radau, with a Jacobian in two factors that is never formed as a matrix.

Both solvers form `a * I - b * J` from their attributes `I` and `J`, pass it to `lu`, and pass the result of `lu` to
`solve_lu`. Here these four, and `jac`, which updates `J`, are replaced after scipy's own constructor. The constructor
gets an empty sparse Jacobian, so that it makes no dense matrix. Steps, orders and error estimates stay scipy's. LSODA
and VODE cannot be used in this way: they are compiled, and take only a dense or a banded Jacobian.

These attributes are internal to scipy, so pyproject.toml allows only the versions that are known to have them. A scipy
that works otherwise would go on with the empty Jacobian. Therefore a missing attribute is an error, and so is a first
step that has not called `lu`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scipy.integrate import BDF, Radau
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse import csc_matrix

from dlnrepro.dynamics.stiff_flow.low_rank_jacobian import LowRankJacobian, RealOrComplex
from dlnrepro.dynamics.tensors.arrays import Array

REPLACED = ("I", "J", "jac", "lu", "solve_lu", "nlu", "njev")
"""The attributes of scipy's solvers that this module needs; scipy 1.12 to 1.17 have all of them."""

Inverse = Callable[[RealOrComplex], RealOrComplex]


@dataclass(frozen=True)
class Combination:
    """The matrix shift I + factor J, which can be scaled and subtracted as in scipy's solvers, and inverted."""

    shift: complex
    factor: complex
    jacobian: LowRankJacobian | None

    __array_ufunc__ = None  # numpy's scalars leave the product to __rmul__

    def __rmul__(self, number: complex) -> Combination:
        return Combination(number * self.shift, number * self.factor, self.jacobian)

    def __sub__(self, other: Combination) -> Combination:
        jacobian = other.jacobian if self.jacobian is None else self.jacobian
        return Combination(self.shift - other.shift, self.factor - other.factor, jacobian)

    def inverse(self) -> Inverse:
        """The function r -> (shift + factor U V^T)^-1 r, by Woodbury's identity."""
        jacobian, shift, factor = self.jacobian, self.shift, self.factor
        assert jacobian is not None
        small = (factor / shift) * jacobian.core
        small.flat[:: len(small) + 1] += 1
        factors = lu_factor(small, overwrite_a=True, check_finite=False)

        def apply(vector: RealOrComplex) -> RealOrComplex:
            inner = lu_solve(factors, jacobian.project(vector), overwrite_b=True, check_finite=False)
            solved: RealOrComplex = (vector - (factor / shift) * jacobian.lift(inner)) / shift
            return solved

        return apply


class _LowRank:
    """The part that both solvers share: a `jac` that returns a `LowRankJacobian`."""

    nlu: int

    def __init__(self, fun: Any, t0: float, y0: Array, t_bound: float, *, jac: Any, **options: Any) -> None:
        empty = csc_matrix((len(y0), len(y0)))
        super().__init__(fun, t0, y0, t_bound, jac=empty, **options)  # type: ignore[call-arg]
        _replace(self, jac)

    def step(self) -> str | None:
        """One step of scipy's solver, which must have called `lu`."""
        message: str | None = super().step()  # type: ignore[misc]
        if not self.nlu:
            raise NotImplementedError(f"this scipy's {_scipys(self)} steps without its attribute lu")
        return message


class LowRankBDF(_LowRank, BDF):  # type: ignore[misc]  # scipy ships no type information
    """`scipy.integrate.BDF` whose `jac` returns a `LowRankJacobian`."""


class LowRankRadau(_LowRank, Radau):  # type: ignore[misc]  # scipy ships no type information
    """`scipy.integrate.Radau` whose `jac` returns a `LowRankJacobian`."""


def _scipys(solver: Any) -> str:
    """The name of the underlying solver of scipy."""
    name: str = type(solver).__bases__[1].__name__
    return name


def _replace(solver: Any, jacobian: Callable[[float, Array], LowRankJacobian]) -> None:
    """Replace the attributes that handle matrices by ones that handle a `Combination`."""
    missing = [name for name in REPLACED if not hasattr(solver, name)]
    if missing:
        raise NotImplementedError(f"this scipy's {_scipys(solver)} has no {', '.join(missing)}")

    def factorise(system: Combination) -> Inverse:
        solver.nlu += 1
        return system.inverse()

    def renew(time: float, point: Array, *_: Any) -> Combination:
        solver.njev += 1
        return Combination(0.0, 1.0, jacobian(time, point))

    solver.lu, solver.solve_lu = factorise, lambda inverse, vector: inverse(vector)
    solver.I, solver.jac, solver.J = Combination(1.0, 0.0, None), renew, renew(solver.t, solver.y)
