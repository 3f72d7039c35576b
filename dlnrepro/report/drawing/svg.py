"""SVG from the canvas, reduced to what is seen: without metadata, needless groups and needless digits.

A tenth of the bytes draw the same picture with errors below 0.01 points, and a page has a hundred pictures.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from dlnrepro.report.words.typeset import END, SUBSCRIPT, SUPERSCRIPT

SVG = "http://www.w3.org/2000/svg"
_LINK = "{http://www.w3.org/1999/xlink}href"
_MARKS = re.compile(f"([{SUBSCRIPT}{SUPERSCRIPT}{END}])")
_SMALLER, _LOWER, _HIGHER = 0.72, 0.2, -0.38
"""Size, lowering and raising of exponents and subscripts, in sizes of the text to which they belong."""


def tidied(text: bytes, name: str) -> str:
    """The contents of an SVG as short markup without namespaces.

    Args:
        text: what the canvas wrote.
        name: begins every id, so that many can stand in one page.
    """
    root = ET.fromstring(text)
    _tidy(root, name)
    return "".join(ET.tostring(child, encoding="unicode") for child in root)


def _tidy(root: ET.Element, name: str) -> None:
    """Drop metadata and unused ids, rename the used ids, and write every value in few characters."""
    numbers: dict[str, str] = {}
    for child in list(root):
        styles = child.find(f"{{{SVG}}}style") is not None
        if styles or child.tag.endswith("metadata"):
            root.remove(child)
    used = set(re.findall(r"#([\w.-]+)", ET.tostring(root, encoding="unicode")))
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{SVG}}}")
        link = element.attrib.pop(_LINK, None)
        if link is not None:
            element.set("href", link)
        if (known := element.attrib.pop("id", None)) in used and known is not None:
            element.set("id", numbers.setdefault(known, f"{name}-{len(numbers)}"))
    for element in root.iter():
        for key, value in list(element.attrib.items()):
            if key in {"href", "clip-path"}:
                element.set(key, re.sub(r"#([\w.-]+)", lambda found: "#" + numbers[found[1]], value))
            elif (short := _shorter(key, value)) or key == "d":
                element.set(key, short)
            else:
                del element.attrib[key]
        if element.tag not in {"text", "tspan"}:
            element.text = None
        element.tail = None
    for element in list(root.iter("text")):
        _raise(element)
    _fold(root)


def _raise(element: ET.Element) -> None:
    """Put the text between marks into elements of their own, smaller, and lower or higher."""
    element.text, *rest = _MARKS.split(element.text or "")
    # Size and height of the nested exponents and subscripts at this place, in sizes of the text, the innermost last.
    levels = [(1.0, 0.0)]
    written = 0.0
    for mark, words in zip(rest[::2], rest[1::2], strict=True):
        size, height = levels[-1]
        if mark == END:
            levels = levels[:-1] or levels
        else:
            levels.append((size * _SMALLER, height + size * (_HIGHER if mark == SUPERSCRIPT else _LOWER)))
        if words:
            size, height = levels[-1]
            small = {"font-size": f"{100 * size:.0f}%"} if size < 1 else {}
            part = ET.SubElement(element, "tspan", {"dy": f"{(height - written) / size:.3g}em", **small})
            part.text, written = words, height


def _shorter(key: str, value: str) -> str:
    """An attribute's value in the fewest characters that draw the same."""
    if key in {"d", "x", "y", "width", "height", "transform"}:
        value = re.sub(r"-?\d+\.\d+", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), value)
        value = re.sub(r"rotate\(-?0 [^)]*\)", "", " ".join(value.split()))
    if key == "d":
        value = _path(value)
    if key == "style":
        value = re.sub(r"font: (?:\d+ )?([\d.]+px)[^;]*", r"font-size: \1", value)
        value = re.sub(r"font-family: [^;]*(?:;|$)", "", value).replace("; ", ";").replace(": ", ":")
        value = re.sub(r"(?:^|;)(?:stroke-dashoffset:0|text-anchor:start)(?=;|$)", "", value)
    return value


def _path(value: str) -> str:
    """A path without the letters that only repeat the letter before them."""
    short, last = "", ""
    for token in value.split():
        if not token.isalpha():
            short += token if short[-1:].isalpha() else f" {token}"
            continue
        short += token if token != last else ""
        # Points after the first point of a move are read as lines.
        last = "L" if token == "M" else token
    return short


def _fold(element: ET.Element) -> None:
    """Put the children of groups without attributes in the groups' places, and a style that all share on the group."""
    for child in list(element):
        _fold(child)
    children: list[ET.Element] = []
    for child in list(element):
        bare = child.tag == "g" and not child.attrib
        children.extend(list(child) if bare else [child])
    element[:] = children
    shared = {child.get("style") for child in element if child.tag == "use"}
    if element.tag == "g" and len(shared) == 1 and all(child.tag in {"use", "defs"} for child in element):
        (style,) = shared
        if style is not None:
            for child in element:
                child.attrib.pop("style", None)
            element.set("style", style)
