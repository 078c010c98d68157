"""The installation's policy: the numbers of `config/policy.toml`, the shipped programmes and the agency's own."""

import tomllib
from pathlib import Path

from coordinator.core.settings import ROOT, Settings
from coordinator.rules.profile_files import programmes_from
from coordinator.rules.profiles import Programmes
from coordinator.rules.terms import Policy, policy_from


def policy_of(settings: Settings) -> Policy:
    """Every number and programme in force; PolicyError or ProfileError says what of the files is wrong, and where."""
    with settings.policy_path.open("rb") as file:
        numbers = tomllib.load(file)
    return policy_from(numbers, programmes=programmes_of(settings))


def programmes_of(settings: Settings, *more: Path) -> Programmes:
    """The programmes of the installation, as they would be with `more` files of the agency's own beside."""
    own = settings.own_programmes_path
    theirs = [] if own is None else texts_in(own)
    names = {name for name, _ in theirs}
    theirs += [(name, path.read_text(encoding="utf-8")) for path in more if (name := spoken(path)) not in names]
    return programmes_from(texts_in(settings.programmes_path), theirs)


def texts_in(folder: Path) -> list[tuple[str, str]]:
    """Every TOML file of the folder, with its name and text."""
    return [(spoken(path), path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.toml"))]


def spoken(path: Path) -> str:
    """How messages name the file: from the project's own folder where it is within."""
    whole = path.resolve()
    return whole.relative_to(ROOT).as_posix() if whole.is_relative_to(ROOT) else str(whole)
