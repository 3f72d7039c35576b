"""A function in a file as a runner, with the parts that the engine, the loader and the reports ask for."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from dlnrepro.errors import BadResult, Fault
from dlnrepro.registry.functions.docstring import described
from dlnrepro.registry.functions.home import Home
from dlnrepro.registry.functions.reference import split
from dlnrepro.registry.functions.returned import of_all_runs, of_one_run
from dlnrepro.registry.functions.signature import Form, Unfit, form_of, parameters_of
from dlnrepro.runner import Calling, Declared, Progress, Result, Series

if TYPE_CHECKING:
    import torch
    from pydantic import BaseModel


class Draw:
    """Draws for all runs together: each run gets its values from its own generator, so they depend on its seed alone.

    `draw(4, 3)` is a float64 tensor of shape (runs, 4, 3) with independent standard normal values. `draw.uniform(4)` is
    one of shape (runs, 4) with independent uniform values on [0, 1).
    """

    def __init__(self, generators: Sequence[torch.Generator]) -> None:
        self._generators = generators

    def __len__(self) -> int:
        """The number of runs."""
        return len(self._generators)

    def __call__(self, *shape: int) -> torch.Tensor:
        """Independent standard normal values of shape (runs, *shape)."""
        return self._drawn("randn", shape)

    def uniform(self, *shape: int) -> torch.Tensor:
        """Independent uniform values on [0, 1), of shape (runs, *shape)."""
        return self._drawn("rand", shape)

    def _drawn(self, law: str, shape: tuple[int, ...]) -> torch.Tensor:
        """One draw of a shape per run, made on the processor and moved to the default device."""
        import torch

        options: Any = {"dtype": torch.float64, "device": "cpu"}
        draws = [getattr(torch, law)(shape, generator=generator, **options) for generator in self._generators]
        return torch.stack(draws).to(torch.get_default_device())


@dataclass(frozen=True)
class FunctionRunner:
    """A function as a runner; the attributes in capitals are those that a module of a runner has.

    Attributes:
        MEASURES: the definitions in the docstring; the names are known only from the first result.
        SERIES: empty, as the names are known only from the first result.
    """

    function: Callable[..., Any]
    home: Home
    form: Form
    Params: type[BaseModel]
    MEASURES: Mapping[str, str]
    SERIES: Mapping[str, Series] = field(default_factory=dict)
    __name__: str = "function"

    @property
    def place(self) -> str:
        """The file and the line of the function, such as `spectra.py:12`."""
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        file, _ = split(self.__name__)
        return f"{os.path.basename(file)}:{code.co_firstlineno if code else 1}"

    @property
    def CALLING(self) -> Calling:  # noqa: N802  as in a module
        """A function that gets a seed is called for one run at a time."""
        return Calling(plain=True, one_by_one=self.form == "seed")

    def declared(self, params: Any) -> Declared:  # noqa: ARG002  as every runner
        """Nothing: what a function returns is known only from its first result."""
        return Declared(None, None)

    def run(self, params: Any, generators: Sequence[torch.Generator], progress: Progress) -> Result:  # noqa: ARG002
        """Call the function, and make measures and series of what it returns."""
        folder = os.path.dirname(split(self.__name__)[0])
        try:
            return self._called(params, generators)
        except TypeError as error:
            if innermost(error, folder):  # the function itself has raised it
                raise
            raise BadResult(f"{error} ({self.place})") from None

    def _called(self, params: Any, generators: Sequence[torch.Generator]) -> Result:
        """What the function returns for some runs."""
        values = {name: getattr(params, name) for name in type(params).model_fields}
        with self.home.entered():
            if self.form == "draw":
                return of_all_runs(self.function(draw=Draw(generators), **values), len(generators))
            if self.form == "seed":
                values["seed"] = int(generators[0].initial_seed())
            return of_one_run(self.function(**values), len(generators))


def function_runner(name: str) -> FunctionRunner:
    """The runner of a located name; its file is imported.

    Raises:
        Unfit: there is no such function, or it cannot be a runner.
        BaseException: the code of the file raises it.
    """
    path, wanted = split(name)
    file = os.path.basename(path)
    if not os.path.isfile(path):
        raise Unfit(Fault(expected=f"a file {file} in {os.path.dirname(path)}", found="none"))
    home = Home(path)
    found = getattr(home.module, wanted, None)
    if not callable(found) or isinstance(found, type):
        own = [key for key, value in vars(home.module).items() if inspect.isfunction(value) and not key.startswith("_")]
        near = get_close_matches(wanted, own, 1)
        known = f": one of {', '.join(own)}" if 1 < len(own) < 9 else f": {own[0]}" if own else ""
        expected = f"a function of {file}{known}"
        raise Unfit(Fault(expected=expected, found=f"'{wanted}'", suggestion=near[0] if near else None))
    says = described(getattr(found, "__doc__", None)).numbers
    try:
        return FunctionRunner(found, home, form_of(found), parameters_of(found), says, __name__=name)
    except Unfit as error:
        raise Unfit(replace(error.fault, found=f"{error.fault.found}{_place(found)}")) from None


def _place(function: Callable[..., Any]) -> str:
    """The file and line of a function, in brackets; empty for a function that is not written in Python."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return "" if code is None else f" ({os.path.basename(code.co_filename)}:{code.co_firstlineno})"


def innermost(error: BaseException, folder: str) -> str:
    """The innermost file and line in a folder in which an error arose, in brackets; empty if there is none."""
    found, trace = "", error.__traceback__
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if os.path.dirname(path) == folder:
            found = f" ({os.path.basename(path)}:{trace.tb_lineno})"
        trace = trace.tb_next
    return found
