"""The conference's agenda over HTTP: the pack for a meeting, and one patient's part of it."""

from typing import Any

from marshmallow import fields

from coordinator.core.fields import Day, Id, Instant, Schema, Whole, Word
from coordinator.core.http import Blueprint, work
from coordinator.domain.care import (
    DecisionKind,
    Direction,
    DirectiveKind,
    DirectiveStatus,
    InstrumentCode,
    TeamRole,
)
from coordinator.domain.handoffs import HandoffCause, HandoffStatus
from coordinator.domain.linkage import LinkFailure, LinkStatus
from coordinator.domain.teamwork import Desk, TaskKind, TaskStatus
from coordinator.domain.vocabulary import (
    Discipline,
    MissedDecision,
    OrderDeclineReason,
    OrderStatus,
    VisitKind,
)
from coordinator.teamwork import agenda

blp = Blueprint("agenda", __name__, url_prefix="/api/v1", description="What the team conference talks about")


class AgendaQuery(Schema):
    branch_id = Id(load_default=None)
    due_by = Day(
        load_default=None,
        metadata={"description": "Whose review is due by then; left out, the policy's days from today"},
    )


class AgendaDecidedSchema(Schema):
    decision = Id()
    kind = Word(DecisionKind)
    words = fields.String()
    owner = Word(Desk, allow_none=True)
    due_on = Day(allow_none=True)
    order_status = Word(OrderStatus, allow_none=True)
    task_status = Word(TaskStatus, allow_none=True)


class AgendaVisitSchema(Schema):
    visit = Id()
    on = Day()
    discipline = Word(Discipline)
    kind = Word(VisitKind)
    made = fields.Boolean()
    missed_reason = fields.String(allow_none=True)
    decision = Word(MissedDecision, allow_none=True)


class AgendaOrderSchema(Schema):
    order = Id()
    discipline = Word(Discipline)
    frequency = fields.String(allow_none=True)
    effective_from = Day()
    standing = fields.String(metadata={"description": "awaits, signed or declined"})
    physician_id = Id()
    decline_reason = Word(OrderDeclineReason, allow_none=True)


class AgendaStaySchema(Schema):
    stay = Id()
    left_home_at = Instant()
    admitted = fields.Boolean()
    planned = fields.Boolean()
    home_at = Instant(allow_none=True)


class AgendaScoreSchema(Schema):
    instrument = Word(InstrumentCode)
    caregiver_id = Id(allow_none=True)
    assessment = Id()
    on = Day()
    total = Whole(allow_none=True)
    band = fields.String(allow_none=True)
    numbers = fields.Dict(keys=fields.String(), values=fields.Integer())
    before_on = Day(allow_none=True, metadata={"description": "The last before the last meeting, or the first since"})
    before_total = Whole(allow_none=True)
    change = fields.Dict(keys=fields.String(), values=fields.Integer())
    direction = Word(Direction, allow_none=True)


class AgendaLearningSchema(Schema):
    goal = fields.String()
    result = fields.String(allow_none=True)
    next_on = fields.String(allow_none=True)


class AgendaCaregiverSchema(Schema):
    caregiver_id = Id()
    willing = fields.Boolean(allow_none=True)
    burden_score = Whole(allow_none=True)
    burden_scored_on = Day(allow_none=True)
    to_learn = fields.List(fields.Nested(AgendaLearningSchema))


class AgendaDirectiveSchema(Schema):
    directive = Id()
    kind = Word(DirectiveKind)
    status = Word(DirectiveStatus)
    ended_on = Day(allow_none=True)


class AgendaTaskSchema(Schema):
    task = Id()
    kind = Word(TaskKind)
    due_on = Day()
    status = Word(TaskStatus)
    owner_role = Word(Desk, allow_none=True)
    new = fields.Boolean()
    late = fields.Boolean()


class AgendaDeadlineSchema(Schema):
    deadline = Id()
    rule = fields.String()
    task = fields.String()
    due_on = Day()
    late = fields.Boolean()


class AgendaHandoffSchema(Schema):
    handoff = Id()
    cause = Word(HandoffCause)
    status = Word(HandoffStatus)
    discipline = Word(Discipline, allow_none=True)
    due_at = Instant()


class AgendaReferralSchema(Schema):
    referral = Id()
    need = fields.String()
    status = Word(LinkStatus)
    caregiver_id = Id(allow_none=True)
    follow_up_on = Day(allow_none=True)
    failure = Word(LinkFailure, allow_none=True)


class AgendaItemSchema(Schema):
    """One patient: what was decided last, what happened since, what waits, and who is missing at the table."""

    patient_id = Id()
    episode_id = Id()
    last_on = Day(allow_none=True, metadata={"description": "The last meeting that counted"})
    due_on = Day(allow_none=True)
    late = fields.Boolean()
    since = Day(metadata={"description": "What happened from this day on is told"})
    code_status = fields.String()
    decided = fields.List(fields.Nested(AgendaDecidedSchema))
    visits = fields.List(fields.Nested(AgendaVisitSchema))
    orders = fields.List(fields.Nested(AgendaOrderSchema))
    stays = fields.List(fields.Nested(AgendaStaySchema))
    scores = fields.List(fields.Nested(AgendaScoreSchema))
    caregivers = fields.List(fields.Nested(AgendaCaregiverSchema))
    directives = fields.List(fields.Nested(AgendaDirectiveSchema))
    missing_roles = fields.List(Word(TeamRole), metadata={"description": "Core roles that nobody of the team holds"})
    tasks = fields.List(fields.Nested(AgendaTaskSchema))
    deadlines = fields.List(fields.Nested(AgendaDeadlineSchema))
    handoffs = fields.List(fields.Nested(AgendaHandoffSchema))
    referrals = fields.List(fields.Nested(AgendaReferralSchema))


class AgendaSchema(Schema):
    items = fields.List(fields.Nested(AgendaItemSchema))


@blp.route("/conference-agenda")
@blp.arguments(AgendaQuery, location="query")
@blp.response(200, AgendaSchema)
def conference_agenda(args: dict[str, Any]) -> Any:
    """The pack for a meeting: every patient whose review is due, with what changed since the last that counted

    Scores are those that the asker may read; each patient's reading is on record.
    """
    return {"items": agenda.pack(work(), **args)}


@blp.route("/patients/<id:patient_id>/conference-agenda")
@blp.response(200, AgendaSchema)
def patients_agenda(patient_id: int) -> Any:
    """One patient's part of the agenda, due or not; empty for one who is in no care"""
    return {"items": agenda.of_patient(work(), patient_id)}
