"""The parameters of a function as a model that checks them, made from the annotations of its signature.

Every parameter needs an annotation whose values a claim file can hold. `Annotated[int, Ge(2)]` gives a range, as
pydantic reads it. A parameter with a default may be left out of the claim.

One parameter is not a setting: `seed` gets the seed of a run, and `draw` gets a function that draws for all runs
together. A function with neither has nothing random in it.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.errors import PydanticUserError

from dlnrepro.errors import Fault, one_line
from dlnrepro.registry.functions.docstring import described

Form = Literal["seed", "draw", "fixed"]
"""How a function gets its random numbers: from a seed, from a function that draws for all runs, or not at all."""

TAKEN = ("memory",)
"""Names that no parameter can have, because the model of the parameters uses them."""

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Unfit(Exception):
    """A function cannot be a runner; the exception has the fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


class Parameters(BaseModel):
    """The base of the parameters of every function: frozen, strict, and without any unknown key."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        protected_namespaces=(),
        arbitrary_types_allowed=False,
    )

    def memory(self, runs: int) -> int:  # noqa: ARG002  as every runner
        """Zero, which means unknown: the memory is measured in the first run."""
        return 0


def form_of(function: Callable[..., Any]) -> Form:
    """How a function gets its random numbers.

    Raises:
        Unfit: it asks for both a seed and draws.
    """
    names = inspect.signature(function).parameters
    if "seed" in names and "draw" in names:
        raise Unfit(Fault(expected="a parameter 'seed' or a parameter 'draw'", found="both"))
    return "seed" if "seed" in names else "draw" if "draw" in names else "fixed"


def parameters_of(function: Callable[..., Any]) -> type[BaseModel]:
    """The model of the parameters of a function, without `seed` and `draw`.

    Raises:
        Unfit: a parameter cannot be given by name, has no annotation, or has one that no value in a claim can have.
    """
    try:
        given = inspect.signature(function, eval_str=True).parameters
    except Exception as error:
        # The annotations are code of the user, and their evaluation may raise any exception.
        raise Unfit(Fault(expected="annotations that can be read", found=one_line(error), cited=True)) from None
    settings = {name: parameter for name, parameter in given.items() if name not in ("seed", "draw")}
    for name, parameter in given.items():
        if parameter.kind not in _BY_NAME:
            raise Unfit(Fault(expected="only parameters that can be given by name", found=f"'{parameter}'"))
        if name in TAKEN or name.startswith(("_", "model_")):
            raise Unfit(Fault(expected="another name for the parameter", found=f"'{name}', which is used otherwise"))
    if bare := [name for name, parameter in settings.items() if parameter.annotation is inspect.Parameter.empty]:
        found = f"none for {', '.join(bare)}"
        raise Unfit(Fault(expected=f"an annotation of every parameter, such as '{bare[0]}: float'", found=found))
    return _model(function.__name__, settings, described(function.__doc__).parameters)


def _model(name: str, settings: Mapping[str, inspect.Parameter], says: Mapping[str, str]) -> type[BaseModel]:
    """The model of some parameters."""
    fields: dict[str, Any] = {}
    for key, parameter in settings.items():
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        annotation = _from_a_file(parameter.annotation)
        fields[key] = Annotated[annotation, Field(description=says[key])] if key in says else annotation, default
        try:
            if not _made(name, {key: fields[key]}).__pydantic_complete__:
                raise NameError
        except (PydanticUserError, TypeError, ValueError, NameError) as error:
            expected = f"an annotation of '{key}' that a claim can give: int, float, bool, str, Literal, list or dict"
            found = f"'{inspect.formatannotation(parameter.annotation)}' ({type(error).__name__})"
            raise Unfit(Fault(expected=expected, found=found)) from None
    return _made(name, fields)


def _made(name: str, fields: Mapping[str, Any]) -> type[BaseModel]:
    """A model with these fields; a name such as `copy` hides a method of the model that is not used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return create_model(name, __base__=Parameters, **fields)


def _from_a_file(annotation: Any) -> Any:
    """The annotation, such that a list of a claim file is also taken for a tuple."""
    inner = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    is_tuple = inner is tuple or get_origin(inner) is tuple
    return Annotated[annotation, Field(strict=False)] if is_tuple else annotation
