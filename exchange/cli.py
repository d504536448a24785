"""The command ``marronnier``: to start, to install, to administer.

A capability adds its own commands by writing them with click in ``exchange/<capability>/commands.py`` and naming them
in COMMANDS below. They are loaded only when they are called, and run in an application context: on the operator's
database, else on that of ``make run``, whether it is running or not.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click
import psycopg

from exchange import serving
from exchange.config import OWNER_ROLE, WEB_ROLE, NotConfigured
from exchange.embedded import NoServer
from exchange.roles import libpq, make_roles, set_password

# name -> where its click command or group is
COMMANDS: dict[str, str] = {
    "audit": "exchange.audit.commands:audit",
    "export": "exchange.seals.commands:export",
    "erase-agreements": "exchange.agreements.commands:erase",
    "erase-documents": "exchange.documents.commands:erase",
    "expire": "exchange.declarations.commands:expire",
    "forget": "exchange.forgetting:command",
    "install": "exchange.installing:install",
    "import": "exchange.imports.commands:import_",
    "rotate-key": "exchange.seals.commands:rotate_key",
    "seal": "exchange.seals.commands:seal",
}


def say(line: str) -> None:
    """Show a line at once, even through a pipe."""
    print(line, flush=True)


@contextmanager
def application() -> Iterator[None]:
    """An application context on the database of this install; the one that is there already, if any."""
    from flask import has_app_context

    if has_app_context():
        yield
        return
    with serving.database_for_a_command():
        from exchange.factory import create_app

        app = create_app(patient=True)
        with app.app_context():
            yield


def in_application(command: click.Command) -> click.Command:
    """The same command, or each command of the same group, run in an application context."""
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            in_application(inner)
    elif command.callback is not None:
        command.callback = _wrapped(command.callback)
    return command


def _wrapped(do: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(do)
    def inside(*arguments: Any, **options: Any) -> Any:
        with application():
            return do(*arguments, **options)

    return inside


@functools.cache
def load(place: str) -> click.Command:
    """The command at "package.module:name"."""
    module, _, name = place.partition(":")
    return in_application(getattr(import_module(module), name))


class Loading(click.Group):
    """A group that also has the commands of the capabilities, and says faults of installation in one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """By name."""
        return sorted([*super().list_commands(ctx), *COMMANDS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of ours, or of a capability."""
        place = COMMANDS.get(cmd_name)
        return load(place) if place else super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except (serving.CannotRun, NoServer, NotConfigured) as told:
            raise click.ClickException(str(told)) from told


@click.group(cls=Loading)
def marronnier() -> None:
    """Échanges de temps entre voisins, et prêt de salles et d'outils."""


@marronnier.command()
@click.option("--port", envvar="PORT", default=8000, show_default=True, type=click.IntRange(1, 65535))
def run(port: int) -> None:
    """Installer au besoin, puis servir sur cette machine, avec une base à soi."""
    serving.run(port, say)


@marronnier.command(hidden=True)
def prepare() -> None:
    """Bring the database up to date, and fill it the first time: what ``run`` does before it serves."""
    from exchange import demo
    from exchange.factory import create_app
    from exchange.upgrading import upgrade

    app = create_app(patient=True)
    upgrade(app.config["OWNER_URL"])
    with psycopg.connect(libpq(app.config["OWNER_URL"])) as owner:
        empty = owner.execute("SELECT FROM territory").fetchone() is None
    if empty:
        with app.app_context():
            demo.load(app.config["OWNER_URL"], say)


@marronnier.command()
def migrate() -> None:
    """Mettre les tables à jour, en propriétaire (MARRONNIER_OWNER_URL)."""
    from exchange.upgrading import upgrade

    if owner := os.environ.get("MARRONNIER_OWNER_URL"):
        upgrade(owner)
    else:
        raise click.ClickException("Indiquez MARRONNIER_OWNER_URL : l'adresse de la base, pour le rôle qui la possède.")
    say("Les tables sont à jour.")


@marronnier.command()
@click.option("--superuser-url", required=True, help="postgresql://postgres:...@hôte/postgres")
@click.option("--database", default="marronnier", show_default=True, help="la base à créer si elle manque")
def roles(superuser_url: str, database: str) -> None:
    """Créer une fois pour toutes les rôles et la base, en superutilisateur.

    MARRONNIER_OWNER_PASSWORD et MARRONNIER_WEB_PASSWORD, s'ils sont donnés, deviennent leurs mots de passe.
    """
    with psycopg.connect(libpq(superuser_url)) as superuser:
        make_roles(superuser, database)
        for role, variable in ((OWNER_ROLE, "MARRONNIER_OWNER_PASSWORD"), (WEB_ROLE, "MARRONNIER_WEB_PASSWORD")):
            if password := os.environ.get(variable):
                set_password(superuser, role, password)
    say(f"La base « {database} » appartient à {OWNER_ROLE} ; {WEB_ROLE} la sert.")


@marronnier.command()
def worker() -> None:
    """Faire le travail de fond : envoyer les courriels, expirer ce qui attend."""
    from exchange import jobs
    from exchange.factory import create_app

    jobs.work(create_app(patient=True))


@marronnier.command()
def messages() -> None:
    """Relever les phrases à traduire, et dire celles qui manquent en anglais."""
    from exchange.messages import collect

    missing = collect()
    for sentence in missing:
        say(f"en : {sentence}")
    if missing:
        raise click.ClickException(f"{len(missing)} phrases sans traduction : complétez exchange/translations/en.")
    say("Toutes les phrases ont leur traduction.")


def main() -> None:
    """The entry of the program."""
    marronnier(prog_name="marronnier")


if __name__ == "__main__":
    main()
