"""`flask travel`: where addresses are, how long ways take, and what the road server knows."""

import json
from collections import Counter
from datetime import datetime
from typing import Any

import click
import sqlalchemy as sa
from flask.cli import AppGroup

from coordinator.access.service import installer_actor
from coordinator.agency.model import Branch
from coordinator.agency.service import branch_by_code
from coordinator.cli.common import command_work, door, say
from coordinator.core.work import Work
from coordinator.patients import locating
from coordinator.patients import service as patients
from coordinator.patients.model import Patient
from coordinator.planning.places import points_of
from coordinator.staff.model import Clinician
from coordinator.travel import ways
from coordinator.travel.atlas import Atlas, atlas_of
from coordinator.travel.times import Point

group = AppGroup("travel", help="Where places are, and how long from here to there.")


# ------------------------------------------------------------------------------------ geocode


@group.command("geocode")
@click.option("--branch", "code", required=True, metavar="CODE", help="The branch's code.")
@click.option("--write", is_flag=True, help="Keep what was found. Points that somebody gave stay.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def geocode(code: str, write: bool, as_json: bool) -> None:
    """Look up the homes of a branch's patients in its street file, and say how precise each point is.

    Patients are named by number only. COORDINATOR_STREETS says which files a branch has.
    """
    rows = []
    with command_work("geocode", write=write, actor=installer_actor("geocode")) as work:
        branch = branch_by_code(work, code)
        if code not in atlas_of(work).geocoders:
            raise click.ClickException(f"No street file is named for {code}: COORDINATOR_STREETS (docs/travel.md).")
        numbers = work.session.execute(
            sa.select(Patient.id).where(Patient.branch_id == branch.id, Patient.active.is_(True)).order_by(Patient.id)
        ).scalars()
        for patient_id in numbers.all():
            if write:
                patients.locate_home(work, patient_id)
            rows.append(_home(work, patient_id))
    counts = Counter(row["precision"] or "unknown" for row in rows)
    answer = {"branch": code, "patients": len(rows), "written": write, "precision": dict(counts), "homes": rows}
    click.echo(json.dumps(answer) if as_json else _geocoded(answer))


def _home(work: Work, patient_id: int) -> dict[str, Any]:
    """What the home's point is, or would be."""
    patient = work.session.get_one(Patient, patient_id)
    home = patient.home
    if locating.has_given_point(home):
        return {"patient": patient_id, "source": home.point_source, "precision": "given", "note": None}
    found = locating.locate(work, patient.branch_id, home.address, home.zip)
    return {
        "patient": patient_id,
        "source": found["point_source"],
        "precision": found["point_precision"],
        "note": found["point_note"],
    }


def _geocoded(answer: dict[str, Any]) -> str:
    kinds = ", ".join(f"{count} {name}" for name, count in sorted(answer["precision"].items()))
    lines = [f"{answer['patients']} homes: {kinds or 'none'}." + ("" if answer["written"] else " Nothing was written.")]
    for row in answer["homes"]:
        if row["precision"] is None:
            lines.append(f"Patient {row['patient']}: neither the street nor the ZIP is in the files.")
        elif row["note"]:
            lines.append(f"Patient {row['patient']}: {row['precision']}. {row['note']}")
    return "\n".join(lines)


# ------------------------------------------------------------------------------------ ways


class _PointType(click.ParamType[Point]):
    name = "LAT,LON"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Point:
        try:
            lat, lon = (float(part) for part in str(value).split(","))
        except ValueError:
            self.fail("must be a latitude and a longitude, as in 37.7793,-122.4193", param, ctx)
        return lat, lon


@group.command("way", context_settings={"ignore_unknown_options": True})
@click.argument("here", type=_PointType())
@click.argument("there", type=_PointType())
@click.option("--at", "local", type=click.DateTime(["%Y-%m-%dT%H:%M"]), help="An hour of the branch's clock.")
def way(here: Point, there: Point, local: datetime | None) -> None:
    """Say how long the way from HERE to THERE takes, in which traffic, and who says so."""
    with command_work("travel-way", write=False) as work:
        try:
            found = ways.matrix(work, [here, there], local=local)
        except ValueError as error:
            raise click.ClickException(str(error)) from None
    source = ways.Source(int(found.sources[0, 1])).name.lower().replace("_", " ")
    hour = "the daytime" if local is None else f"{local:%A %H:%M}"
    click.echo(f"{found.seconds[0, 1]} s, {source}, {found.traffic:.2f} times free flow ({hour}).")


@group.command("learn")
@click.option("--branch", "code", required=True, metavar="CODE", help="The branch's code.")
def learn(code: str) -> None:
    """Ask the road server for all ways between a branch's homes and its clinicians' places, and remember them."""
    d = door()
    atlas: Atlas = d.atlas
    if atlas.roads is None:
        raise click.ClickException("There is no road server: COORDINATOR_OSRM_URL (docs/travel.md).")
    with command_work("travel-learn", write=False, actor=installer_actor("travel-learn")) as work:
        branch = branch_by_code(work, code)
        points, now = _points(work, branch), work.now
    learned = ways.learn(d.database, atlas, points, now, heartbeat=lambda: say("asking ..."))
    click.echo(
        f"{len(points)} places. {learned.missing} ways were missing, {learned.legs} are known now, "
        f"{learned.without_road} of them without a road."
    )
    if learned.note is not None:
        raise click.ClickException(learned.note)


def _points(work: Work, branch: Branch) -> list[Point]:
    homes = sa.select(Patient).where(Patient.branch_id == branch.id, Patient.active.is_(True))
    people = sa.select(Clinician).where(Clinician.branch_id == branch.id, Clinician.active.is_(True))
    return points_of(branch, work.session.execute(homes).scalars(), work.session.execute(people).scalars())
