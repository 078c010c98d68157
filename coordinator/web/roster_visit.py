"""A visit's own page: what is ordered, how the patient was, what was handed over, and what is recorded there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Response, make_response, render_template, request
from flask_babel import gettext

from coordinator.agency.service import zone_of
from coordinator.care import assessments, proposals, readings, shelf
from coordinator.care.model import AlertLimit, Assessment
from coordinator.care.response_model import VisitProposal
from coordinator.core.errors import Invalid, NotFound
from coordinator.core.http import require_match, work
from coordinator.core.i18n import language
from coordinator.core.work import Work, may_call
from coordinator.domain.care import InstrumentCode, ProposalStatus
from coordinator.domain.handoffs import HandoffStatus
from coordinator.domain.teamwork import NoteKind
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import Discipline, Performer
from coordinator.orders import queries as orders
from coordinator.orders.cards import plain_line
from coordinator.orders.model import Order
from coordinator.patients.names import names_of
from coordinator.rules.catalogue import RULES
from coordinator.rules.questionnaires import Instrument, Scoring
from coordinator.staff.model import Clinician
from coordinator.teamwork import handoffs, notes
from coordinator.teamwork.handoff_drafts import draft, for_reader
from coordinator.visits import queries, roster, supervision
from coordinator.visits.model import Visit
from coordinator.visits.roster import RosterEntry
from coordinator.web import roster_words as words
from coordinator.web.roster import card_words
from coordinator.web.roster_days import keep_until, kept, primary_diagnosis, whose
from coordinator.web.roster_doing import open_for_outbox, sent_words, tapped_at, told, whole
from coordinator.web.shell import Screens

blueprint = Screens("roster_visit", __name__, url_prefix="/roster")
open_for_outbox(blueprint)

#: So many sets of answers are looked through for the last of each instrument.
_LOOKED_THROUGH = 40
#: Aides who were at the patient's, or will be, within so many days may be supervised.
_AIDES_WITHIN = timedelta(days=21)
_MOST_BUTTONS = 11


@dataclass(frozen=True, slots=True)
class Score:
    """The last total of an instrument, and the one before."""

    instrument: InstrumentCode
    row: Assessment
    before: Assessment | None

    @property
    def numbers(self) -> list[tuple[str, int, int | None]]:
        """What was rated above nothing, the worst first: label, number, what it was; none beside a single total."""
        items = shelf.instruments()[self.instrument].items
        then = self.before.answers if self.before is not None else {}
        rated = [
            (item.label, self.row.answers[item.code], then.get(item.code))
            for item in items
            if item.is_number and item.counts and self.row.answers.get(item.code)
        ]
        single = shelf.instruments()[self.instrument].scoring is Scoring.SINGLE
        return [] if single else sorted(rated, key=lambda one: -one[1])


# ------------------------------------------------------------------------------------------ the visit


@blueprint.get("/visits/<id:visit_id>")
def show(visit_id: int) -> Any:
    """Everything that is needed in the home, on one page."""
    w = work()
    entry = _mine(w, visit_id)
    patient_id = entry.patient.id
    zone = zone_of(w, entry.visit.branch_id)
    page = render_template(
        "screens/roster_visit.html", entry=entry, zone=zone, reason=primary_diagnosis(w, entry), **card_words(),
        order=_order(w, entry.visit), line=plain_line, scores=_scores(w, patient_id), limits=_limits(w, patient_id),
        proposed=_proposed(w, patient_id), tools=_tools(w), aides=_aides(w, entry), item_label=words.item_label,
    )  # fmt: skip
    return _near(w, local_day(entry.visit.starts_at or w.now, zone), page)


def _near(w: Work, day: date, page: str) -> Response:
    """The page, which a telephone keeps if it is of today or tomorrow, all that it keeps."""
    me = whose(w)
    zone = zone_of(w, me.branch_id)
    answer = make_response(page)
    if 0 <= (day - local_day(w.now, zone)).days <= 1:
        kept(w, answer, keep_until(w, day, zone))
    return answer


def _mine(w: Work, visit_id: int) -> RosterEntry:
    """The visit as it stands on the actor's own roster; another's sounds like a missing one."""
    me = whose(w)
    visit = queries.the_visit(w, visit_id)
    if visit.clinician_id != me.id or visit.starts_at is None:
        raise NotFound("visit")
    day = local_day(visit.starts_at, zone_of(w, me.branch_id))
    found = roster.roster(w, me.id, day, visit_id=visit.id).entries
    if not found:
        raise NotFound("visit")
    return found[0]


def _order(w: Work, visit: Visit) -> Order | None:
    """What the visit is made under, for those who may read orders."""
    if visit.order_id is None or not w.actor.may("order:read"):
        return None
    return orders.get(w, visit.order_id)


def _scores(w: Work, patient_id: int) -> list[Score]:
    """The last set of each instrument whose answers the actor may read."""
    if not w.actor.may("assessment:read"):
        return []
    query = assessments.search(w, patient_id).where(Assessment.caregiver_id.is_(None))
    rows = w.session.scalars(
        query.order_by(Assessment.assessed_at.desc(), Assessment.id.desc()).limit(_LOOKED_THROUGH)
    ).all()
    found = []
    for place, row in enumerate(rows):
        if all(one.instrument is not row.instrument for one in rows[:place]):
            before = next((one for one in rows[place + 1 :] if one.instrument is row.instrument), None)
            found.append(Score(row.instrument, row, before))
    return found


def _limits(w: Work, patient_id: int) -> list[AlertLimit]:
    return readings.limits(w, patient_id) if w.actor.may(readings.limits.permission) else []  # type: ignore[attr-defined]


def _proposed(w: Work, patient_id: int) -> list[VisitProposal]:
    """Visits that scores propose and nobody has decided about."""
    if not w.actor.may("assessment:read"):
        return []
    return list(w.session.scalars(proposals.search(w, patient_id, waiting=True).order_by(VisitProposal.id)))


def _tools(w: Work) -> list[Instrument]:
    """Instruments about the patient that the actor may take."""
    if not w.actor.may("assessment:record"):
        return []
    return [one for one in shelf.instruments().values() if one.about == "patient" and shelf.may_record(w, one)]


def _aides(w: Work, entry: RosterEntry) -> list[Clinician]:
    """Aides of this patient whom the actor may supervise with this visit."""
    begins = entry.visit.starts_at or w.now
    supervisors = w.policy.on(local_day(begins, zone_of(w, entry.visit.branch_id))).aides.supervisors
    if not w.actor.may("supervision:record") or w.actor.performer not in supervisors:
        return []
    aides = sa.select(Visit.clinician_id).where(
        Visit.patient_id == entry.patient.id, Visit.discipline == Discipline.HHA,
        Visit.starts_at.between(begins - _AIDES_WITHIN, begins + _AIDES_WITHIN),
    )  # fmt: skip
    return list(
        w.session.scalars(
            sa.select(Clinician)
            .where(Clinician.id.in_(aides), Clinician.performer == Performer.CHHA)
            .order_by(Clinician.family_name, Clinician.id)
            .options(sa.orm.lazyload("*"))
        )
    )


# ------------------------------------------------------------------------------------------ the handoff card


@blueprint.get("/handoffs/<id:handoff_id>")
def handoff(handoff_id: int) -> Any:
    """What was handed over, as it was finished, or as the record has it now."""
    w = work()
    whose(w)
    card = handoffs.get(w, handoff_id)
    content = for_reader(w, card.content if card.content is not None else draft(w, card))
    zone = zone_of(w, card.branch_id)
    giver = w.session.get(Clinician, card.from_clinician_id or 0)
    page = render_template(
        "screens/roster_handoff.html", card=card, said=content, giver=giver, zone=zone, words=words,
        mine=card.is_receiver(w.actor), finished=card.status is HandoffStatus.FINISHED,
        read=card.status is HandoffStatus.ACKNOWLEDGED, title_of=_patient_name(w, card.patient_id),
        day_of=date.fromisoformat, task_title=words.task_title, code_of=words.code_status,
    )  # fmt: skip
    return _near(w, local_day(card.due_at, zone), page)


def _patient_name(w: Work, patient_id: int) -> str:
    return names_of(w, [patient_id]).get(patient_id, "")


# ------------------------------------------------------------------------------------------ symptoms


def _instrument(code: str) -> Instrument:
    if code not in {one.value for one in InstrumentCode}:
        raise NotFound("instrument")
    return shelf.instruments()[InstrumentCode(code)]


@blueprint.get("/visits/<id:visit_id>/symptoms/<string:code>")
def symptoms(visit_id: int, code: str) -> Any:
    """An instrument's items, each a row of buttons."""
    w = work()
    tool = _instrument(code)
    shelf.require_recorder(w, tool)
    entry = _mine(w, visit_id)
    zone = zone_of(w, entry.visit.branch_id)
    last = next((one for one in _scores(w, entry.patient.id) if one.instrument is tool.code), None)
    page = render_template(
        "screens/roster_symptoms.html", entry=entry, tool=tool, last=last, zone=zone, item_label=words.item_label,
        values=_values, buttons=_MOST_BUTTONS,
    )  # fmt: skip
    return _near(w, local_day(entry.visit.starts_at or w.now, zone), page)


def _values(item: Any) -> range:
    return range(item.low, item.high + 1, item.step)


@blueprint.post("/visits/<id:visit_id>/symptoms/<string:code>")
def record_symptoms(visit_id: int, code: str) -> Any:
    """What was tapped is on record, scored by the server; on to what it opened."""
    w = work()
    tool = _instrument(code)
    entry = _mine(w, visit_id)
    answers: dict[str, Any] = {}
    for item in tool.items:
        given = whole(item.code) if item.is_number else sent_words(item.code, max(item.words, 60))
        if given is not None:
            answers[item.code] = given
    if not answers:
        raise Invalid("Tap at least one number.", pointer="/answers")
    row = assessments.record(
        w, entry.patient.id, instrument=tool.code, answers=answers, assessed_at=tapped_at(), visit_id=visit_id
    )
    return told("roster_visit.answers", gettext("Recorded."), visit_id=visit_id, assessment_id=row.id)


@blueprint.get("/visits/<id:visit_id>/answers/<id:assessment_id>")
def answers(visit_id: int, assessment_id: int) -> Any:
    """The score, and what it opened."""
    w = work()
    row = assessments.get(w, assessment_id)
    if row.visit_id != visit_id:
        raise NotFound("assessment")
    return render_template(
        "screens/roster_answers.html", row=row, visit_id=visit_id, found=_flagged(row.flags),
        proposed=proposals.of_assessment(w, row.id), words=words, waits=ProposalStatus.PROPOSED,
        asks=ProposalStatus.ASKED, title_of=_patient_name(w, row.patient_id),
    )  # fmt: skip


def _flagged(flags: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the rules found in the answers, as a page shows findings."""
    chinese = language() == "zh-Hant"
    return [
        {
            "rule": flag["rule"], "sentence": flag["sentence"], "cure": flag["cure"], "citation": flag["citation"],
            "says": RULES[flag["rule"]].sentence_zh if chinese and flag["rule"] in RULES else None, "refuses": False,
        }
        for flag in flags
    ]  # fmt: skip


@blueprint.post("/visits/<id:visit_id>/proposals/<id:proposal_id>")
def decide_proposal(visit_id: int, proposal_id: int) -> Any:
    """The as-needed visit is wanted, or is not and why."""
    w = work()
    wanted = request.form.get("decision") == "accept"
    may_call(w, proposals.accept if wanted else proposals.decline)
    require_match(proposals.proposal_for_change(w, proposal_id))
    if wanted:
        proposals.accept(w, proposal_id)
        return told("roster_visit.show", gettext("Asked for: the office books it."), visit_id=visit_id)
    proposals.decline(w, proposal_id, sent_words("reason", 300) or "")
    return told("roster_visit.show", gettext("No visit follows, for your reason."), visit_id=visit_id)


# ------------------------------------------------------------------------------------------ supervision and note


@blueprint.post("/visits/<id:visit_id>/supervision")
def supervise(visit_id: int) -> Response:
    """The aide's care was supervised with this visit."""
    w = work()
    entry = _mine(w, visit_id)
    supervision.record(
        w, entry.patient.id, supervised_on=local_day(tapped_at(), zone_of(w, entry.visit.branch_id)),
        aide_id=whole("aide"), visit_id=visit_id, concern="concern" in request.form,
    )  # fmt: skip
    return told("roster_visit.show", gettext("Supervision recorded."), visit_id=visit_id)


@blueprint.post("/visits/<id:visit_id>/note")
def write_note(visit_id: int) -> Response:
    """A note about the visit for those who care for the patient."""
    w = work()
    entry = _mine(w, visit_id)
    kind = NoteKind.VISIT_SUMMARY if w.actor.may("note:write-clinical") else NoteKind.MESSAGE
    notes.write(
        w, kind=kind, patient_id=entry.patient.id, visit_id=visit_id, text=sent_words("text"), language=language()
    )
    return told("roster_visit.show", gettext("The note is kept."), visit_id=visit_id)
