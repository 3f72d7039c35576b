"""Training: gradient descent with a step size, and gradient flow as its limit of small steps.

Time is t = eta x step, with eta the step size. R is the risk and W = W_L ... W_1 the product.

* `descent` takes steps of gradient descent with all runs at once, and records a series at given steps.
* `compiled_descent` takes the steps of a descent with the squared loss by a compiled kernel.
* `repetition` replays a step on a GPU instead of starting its kernels one by one.
* `step_rules` makes normalised, sign and Adam steps from a gradient.
* `momentum` takes steps of gradient descent with momentum.
* `step_halving` repeats one descent at step sizes that are halved repeatedly, which shows an order in the step size.
* `gradient_flow` solves dW_l/dt = -dR/dW_l by an explicit method of order eight, for problems that are not stiff.
* `time_panels` makes a grid of times over which records can be integrated accurately.

Stiff flows have a package of their own, `dlnrepro.dynamics.stiff_flow`.
"""
