"""The verbs on staff: clinicians and their sheets, physicians, and when somebody works."""

from coordinator.staff.clinicians import (
    create_clinician,
    edit_clinician,
    for_change,
    get_clinician,
    licence_expires_on,
    search_clinicians,
)
from coordinator.staff.duty import (
    Absence,
    add_credential,
    add_exclusion,
    edit_credential,
    record_absence,
    remove_exclusion,
    remove_time_off,
    renew_credential,
    revoke_credential,
    set_languages,
    set_shifts,
    set_skills,
    verify_credential,
)
from coordinator.staff.employment import record_exclusion_check, record_meal
from coordinator.staff.hours import availability, working_hours
from coordinator.staff.physicians import (
    create_physician,
    edit_physician,
    get_physician,
    physician_for_change,
    search_physicians,
)

__all__ = [
    "Absence", "add_credential", "add_exclusion", "availability", "create_clinician", "create_physician",
    "edit_clinician", "edit_credential", "edit_physician", "for_change", "get_clinician", "get_physician",
    "licence_expires_on", "physician_for_change", "record_absence", "record_exclusion_check", "record_meal",
    "remove_exclusion", "remove_time_off", "renew_credential", "revoke_credential", "search_clinicians",
    "search_physicians", "set_languages", "set_shifts", "set_skills", "verify_credential", "working_hours",
]  # fmt: skip
