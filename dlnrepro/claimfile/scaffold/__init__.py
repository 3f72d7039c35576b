"""First files for `dlnrepro new`: a claim, and a runner outside this program.

* `first_claim` writes a first claim file for a runner; `placeholders` finds values that the runner accepts.
* `first_function` has a first function that is a runner, with its claim.
* `first_network` has a first claim about a linear network that the claim describes itself.
* `first_runner` writes a first runner outside this program, with its claim.
"""
