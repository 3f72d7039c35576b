"""One module a runner; each defines Params, MEASURES, SERIES and run, in this order, and never judges."""
