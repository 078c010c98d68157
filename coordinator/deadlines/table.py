"""The table of obligations: every dated obligation that facts in the database give rise to, one entry a kind.

A new one is one entry here, its sentence in `words`, and a pure function that computes its due days. What is counted in
hours, or begins with an act that leaves no fact behind, is opened by the clocks instead (`referral_clock`,
`visit_clock`, `order_clock`, `authorisation_clock`).
"""

from coordinator.deadlines import care_dues, cases, papers, visit_dues
from coordinator.deadlines.obligation import Obligation
from coordinator.domain import events

_CARE = (events.PatientAdmitted, events.PatientDischarged)
_AWAY = (*_CARE, events.EpisodeHeld, events.EpisodeResumed)
_ORDERS = (
    events.OrderSent,
    events.OrderActivated,
    events.OrderSigned,
    events.OrderDeclined,
    events.OrderEnded,
)
_AIDES = (*_CARE, *_ORDERS, events.VisitCompleted, events.AideSupervised)

OBLIGATIONS: tuple[Obligation, ...] = (
    # -------------------------------------------------------------------------- criteria and coverage
    Obligation(
        "ELG-00",
        "criterion-lost",
        "clinical_manager",
        cases.answers,
        visit_dues.lost_criterion,
        asked_by=(events.CriterionDetermined, *_CARE),
    ),
    Obligation(
        "ELG-00",
        "criterion-review",
        "clinical_manager",
        cases.answers,
        visit_dues.criterion_review,
        asked_by=(events.CriterionDetermined, *_CARE),
    ),
    Obligation(
        "ELG-1",
        "coverage-ends",
        "intake",
        cases.coverages,
        care_dues.coverage_end,
        asked_by=_CARE,
        renewed="covered on",
    ),
    # -------------------------------------------------------------------------- assessments and certification
    Obligation(
        "F2F-01",
        "obtain-encounter",
        "intake",
        papers.papers,
        papers.encounter,
        asked_by=(*_CARE, events.FaceToFaceRecorded, events.CertificationSent, events.CertificationWithdrawn),
    ),
    Obligation(
        "ASM-01",
        "comprehensive-assessment",
        "case_manager",
        papers.papers,
        papers.comprehensive_assessment,
        asked_by=(*_CARE, events.AssessmentCompleted),
        once=True,
    ),
    Obligation(
        "ASM-01",
        "transfer-assessment",
        "case_manager",
        papers.papers,
        papers.transfer_assessment,
        asked_by=(*_AWAY, events.AssessmentCompleted),
    ),
    Obligation(
        "ASM-01",
        "discharge-assessment",
        "case_manager",
        papers.papers,
        papers.discharge_assessment,
        asked_by=(*_CARE, events.AssessmentCompleted),
        once=True,
        stays=True,
    ),
    Obligation(
        "CERT-02",
        "recertify",
        "case_manager",
        cases.seen,
        care_dues.recertification,
        asked_by=(*_CARE, events.VisitCompleted, events.AssessmentCompleted),
    ),
    Obligation(
        "CERT-03",
        "order-next-period",
        "case_manager",
        cases.stays,
        care_dues.order_gap,
        asked_by=(*_AWAY, *_ORDERS),
    ),
    Obligation("CERT-04", "review-plan", "case_manager", cases.stays, care_dues.plan_review, asked_by=_CARE),
    Obligation(
        "CERT-05",
        "idle-plan",
        "case_manager",
        cases.seen,
        care_dues.idle_plan,
        asked_by=(*_CARE, events.VisitCompleted),
        renewed="visited",
    ),
    Obligation(
        "PAY-02",
        "notice-of-admission",
        "billing",
        cases.stays,
        care_dues.notice_of_admission,
        asked_by=_CARE,
        once=True,
    ),
    # -------------------------------------------------------------------------- transfer and discharge
    Obligation(
        "DIS-02",
        "transfer-summary",
        "case_manager",
        papers.papers,
        papers.transfer_summary,
        asked_by=(*_AWAY, events.SummarySent),
    ),
    Obligation(
        "DIS-02",
        "discharge-summary",
        "case_manager",
        papers.papers,
        papers.discharge_summary,
        asked_by=(*_CARE, events.DischargeStepDone),
        once=True,
        stays=True,
    ),
    Obligation(
        "DIS-02",
        "close-record",
        "case_manager",
        papers.papers,
        papers.closed_record,
        asked_by=(*_CARE, events.DischargeStepDone),
        once=True,
        stays=True,
    ),
    Obligation(
        "DIS-03",
        "discharge-discipline",
        "case_manager",
        cases.stays,
        care_dues.discipline_discharge,
        asked_by=(*_CARE, *_ORDERS),
    ),
    Obligation(
        "DIS-04",
        "noncoverage-notice",
        "case_manager",
        cases.stays,
        care_dues.noncoverage_notice,
        asked_by=(*_CARE, *_ORDERS),
    ),
    # -------------------------------------------------------------------------- orders
    Obligation("ORD-01", "renew-order", "case_manager", cases.stays, visit_dues.renewal, asked_by=(*_CARE, *_ORDERS)),
    Obligation("ORD-05", "sign-receipt", "case_manager", cases.lines, visit_dues.verbal_receipt, asked_by=_ORDERS),
    Obligation("ORD-06", "sign-order", "orders_desk", cases.lines, visit_dues.countersignature, asked_by=_ORDERS),
    Obligation(
        "VIS-05",
        "written-schedule",
        "case_manager",
        cases.stays,
        visit_dues.written_schedule,
        asked_by=(*_CARE, *_ORDERS),
        once=True,
    ),
    # -------------------------------------------------------------------------- aides, therapy, nursing
    Obligation(
        "SUP-01",
        "supervise-aide",
        "case_manager",
        cases.aide_care,
        visit_dues.supervision,
        asked_by=_AIDES,
        renewed="supervised",
    ),
    Obligation(
        "SUP-04",
        "supervise-aide",
        "case_manager",
        cases.aide_care,
        visit_dues.unskilled_supervision,
        asked_by=_AIDES,
        renewed="supervised",
    ),
    Obligation(
        "SUP-02",
        "observe-aide",
        "clinical_manager",
        cases.concerns,
        visit_dues.observation,
        asked_by=(events.AideSupervised,),
        stays=True,
    ),
    Obligation("INT-03", "review-aide-care", "case_manager", cases.aide_care, visit_dues.aide_review, asked_by=_AIDES),
    Obligation(
        "THX-01",
        "reassess-therapy",
        "therapist",
        cases.therapies,
        visit_dues.reassessment,
        asked_by=(*_CARE, *_ORDERS, events.VisitCompleted),
        renewed="reassessed",
    ),
    Obligation(
        "INT-02",
        "end-daily-nursing",
        "case_manager",
        cases.nursing_runs,
        visit_dues.daily_nursing,
        asked_by=(events.VisitCompleted, *_ORDERS),
    ),
    # -------------------------------------------------------------------------- notes, licences
    Obligation(
        "VIS-03",
        "sign-note",
        "clinical_manager",
        cases.unsigned_notes,
        visit_dues.note,
        asked_by=(events.VisitCompleted,),
        gone=cases.signed_notes,
    ),
    Obligation(
        "VIS-03",
        "late-note",
        "clinical_manager",
        cases.unsigned_notes,
        visit_dues.late_note,
        stays=True,
    ),
    Obligation("CRD-01", "renew-credential", "clinical_manager", cases.credentials, visit_dues.licence, of_staff=True),
)
