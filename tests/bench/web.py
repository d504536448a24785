"""Pages of the demonstration as a telephone of the middle range meets them: ``python -m tests.bench.web``.

A processor four times slower, 1.6 Mb/s, 150 ms to the server, in Chromium. The bars are those of the interface: what
travels on a first visit and later, the largest paint, what shifts, and how long a script holds the page.
"""

from __future__ import annotations

import sys
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

from flask import Flask, render_template
from playwright.sync_api import Browser, BrowserContext

from exchange import demo
from tests.bench.figures import Figure
from tests.live import Live
from tests.screens.village import VISITOR, enter, token_of, village
from tests.screens.walking import Page

PHONE = {"width": 360, "height": 640}
NETWORK = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8}
SEEN = """
() => new Promise(done => {
  const seen = {paint: 0, shift: 0, script: 0};
  new PerformanceObserver(l => l.getEntries().forEach(e => seen.paint = e.startTime))
    .observe({type: 'largest-contentful-paint', buffered: true});
  new PerformanceObserver(l => l.getEntries().forEach(e => seen.shift += e.value))
    .observe({type: 'layout-shift', buffered: true});
  const longest = frame => frame.scripts.forEach(one => seen.script = Math.max(seen.script, one.duration));
  new PerformanceObserver(l => l.getEntries().forEach(longest))
    .observe({type: 'long-animation-frame', buffered: true});
  setTimeout(() => done(seen), 300);
})
"""


class Visit(NamedTuple):
    """What one page cost: kilobytes, seconds to the largest paint, shift, milliseconds of the longest script."""

    page: Page
    kilobytes: float
    paint: float
    shift: float
    script: float


def visit(live: Live, context: BrowserContext, page: Page) -> Visit:
    """Open a page as the telephone does."""
    view = context.new_page()
    session = context.new_cdp_session(view)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", NETWORK)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    travelled: list[float] = []
    session.on("Network.loadingFinished", lambda event: travelled.append(event["encodedDataLength"]))
    view.goto(live.url + page.path, wait_until="load")
    seen: dict[str, Any] = view.evaluate(SEEN)
    view.close()
    return Visit(page, sum(travelled) / 1000, seen["paint"] / 1000, seen["shift"], seen["script"])


def measure(live: Live, browser: Browser, pages: list[Page]) -> list[Figure]:
    """The worst page of each bar."""
    first = [_alone(live, browser, page) for page in pages if page.role == VISITOR][:5]
    later: list[Visit] = []
    for role in dict.fromkeys(page.role for page in pages):
        context = enter(live, browser, dict(demo.VISITORS).get(role), PHONE, "light")
        mine = [page for page in pages if page.role == role]
        visit(live, context, mine[0])  # the style and the script are kept from now on
        later += [visit(live, context, page) for page in mine]
        context.close()

    def worst(name: str, visits: list[Visit], value: str, most: float) -> Figure:
        at = max(visits, key=lambda each: getattr(each, value))
        return Figure(name, getattr(at, value), f"{at.page.endpoint}, {len(visits)} pages", most=most)

    both = [*first, *later]
    return [
        worst("a first visit, kB", first, "kilobytes", 150), worst("a later page, kB", later, "kilobytes", 30),
        worst("largest paint, s", both, "paint", 2.0), worst("layout shift", both, "shift", 0.0),
        worst("longest script on load, ms", both, "script", 50),
    ]  # fmt: skip


def _alone(live: Live, browser: Browser, page: Page) -> Visit:
    context = enter(live, browser, None, PHONE, "light")
    seen = visit(live, context, page)
    context.close()
    return seen


def serving(live: Live, pages: list[Page]) -> Figure:
    """The time of the server for its slowest page, in times that of a page that holds nothing."""
    empty = "{% extends 'base.html' %}{% block main %}{{ ui.heading('Rien') }}{% endblock %}"
    nothing = live.app.jinja_env.from_string(empty)  # read once, as the others are
    live.app.view_functions["healthz"] = lambda: render_template(nothing)
    seconds: dict[str, float] = {}
    names = dict(demo.VISITORS)
    for role in dict.fromkeys(page.role for page in pages):
        client = _client(live.app, names.get(role))
        blank = _spent(client, "/healthz")
        for page in pages:
            if page.role == role:
                seconds[f"{page.endpoint}, {role}"] = _spent(client, page.path) / blank
    slowest = max(seconds, key=lambda name: seconds[name])
    return Figure("the slowest page, in empty pages", seconds[slowest], slowest, most=4)


def _client(app: Flask, user_name: str | None) -> Any:
    client = app.test_client()
    if user_name:
        told = {"username": user_name, "password": demo.PASSWORD, "csrf_token": token_of(client.get("/connexion").text)}
        client.post("/connexion", data=told)
    return client


def _spent(client: Any, path: str, times: int = 15) -> float:
    client.get(path)
    spent = []
    for _ in range(times):
        began = perf_counter()
        client.get(path)
        spent.append(perf_counter() - began)
    return median(spent)


def main() -> int:
    """Print the figures; the status is 1 when a bar isn't reached."""
    with village() as (live, browser, pages):
        figures = [*measure(live, browser, pages), serving(live, pages)]
    for figure in figures:
        print(figure)
    return 0 if all(figure.reached in (True, None) for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
