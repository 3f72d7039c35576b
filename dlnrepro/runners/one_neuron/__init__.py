"""Runners on networks whose first hidden layer has one neuron, from a balanced initialization W = s u v^T.

Papers: Eftekhari 2020 (arXiv:2002.09852); Chen, Lin, Zhang 2022 (arXiv:2201.02761). Z is the target. The equations of
the directions u and v in the rescaled time tau (the clock) contain neither the depth nor the strength s.

* `one_neuron_descent` follows gradient descent to its limit, and measures which mode it reaches and at what rate.
* `one_neuron_flow` compares gradient flow, and descent at small steps, with the closed form.
* `one_neuron_clock` compares the directions on the clock tau with Oja's flow.
* `one_neuron_escape` measures the escape time of the flow from a saddle.
* `one_neuron_laziness` compares the flow with that of the linearised network.

The mathematics lies in `dlnrepro.dynamics.one_neuron`.
"""
