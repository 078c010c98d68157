"""The scheduler's board: a day by clinician and time, and as a list. What waits stands beside it.

The page is the board: it works without script, prints, and is what the keyboard uses. Dragging posts to the same forms.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import render_template, request, session

from coordinator.access.scope import branches_of
from coordinator.agency.model import Branch
from coordinator.agency.service import today
from coordinator.core.errors import NotFound
from coordinator.core.http import work
from coordinator.domain.vocabulary import Discipline, RepairStatus
from coordinator.planning.horizon import Horizon
from coordinator.planning.repairs import service as repairs
from coordinator.planning.waiting import waiting_orders
from coordinator.visits.board import Board, Row, Stop, board
from coordinator.web.shell import Screens, clock
from coordinator.web.visit_words import chips_of

#: What this browser's last placing can be taken back by, in its signed cookie: visit, version after it, place before.
UNDO = "board_undo"

blueprint = Screens("board_screen", __name__, url_prefix="/board")

#: The board's hours and its step, minutes after midnight of the branch's clock.
OPENS, CLOSES, STEP = 6 * 60, 20 * 60, 5
COLUMNS = (CLOSES - OPENS) // STEP
VIEWS = ("day", "list")
_HOURS = range(OPENS // 60, CLOSES // 60)


@dataclass(frozen=True, slots=True)
class Block:
    """A visit on its clinician's row: first column, length in columns, and what it shows."""

    stop: Stop
    at: int
    long: int
    chips: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Way:
    """Travel before a block: it ends where the block begins."""

    at: int
    long: int
    minutes: int
    short: bool


def branches() -> list[Branch]:
    """The branches that the reader schedules for."""
    query = sa.select(Branch).order_by(Branch.name, Branch.id)
    mine = branches_of(work().actor)
    if mine is not None:
        query = query.where(Branch.id.in_(sorted(mine)))
    return list(work().session.scalars(query))


def asked_branch() -> Branch:
    """The branch that the address names, or the reader's first; NotFound if they have none or not that one."""
    mine = branches()
    wanted = request.values.get("branch", "")
    found = next((one for one in mine if str(one.id) == wanted), None) if wanted else next(iter(mine), None)
    if found is None:
        raise NotFound("branch")
    return found


def asked_day(branch: Branch) -> date:
    """The day that the address names; the branch's today if it names none or nothing that is a day."""
    try:
        found = date.fromisoformat(request.values.get("day", ""))
    except ValueError:
        return today(work(), branch.id)
    return found if date(2000, 1, 1) <= found <= date(2200, 1, 1) else today(work(), branch.id)


@blueprint.get("/")
def show() -> Any:
    """The day. Filters stand in the address, so that a view can be kept and shared."""
    w, branch = work(), asked_branch()
    day = asked_day(branch)
    view = request.args.get("view") if request.args.get("view") in VIEWS else VIEWS[0]
    discipline = next((one for one in Discipline if one.value == request.args.get("discipline")), None)
    person = request.args.get("clinician", "")
    found = board(
        w, branch.id, day, discipline=discipline,
        clinician_id=int(person) if person.isdecimal() and len(person) < 16 else None,
    )  # fmt: skip
    kept = {name: value for name in ("branch", "discipline", "clinician", "view") if (value := request.args.get(name))}
    return render_template(
        "screens/board.html", board=found, branch=branch, branches=branches(), view=view, day=day, kept=kept,
        today=today(w, branch.id), earlier=day - timedelta(days=1), later=day + timedelta(days=1), zone=found.zone,
        lanes=[(row, _blocks(row, found.zone), _ways(row, found.zone), _shift(row, found.zone)) for row in found.rows],
        hours=[(clock(time(hour), form="hour"), hour * 60 // STEP - OPENS // STEP) for hour in _HOURS],
        disciplines=list(Discipline), chosen=discipline, chips_of=chips_of, waiting=_waiting(found),
        repairs=_open_repairs(branch.id), undo=session.get(UNDO),
        now_at=_column(w.now, found.zone) if day == today(w, branch.id) else None,
    )  # fmt: skip


def _column(instant: datetime, zone: ZoneInfo) -> int:
    local = instant.astimezone(zone)
    return min(max((local.hour * 60 + local.minute - OPENS) // STEP, 0), COLUMNS - 1)


def _span(begins: datetime, ends: datetime, zone: ZoneInfo) -> tuple[int, int]:
    """First column and length, inside the board's hours and at least one step long."""
    first = _column(begins, zone)
    same_day = ends.astimezone(zone).date() == begins.astimezone(zone).date()
    last = _column(ends - timedelta(seconds=1), zone) if same_day else COLUMNS - 1
    return first, max(1, last - first + 1)


def _blocks(row: Row, zone: ZoneInfo) -> list[Block]:
    blocks = []
    for stop in row.stops:
        visit = stop.visit
        assert visit.starts_at is not None
        assert visit.ends_at is not None
        at, long = _span(visit.starts_at, visit.ends_at, zone)
        blocks.append(Block(stop, at, long, chips_of(visit)))
    return blocks


def _ways(row: Row, zone: ZoneInfo) -> list[Way]:
    ways = []
    for stop, leg in zip(row.stops, row.legs, strict=True):
        if leg is None or leg.minutes == 0 or stop.visit.starts_at is None:
            continue
        begins = stop.visit.starts_at - timedelta(minutes=leg.minutes)
        ways.append(Way(*_span(begins, stop.visit.starts_at, zone), leg.minutes, leg.short))
    return ways


def _shift(row: Row, zone: ZoneInfo) -> list[tuple[int, int]]:
    return [_span(begins, ends, zone) for begins, ends in row.hours]


def _waiting(found: Board) -> list[dict[str, Any]]:
    """Orders without a signature that hold visits of the coming week back."""
    return waiting_orders(work(), found.branch_id, Horizon(found.zone, found.day, found.day + timedelta(days=6)))


def _open_repairs(branch_id: int) -> list[Any]:
    if not work().actor.may("repair:read"):
        return []
    query = repairs.search(work(), branch_id=branch_id, status=RepairStatus.PROPOSED)
    return list(work().session.scalars(query.limit(20)))
