"""Notes of visits in time (VIS-03), and the patient's schedule in writing (VIS-05)."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from coordinator.domain.timeline import HolidayCalendar, add_business_days, local_day
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "missed"

_SATURDAY = 5


@rule(
    "VIS-03",
    family=FAMILY,
    severity=Severity.TASK,
    citation="22 CCR 74735(a)(5)",
    verification="V",
    sentence="The note of a visit is signed within a day, two at the weekend, and in the record within 7 working days.",
    sentence_zh="探訪紀錄須在一日內簽署，週末為兩日，並在7個工作天內歸入病歷。",
    settings=("notes.hours", "notes.weekend_hours", "notes.working_days"),
    asked_on=("clock",),
)
def note_due(made_at: datetime, zone: ZoneInfo, policy: Policy) -> datetime:
    """The instant by which the note of a visit that ended then is signed. Elapsed hours."""
    made_on = local_day(made_at, zone)
    policy, weekend = policy.on(made_on), made_on.weekday() >= _SATURDAY
    return made_at + timedelta(hours=policy.notes.weekend_hours if weekend else policy.notes.hours)


@also("VIS-03")
def note_limit(made_on: date, policy: Policy) -> date:
    """The last of the working days by which California wants the note in the record."""
    policy = policy.on(made_on)
    return add_business_days(made_on, policy.notes.working_days, HolidayCalendar.CA_STATE)


@also("VIS-03")
def ask_note(made_on: date, signed_on: date | None, today: date, policy: Policy) -> Finding | None:
    """A note that is not signed within the working days holds the visit's bill until it is."""
    limit = note_limit(made_on, policy)
    if signed_on is not None or today <= limit:
        return None
    return found(
        "VIS-03",
        "The note of the visit of {made_on} was to be signed by {limit}.",
        cure="The clinician signs the note, and the clinical manager records why it is late.",
        severity=Severity.HOLD_BILL,
        made_on=made_on,
        limit=limit,
    )


@rule(
    "VIS-05",
    family=FAMILY,
    severity=Severity.TASK,
    citation="42 CFR 484.60(e)",
    verification="K",
    sentence="The patient has the schedule of visits in writing, in their language, and anew when it changes.",
    sentence_zh="病人持有以其語言書寫的探訪時間表，時間表變更時重新提供。",
    asked_on=("question",),
)
def ask_written_schedule(changed_on: date, next_visit_on: date | None, language: str) -> Finding:
    """The task that a changed frequency makes: at the next visit; at once where none is planned."""
    due = next_visit_on or changed_on
    return found(
        "VIS-05",
        "The schedule changed on {changed_on}: the patient has it in writing by {due_on}, in {language}.",
        cure="Whoever visits next brings the new schedule.",
        due=due,
        owner="case_manager",
        changed_on=changed_on,
        due_on=due,
        language=language,
    )
