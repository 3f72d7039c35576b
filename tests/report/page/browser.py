"""A headless browser, driven over plain HTTP: what the tests of the HTML page look through."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def missing() -> str | None:
    """What this machine lacks to run the browser, or None."""
    if shutil.which("chromedriver") is None:
        return "there is no chromedriver on PATH"
    return None if any(map(shutil.which, BROWSERS)) else f"there is none of {', '.join(BROWSERS)} on PATH"


class Browser:
    """One page in a browser."""

    def __init__(self, address: str) -> None:
        self._address = address

    def post(self, command: str, **fields: Any) -> Any:
        """Ask the driver for something."""
        body = json.dumps(fields).encode()
        request = Request(f"{self._address}/{command}", body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())["value"]

    def tell(self, method: str, **fields: Any) -> Any:
        """Send a command of the browser's own protocol."""
        return self.post("goog/cdp/execute", cmd=method, params=fields)

    def resize(self, width: int, height: int = 900) -> None:
        """Show the page in a window of this size, as a screen of that width would."""
        self.tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def prefer(self, scheme: str) -> None:
        """Prefer light or dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.tell("Emulation.setEmulatedMedia", features=features)

    def open(self, path: Path) -> None:
        """Load a file."""
        self.post("url", url=path.absolute().as_uri())

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript in the page."""
        return self.post("execute/sync", script=f"return {expression}", args=[])


@contextmanager
def browsing(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile in the given folder; it ends with the block."""
    binary = next(found for name in BROWSERS if (found := shutil.which(name)))
    with subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True) as driver:
        try:
            assert driver.stdout is not None
            line = next(line for line in driver.stdout if "started successfully on port" in line)
            port = int(line.rstrip(".\n").rsplit(" ", 1)[1])
            options = {"binary": binary, "args": [*FLAGS, f"--user-data-dir={profile}"]}
            session = Browser(f"http://127.0.0.1:{port}").post(
                "session", capabilities={"alwaysMatch": {"goog:chromeOptions": options}}
            )
            browser = Browser(f"http://127.0.0.1:{port}/session/{session['sessionId']}")
            yield browser
            with urlopen(Request(browser._address, method="DELETE"), timeout=30):
                pass
        finally:
            driver.terminate()
