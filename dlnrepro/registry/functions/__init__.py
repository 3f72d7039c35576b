"""A plain function in a file next to a claim, as a runner: `runner: ./spectra.py:final_rank`.

The function gets a seed and the parameters by their names, and returns numbers by their names. It needs no class and no
tensor of this program. Its file is code of the user: it is imported only if the user has named the claim by its path.

* `reference` reads and writes the name of such a runner, and finds its file.
* `home` imports the file, and keeps what the import changes away from the rest of the program.
* `signature` makes the model of the parameters from the annotations of the function.
* `docstring` reads the meanings of parameters and numbers, without running the function.
* `returned` checks what the function returns, and makes measures and series of it.
* `runner` puts these together into a runner.
"""
