"""The demonstration territory: Saint-Marron-sur-Vilaine, which doesn't exist."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

NAME = "Saint-Marron-sur-Vilaine"


def load(owner: psycopg.Connection, say: Callable[[str], None]) -> None:
    """Fill an empty install: called once by ``marronnier run``, in an application context.

    ``owner`` writes what no page writes; ``say`` tells the person who waits what is being done.
    """
    say(f"Création de {NAME}…")
    owner.execute("INSERT INTO territory (name) VALUES (%s)", [NAME])


def sign_ins(_connection: psycopg.Connection) -> list[str]:
    """One line for each sign-in that a visitor may try, for the terminal; none on a territory of one's own."""
    return []
