"""The verbs of the room, by the papers they belong to."""

from coordinator.episodes.assessing import assessments, complete_assessment
from coordinator.episodes.certifying import (
    certifications,
    check_practitioner,
    draft_certification,
    edit_certification,
    get_certification,
    send_certification,
    supersede_certification,
    withdraw_certification,
)
from coordinator.episodes.encounters import correct_encounter, encounters, record_encounter
from coordinator.episodes.homebound import (
    assess_homebound,
    homebound_status,
    record_home_absence,
    withdraw_home_absence,
)
from coordinator.episodes.intervals import intervals, justify_interval
from coordinator.episodes.leaving import (
    discharges,
    edit_discharge,
    finalise_discharge,
    on_patient_discharged,
    plan_discharge,
    record_discharge_step,
    withdraw_discharge,
)
from coordinator.episodes.notices import deliver_notice, notices, write_notice
from coordinator.episodes.reading import findings_of
from coordinator.episodes.signing import certification_queue, review_certification, sign_certifications
from coordinator.episodes.stays import admit_stay, end_stay, record_stay, send_transfer_summary, stays, watch_stays

__all__ = [
    "admit_stay", "assess_homebound", "assessments", "certification_queue", "certifications", "check_practitioner",
    "complete_assessment", "correct_encounter", "deliver_notice", "discharges", "draft_certification",
    "edit_certification", "edit_discharge", "encounters", "end_stay", "finalise_discharge", "findings_of",
    "get_certification", "homebound_status", "intervals", "justify_interval", "notices", "on_patient_discharged",
    "plan_discharge", "record_discharge_step", "record_encounter", "record_home_absence", "record_stay",
    "review_certification", "send_certification", "send_transfer_summary", "sign_certifications", "stays",
    "supersede_certification", "watch_stays", "withdraw_certification", "withdraw_discharge", "withdraw_home_absence",
    "write_notice",
]  # fmt: skip
