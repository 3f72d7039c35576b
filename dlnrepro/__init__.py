"""Published claims about deep linear networks, as experiments that anyone can run and that can fail."""

__version__ = "0.1.0"
