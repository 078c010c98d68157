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


# ------------------------------------------------------------------------------------ slots held for referrals


def _sqlite_holds() -> Iterable[str]:
    """Held slots overlap neither each other nor a live visit of the clinician; asked of both tables."""
    times = "other.starts_at < NEW.ends_at AND NEW.starts_at < other.ends_at AND other.clinician_id = NEW.clinician_id"
    own = f"""
        SELECT RAISE(ABORT, 'no_hold_overlap') WHERE EXISTS (
            SELECT 1 FROM slot_hold AS other WHERE {times} AND other.id <> NEW.id AND other.status = 'held'
        ) OR EXISTS (SELECT 1 FROM visit AS other WHERE {times} AND other.status IN ({LIVE}));"""
    of_visit = f"""
        SELECT RAISE(ABORT, 'no_hold_overlap') WHERE EXISTS (
            SELECT 1 FROM slot_hold AS other WHERE {times} AND other.status = 'held'
        );"""
    columns = "clinician_id, starts_at, ends_at, status"
    for when in ("INSERT", f"UPDATE OF {columns}"):
        end = when.split()[0].lower()
        yield (
            f"CREATE TRIGGER no_hold_overlap_{end} AFTER {when} ON slot_hold WHEN NEW.status = 'held' BEGIN {own} END"
        )
        yield (
            f"CREATE TRIGGER no_hold_overlap_visit_{end} AFTER {when} ON visit "
            f"WHEN NEW.status IN ({LIVE}) AND NEW.clinician_id IS NOT NULL BEGIN {of_visit} END"
        )


def _postgresql_holds() -> Iterable[str]:
    """The same. Two tables cannot share an EXCLUDE: writers of one clinician wait for each other at their row instead,
    and what the first committed is seen by the second, whose next statement reads anew (READ COMMITTED).
    """
    yield (
        "ALTER TABLE slot_hold ADD CONSTRAINT no_hold_overlap EXCLUDE USING gist "
        "(int8range(clinician_id, clinician_id, '[]') WITH =, tstzrange(starts_at, ends_at) WITH &&) "
        "WHERE (status = 'held')"
    )
    yield f"""
        CREATE FUNCTION guard_holds() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE taken boolean;
        BEGIN
            PERFORM 1 FROM clinician WHERE id = NEW.clinician_id FOR NO KEY UPDATE;
            IF TG_TABLE_NAME = 'visit' THEN
                SELECT EXISTS (
                    SELECT 1 FROM slot_hold AS other
                    WHERE other.clinician_id = NEW.clinician_id AND other.status = 'held'
                      AND other.starts_at < NEW.ends_at AND NEW.starts_at < other.ends_at
                ) INTO taken;
            ELSE
                SELECT EXISTS (
                    SELECT 1 FROM visit AS other
                    WHERE other.clinician_id = NEW.clinician_id AND other.status IN ({LIVE})
                      AND other.starts_at < NEW.ends_at AND NEW.starts_at < other.ends_at
                ) INTO taken;
            END IF;
            IF taken THEN
                RAISE EXCEPTION USING MESSAGE = 'no_hold_overlap', ERRCODE = 'exclusion_violation',
                    CONSTRAINT = 'no_hold_overlap';
            END IF;
            RETURN NEW;
        END $$"""
    live = f"NEW.status IN ({LIVE}) AND NEW.clinician_id IS NOT NULL"
    # A visit that only goes on (begun, completed) takes no new time: nobody is made to wait for it.
    taking = (
        f"(OLD.status NOT IN ({LIVE}) OR OLD.clinician_id IS DISTINCT FROM NEW.clinician_id "
        "OR OLD.starts_at IS DISTINCT FROM NEW.starts_at OR OLD.ends_at IS DISTINCT FROM NEW.ends_at)"
    )
    for table, when, name in (
        ("slot_hold", "NEW.status = 'held'", "no_hold_overlap"),
        ("visit", live, "no_hold_overlap"),
    ):
        yield (
            f"CREATE TRIGGER {name}_insert BEFORE INSERT ON {table} FOR EACH ROW WHEN ({when}) "
            "EXECUTE FUNCTION guard_holds()"
        )
        more = f" AND {taking}" if table == "visit" else ""
        yield (
            f"CREATE TRIGGER {name}_update BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({when}{more}) "
            "EXECUTE FUNCTION guard_holds()"
        )


def create_holds(dialect: str) -> list[str]:
    """Statements that put up the guards of held slots; a migration that rebuilds `visit` or `slot_hold` needs them too."""
    return list(_postgresql_holds() if dialect == "postgresql" else _sqlite_holds())


def drop_holds(dialect: str) -> list[str]:
    """Statements that take the guards of held slots down."""
    if dialect == "postgresql":
        return [
            f"DROP TRIGGER no_hold_overlap_{when} ON {table}" for table in ("slot_hold", "visit")
            for when in ("insert", "update")
        ] + ["ALTER TABLE slot_hold DROP CONSTRAINT no_hold_overlap", "DROP FUNCTION guard_holds()"]  # fmt: skip
    names = [statement.split("CREATE TRIGGER ", 1)[1].split()[0] for statement in _sqlite_holds()]
    return [f"DROP TRIGGER {name}" for name in names]


def create(dialect: str) -> list[str]:
    """Statements that put every guard up, but for those of held slots (`create_holds`)."""
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


# ------------------------------------------------------------------------------------ certifications

#: Columns of a signed certification that nobody may change.
CERTIFIED_COLUMNS = (
    "patient_id", "episode_id", "number", "physician_id", "homebound", "skilled_need", "plan_established",
    "under_care", "face_to_face_on", "estimated_further_duration", "signed_at",
)  # fmt: skip


def create_certifications(dialect: str, *, superseded: bool = False) -> list[str]:
    """Statements that make a signed certification, and the signature under it, immutable.

    `superseded`: that it was signed by mistake may be said of it, once; its text stays as it was.
    """
    may = " AND NOT (OLD.status = 'signed' AND NEW.status = 'superseded')" if superseded else ""
    name, signed = "signed_text_is_immutable", "OLD.signed_at IS NOT NULL"
    if dialect == "postgresql":
        changed = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in CERTIFIED_COLUMNS)
        changed += f" OR (NEW.status IS DISTINCT FROM OLD.status{may})"
        refuse = f"EXECUTE FUNCTION guard_refuses('{name}')"
        return [
            f"CREATE TRIGGER {name} BEFORE UPDATE OR DELETE ON certification_signature FOR EACH ROW {refuse}",
            f"CREATE TRIGGER {name} BEFORE UPDATE ON certification FOR EACH ROW WHEN ({signed} AND ({changed})) {refuse}",
            f"CREATE TRIGGER {name}_delete BEFORE DELETE ON certification FOR EACH ROW WHEN ({signed}) {refuse}",
        ]
    changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in CERTIFIED_COLUMNS)
    changed += f" OR (NEW.status IS NOT OLD.status{may})"
    refuse = f"BEGIN SELECT RAISE(ABORT, '{name}'); END"
    return [
        f"CREATE TRIGGER {name}_certification_signature_update BEFORE UPDATE ON certification_signature {refuse}",
        f"CREATE TRIGGER {name}_certification_signature_delete BEFORE DELETE ON certification_signature {refuse}",
        f"CREATE TRIGGER {name}_certification_update BEFORE UPDATE ON certification WHEN {signed} AND ({changed}) {refuse}",
        f"CREATE TRIGGER {name}_certification_delete BEFORE DELETE ON certification WHEN {signed} {refuse}",
    ]


def drop_certifications(dialect: str) -> list[str]:
    """Statements that take the guards of certifications down."""
    if dialect == "postgresql":
        name = "signed_text_is_immutable"
        return [
            f"DROP TRIGGER {name} ON certification_signature",
            f"DROP TRIGGER {name} ON certification",
            f"DROP TRIGGER {name}_delete ON certification",
        ]
    names = [statement.split("CREATE TRIGGER ", 1)[1].split()[0] for statement in create_certifications(dialect)]
    return [f"DROP TRIGGER {name}" for name in names]


# ------------------------------------------------------------------------------------ destruction after retention

#: Which rows may go while the destruction of their patient's record is under way: the triggers, with where the patient is.
_MAY_GO = {
    "signed_text_is_immutable_signature_delete": (
        "signature", "", "(SELECT patient_id FROM care_order WHERE id = OLD.order_id)",
    ),
    "signed_text_is_immutable_delete": ("care_order", "OLD.signed_at IS NOT NULL", "OLD.patient_id"),
    "signed_text_is_immutable_certification_signature_delete": (
        "certification_signature", "", "(SELECT patient_id FROM certification WHERE id = OLD.certification_id)",
    ),
    "signed_text_is_immutable_certification_delete": (
        "certification", "OLD.signed_at IS NOT NULL", "OLD.patient_id",
    ),
}  # fmt: skip


def _refusals(*, let_pass: bool) -> list[str]:
    """SQLite's triggers against deleting what was signed, with or without the way through."""
    made = []
    for name, (table, when, patient) in _MAY_GO.items():
        way = (
            f"NOT EXISTS (SELECT 1 FROM destruction WHERE patient_number = {patient} AND finished_at IS NULL)"
            if let_pass
            else ""
        )
        condition = " AND ".join(part for part in (when, way) if part)
        made.append(f"DROP TRIGGER {name}")
        made.append(
            f"CREATE TRIGGER {name} BEFORE DELETE ON {table} {'WHEN ' + condition if condition else ''} "
            "BEGIN SELECT RAISE(ABORT, 'signed_text_is_immutable'); END"
        )
    return made


_RAISE = """
            RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'integrity_constraint_violation',
                CONSTRAINT = TG_ARGV[0];"""


def let_destruction_pass(dialect: str) -> list[str]:
    """Statements after which what was signed goes with a record that is destroyed, and never otherwise (SEC-12).

    The trail's own guard knows no way through.
    """
    if dialect != "postgresql":
        return _refusals(let_pass=True)
    return [
        f"""
        CREATE OR REPLACE FUNCTION guard_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE number bigint;
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF TG_TABLE_NAME = 'signature' THEN
                    SELECT patient_id INTO number FROM care_order WHERE id = OLD.order_id;
                ELSIF TG_TABLE_NAME = 'certification_signature' THEN
                    SELECT patient_id INTO number FROM certification WHERE id = OLD.certification_id;
                ELSIF TG_TABLE_NAME IN ('care_order', 'certification') THEN
                    number := OLD.patient_id;
                END IF;
                IF EXISTS (SELECT 1 FROM destruction WHERE patient_number = number AND finished_at IS NULL) THEN
                    RETURN OLD;
                END IF;
            END IF;{_RAISE}
        END $$"""
    ]


def let_nothing_pass(dialect: str) -> list[str]:
    """Statements that close the way through again."""
    if dialect != "postgresql":
        return _refusals(let_pass=False)
    return [
        f"""
        CREATE OR REPLACE FUNCTION guard_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN{_RAISE}
        END $$"""
    ]
