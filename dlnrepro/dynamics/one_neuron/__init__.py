"""Linear networks whose first hidden layer has one neuron, so that the product W = s u v^T always has rank one.

Papers: Eftekhari 2020 (arXiv:2002.09852); Chen, Lin, Zhang 2022 (arXiv:2201.02761). They write N for the depth L.

Symbols: Z = sum_k sigma_k u_k v_k^T is the target. W = s u v^T is the product, with the strength s and the unit
vectors u and v, called directions. L is the depth. tau is the rescaled time (the clock) with dtau = s^(1-2/L) dt; the
equations of the directions on this clock contain neither the depth nor the strength.

* `start` draws singular values with a gap, and the directions of a balanced initialization (start).
* `approaches` draws directions at falling distances from those of a saddle.
* `oja` solves the motion of the directions on the clock tau, which is Oja's flow.
* `closed_form` computes the product at all times, its escape time from a saddle, and the mode of the limit.
* `last_stage` computes the rates near the best rank-one matrix.
* `plain` repeats gradient descent and gradient flow by a plain network with autograd.
* `motion` compares trained networks with the closed form, and observes how far they are from their limits.
* `delays` predicts the escape time from a saddle, and from which distance on the prediction holds.
* `first_passage` measures the time at which the product reaches a level.
"""
