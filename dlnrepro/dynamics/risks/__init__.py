"""Losses, their gradients and their logarithms.

R is the risk, the mean loss. A margin is m_i = y_i <w, x_i>, with w the predictor and labels y_i = +-1.

* `margin_losses` holds the logistic, exponential and squared loss of margins: log R and its derivatives.
* `squared_loss` holds the squared loss by its second moments, R(W) = 1/2 tr(W S W^T) - tr(W Z^T), with S the second
  moment of the inputs and Z that of outputs and inputs.
* `plain_risk` holds log R of a plain network and its gradient by automatic differentiation, as a second route.
"""
