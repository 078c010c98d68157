"""A road server of one's own, on this machine: `make osrm PBF=city.osm.pbf`.

    python -m benchmarks.osrm PBF [--folder var/osrm] [--port 5000] [--prepare-only]

The binaries come out of the `osrm-bindings` wheel, which is fetched with pip and unpacked, not installed: it is built
for Python 3.12 and later, but what is inside runs without any Python. The map is prepared for multi-level Dijkstra
(extract, partition, customize), again only if the .osm.pbf changed. The server listens on loopback alone and logs no
questions, because they say where patients live.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from coordinator.core.settings import ROOT

WHEEL = "osrm-bindings==26.10.0"
FOLDER = ROOT / "var" / "osrm"
#: The most places on both sides of one question together.
MOST_PLACES = 1000


class OsrmError(RuntimeError):
    """The server cannot be had here; the message says what is missing."""


def binaries(folder: Path = FOLDER, *, seconds: int = 300) -> Path:
    """The unpacked wheel, fetched if it is not there yet. OsrmError if it cannot be."""
    home = folder / WHEEL.replace("==", "-")
    if home.is_dir():
        return home / "osrm"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as workshop:
        unpacked = _fetched(Path(workshop), seconds)
        _put(unpacked, home)
    return home / "osrm"


def _fetched(workshop: Path, seconds: int) -> Path:
    fetch = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--retries",
        "1", "--timeout", "10", "--python-version", "3.12", "--only-binary=:all:", "--dest", str(workshop), WHEEL,
    ]  # fmt: skip
    try:
        subprocess.run(fetch, check=True, capture_output=True, timeout=seconds)  # noqa: S603
    except (subprocess.SubprocessError, OSError) as error:
        raise OsrmError(f"the wheel {WHEEL} cannot be fetched ({type(error).__name__})") from None
    (wheel,) = workshop.glob("osrm_bindings-*.whl")
    unpacked = workshop / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    for binary in (unpacked / "osrm" / "bin").iterdir():
        binary.chmod(0o755)
    return unpacked


def _put(made: Path, home: Path) -> None:
    """What was made stands at home, whole: two who make the same at once would write into each other's files."""
    try:
        made.rename(home)
    except OSError:
        if not home.is_dir():
            raise


def prepare(pbf: Path, folder: Path = FOLDER) -> Path:
    """The map, ready to serve. OsrmError says which step failed, in OSRM's words."""
    home = binaries(folder)
    mark = hashlib.sha256(pbf.read_bytes()).hexdigest()[:16]
    place = folder / f"roads-{mark}"
    if place.is_dir():
        return place / "map.osrm"
    with tempfile.TemporaryDirectory(dir=folder) as workshop:
        made = Path(workshop) / "map"
        made.mkdir()
        link = made / "map.osm.pbf"
        link.symlink_to(pbf.resolve())
        for step in (
            ("osrm-extract", "-p", str(home / "share" / "profiles" / "car.lua"), str(link)),
            ("osrm-partition", str(made / "map.osrm")),
            ("osrm-customize", str(made / "map.osrm")),
        ):
            done = subprocess.run([str(home / "bin" / step[0]), *step[1:]], capture_output=True, check=False, text=True)  # noqa: S603
            if done.returncode:
                raise OsrmError(f"{step[0]} failed: {(done.stderr or done.stdout).strip()[-400:]}")
        _put(made, place)
    return place / "map.osrm"


def command(base: Path, port: int, folder: Path = FOLDER) -> list[str]:
    """What starts the server on loopback."""
    return [
        str(binaries(folder) / "bin" / "osrm-routed"), "--algorithm", "mld", "--ip", "127.0.0.1", "--port", str(port),
        "--max-table-size", str(MOST_PLACES), "--verbosity", "WARNING", str(base),
    ]  # fmt: skip


def environment() -> dict[str, str]:
    """The process's own, with the log of questions off."""
    return os.environ | {"DISABLE_ACCESS_LOGGING": "1"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.osrm", description=__doc__.splitlines()[0])
    parser.add_argument("pbf", type=Path)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--prepare-only", action="store_true")
    given = parser.parse_args()
    if not given.pbf.is_file():
        sys.exit(f"PBF: there is no file {given.pbf}")
    try:
        base = prepare(given.pbf, given.folder)
    except OsrmError as error:
        sys.exit(str(error))
    if given.prepare_only:
        return
    print(f"Roads of {given.pbf.name} on http://127.0.0.1:{given.port}; Ctrl-C ends it.")
    print(f"In another window: COORDINATOR_OSRM_URL=http://127.0.0.1:{given.port} make run", flush=True)
    start = command(base, given.port, given.folder)
    os.execve(start[0], start, environment())  # noqa: S606


if __name__ == "__main__":
    main()
