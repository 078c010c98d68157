"""The clinician's own day: travel between visits and safety (LAB-04, LAB-06)."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from coordinator.rules.facts import VisitCase
from coordinator.rules.terms import Finding, Policy, Severity, found, rule

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
    sentence="Where violence is a hazard, two go, or one with a check-in timer.",
    sentence_zh="有暴力風險的地方須兩人同行，或一人並設報到計時。",
    settings=("safety.violence_hazards",),
    asked_on=("promise", "visit", "check-in", "planning", "publication", "question"),
)
def ask_hazards(case: VisitCase, policy: Policy) -> Finding | None:
    """A home with a hazard of violence is flagged while one clinician goes alone; a timer is required then."""
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
