"""Guards that the database itself keeps, in the words of each engine, under the same names.

On SQLite they are triggers, which Alembic's batch mode drops without a word when it rebuilds a table: a migration that
touches a guarded table on SQLite calls `drop` before and `create` after, and a test counts them.
"""

from collections.abc import Iterable

LIVE = "'pending', 'booked', 'en_route', 'arrived', 'in_progress', 'completed', 'note_signed', 'verified'"

#: Columns of a signed order that nobody may change.
SIGNED_COLUMNS = (
    "patient_id", "episode_id", "physician_id", "discipline", "frequency_text", "frequency", "evaluate_and_treat",
    "effective_from", "effective_to", "certification_number", "goals_text", "prn_limit", "prn_signs",
    "visit_minutes", "visits_per_day", "two_person", "taper_plan", "daily_nursing_ends_on", "daily_insulin",
)  # fmt: skip
#: JSON columns of a signed order, compared as text.
SIGNED_JSON = ("treatments", "required_skills")


def _sqlite_overlap(name: str, column: str, extra_new: str, extra_other: str) -> Iterable[str]:
    for when in ("INSERT", "UPDATE"):
        of = "" if when == "INSERT" else f" OF {column}, starts_at, ends_at, status, joint_with_id"
        yield f"""
            CREATE TRIGGER {name}_{when.lower()} AFTER {when}{of} ON visit
            WHEN NEW.status IN ({LIVE}) AND NEW.{column} IS NOT NULL {extra_new}
            BEGIN
                SELECT RAISE(ABORT, '{name}') WHERE EXISTS (
                    SELECT 1 FROM visit AS other
                    WHERE other.{column} = NEW.{column} AND other.id <> NEW.id AND other.status IN ({LIVE})
                      AND other.starts_at < NEW.ends_at AND NEW.starts_at < other.ends_at {extra_other}
                );
            END"""


def _sqlite() -> Iterable[str]:
    yield from _sqlite_overlap("no_clinician_overlap", "clinician_id", "", "")
    yield from _sqlite_overlap(
        "no_patient_overlap", "patient_id", "AND NEW.joint_with_id IS NULL", "AND other.joint_with_id IS NULL"
    )
    for table, name in (("audit_event", "audit_is_append_only"), ("signature", "signed_text_is_immutable")):
        for when in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {name}_{table}_{when.lower()} BEFORE {when} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{name}'); END"
            )
    changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in SIGNED_COLUMNS + SIGNED_JSON)
    yield (
        "CREATE TRIGGER signed_text_is_immutable_order BEFORE UPDATE ON care_order "
        f"WHEN OLD.signed_at IS NOT NULL AND ({changed}) "
        "BEGIN SELECT RAISE(ABORT, 'signed_text_is_immutable'); END"
    )
    yield (
        "CREATE TRIGGER signed_text_is_immutable_delete BEFORE DELETE ON care_order "
        "WHEN OLD.signed_at IS NOT NULL BEGIN SELECT RAISE(ABORT, 'signed_text_is_immutable'); END"
    )


def _postgresql() -> Iterable[str]:
    # int8range makes equality of a number something that plain GiST can index: no extension is needed.
    for name, column, where in (
        ("no_clinician_overlap", "clinician_id", ""),
        ("no_patient_overlap", "patient_id", " AND joint_with_id IS NULL"),
    ):
        yield (
            f"ALTER TABLE visit ADD CONSTRAINT {name} EXCLUDE USING gist "
            f"(int8range({column}, {column}, '[]') WITH =, tstzrange(starts_at, ends_at) WITH &&) "
            f"WHERE (status IN ({LIVE}){where})"
        )
    yield """
        CREATE FUNCTION guard_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'integrity_constraint_violation',
                CONSTRAINT = TG_ARGV[0];
        END $$"""
    for table, name in (("audit_event", "audit_is_append_only"), ("signature", "signed_text_is_immutable")):
        yield (
            f"CREATE TRIGGER {name} BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION guard_refuses('{name}')"
        )
    changed = " OR ".join(
        [f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in SIGNED_COLUMNS]
        + [f"NEW.{column}::text IS DISTINCT FROM OLD.{column}::text" for column in SIGNED_JSON]
    )
    yield (
        f"CREATE TRIGGER signed_text_is_immutable BEFORE UPDATE ON care_order FOR EACH ROW "
        f"WHEN (OLD.signed_at IS NOT NULL AND ({changed})) "
        "EXECUTE FUNCTION guard_refuses('signed_text_is_immutable')"
    )
    yield (
        "CREATE TRIGGER signed_text_is_immutable_delete BEFORE DELETE ON care_order FOR EACH ROW "
        "WHEN (OLD.signed_at IS NOT NULL) EXECUTE FUNCTION guard_refuses('signed_text_is_immutable')"
    )


def create(dialect: str) -> list[str]:
    """Statements that put every guard up."""
    return list(_postgresql() if dialect == "postgresql" else _sqlite())


def drop(dialect: str) -> list[str]:
    """Statements that take every guard down."""
    if dialect == "postgresql":
        return [
            "ALTER TABLE visit DROP CONSTRAINT no_clinician_overlap",
            "ALTER TABLE visit DROP CONSTRAINT no_patient_overlap",
            "DROP TRIGGER audit_is_append_only ON audit_event",
            "DROP TRIGGER signed_text_is_immutable ON signature",
            "DROP TRIGGER signed_text_is_immutable ON care_order",
            "DROP TRIGGER signed_text_is_immutable_delete ON care_order",
            "DROP FUNCTION guard_refuses()",
        ]
    names = [statement.split("CREATE TRIGGER ", 1)[1].split()[0] for statement in _sqlite()]
    return [f"DROP TRIGGER {name}" for name in names]
