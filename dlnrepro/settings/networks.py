"""The depth of a network, and the depth in the formulas with which it is compared."""

from __future__ import annotations

from dlnrepro.settings.base import Settings
from dlnrepro.settings.fields import Depth, LawDepth, law_value


class DeepSettings(Settings):
    """A network of some depth; a runner that admits other depths declares its own field `depth`."""

    depth: Depth
    law_depth: LawDepth

    @property
    def formula_depth(self) -> int:
        """The depth in the formulas: the trained one, unless a negative control names another one."""
        return law_value(self.law_depth, self.depth)
