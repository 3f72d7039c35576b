"""`python -m tests.prose` counts what is to be rewritten in each part of the project.

`python -m tests.prose one-neuron` prints every place in the files whose path contains these words.
"""

from __future__ import annotations

import sys
from collections import Counter

from tests.prose.passages import files, findings, part


def main(words: list[str]) -> None:
    """Print the findings of the named files, or how many there are in each part."""
    found = [finding for path in files() for finding in findings(path)]
    if words:
        chosen = [finding for finding in found if any(word in finding.file for word in words)]
        print(*chosen, f"{len(chosen)} to rewrite", sep="\n")
        return
    for name, count in sorted(Counter(part(finding.file) for finding in found).items()):
        print(f"{count:5}  {name}")
    print()
    for name, count in Counter(finding.habit for finding in found).most_common():
        print(f"{count:5}  {name}")
    print(f"{len(found):5}  in all")


if __name__ == "__main__":
    main(sys.argv[1:])
