"""Photograph every page of the demonstration, in both widths and themes: ``python -m tests.screens [folder]``.

Beside the pictures, ``sheet-NN.png`` shows many at once, and ``index.html`` all of them.
"""

from __future__ import annotations

import html
import sys
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser

from exchange import demo
from exchange.config import ROOT
from tests.live import Live
from tests.screens.village import enter, village
from tests.screens.walking import Page

WIDTHS = {320: 640, 1280: 800}
THEMES = ("light", "dark")
ON_A_SHEET = 8  # pages


def main(folder: Path) -> int:
    """Write the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in [*folder.glob("*.png"), *folder.glob("index.html")]:
        old.unlink()
    with village() as (live, browser, pages):
        photograph(live, browser, pages, folder)
        sheets(browser, pages, folder)
    print(f"{len(pages)} pages : {folder}/index.html")
    return 0


def photograph(live: Live, browser: Browser, pages: list[Page], folder: Path) -> None:
    """Each page in each mode, the whole of it."""
    names = dict(demo.VISITORS)
    for width, theme in product(WIDTHS, THEMES):
        context, who = None, None
        for page in pages:
            if page.role != who:
                if context:
                    context.close()
                context = enter(live, browser, names.get(page.role), {"width": width, "height": WIDTHS[width]}, theme)
                who = page.role
            assert context is not None
            view = context.new_page()
            answer = view.goto(live.url + page.path)
            assert answer is not None
            assert answer.status == 200, page
            view.screenshot(path=folder / picture(page, width, theme), full_page=True)
            view.close()
        if context:
            context.close()


def picture(page: Page, width: int, theme: str) -> str:
    """The name of a picture."""
    role = f"-{page.role.split()[0].rstrip(',')}" if page.endpoint == "home" else ""
    return f"{page.endpoint}{role}-{width}-{theme}.png"


def sheets(browser: Browser, pages: list[Page], folder: Path) -> None:
    """All pictures in one document, and in a few pictures of it."""
    (folder / "index.html").write_text(_document(pages), encoding="utf-8")
    view = browser.new_page(viewport={"width": 1900, "height": 900})
    part = folder / "part.html"
    for start in range(0, len(pages), ON_A_SHEET):
        part.write_text(_document(pages[start : start + ON_A_SHEET]), encoding="utf-8")
        view.goto(part.as_uri())
        view.screenshot(path=folder / f"sheet-{start // ON_A_SHEET + 1:02}.png", full_page=True)
    part.unlink()


STYLE = """
    body { font: 16px sans-serif; display: grid; grid-template-columns: 1fr 1fr; gap: 24px }
    h2 { font-size: 16px; margin: 0 0 8px }
    p { margin: 0; display: flex; gap: 6px; align-items: start; max-height: 520px; overflow: hidden }
    img { border: 1px solid #888 }
    .w320 { width: 150px }
    .w1280 { width: 310px }
"""


def _document(pages: list[Page]) -> str:
    shown = "".join(map(_section, pages))
    return f"<!doctype html><html lang=fr><meta charset=utf-8><title>Pages</title><style>{STYLE}</style>{shown}"


def _section(page: Page) -> str:
    images = (
        f"<a href='{name}'><img class=w{width} src='{name}' alt=''></a>"
        for width, theme in product(WIDTHS, THEMES) if (name := picture(page, width, theme))
    )  # fmt: skip
    return f"<section><h2>{html.escape(f'{page.endpoint}, {page.role}')}</h2><p>{''.join(images)}</p></section>"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "var" / "screens"))
