"""A Chromium for the journeys: found, else installed. ``python -m tests.browser --install`` says what it lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REMEDY = "Install the package `chromium`, or set CHROMIUM_PATH to a Chromium or Chrome of yours, and run this again."


class NoBrowser(Exception):
    """No Chromium can be started here; the message is one sentence and a remedy."""


def find() -> Path | None:
    """CHROMIUM_PATH, else one of the system's, else the one that Playwright downloaded."""
    if given := os.environ.get("CHROMIUM_PATH"):
        return Path(given)
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    kept = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache/ms-playwright"))
    return next(iter(sorted(kept.glob("chromium-*/chrome-linux*/chrome"), reverse=True)), None)


def options(path: Path) -> dict[str, object]:
    """How this program is launched; as root it can't build its own sandbox."""
    return {"executable_path": str(path), "args": ["--no-sandbox"] if os.geteuid() == 0 else []}


def reason_not_to_start(path: Path) -> str | None:
    """Why this program doesn't open a page, or None when it does."""
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(**options(path))
            browser.new_page().goto("about:blank")
            browser.close()
        except Error as error:
            return str(error).strip().splitlines()[0]
    return None


def _ran(*command: str) -> bool:
    """Whether a command succeeded; its own words are kept for when nothing works."""
    return subprocess.run(command, stdout=sys.stderr, check=False).returncode == 0


def _with_apt() -> bool:
    """As root on Debian and its kin."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    quiet = ("apt-get", "-qq", "-o", "Dpkg::Use-Pty=0")
    return _ran(*quiet, "update") and _ran(*quiet, "install", "-y", "--no-install-recommends", "chromium")


def _with_playwright() -> bool:
    """Playwright's own download, in the user's cache."""
    return _ran(sys.executable, "-m", "playwright", "install", "--no-shell", "chromium")


WAYS: tuple[tuple[str, Callable[[], bool]], ...] = (
    ("apt-get install chromium", _with_apt),
    ("Playwright's download", _with_playwright),
)


def install() -> Path:
    """A Chromium that starts, installed if there is none.

    Raises NoBrowser.
    """
    path = find()
    if path is None:
        for name, way in WAYS:
            print(f"No Chromium for the journeys: trying {name}…", flush=True)
            if way() and (path := find()):
                break
    if path is None:
        raise NoBrowser(f"The journeys lack a Chromium, and none could be installed here. {REMEDY}")
    if reason := reason_not_to_start(path):
        raise NoBrowser(f"The journeys lack a Chromium that starts: {path} says “{reason}”. {REMEDY}")
    return path


def main() -> None:
    """The command that ``make test`` runs first."""
    try:
        path = install() if "--install" in sys.argv[1:] else find()
    except NoBrowser as lacking:
        sys.exit(str(lacking))
    print(f"Journeys use {path}" if path else f"No Chromium was found. {REMEDY}")


if __name__ == "__main__":
    main()
