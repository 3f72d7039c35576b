"""The colours of figures and pages, on white and on dark pages.

The colours of arms follow Okabe and Ito's palette for every kind of colour vision (2008). The light ones are darkened
on white, and the dark ones are lightened on dark pages, until their contrast is three to one, and that of text four and
a half to one.
"""

from __future__ import annotations

COLOURS = {
    "ink": "#1f2430",
    "muted": "#5c6470",
    "grid": "#e3e6ea",
    "inside": "#e1edf7",
    "tested-1": "#0072b2",
    "tested-2": "#d04f00",
    "tested-3": "#008f6e",
    "tested-4": "#b5508c",
    "tested-5": "#9c6c00",
    "tested-6": "#3386ba",
    "control-1": "#767d88",
    "control-2": "#8b919b",
    "control-3": "#666b73",
}
DARK_COLOURS = {
    "ink": "#e6e8ec",
    "muted": "#a3abb8",
    "grid": "#30363f",
    "inside": "#1d3347",
    "tested-1": "#56b4e9",
    "tested-2": "#f28a4b",
    "tested-3": "#2fc79f",
    "tested-4": "#dc8cbb",
    "tested-5": "#e0b040",
    "tested-6": "#8fcdf0",
    "control-1": "#9aa2ae",
    "control-2": "#858d99",
    "control-3": "#b0b7c1",
}
TESTED = [name for name in COLOURS if name.startswith("tested")]
CONTROLS = [name for name in COLOURS if name.startswith("control")]
