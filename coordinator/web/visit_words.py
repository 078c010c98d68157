"""What a visit is called on screens: its state as a word in a shape, its purpose, its discipline."""

from flask_babel import gettext

from coordinator.domain.vocabulary import Discipline, VisitKind, VisitStatus
from coordinator.visits.model import Visit

#: Marks words for the catalogue; they are spoken where they are shown.
_ = str

#: State -> words and shape of its chip (`shell.css`).
STATES: dict[VisitStatus, tuple[str, str]] = {
    VisitStatus.PROPOSED: (_("wanted"), "wait"),
    VisitStatus.PENDING: (_("held"), "wait"),
    VisitStatus.BOOKED: (_("planned"), "plain"),
    VisitStatus.EN_ROUTE: (_("on the way"), "plain"),
    VisitStatus.ARRIVED: (_("at the door"), "plain"),
    VisitStatus.IN_PROGRESS: (_("in the home"), "plain"),
    VisitStatus.COMPLETED: (_("done"), "done"),
    VisitStatus.NOTE_SIGNED: (_("note signed"), "done"),
    VisitStatus.VERIFIED: (_("verified"), "done"),
    VisitStatus.CANCELLED: (_("cancelled"), "off"),
    VisitStatus.MISSED: (_("missed"), "late"),
    VisitStatus.NO_SHOW: (_("nobody there"), "late"),
    VisitStatus.ON_HOLD: (_("on hold"), "off"),
    VisitStatus.ENTERED_IN_ERROR: (_("entered in error"), "off"),
}
KINDS: dict[VisitKind, str] = {
    VisitKind.ROUTINE: _("routine visit"),
    VisitKind.INITIAL: _("initial visit"),
    VisitKind.EVALUATION: _("evaluation"),
    VisitKind.REASSESSMENT: _("reassessment"),
    VisitKind.RECERTIFICATION: _("recertification"),
    VisitKind.RESUMPTION: _("resumption of care"),
    VisitKind.DISCHARGE: _("discharge visit"),
    VisitKind.SUPERVISION: _("supervision"),
    VisitKind.PRN: _("visit as needed"),
    VisitKind.TEACHING: _("teaching"),
}
DISCIPLINES: dict[Discipline, str] = {
    Discipline.SN: _("skilled nursing"),
    Discipline.PT: _("physical therapy"),
    Discipline.OT: _("occupational therapy"),
    Discipline.SLP: _("speech therapy"),
    Discipline.MSW: _("social work"),
    Discipline.HHA: _("home health aide"),
    Discipline.CHAP: _("chaplain"),
    Discipline.MDV: _("physician visit"),
}


def state(visit: Visit) -> tuple[str, str]:
    """The visit's state in the reader's language, and the shape of its chip."""
    words, shape = STATES[visit.status]
    return gettext(words), shape


def chips_of(visit: Visit) -> list[tuple[str, str]]:
    """Everything about the visit that a scheduler must see before touching it: words and shapes."""
    chips = [state(visit)]
    if visit.locked:
        chips.append((gettext("locked"), "locked"))
    if visit.told_patient_at is not None:
        chips.append((gettext("patient told"), "plain"))
    if visit.joint_with_id is not None:
        chips.append((gettext("joint"), "plain"))
    if visit.is_optional:
        chips.append((gettext("may give way"), "plain"))
    if visit.warnings:
        chips.append((gettext("take note: %(rules)s", rules=", ".join(visit.warnings)), "wait"))
    if visit.hold_bill:
        chips.append((gettext("bill on hold: %(rules)s", rules=", ".join(visit.hold_bill)), "wait"))
    return chips
