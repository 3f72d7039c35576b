"""Linear networks whose first hidden layer has one neuron, so that the product W = s u v^T always has rank one.

Papers: Eftekhari 2020 (arXiv:2002.09852); Chen, Lin, Zhang 2022 (arXiv:2201.02761). They write N for the depth L.

Symbols: Z = sum_k sigma_k u_k v_k^T is the target, s the strength and (u, v) the directions of the product, L the
depth, tau the clock with dtau = s^(1-2/L) dt, on which neither depth nor strength appears in the motion of the
directions.

* `start` draws the directions of a balanced start.
* `approaches` draws directions that come closer and closer to those of a saddle.
* `oja` solves the motion of the directions on the clock tau, which is Oja's flow.
* `closed_form` holds the product at all times, the rates near its limits, and which mode it tends to.
* `motion` compares trained networks with the closed form, and observes how far they are from their limits.
* `delays` predicts how long a network stays near a saddle; `first_passage` measures when its product reaches a level.
"""
