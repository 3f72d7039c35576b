"""Linear networks on inputs whose distribution is spherically symmetric, labelled by a teacher.

Paper: Lin, Sun, Zhang, "Faster Directional Convergence of Linear Neural Networks under Spherically Symmetric Data",
NeurIPS 2021.

Symbols: v is the teacher, w the predictor, theta the angle between them, L the depth (the paper writes N), and c_0 the
mean length of the inputs' projection on a plane.

* `symmetric_inputs` draws inputs and computes the exact gradient of the logistic risk of the whole distribution.
* `plane_quadrature` integrates the same gradient and c_0 from their definitions, as an independent second route.
* `predictors` draws predictors at given angles to the teacher, applies that quadrature to each of them, and draws
  balanced layers of such predictors.
* `bounds` holds the speed of theta under gradient flow, and the bounds on 1 - cos(theta).
* `turning` measures how theta falls along the flow.
* `velocities` compares the motion of the weights with the gradient of the risk by autograd.
"""
