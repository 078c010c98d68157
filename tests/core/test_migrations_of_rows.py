"""What stood in the database before a migration still says the same after it, both ways, on both engines."""

from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from coordinator.core.db import Database, UtcDateTime
from coordinator.core.settings import ROOT

pytestmark = pytest.mark.own_database

#: The last step before deadlines had tasks, patients a team, and the directory a history.
BEFORE = "0007"
ACCEPTED, SIGNED = datetime(2026, 9, 1, 17, tzinfo=UTC), datetime(2026, 9, 3, 17, tzinfo=UTC)
_numbers = count(1)


class Rows:
    """Rows of whatever the tables are at this step: what a row must have and nobody says is filled with something."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def table(self, name: str) -> sa.TableClause:
        columns = sa.inspect(self.connection).get_columns(name)
        return sa.table(name, *(sa.column(one["name"], _type_of(one)) for one in columns))

    def put(self, name: str, **given: Any) -> int:
        """The number of the new row."""
        needed = [
            one
            for one in sa.inspect(self.connection).get_columns(name)
            if not one["nullable"] and one["name"] not in ("id", *given) and one["default"] is None
        ]
        values = {one["name"]: _something(one) for one in needed} | given
        table = self.table(name)
        found: int = self.connection.execute(sa.insert(table).values(values).returning(table.c.id)).scalar_one()
        return found

    def of(self, name: str, *columns: str, **where: Any) -> list[Any]:
        """Those columns of those rows, oldest first: tuples, or plain values where there is one column."""
        table = self.table(name)
        query = sa.select(*(table.c[column] for column in columns)).filter_by(**where).order_by(table.c.id)
        found = [tuple(row) for row in self.connection.execute(query)]
        return [row[0] for row in found] if len(columns) == 1 else found

    def go(self, revision: str, *, up: bool) -> None:
        self.connection.commit()
        config = Config(toml_file=str(ROOT / "pyproject.toml"))
        config.attributes["connection"] = self.connection
        (command.upgrade if up else command.downgrade)(config, revision)
        self.connection.commit()


def _type_of(column: Any) -> Any:
    if column["name"].endswith("_at") or column["name"] == "at":
        return UtcDateTime()
    return column["type"]


def _something(column: Any) -> Any:
    kind = _type_of(column)
    if isinstance(kind, UtcDateTime):
        return ACCEPTED
    if isinstance(kind, sa.JSON):
        return []
    if kind.python_type is str:
        return str(next(_numbers))  # codes and numbers of people are each their own
    return {bool: False, int: 1, float: 1.0, date: date(2026, 9, 1)}[kind.python_type]


def test_rows_of_before_come_up_go_down_and_come_up_again(database: Database) -> None:
    with database.engine.connect() as connection:
        rows = Rows(connection)
        rows.go(BEFORE, up=False)
        branch = rows.put("branch", agency_id=rows.put("agency"))
        user = rows.put("app_user")
        physicians = [rows.put("physician") for _ in range(4)]
        rows.put("clinician", branch_id=branch)
        patients = {
            name: rows.put("patient", branch_id=branch, managing_physician_id=managed)
            for name, managed in (
                ("managed", physicians[0]), ("planned", None), ("ordered", None), ("referred", None), ("left", None),
                ("unknown", None),
            )
        }  # fmt: skip
        episodes = {
            name: rows.put(
                "episode", patient_id=patients[name], accepted_at=ACCEPTED,
                discharged_on=date(2026, 10, 1) if name == "left" else None,
            )
            for name in patients
        }  # fmt: skip
        of = {name: {"patient_id": patients[name], "episode_id": episodes[name]} for name in patients}
        plan = rows.put("care_plan", **of["planned"], managing_physician_id=physicians[1])
        rows.put("care_plan", **of["left"], managing_physician_id=physicians[1])
        order = rows.put(
            "care_order", **of["ordered"], care_plan_id=plan, physician_id=physicians[2], signed_at=SIGNED,
            status="active_signed",
        )  # fmt: skip
        rows.put("referral", branch_id=branch, patient_id=patients["ordered"], physician_id=physicians[0])
        rows.put("referral", branch_id=branch, patient_id=patients["referred"], physician_id=physicians[3])
        visit = rows.put("visit", branch_id=branch, **of["planned"], status="proposed", minutes=45)
        rows.put("override", visit_id=visit, user_id=user)
        friend = rows.put("outside_participant", patient_id=patients["managed"])
        gone, here = (
            rows.put("resource", key=key, extra=extra)
            for key, extra in (("gone", {"withdrawn": True, "note": "moved"}), ("here", {"note": "stays"}))
        )
        owed = [
            rows.put(
                "deadline", branch_id=branch, patient_id=patients["planned"], rule="ORD-01", subject=f"order:{number}",
                due_on=date(2026, 11, 20), status=status, facts=facts,
            )
            for number, (status, facts) in enumerate(
                [
                    ("open", {"task": "renew-order", "remind_on": ["2026-11-06", "2026-11-13"]}), ("open", {}),
                    ("done", {}), ("waived", {}), ("superseded", {}),
                ]
            )
        ]  # fmt: skip

        rows.go("head", up=True)
        # Deadlines say what their facts said, when they are told of, and who closed them (0008).
        assert rows.of("deadline", "task", "escalate_on", "tell_on", "closed_by", "waiver") == [
            ("renew-order", date(2026, 11, 21), date(2026, 11, 6), None, None),
            ("", date(2026, 11, 21), date(2026, 11, 21), None, None),
            ("", date(2026, 11, 21), None, "person", None),
            ("", date(2026, 11, 21), None, "person", "other"),
            ("", date(2026, 11, 21), None, "facts", None),
        ]
        # A visit's override stays the visit's (0011); what nobody was asked begins as not said (0012, 0013).
        assert rows.of("override", "visit_id", "order_id") == [(visit, None)]
        assert rows.of("clinician", "ot_profile") == ["standard"]
        assert [bool(one) for one in rows.of("visit", "interpreter_companion")] == [False]
        assert set(rows.of("patient", "code_status")) == {"not_recorded"}
        # Whoever is in care is under somebody: of the plan, the signed order, the referral (0018).
        assert rows.of("patient", "managing_physician_id") == [*physicians, None, None]
        managed = [patients[name] for name in ("managed", "planned", "ordered", "referred")]
        assert sorted(rows.of("team_post", "patient_id", "post", "physician_id", "starts_at")) == [
            (patient, "managing_physician", physician, ACCEPTED)
            for patient, physician in zip(managed, physicians, strict=True)
        ]
        assert rows.of("outside_participant", "id", "kind", "version") == [(friend, "other_professional", 1)]
        # What had left the directory is kept there, and not shown (0020).
        assert rows.of("resource", "id", "active", "extra", "origin", "edited_fields") == [
            (gone, False, {"note": "moved"}, "shipped", []), (here, True, {"note": "stays"}, "shipped", []),
        ]  # fmt: skip

        # What only the newer steps know: an order's override, a duty of a visit, a statement signed by mistake.
        rows.put("override", order_id=order, user_id=user)
        rows.put("visit_duty", visit_id=visit, deadline_id=owed[0])
        rows.put("sharing_consent", participant_id=friend)
        for number, status in enumerate(("superseded", "signed", "draft")):
            rows.put(
                "certification", **of["planned"], physician_id=physicians[1], status=status, number=max(1, number),
            )  # fmt: skip

        rows.go("0025", up=False)
        # The older step knows no such word: what was superseded counts as little as what was withdrawn (0015).
        assert rows.of("certification", "status") == ["withdrawn", "signed", "draft"]
        rows.go(BEFORE, up=False)
        assert rows.of("override", "visit_id") == [visit]
        assert rows.of("resource", "extra") == [{"note": "moved", "withdrawn": True}, {"note": "stays"}]
        assert rows.of("deadline", "status") == ["open", "open", "done", "waived", "superseded"]
        assert rows.of("patient", "managing_physician_id") == [*physicians, None, None]

        rows.go("head", up=True)
        assert sorted(rows.of("team_post", "patient_id", "physician_id")) == list(zip(managed, physicians, strict=True))
        assert [bool(one) for one in rows.of("resource", "active")] == [False, True]
        assert rows.of("deadline", "tell_on") == [date(2026, 11, 6), date(2026, 11, 21), None, None, None]
