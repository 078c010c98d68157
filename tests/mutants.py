"""Would a test notice if a number of the policy were wrong?  `make mutants` asks, one number at a time.

    python -m tests.mutants [aides.supervision_days ...] [--tests tests/rules tests/deadlines ...]

Each number named (the twelve of LAW if none is) is changed by one in a copy of the project, the tests are run there,
and the names of those that fail are printed. A number that nobody notices ends the run with 1: it is kept by nothing
but the file it stands in. tests/house is left out: it compares docs/rules.md with the file, and would notice anything.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from coordinator.core.settings import ROOT

#: One or more of every family that the law gives a number to.
LAW = (
    "certification.face_to_face_days_before",
    "certification.plan_review_days",
    "assessment.comprehensive_days",
    "discharge.summary_business_days",
    "orders.countersign_working_days",
    "intermittent.week_maximum_minutes",
    "aides.supervision_days",
    "therapy.reassessment_days",
    "missed.miss_count_for_team",
    "labour.daily_overtime_after_minutes",
    "instruments.zbi_high_from",
    "records.copy_days",
)
TESTS = (
    "tests/rules", "tests/deadlines", "tests/episodes", "tests/orders", "tests/visits", "tests/care", "tests/privacy",
    "tests/compliance", "tests/agency",
)  # fmt: skip
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?)(?: - .*)?$", re.MULTILINE)


def mutated(text: str, setting: str) -> tuple[str, int]:
    """The policy file with that number greater by one, and the number as it was. KeyError if it is no whole number."""
    section, _, name = setting.partition(".")
    found = re.search(
        rf"^\[{re.escape(section)}\]$(?:(?!^\[).*\n)*?^{re.escape(name)} = {{ value = (\d+),", text, re.MULTILINE
    )
    if found is None:
        raise KeyError(setting)
    return text[: found.start(1)] + str(int(found[1]) + 1) + text[found.end(1) :], int(found[1])


def noticed(copy: Path, tests: list[str], only: str) -> list[str]:
    """The tests that fail there, as pytest names them; RuntimeError if they did not run."""
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-rfE", "-k", only, *tests]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    return FAILED.findall(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("settings", nargs="*", default=LAW, metavar="section.name")
    parser.add_argument("--tests", nargs="+", default=list(TESTS), metavar="PATH")
    parser.add_argument("--only", default="not postgresql", metavar="WORDS", help="which of them, as pytest's -k")
    given = parser.parse_args()
    text = (ROOT / "config" / "policy.toml").read_text(encoding="utf-8")
    unnoticed = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", "var", "node_modules"))
        for setting in given.settings:
            try:
                changed, was = mutated(text, setting)
            except KeyError:
                sys.exit(f"{setting}: config/policy.toml has no whole number of that name")
            (copy / "config" / "policy.toml").write_text(changed, encoding="utf-8")
            names = noticed(copy, given.tests, given.only)
            print(f"{setting} {was} -> {was + 1}: {len(names)} tests notice", flush=True)
            for name in names:
                print(f"    {name}", flush=True)
            unnoticed += [] if names else [setting]
    if unnoticed:
        sys.exit(f"Nobody notices: {', '.join(unnoticed)}")


if __name__ == "__main__":
    main()
