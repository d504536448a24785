"""An install that needs nothing else: its own database, the web and the worker, started and stopped together.

What an operator runs under a supervisor of their own (``docs/production.md``), ``marronnier run`` runs in a terminal.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn
from urllib.error import URLError
from urllib.request import urlopen

import psycopg

from exchange.config import OWNER_ROLE, ROOT, WEB_ROLE, var_folder
from exchange.embedded import Server
from exchange.roles import libpq, make_roles

DATABASE = "marronnier"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 15  # seconds given to a process that was asked to stop
FIRST_ANSWER = 600  # tries, five a second
Say = Callable[[str], None]


class CannotRun(Exception):
    """The install can't start, or stopped; the message says why, for the person at the terminal."""


class Stopped(BaseException):
    """A signal asked to stop."""


# The database


class Hold:
    """Who answers for the embedded server of a folder: at most one process at a time.

    Its file says "ready" while that process serves it to others.
    """

    def __init__(self, var: Path) -> None:
        var.mkdir(parents=True, exist_ok=True)
        self._file = (var / "lock").open("a+")

    def taken(self) -> bool:
        """Whether we now answer for it; False when another process does."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self.write("")
        return True

    def served(self) -> bool:
        """Whether the process that answers for it lets others use it."""
        self._file.seek(0)
        return self._file.read() == "ready"

    def write(self, word: str) -> None:
        """Tell other processes."""
        self._file.truncate(0)
        self._file.write(word)
        self._file.flush()

    def leave(self) -> None:
        """Answer for it no more."""
        self.write("")
        self._file.close()


def name_database(server: Server) -> None:
    """Tell the rest of this process, and its children, which database is ours."""
    os.environ["DATABASE_URL"] = server.url(DATABASE, WEB_ROLE)
    os.environ["MARRONNIER_OWNER_URL"] = server.url(DATABASE, OWNER_ROLE)


def start_database(stack: ExitStack, say: Say) -> None:
    """Start the embedded server with its roles and its database, and stop it when ``stack`` ends.

    Raises CannotRun when another process holds the same folder.
    """
    var = var_folder()
    hold = Hold(var)
    if not hold.taken():
        raise CannotRun(f"Marronnier tourne déjà avec les données de {var}. Arrêtez-le d'abord, avec Ctrl-C.")
    stack.callback(hold.leave)
    server = Server(var / "pg")
    say("Démarrage de la base…" if server.made() else "Installation de la base…")
    stack.callback(stop_database, server)
    server.start()
    with psycopg.connect(libpq(server.url("postgres"))) as superuser:
        make_roles(superuser, DATABASE)
    name_database(server)
    hold.write("ready")


def stop_database(server: Server) -> None:
    """Stop the server if it runs; it may have been interrupted before it started."""
    if server.running():
        server.stop()


@contextmanager
def database_for_a_command() -> Iterator[None]:
    """The database of this install while a command needs it: the operator's, that of a running ``marronnier run``,
    else the embedded server, stopped again afterwards.

    Raises CannotRun when nothing was ever installed here.
    """
    if os.environ.get("DATABASE_URL"):
        yield
        return
    server = Server(var_folder() / "pg")
    if not server.made():
        raise CannotRun(f"Il n'y a pas encore de données dans {var_folder()} : lancez d'abord `make run`.")
    hold = Hold(var_folder())
    while not (mine := hold.taken()) and not hold.served():
        time.sleep(0.2)  # another command has it, or `marronnier run` is starting
    name_database(server)
    if not mine:
        yield
        return
    with ExitStack() as stack:
        stack.callback(hold.leave)
        stack.callback(stop_database, server)
        server.start()
        yield


# The processes


def command(*words: str) -> list[str]:
    """A command of ``marronnier``, run by the same Python."""
    return [sys.executable, "-P", "-m", "exchange.cli", *words]


def web_command(port: int) -> list[str]:
    """The web server, as ``gunicorn.conf.py`` says."""
    return [sys.executable, "-P", "-m", "gunicorn", "wsgi:app", "--bind", f"127.0.0.1:{port}"]


class Process:
    """A child with its journal; a session of its own, so that Ctrl-C reaches us alone and we stop it in order."""

    def __init__(self, name: str, words: list[str], journal: Path) -> None:
        self.name = name
        self.journal = journal
        journal.parent.mkdir(parents=True, exist_ok=True)
        with journal.open("ab") as out:
            self._started_at = out.tell()
            self._child = subprocess.Popen(
                words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )

    def check(self) -> None:
        """Raises CannotRun, with the end of its journal, when it has stopped by itself."""
        if (status := self._child.poll()) is not None:
            with self.journal.open("rb") as said:
                said.seek(self._started_at)
                end = said.read().decode(errors="replace").splitlines()[-15:]
            why = f"Arrêt imprévu de « {self.name} » (code {status}) ; son journal : {self.journal}"
            raise CannotRun("\n".join([*end, why]))

    def stop(self) -> None:
        """Ask it to stop, and insist after a while."""
        if self._child.poll() is not None:
            return
        self._child.terminate()
        try:
            self._child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()


def check_port(port: int) -> None:
    """Raises CannotRun when something already answers there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gunicorn does: a port just left is free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as refused:
            other = port + 1 if port < 65535 else 8000
            why = "est déjà pris" if refused.errno == errno.EADDRINUSE else "n'est pas permis"
            raise CannotRun(f"Le port {port} {why}. Choisissez-en un autre : PORT={other} make run") from refused


def answers(address: str) -> bool:
    """Whether the web is ready to serve: it answers, and its database has the tables that it expects."""
    try:
        with urlopen(f"{address}/readyz", timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def stop_on_signals() -> None:
    """From now on a signal raises Stopped, once: the second one must not interrupt the cleaning."""

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        ignore_signals()
        raise Stopped

    for number in STOP_SIGNALS:
        signal.signal(number, stop)


def ignore_signals() -> None:
    """From now on nothing interrupts us."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def run(port: int, say: Say) -> None:
    """Start everything, and stop everything when a signal asks, or when a part stops by itself.

    Raises CannotRun.
    """
    check_port(port)
    os.environ.setdefault("MARRONNIER_STYLE", "1")  # /style, for who changes the pages
    os.environ["PORT"] = str(port)  # the worker writes links to us
    stop_on_signals()
    stack = ExitStack()
    try:
        _serve(stack, port, say)
    except Stopped:
        say("\nArrêt en cours…")
    finally:
        ignore_signals()
        stack.close()
    say("Marronnier est arrêté ; les données restent.")


def _serve(stack: ExitStack, port: int, say: Say) -> NoReturn:
    if not os.environ.get("DATABASE_URL"):
        start_database(stack, say)
    if subprocess.run(command("prepare"), cwd=ROOT, check=False).returncode:
        raise CannotRun("La base n'a pas pu être préparée ; la raison est au-dessus.")
    say("Démarrage du site…")
    journals = var_folder() / "log"
    children = []
    for name, words in (("web", web_command(port)), ("worker", command("worker"))):
        children.append(Process(name, words, journals / f"{name}.log"))
        stack.callback(children[-1].stop)
    address = f"http://127.0.0.1:{port}"
    wait_until_ready(address, children)
    say(f"\nMarronnier est prêt : {address}  (Ctrl-C pour l'arrêter)")
    for line in sign_ins():
        say(line)
    while True:
        watch(children)


def sign_ins() -> list[str]:
    """What a visitor of the demonstration may type."""
    from exchange import demo  # here, since it may load much that the rest of this process does without

    with psycopg.connect(libpq(os.environ["DATABASE_URL"])) as connection:
        return demo.sign_ins(connection)


def wait_until_ready(address: str, children: list[Process]) -> None:
    """Raises CannotRun when the web doesn't answer after a while, or has stopped."""
    for _ in range(FIRST_ANSWER):
        if answers(address):
            return
        watch(children)
    raise CannotRun(f"Le site a démarré, mais ne répond pas ; voyez {children[0].journal}.")


def watch(children: list[Process]) -> None:
    """Let a moment pass; raises CannotRun when a child has stopped by itself."""
    for child in children:
        child.check()
    time.sleep(0.2)
