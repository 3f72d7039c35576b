"""Runners on the product W = W_L ... W_1 of a balanced deep network.

Papers: Arora, Cohen, Hazan 2018 (arXiv:1802.06509); Arora, Cohen, Hu, Luo 2019 (arXiv:1905.13655).

* `end_to_end_flow` compares the flow of the layers with the equation of motion of the product alone.
* `sensing_flow` fits one linear measurement from smaller and smaller initializations and measures the singular values.

The mathematics lies in `dlnrepro.dynamics.factorisation`.
"""
