"""Who follows every link from the first page, and where it leads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

LEFT_ALONE = frozenset({"languages.choose", "security.logout"})  # they lead back to where one was, or out


class Page(NamedTuple):
    """A page as the first person of a role to come across it met it."""

    role: str
    endpoint: str
    path: str


class _Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and (href := dict(attrs).get("href")):
            self.found.append(href)


def walk(app: Flask, client: FlaskClient, role: str) -> Iterator[Page]:
    """Each page that this person reaches by links alone, one for each endpoint, the nearest first."""
    waiting, known = deque(["/"]), {"home"}
    while waiting:
        path = waiting.popleft()
        answer = client.get(path, follow_redirects=True)
        if answer.status_code != 200 or answer.mimetype != "text/html":
            continue
        landed = answer.request.full_path.rstrip("?")
        yield Page(role, str(endpoint_of(app, landed)), landed)
        for href in _Links(answer.text).found:
            target = urlsplit(urljoin(f"http://localhost{landed}", href))
            there = target.path + (f"?{target.query}" if target.query else "")
            endpoint = endpoint_of(app, there) if target.netloc in {"localhost", app.config["SERVER_NAME"]} else None
            if endpoint is not None and endpoint not in known | LEFT_ALONE:
                known.add(endpoint)
                waiting.append(there)


def endpoint_of(app: Flask, path: str) -> str | None:
    """The name of the route that answers a GET there; None outside the service."""
    try:
        found, _values = app.url_map.bind("localhost").match(urlsplit(path).path, "GET")
    except HTTPException:
        return None
    return str(found)
