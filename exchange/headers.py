"""What every answer says to the browser, error pages included; and the addresses of files that never change."""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, abort, current_app, request, url_for

STATIC = Path(__file__).parent / "static"
files = Blueprint("files", __name__)

POLICY = (
    "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def tiles_host() -> str:
    """The other host that maps take their background from; "" unless the operator names one."""
    return urlsplit(current_app.config.get("TILES_URL") or "").netloc


def with_tiles(answer: Response) -> Response:
    """Let this one page show images of that host, and those written in ``data:`` with which Leaflet empties a tile that
    it no longer waits for.
    """
    if host := tiles_host():
        answer.headers["Content-Security-Policy"] = POLICY.replace("blob:", f"blob: data: https://{host}", 1)
    return answer


KEPT = {"files", "pictures", "feeds"}
"""Blueprints that say themselves how long a browser keeps what they answer."""


@cache
def _version(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a static file, which changes with its content and so can be kept for a year."""
    version = _version.__wrapped__(name) if current_app.debug else _version(name)
    return url_for("files.static_file", version=version, name=name)


@files.get("/fichiers/<version>/<path:name>")
def static_file(version: str, name: str) -> Response:
    """A file of our own, under the version that its content gives it."""
    if not (STATIC / name).is_file() or not (STATIC / name).resolve().is_relative_to(STATIC):
        abort(404)
    # some kilobytes, read at once: no file stays open for a browser that leaves meanwhile
    answer = Response((STATIC / name).read_bytes(), mimetype=mimetypes.guess_type(name)[0])
    answer.add_etag()
    if version == _version(name):
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    answer.make_conditional(request)
    return answer


def protect(answer: Response) -> Response:
    """Add the headers of safety; a page with somebody's data is kept by no shared cache."""
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    if request.is_secure:
        answer.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if "Cache-Control" not in answer.headers or request.blueprint not in KEPT:
        answer.headers["Cache-Control"] = "private, no-store"
    return answer


def init(app: Flask) -> None:
    """Bind to the application."""
    app.register_blueprint(files)
    app.after_request(protect)
    app.jinja_env.globals["asset"] = asset
