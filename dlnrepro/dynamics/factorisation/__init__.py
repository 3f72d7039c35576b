"""Matrix factorisation by a balanced deep network: how the product W = W_L ... W_1 moves, and where it ends.

Papers: Arora, Cohen, Hazan 2018 (arXiv:1802.06509); Arora, Cohen, Hu, Luo 2019 (arXiv:1905.13655).

Symbols: G = dR/dW is the gradient of the risk with respect to the product W, sigma_r the r-th singular value of W, A
the sensing matrix of the measurement <A, W> = y, alpha the scale of the initialization (start).

* `end_to_end` holds the equation of motion of the product alone, and solves it without layers.
* `losses` holds the losses of W and their data.
* `sensing` holds the end of the flow that fits one linear measurement, and the gap between its singular values.
"""
