"""`python -m dlnrepro`: the same as the console script."""

from dlnrepro.cli import main

if __name__ == "__main__":
    main()
