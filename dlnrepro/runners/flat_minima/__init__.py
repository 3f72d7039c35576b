"""Runners on the sharpness of the global minima of a deep linear network whose product is the target Z.

Paper: Mulayoff, Michaeli 2020 (arXiv:2002.04710).

* `flattest_minima` draws global minima, flattens them, and measures their sharpness and the gains of their layers.

The mathematics lies in `dlnrepro.dynamics.flat_minima`.
"""
