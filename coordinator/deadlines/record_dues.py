"""What the care team and aides owe, and by when: pure (IDT-02, ACP-01, INS-08, AID-03)."""

from collections.abc import Iterator
from datetime import date, timedelta

from coordinator.deadlines.care_dues import of_episode
from coordinator.deadlines.obligation import Asked, Owed
from coordinator.deadlines.record_cases import Aide, TeamCare
from coordinator.domain.care import InstrumentCode
from coordinator.domain.timeline import ONE_DAY, add_months
from coordinator.rules.advance_care import ask_rights
from coordinator.rules.conference import conference_due
from coordinator.rules.instruments import ON_CADENCE, ask_cadence

# ------------------------------------------------------------------------------------ the care team


def conference(team: TeamCare, asked: Asked) -> Iterator[Owed]:
    """IDT-02: the team reviews the plan on its interval, counted from the last conference that counts."""
    stay = team.stay
    assert stay.soc is not None
    due_on = conference_due(stay.programme, stay.soc, team.met_on, asked.policy)
    if due_on is not None:
        warn_on = due_on - timedelta(days=asked.policy.on(due_on).conference.warning_days)
        yield Owed(of_episode(stay), due_on, stay.patient_id, remind_on=(warn_on,))


def rights(team: TeamCare, _asked: Asked) -> Iterator[Owed]:
    """ACP-01: the patient is told of the right to an advance directive at start of care."""
    stay = team.stay
    assert stay.soc is not None
    met = "done" if ask_rights(stay.soc, team.told_of_rights) is None else None
    yield Owed(of_episode(stay, "rights"), stay.soc, stay.patient_id, remind_on=(stay.soc,), met=met)


def instruments(team: TeamCare, asked: Asked) -> Iterator[Owed]:
    """Each instrument on its cadence, where the programme takes them; a caregiver's where there is one."""
    stay = team.stay
    assert stay.soc is not None
    if not asked.policy.profile(stay.programme, asked.today).instruments_on_cadence:
        return
    for code in ON_CADENCE:
        if code is InstrumentCode.ZBI_12 and not team.has_caregiver:
            continue
        finding = ask_cadence(code, stay.soc, team.taken.get(code), asked.today, asked.policy)
        if finding is not None and isinstance(finding.due, date):
            yield Owed(
                of_episode(stay, code.value), finding.due, stay.patient_id, remind_on=(finding.due,),
                facts={"instrument": code.value},
            )  # fmt: skip


# ------------------------------------------------------------------------------------ aides


def in_service(aide: Aide, asked: Asked) -> Iterator[Owed]:
    """AID-03: twelve hours in the aide's twelve months; what lacks in the tenth is brought up."""
    settings = asked.policy.on(aide.year_from).aides
    yield Owed(
        f"aide:{aide.id}", add_months(aide.year_from, 12) - ONE_DAY,
        opens_on=add_months(aide.year_from, settings.in_service_task_month),
        met="attended" if aide.minutes >= settings.in_service_hours * 60 else None, facts={"clinician": aide.id},
    )  # fmt: skip
