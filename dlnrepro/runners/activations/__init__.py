"""Runners on networks with activations.

Papers: Le, Jegelka 2022 (arXiv:2201.11968); Du, Hu, Lee 2018 (arXiv:1806.00900).

* `relu_classifier` trains a ReLU network with a linear head and measures what is conserved and what has rank one.
* `homogeneous_balance` measures what gradient descent conserves as its step size is halved again and again.

The mathematics lies in `dlnrepro.dynamics.activations`.
"""
