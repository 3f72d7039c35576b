"""TEMPORARY: until the claim key is there."""
from dlnrepro.dynamics.observed.measure import Measure, Window
from dlnrepro.settings.formula import record_formula, record_inequality
def read(block):
    out = {}
    for name, spec in block.items():
        spec = dict(spec); spec.pop("says", None)
        window = Window(where=record_inequality(spec.pop("where")) if "where" in spec else None, points=spec.pop("points", None))
        ref = record_formula(str(spec.pop("over"))) if "over" in spec else None
        (reducer, text), = spec.items()
        of = tuple(record_formula(t) for t in (text if isinstance(text, (list, tuple)) else [text]))
        out[name] = Measure(reducer, of, window=window, reference=ref)
    return out
