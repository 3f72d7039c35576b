"""Deep linear classifiers with one output, trained on two classes that a hyperplane separates.

Papers: Ji, Telgarsky 2019 (arXiv:1810.02032) for deep networks; Soudry et al. 2018 (arXiv:1710.10345) for one layer.

Symbols: z_i = y_i x_i are the signed points, w = W_L ... W_1 the predictor, R the risk, gamma the maximum margin, and
ubar the unit vector that has it.

* `separable_data` draws data sets.
* `mirrored_data` draws data that a reflection maps to themselves, and initializations that point against them.
* `maximum_margin` computes gamma and ubar from the data alone, with a certificate. It is the independent oracle with
  which the directions of trained networks are compared.
* `training` draws the initialization (start) that the theorem assumes, and trains by gradient flow or discrete descent.
* `smoothness_rule` trains by gradient descent with the step sizes of Ji and Telgarsky.
* `layer_alignment` measures how the layers become rank one and align.
* `margin_convergence` measures how the predictor turns to the maximum margin.
* `one_layer_flow` trains networks of one layer; `one_layer_asymptotics` holds the constants of their growth.
"""
