"""Care teams over HTTP: who looks after a patient, who stands in, who takes part from outside."""

from typing import Any

from coordinator.core.errors import NotFound
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.core.pages import page, page_schema
from coordinator.core.work import may_call
from coordinator.domain.team import TeamPost
from coordinator.domain.vocabulary import Discipline
from coordinator.teams import schemas, service
from coordinator.teams.model import Cover

blp = Blueprint("teams", __name__, url_prefix="/api/v1", description="Care teams, covers and outside participants")


# ------------------------------------------------------------------------------------ the whole


@blp.route("/patients/<id:patient_id>/care-team")
@blp.arguments(schemas.TeamQuery, location="query")
@blp.response(200, schemas.WholeTeamSchema)
def read_care_team(args: dict[str, Any], patient_id: int) -> Any:
    """Who looks after a patient on a day: by role, with who stands in, and who takes part from outside"""
    return service.care_team(work(), patient_id, args["day"])


@blp.route("/patients/<id:patient_id>/care-team/history")
@blp.response(200, schemas.TeamHistorySchema)
def read_team_history(patient_id: int) -> Any:
    """Who was in a patient's care team when, and who held its posts"""
    return service.team_history(work(), patient_id)


# ------------------------------------------------------------------------------------ members


@blp.route("/patients/<id:patient_id>/team")
@blp.arguments(schemas.TeamQuery, location="query")
@blp.response(200, schemas.CareTeamMembersSchema)
def read_team(args: dict[str, Any], patient_id: int) -> Any:
    """Which clinicians are in a patient's care team"""
    return {"items": service.read_team(work(), patient_id, args["day"])}


@blp.route("/patients/<id:patient_id>/team", methods=["POST"])
@blp.arguments(schemas.CareTeamMemberCreateSchema)
@blp.response(201, schemas.CareTeamMemberSchema)
def add_to_team(args: dict[str, Any], patient_id: int) -> Any:
    """Put a clinician into a patient's care team

    A discipline has one primary at a time.
    """
    return with_etag(service.add_to_team(work(), patient_id, **args))


@blp.route("/patients/<id:patient_id>/team/<id:member_id>", methods=["PATCH"])
@blp.arguments(schemas.CareTeamMemberEditSchema)
@blp.response(200, schemas.CareTeamMemberSchema)
def edit_member(args: dict[str, Any], patient_id: int, member_id: int) -> Any:
    """Change somebody's place in a care team, or end it

    Send If-Match with the member's ETag. Another role, or a primary's place given or taken, ends this place yesterday
    and begins another today, which is the answer.
    """
    may_call(work(), service.edit_member)
    require_match(service.member_for_change(work(), patient_id, member_id))
    return with_etag(service.edit_member(work(), patient_id, member_id, **args))


@blp.route("/patients/<id:patient_id>/primaries/<string:discipline>", methods=["PUT"])
@blp.arguments(schemas.PrimarySchema)
@blp.response(200, schemas.CareTeamMemberSchema)
def name_primary(args: dict[str, Any], patient_id: int, discipline: str) -> Any:
    """Name the primary clinician of a discipline from a day on

    Whoever was so until then stays on record until the day before.
    """
    if discipline not in {one.value for one in Discipline}:
        raise NotFound("discipline")
    return with_etag(service.name_primary(work(), patient_id, Discipline(discipline), **args))


# ------------------------------------------------------------------------------------ posts


def _match_holder(patient_id: int, post: TeamPost) -> None:
    """Whoever changes a post names the version of who holds it; a vacant one has none."""
    held = service.held_for_change(work(), patient_id, post)
    if held is not None:
        require_match(held)


@blp.route("/patients/<id:patient_id>/managing-physician", methods=["PUT"])
@blp.arguments(schemas.ManagingPhysicianSchema)
@blp.response(200, schemas.PostSchema)
def name_managing_physician(args: dict[str, Any], patient_id: int) -> Any:
    """Put a patient's care under another physician, from now on

    Send If-Match with the ETag of the post as it is held. Open plans of care follow.
    """
    may_call(work(), service.name_managing_physician)
    _match_holder(patient_id, TeamPost.MANAGING_PHYSICIAN)
    return with_etag(service.name_managing_physician(work(), patient_id, **args))


@blp.route("/patients/<id:patient_id>/coordinator", methods=["PUT"])
@blp.arguments(schemas.CoordinatorSchema)
@blp.response(200, schemas.PostSchema)
def name_coordinator(args: dict[str, Any], patient_id: int) -> Any:
    """Name who coordinates a patient's care, from now on

    Send If-Match with the ETag of the post where somebody holds it.
    """
    may_call(work(), service.name_coordinator)
    _match_holder(patient_id, TeamPost.COORDINATOR)
    return with_etag(service.name_coordinator(work(), patient_id, **args))


@blp.route("/patients/<id:patient_id>/coordinator", methods=["DELETE"])
@blp.response(200, schemas.PostSchema)
def release_coordinator(patient_id: int) -> Any:
    """Say that nobody coordinates a patient's care any more

    Send If-Match.
    """
    may_call(work(), service.release_coordinator)
    _match_holder(patient_id, TeamPost.COORDINATOR)
    return with_etag(service.release_coordinator(work(), patient_id))


# ------------------------------------------------------------------------------------ from outside


@blp.route("/patients/<id:patient_id>/participants")
@blp.arguments(schemas.TeamQuery, location="query")
@blp.response(200, schemas.ParticipantsSchema)
def list_participants(args: dict[str, Any], patient_id: int) -> Any:
    """Who takes part in a patient's care from outside: of all time, or on a day"""
    return {"items": service.participants(work(), patient_id, day=args["day"])}


@blp.route("/patients/<id:patient_id>/participants", methods=["POST"])
@blp.arguments(schemas.ParticipantWriteSchema)
@blp.response(201, schemas.ParticipantSchema)
def add_participant(args: dict[str, Any], patient_id: int) -> Any:
    """Add somebody who takes part from outside

    Nothing may be told to them before the patient has agreed.
    """
    return with_etag(service.add_participant(work(), patient_id, **args))


@blp.route("/patients/<id:patient_id>/participants/<id:participant_id>", methods=["PATCH"])
@blp.arguments(schemas.ParticipantEditSchema)
@blp.response(200, schemas.ParticipantSchema)
def edit_participant(args: dict[str, Any], patient_id: int, participant_id: int) -> Any:
    """Change what is known of a participant, or end their part

    Send If-Match.
    """
    may_call(work(), service.edit_participant)
    require_match(service.participant_for_change(work(), patient_id, participant_id))
    return with_etag(service.edit_participant(work(), patient_id, participant_id, **args))


@blp.route("/patients/<id:patient_id>/participants/<id:participant_id>/consents", methods=["POST"])
@blp.arguments(schemas.ConsentWriteSchema)
@blp.response(201, schemas.ParticipantSchema)
def give_consent(args: dict[str, Any], patient_id: int, participant_id: int) -> Any:
    """Record what the patient agreed may be told to a participant

    Send If-Match with the participant's ETag.
    """
    may_call(work(), service.give_consent)
    require_match(service.participant_for_change(work(), patient_id, participant_id))
    return with_etag(service.give_consent(work(), patient_id, participant_id, **args))


@blp.route(
    "/patients/<id:patient_id>/participants/<id:participant_id>/consents/<id:consent_id>/withdraw", methods=["POST"]
)
@blp.arguments(schemas.ConsentWithdrawSchema)
@blp.response(200, schemas.ParticipantSchema)
def withdraw_consent(args: dict[str, Any], patient_id: int, participant_id: int, consent_id: int) -> Any:
    """Record that a consent was taken back

    Send If-Match with the participant's ETag. That it was given stays on record.
    """
    may_call(work(), service.withdraw_consent)
    require_match(service.participant_for_change(work(), patient_id, participant_id))
    return with_etag(service.withdraw_consent(work(), patient_id, participant_id, consent_id, **args))


# ------------------------------------------------------------------------------------ covers


@blp.route("/covers")
@blp.arguments(schemas.CoverQuery, location="query")
@blp.response(200, page_schema(schemas.CoverSchema))
def list_covers(args: dict[str, Any]) -> Any:
    """Who stands in for whom"""
    paging = {"limit": args.pop("limit"), "cursor": args.pop("cursor")}
    return page(work().session, service.search_covers(work(), **args), (Cover.starts_on, Cover.id), paging)


@blp.route("/covers", methods=["POST"])
@blp.arguments(schemas.CoverWriteSchema)
@blp.response(201, schemas.CoverSchema)
def arrange_cover(args: dict[str, Any]) -> Any:
    """Arrange who stands in for somebody, from a day to a day

    Refused with every reason at once. A physician who stands in may read and sign what the other may, in those days.
    """
    return with_etag(service.arrange(work(), **args))


@blp.route("/covers/<id:cover_id>")
@blp.response(200, schemas.CoverSchema)
def read_cover(cover_id: int) -> Any:
    """One cover"""
    return with_etag(service.get_cover(work(), cover_id))


@blp.route("/covers/<id:cover_id>/withdraw", methods=["POST"])
@blp.response(200, schemas.CoverSchema)
def withdraw_cover(cover_id: int) -> Any:
    """Say that nobody stands in there any more

    Send If-Match.
    """
    may_call(work(), service.withdraw)
    require_match(service.cover_for_change(work(), cover_id))
    return with_etag(service.withdraw(work(), cover_id))
