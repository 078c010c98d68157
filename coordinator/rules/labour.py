"""The clinician's own day: travel between visits and safety (LAB-04, LAB-06)."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from coordinator.rules.facts import LoneWorkFacts, VisitCase
from coordinator.rules.language import overlaps, wall_clock
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "labour"


def _clock(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%H:%M}"


@rule(
    "LAB-04",
    family=FAMILY,
    severity=Severity.BLOCK_OVR,
    citation="29 CFR 785.38; California control test",
    verification="K",
    sentence="Between two visits there is time to travel, and that time is work.",
    sentence_zh="兩次探訪之間須有足夠的路程時間，路程時間也是工時。",
    settings=("travel.buffer_minutes",),
    asked_on=("promise", "visit", "check-in", "planning", "publication", "question"),
)
def ask_travel(case: VisitCase, policy: Policy) -> tuple[Finding, ...]:
    """Whether the clinician can come from the stop before and reach the one after. Silent while the time is open."""
    policy = policy.on(case.visit.day)
    near, visit = case.neighbours, case.visit
    if near is None or visit.starts_at is None:
        return ()
    buffer = policy.travel.buffer_minutes if near.buffer_minutes is None else near.buffer_minutes
    findings = []
    if near.previous_ends_at is not None:
        earliest = near.previous_ends_at + timedelta(minutes=near.travel_from_previous + buffer)
        if visit.starts_at < earliest:
            findings.append(
                found(
                    "LAB-04",
                    "The stop before ends at {previous} and is {travel} minutes away: {earliest} is the earliest.",
                    cure="Begin at {earliest} or later, or assign somebody else.",
                    previous=_clock(near.previous_ends_at, visit.zone),
                    travel=near.travel_from_previous,
                    earliest=_clock(earliest, visit.zone),
                    buffer=buffer,
                )
            )
    if near.next_starts_at is not None:
        ends_at = visit.ends_at or visit.starts_at + timedelta(minutes=visit.minutes)
        latest = near.next_starts_at - timedelta(minutes=near.travel_to_next + buffer)
        if ends_at > latest:
            findings.append(
                found(
                    "LAB-04",
                    "The stop after begins at {following} and is {travel} minutes away: {latest} is the latest end.",
                    cure="End by {latest}, or assign somebody else.",
                    following=_clock(near.next_starts_at, visit.zone),
                    travel=near.travel_to_next,
                    latest=_clock(latest, visit.zone),
                    buffer=buffer,
                )
            )
    return tuple(findings)


@rule(
    "LAB-06",
    family=FAMILY,
    severity=Severity.WARN,
    citation="8 CCR 3342",
    verification="K",
    sentence="Where violence is a hazard two go, or one whom the office hears of; some visits end before sunset.",
    sentence_zh="有暴力風險的地方須兩人同行，或一人並設報到計時；部分探訪須於日落前結束。",
    settings=(
        "safety.violence_hazards",
        "safety.check_in_grace_minutes",
        "safety.check_out_grace_minutes",
        "safety.extension_minutes",
    ),
    asked_on=("promise", "visit", "check-in", "planning", "publication", "clock", "question"),
)
def ask_hazards(case: VisitCase, policy: Policy) -> Finding | None:
    """A home with a hazard of violence is flagged while one clinician goes alone; a timer is required then."""
    policy = policy.on(case.visit.day)
    hazards = case.patient.hazards & policy.safety.violence_hazards
    if not hazards or case.visit.clinicians > 1:
        return None
    return found(
        "LAB-06",
        "The home is flagged for {hazards}, and one clinician goes alone; the check-in timer is {timer}.",
        cure="Send two clinicians, or set the check-in timer.",
        hazards=", ".join(sorted(hazards)),
        timer="set" if case.visit.check_in_timer else "required and not set",
        facts={"check_in_timer_required": True, "check_in_timer": case.visit.check_in_timer},
    )


@also("LAB-06")
def ask_daylight(case: VisitCase) -> Finding | None:
    """A visit to a home where the office wants nobody after dark ends before the sun sets. Silent while the time is
    open.
    """
    times = wall_clock(case.visit)
    if times is None:
        return None
    for window in case.patient.no_visit_windows:
        if window.dark and overlaps(window, *times):
            return found(
                "LAB-06",
                "Visits to this home end before sunset, which is at {sunset}; this one would end at {ends}.",
                cure="Move the visit to an earlier hour, or the clinical manager allows it with a reason.",
                severity=Severity.BLOCK_OVR,
                sunset=f"{window.starts:%H:%M}",
                ends=f"{times[1]:%H:%M}",
                facts={"starts_at": case.visit.starts_at},
            )
    return None


@also("LAB-06")
def heard_by(facts: LoneWorkFacts, policy: Policy) -> datetime | None:
    """The instant by which the office hears from whoever makes the visit, beginning, during or ending it; None: the
    visit is not watched.

    Watched are homes with a hazard of violence, and those with an interval of their own. A sign of life after the
    planned end puts the end off.
    """
    numbers = policy.on(facts.booked_at.date()).safety
    if facts.check_in_minutes is None and not facts.hazards & numbers.violence_hazards:
        return None
    if facts.begun_at is None:
        return facts.booked_at + timedelta(minutes=numbers.check_in_grace_minutes)
    due = facts.begun_at + timedelta(minutes=facts.minutes)
    last = max(facts.begun_at, facts.heard_at or facts.begun_at)
    if last >= due:
        due = last + timedelta(minutes=facts.check_in_minutes or numbers.extension_minutes)
    elif facts.check_in_minutes is not None:
        due = min(due, last + timedelta(minutes=facts.check_in_minutes))
    return due + timedelta(minutes=numbers.check_out_grace_minutes)
