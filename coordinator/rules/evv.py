"""Electronic visit verification: six elements, who needs them, and whether they can be believed (EVV-01 to EVV-04)."""

from coordinator.rules.facts import EvvFacts
from coordinator.rules.profiles import EvvUse
from coordinator.rules.terms import Finding, Policy, Severity, found, rule

FAMILY = "evv"


@rule(
    "EVV-02",
    family=FAMILY,
    severity=Severity.HOLD_BILL,
    citation="CalEVV: personal care from 2022-01-01, home health care from 2023-01-01; APL 22-014",
    verification="V",
    sentence="California asks for verification of personal care and of home health care, each from its own day on.",
    sentence_zh="加州要求個人照護和居家護理各自由指定日期起作電子探訪核實。",
    settings=("evv.personal_care_from", "evv.home_health_from"),
    asked_on=("afterwards",),
)
def is_in_force(facts: EvvFacts, policy: Policy) -> bool:
    """Whether the state asked for this kind of service on its day; a visit without a day is asked for."""
    policy = policy.on(facts.day)
    first = policy.evv.personal_care_from if facts.personal_care else policy.evv.home_health_from
    return facts.day is None or facts.day >= first


@rule(
    "EVV-03",
    family=FAMILY,
    severity=Severity.HOLD_BILL,
    citation="DHCS list of exclusions; Social Security Act 1903(l)",
    verification="V",
    sentence="Verification is required of Medi-Cal personal and home health care in the home, unless excluded.",
    sentence_zh="加州醫療補助的家中個人照護和居家護理須作電子探訪核實，除非屬豁免。",
    asked_on=("afterwards",),
)
def is_required(facts: EvvFacts, policy: Policy) -> bool:
    """Whether this visit must be submitted. A live-in caregiver is excluded only with the exemption on record.

    Programme and payer together decide whether it may have to be (`evv` of the profile), the circumstances whether so.
    """
    return (
        policy.profile(facts.programme, facts.day).verification(facts.payer) is EvvUse.SUBMIT
        and is_in_force(facts, policy)
        and facts.personal_or_home_health_care
        and facts.in_home
        and not facts.in_exempt_programme
        and not facts.pace
        and not facts.inpatient
        and not facts.congregate_with_24h_service
        and not (facts.live_in_caregiver and facts.live_in_exemption_recorded)
    )


def missing_elements(facts: EvvFacts) -> tuple[str, ...]:
    """Which of the six elements were not captured; begin and end of service are named apart."""
    present = {
        "service": facts.service.strip(),
        "patient": facts.patient_id is not None,
        "date": facts.day,
        "location": facts.location.strip(),
        "clinician": facts.clinician_id is not None,
        "begin": facts.starts_at,
        "end": facts.ends_at,
    }
    return tuple(name for name, value in present.items() if not value)


@rule(
    "EVV-01",
    family=FAMILY,
    severity=Severity.HOLD_BILL,
    citation="Social Security Act 1903(l); 21st Century Cures Act 12006",
    verification="V",
    sentence="Service, patient, date, place, clinician, begin and end are captured electronically.",
    sentence_zh="服務、病人、日期、地點、人員、開始和結束時間都以電子方式記錄。",
    asked_on=("afterwards",),
)
def ask_elements(facts: EvvFacts, policy: Policy) -> Finding | None:
    """What is missing: the bill is held where verification is required, elsewhere it is a warning."""
    missing = missing_elements(facts)
    if not missing:
        return None
    return found(
        "EVV-01",
        "Visit verification lacks {missing}.",
        cure="The clinician or the office completes the record with a reason; the original is kept.",
        severity=Severity.HOLD_BILL if is_required(facts, policy) else Severity.WARN,
        missing=", ".join(missing),
        facts={"evv_exception": True},
    )


@rule(
    "EVV-04",
    family=FAMILY,
    severity=Severity.WARN,
    citation="Agency policy",
    verification="D",
    sentence="What was captured can be believed: order, length, place, clock, no overlap, edits with their reasons.",
    sentence_zh="記錄須可信：先後、時長、地點和裝置時鐘合理，探訪不重疊，更改附有理由。",
    settings=("evv.duration_flag_minutes", "evv.distance_flag_metres"),
    asked_on=("afterwards",),
)
def ask_integrity(facts: EvvFacts, policy: Policy) -> tuple[Finding, ...]:
    """Every reason to look at the record again; an end before its begin is refused."""
    policy = policy.on(facts.day)
    findings = []
    if facts.starts_at is not None and facts.ends_at is not None:
        if facts.ends_at <= facts.starts_at:
            findings.append(
                found(
                    "EVV-04",
                    "The service ends before it begins.",
                    cure="The office corrects the times with a reason.",
                    severity=Severity.BLOCK,
                )
            )
        else:
            minutes = int((facts.ends_at - facts.starts_at).total_seconds()) // 60
            if minutes > policy.evv.duration_flag_minutes:
                findings.append(
                    found(
                        "EVV-04",
                        "The visit lasted {minutes} minutes.",
                        cure="The office checks the times.",
                        minutes=minutes,
                    )
                )
    if facts.metres_from_home is not None and facts.metres_from_home > policy.evv.distance_flag_metres:
        findings.append(
            found(
                "EVV-04",
                "Check-in was {metres} metres from the care address.",
                cure="The clinician says where the visit was.",
                metres=facts.metres_from_home,
            )
        )
    if facts.starts_at is not None and facts.home_zone is not None and facts.device_zone is not None:
        here, there = (facts.starts_at.astimezone(zone) for zone in (facts.home_zone, facts.device_zone))
        if here.utcoffset() != there.utcoffset():
            findings.append(
                found(
                    "EVV-04",
                    "The device's clock went in {device_zone}: it showed {shown} when it was {local} at the home.",
                    cure="The office asks the clinician at which hour the visit was, and corrects it with a reason.",
                    device_zone=facts.device_zone.key,
                    shown=f"{there:%Y-%m-%d %H:%M}",
                    local=f"{here:%Y-%m-%d %H:%M}",
                )
            )
    if facts.overlaps_other_visit:
        findings.append(
            found("EVV-04", "The visit overlaps another of the same clinician.", cure="The office checks both records.")
        )
    if facts.edited and not (facts.edit_reason.strip() and facts.editor.strip() and facts.original_kept):
        findings.append(
            found(
                "EVV-04",
                "The record was edited without reason, editor and original value.",
                cure="The editor gives a reason; the original value is kept.",
                severity=Severity.BLOCK,
            )
        )
    if facts.live_in_caregiver and not facts.live_in_exemption_recorded:
        findings.append(
            found(
                "EVV-03",
                "The caregiver lives with the patient and no exemption is on record.",
                cure="The office records the live-in exemption.",
                severity=Severity.HOLD_BILL,
            )
        )
    return tuple(findings)
