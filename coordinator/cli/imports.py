"""`flask import fhir`: take FHIR R4 bundles into a branch. Invented orders belong in the profiles demo and test."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from coordinator.access.service import installer_actor
from coordinator.agency.service import branch_by_code, today
from coordinator.cli.common import command_work, door, say
from coordinator.core.settings import ROOT
from coordinator.demo.orders import give_orders
from coordinator.fhir.bundle import Bundle, BundleError, read_bundle
from coordinator.fhir.mapping import HomePoint, load_code_map, load_homes
from coordinator.fhir.service import Imported, import_bundle, used_addresses

group = AppGroup("import", help="Take records from elsewhere.")


def bundle_files(paths: tuple[Path, ...]) -> list[Path]:
    """The files named, and the .json files of the folders named, in the order of their names."""
    files: list[Path] = []
    for path in paths:
        files += sorted(path.glob("*.json")) if path.is_dir() else [path]
    return files


@group.command("fhir")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--branch", "branch_code", required=True, help="Code of the branch that takes them.")
@click.option(
    "--homes",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV of known addresses (line, city, state, zip, lat, lon): patients are given homes from it.",
)
@click.option("--demo-orders", is_flag=True, help="Give them plausible signed orders, marked as demo.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def fhir(paths: tuple[Path, ...], branch_code: str, homes: Path | None, demo_orders: bool, as_json: bool) -> None:
    """Import FHIR R4 bundles, one patient each. A broken one is refused whole; the same one twice changes nothing."""
    if demo_orders and door().settings.profile == "production":
        raise click.ClickException("--demo-orders: invented orders have no place in production.")
    try:
        known_homes: tuple[HomePoint, ...] = load_homes(homes) if homes else ()
    except (ValueError, OSError) as error:
        raise click.ClickException(f"--homes: {error}") from None
    files = bundle_files(paths)
    results: list[Imported] = []
    refused: list[dict[str, str]] = []
    ordered = 0
    for number, file in enumerate(files, 1):
        say(f"{number} of {len(files)}  {file.name}")
        try:
            bundle = read_bundle(file)
            result, count = _take(bundle, branch_code, known_homes, demo_orders=demo_orders)
        except BundleError as error:
            refused.append({"file": file.name, "place": error.place, "problem": error.problem})
            continue
        except click.ClickException as error:
            refused.append({"file": file.name, "place": file.name, "problem": error.message})
            continue
        results.append(result)
        ordered += count
    answer = _summary(results, refused, ordered)
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False) if as_json else _prose(answer))
    if refused:
        raise SystemExit(1)


def _take(bundle: Bundle, code: str, homes: tuple[HomePoint, ...], *, demo_orders: bool) -> tuple[Imported, int]:
    code_map = load_code_map(ROOT / "config" / "snomed-to-icd10cm.csv")
    with command_work("import-fhir", actor=installer_actor("import-fhir")) as work:
        branch = branch_by_code(work, code)
        result = import_bundle(
            work, bundle, branch=branch, today=today(work, branch.id), code_map=code_map, homes=homes,
            taken_addresses=used_addresses(work),
        )  # fmt: skip
        count = len(give_orders(work, result.patient_id)) if demo_orders and result.outcome != "unchanged" else 0
    return result, count


def _summary(results: list[Imported], refused: list[dict[str, str]], ordered: int) -> dict[str, Any]:
    taken: Counter[str] = Counter()
    left: Counter[tuple[str, str]] = Counter()
    for result in results:
        taken += result.taken
        left += result.left
    return {
        "bundles": len(results) + len(refused),
        "new": sum(result.outcome == "new" for result in results),
        "changed": sum(result.outcome == "changed" for result in results),
        "unchanged": sum(result.outcome == "unchanged" for result in results),
        "refused": refused,
        "demo_orders": ordered,
        "taken": dict(sorted(taken.items())),
        "left": [
            {"kind": kind, "reason": reason, "count": count} for (kind, reason), count in sorted(left.items())
        ],
        "patients": [result.as_dict() for result in results],
    }  # fmt: skip


def _prose(answer: dict[str, Any]) -> str:
    lines = [
        (
            f"{answer['bundles']} bundles: {answer['new']} new, {answer['changed']} changed, "
            f"{answer['unchanged']} unchanged, {len(answer['refused'])} refused."
        )
    ]
    if answer["demo_orders"]:
        lines.append(f"{answer['demo_orders']} demo orders were signed.")
    if answer["taken"]:
        lines.append("Taken: " + ", ".join(f"{count} {kind}" for kind, count in answer["taken"].items()) + ".")
    lines += [f"Left: {row['count']} {row['kind']}, because {row['reason']}." for row in answer["left"]]
    for note, numbers in _by_note(answer["patients"]).items():
        lines.append(f"{'Patient' if len(numbers) == 1 else 'Patients'} {', '.join(map(str, numbers))}: {note}")
    lines += [f"Refused {row['file']}: at {row['place']}: {row['problem']}." for row in answer["refused"]]
    return "\n".join(lines)


def _by_note(patients: list[dict[str, Any]]) -> dict[str, list[int]]:
    """What was said of patients, each sentence once, with the record numbers that it is about."""
    said: dict[str, list[int]] = {}
    for entry in patients:
        for note in entry["notes"]:
            said.setdefault(note, []).append(entry["patient"])
    return said
