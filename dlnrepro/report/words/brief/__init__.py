"""Words that say a result in a few letters, for lists that no report is read for.

* `outcomes` names verdicts, labels and the part of a statement that is tested, and puts the last result in a line.

Nothing here imports a report or a claim, so that `dlnrepro list` need not wait for them.
"""
