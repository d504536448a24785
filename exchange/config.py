"""What an install is told from outside, by environment variables; `docs/production.md` lists them."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
WEB_ROLE = os.environ.get("MARRONNIER_WEB_ROLE", "marronnier_web")
LEDGER_ROLE = os.environ.get("MARRONNIER_LEDGER_ROLE", "marronnier_ledger")
OWNER_ROLE = os.environ.get("MARRONNIER_OWNER_ROLE", "marronnier_owner")


class NotConfigured(RuntimeError):
    """A setting is lacking; the message names it."""


def var_folder() -> Path:
    """Where an install keeps what is not in the database: the key of its sessions, mail without SMTP, logs."""
    return Path(os.environ.get("MARRONNIER_VAR", ROOT / "var")).resolve()


def _secret(name: str) -> str:
    """A secret from the environment, else made once and kept in a file that only this user reads."""
    if given := os.environ.get(name):
        return given
    file = var_folder() / "secrets" / name.lower()
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                out.write(secrets.token_urlsafe(48))
        except FileExistsError:
            pass  # another worker made it at the same moment
    return file.read_text()


def _driver(url: str) -> str:
    """The address as SQLAlchemy wants it, from the one that every hosting service prints."""
    for short in ("postgres://", "postgresql://"):
        if url.startswith(short):
            return "postgresql+psycopg://" + url.removeprefix(short)
    return url


def _address() -> str:
    """Where people reach us: what every link in a letter starts with. Without an operator, this machine alone."""
    address = os.environ.get("MARRONNIER_ADDRESS") or f"http://127.0.0.1:{os.environ.get('PORT') or 8000}"
    if not address.startswith(("http://", "https://")):
        raise NotConfigured(f"MARRONNIER_ADDRESS is {address}: write it whole, https://sel.example.org")
    return address.rstrip("/")


TILES = re.compile(r"https://[A-Za-z0-9.-]+(:\d{1,5})?/[^\s{}]*(\{[xyz]\}[^\s{}]*){3}")


def _tiles() -> dict[str, str]:
    """Where maps take their background from, and whom they thank for it: from nowhere unless the operator says both."""
    address, credit = (os.environ.get(f"MARRONNIER_TILES_{name}", "").strip() for name in ("URL", "CREDIT"))
    if bool(address) != bool(credit):
        raise NotConfigured("MARRONNIER_TILES_URL and MARRONNIER_TILES_CREDIT go together: set both, or neither.")
    if address and not (TILES.fullmatch(address) and all(f"{{{name}}}" in address for name in "xyz")):
        raise NotConfigured(
            f"MARRONNIER_TILES_URL is {address}: write it whole, https, with {{z}}, {{x}} and {{y}} once each and"
            " nothing else in braces: https://tiles.example.org/{z}/{x}/{y}.png"
        )
    return {"TILES_URL": address, "TILES_CREDIT": credit}


def from_environment() -> dict[str, Any]:
    """The settings of Flask and its extensions.

    Raises NotConfigured when no database is named, or the public address or that of a map's tiles isn't one.
    """
    database = os.environ.get("DATABASE_URL")
    if not database:
        raise NotConfigured("DATABASE_URL is not set: `make run` starts a database of its own, or name yours.")
    smtp, address = os.environ.get("MARRONNIER_SMTP_HOST"), _address()
    return {
        "SQLALCHEMY_DATABASE_URI": _driver(database),
        "OWNER_URL": _driver(os.environ.get("MARRONNIER_OWNER_URL", database)),
        "SECRET_KEY": _secret("MARRONNIER_SECRET_KEY"),
        "SECURITY_PASSWORD_SALT": _secret("MARRONNIER_PASSWORD_SALT"),
        "SESSION_COOKIE_SECURE": os.environ.get("MARRONNIER_HTTPS", "") == "1",
        "BEHIND_PROXIES": int(os.environ.get("MARRONNIER_PROXIES", "0")),
        "PUBLIC_ADDRESS": address,
        # what Flask makes whole links of, in the worker too, which nobody calls by a name
        "SERVER_NAME": urlsplit(address).netloc,
        "PREFERRED_URL_SCHEME": urlsplit(address).scheme,
        "MAIL_BACKEND": "smtp" if smtp else "file",
        "MAIL_SERVER": smtp or "localhost",
        "MAIL_PORT": int(os.environ.get("MARRONNIER_SMTP_PORT", "587")),
        "MAIL_USE_TLS": os.environ.get("MARRONNIER_SMTP_TLS", "1") == "1",
        "MAIL_USERNAME": os.environ.get("MARRONNIER_SMTP_USER"),
        "MAIL_PASSWORD": os.environ.get("MARRONNIER_SMTP_PASSWORD"),
        "MAIL_DEFAULT_SENDER": os.environ.get("MARRONNIER_MAIL_FROM", "marronnier@localhost"),
        "MAIL_FILE_PATH": str(var_folder() / "mail"),
        "SEAL_KEY": os.environ.get("MARRONNIER_SEAL_KEY", str(var_folder() / "secrets" / "seal_key.pem")),
        "WITNESS_ADDRESS": os.environ.get("MARRONNIER_WITNESS_ADDRESS", ""),
        "WITNESS_KEY": os.environ.get("MARRONNIER_WITNESS_KEY", ""),
        "OPERATOR": os.environ.get("MARRONNIER_OPERATOR", ""),
        "OPERATOR_ADDRESS": os.environ.get("MARRONNIER_OPERATOR_ADDRESS", ""),
        "PUBLISHER": os.environ.get("MARRONNIER_PUBLISHER", ""),
        "HOSTING": os.environ.get("MARRONNIER_HOSTING", ""),
        "STYLE_PAGE": os.environ.get("MARRONNIER_STYLE") == "1",
        "CONTACT": os.environ.get("MARRONNIER_CONTACT", ""),
        **_tiles(),
    }
