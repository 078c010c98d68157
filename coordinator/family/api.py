"""Patient and family over HTTP: links to their page, what they are to be told, and what they ask for."""

from typing import Any

from flask import current_app
from marshmallow import fields

from coordinator.agency import service as agency
from coordinator.core.fields import Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, require_match, unrepeatable, with_etag, work
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.core.work import may_call
from coordinator.domain.family import (
    FamilyLanguage,
    RequestConcern,
    RequestOutcome,
    RequestTopic,
    ToldHow,
    VisitChange,
)
from coordinator.family import links, requests, telling, words
from coordinator.family.model import CareRequest, FamilyLink, FamilyNotice

blp = Blueprint("family", __name__, url_prefix="/api/v1", description="Patient and family: links, notices, requests")


# ------------------------------------------------------------------------------------ links


class FamilyLinkMakeSchema(Schema):
    caregiver_id = Id(
        load_default=None, allow_none=True, metadata={"description": "Whose link; null: the patient's", "example": 3}
    )
    language = Word(FamilyLanguage, load_default=None, allow_none=True, metadata={"example": "zh-Hant"})
    days = Whole(low=1, high=366, load_default=None, allow_none=True)


class FamilyLinkSchema(Schema):
    id = Id()
    version = Whole()
    patient_id = Id()
    caregiver_id = Id(allow_none=True)
    language = Word(FamilyLanguage)
    created_at = Instant()
    expires_at = Instant()
    revoked_at = Instant(allow_none=True)


class FamilyLinkMadeSchema(FamilyLinkSchema):
    path = fields.String(metadata={"description": "Opens the page. Said this once, and nowhere kept"})


@blp.route("/patients/<id:patient_id>/family-links", methods=["POST"])
@blp.arguments(FamilyLinkMakeSchema)
@blp.response(201, FamilyLinkMadeSchema)
@unrepeatable
def make_link(args: dict[str, Any], patient_id: int) -> Any:
    """Make a link to the page of visits for one person

    The page says when, which profession and a first name, in the person's language; nothing clinical. Refused for a
    caregiver with whom the patient has not agreed to share (CAR-01).
    """
    row, secret = links.make(work(), patient_id, current_app.extensions["doorman"].digest, **args)
    names = ("id", "version", "patient_id", "caregiver_id", "language", "created_at", "expires_at", "revoked_at")
    return {name: getattr(row, name) for name in names} | {"path": f"/family/open/{secret}"}


@blp.route("/patients/<id:patient_id>/family-links")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_schema(FamilyLinkSchema))
def list_links(args: dict[str, Any], patient_id: int) -> Any:
    """A patient's links, without what opens them"""
    return page(work().session, links.search(work(), patient_id), (FamilyLink.id,), args)


@blp.route("/family-links/<id:link_id>/revoke", methods=["POST"])
@blp.response(200, FamilyLinkSchema)
def revoke_link(link_id: int) -> Any:
    """Let a link open nothing any more; twice changes nothing"""
    return with_etag(links.revoke(work(), link_id))


# ------------------------------------------------------------------------------------ what people are to be told


class FamilyNoticeSchema(Schema):
    id = Id()
    version = Whole()
    branch_id = Id()
    patient_id = Id()
    caregiver_id = Id(allow_none=True)
    visit_id = Id()
    change = Word(VisitChange)
    language = Word(FamilyLanguage)
    sentence = fields.Method("_sentence", metadata={"type": "string", "description": "In the person's language"})
    old_starts_at = Instant()
    new_starts_at = Instant(allow_none=True)
    raised_at = Instant()
    told_at = Instant(allow_none=True)
    told_how = Word(ToldHow, allow_none=True)
    void_at = Instant(allow_none=True)

    def _sentence(self, row: FamilyNotice) -> str:
        zone = agency.zone_of(work(), row.branch_id)
        new = None if row.new_starts_at is None else row.new_starts_at.astimezone(zone)
        return words.notice(row.change, row.language, row.old_starts_at.astimezone(zone), new)


class FamilyNoticeQuery(PageQuery):
    branch_id = Id(load_default=None, allow_none=True)
    waiting = fields.Boolean(load_default=True, metadata={"description": "Those alone that were not told yet"})


class TellFamilySchema(Schema):
    how = Word(ToldHow, required=True, metadata={"example": "call"})


@blp.route("/family-notices")
@blp.arguments(FamilyNoticeQuery, location="query")
@blp.response(200, page_schema(FamilyNoticeSchema))
def list_family_notices(args: dict[str, Any]) -> Any:
    """Whom to tell of a changed visit, in which language and in which words"""
    query = telling.search(work(), branch_id=args["branch_id"], waiting=args["waiting"])
    return page(work().session, query, (FamilyNotice.id,), args)


@blp.route("/family-notices/<id:notice_id>/told", methods=["POST"])
@blp.arguments(TellFamilySchema)
@blp.response(200, FamilyNoticeSchema)
def tell_family(args: dict[str, Any], notice_id: int) -> Any:
    """Say that the person was told, and how

    Send If-Match: a visit that has moved again is to be told as it is now.
    """
    may_call(work(), telling.tell)
    require_match(telling.notice_for_change(work(), notice_id))
    return with_etag(telling.tell(work(), notice_id, args["how"]))


# ------------------------------------------------------------------------------------ what they ask for


class CareRequestRecordSchema(Schema):
    topic = Word(RequestTopic, required=True, metadata={"example": "equipment"})
    words = Text(required=True, max_length=requests.MOST_WORDS, metadata={"example": "A second pillow for the bed"})
    concern = Word(RequestConcern, load_default=RequestConcern.SELF, metadata={"description": "For whom it is asked"})
    caregiver_id = Id(load_default=None, allow_none=True, metadata={"description": "Who asks; null: the patient"})
    language = Text(max_length=20, load_default=None, allow_none=True)


class CareRequestSchema(Schema):
    id = Id()
    version = Whole()
    patient_id = Id()
    caregiver_id = Id(allow_none=True)
    link_id = Id(allow_none=True)
    concern = Word(RequestConcern)
    topic = Word(RequestTopic)
    words = fields.String()
    language = fields.String()
    raised_at = Instant()
    outcome = Word(RequestOutcome, allow_none=True)
    outcome_note = fields.String(allow_none=True)
    shared = fields.Boolean()
    closed_at = Instant(allow_none=True)


class CareRequestQuery(PageQuery):
    waiting = fields.Boolean(load_default=False, metadata={"description": "Those alone that wait for an answer"})


class CloseCareRequestSchema(Schema):
    outcome = Word(RequestOutcome, required=True, metadata={"example": "answered"})
    note = Text(load_default=None, allow_none=True, max_length=2000)
    shared = fields.Boolean(
        load_default=False, metadata={"description": "Something about the patient was said to whoever asked"}
    )


@blp.route("/patients/<id:patient_id>/care-requests", methods=["POST"])
@blp.arguments(CareRequestRecordSchema)
@blp.response(201, CareRequestSchema)
def record_care_request(args: dict[str, Any], patient_id: int) -> Any:
    """Write down what the patient or a caregiver asks for

    It is a task of whoever the topic concerns. `concern` says whether it is asked for oneself or for whom one cares.
    """
    return with_etag(requests.record(work(), patient_id, **args))


@blp.route("/patients/<id:patient_id>/care-requests")
@blp.arguments(CareRequestQuery, location="query")
@blp.response(200, page_schema(CareRequestSchema))
def list_care_requests(args: dict[str, Any], patient_id: int) -> Any:
    """What was asked for a patient, oldest first"""
    query = requests.search(work(), patient_id, waiting=args["waiting"])
    return page(work().session, query, (CareRequest.id,), args)


@blp.route("/care-requests/<id:request_id>")
@blp.response(200, CareRequestSchema)
def read_care_request(request_id: int) -> Any:
    """One request"""
    return with_etag(requests.get(work(), request_id))


@blp.route("/care-requests/<id:request_id>/close", methods=["POST"])
@blp.arguments(CloseCareRequestSchema)
@blp.response(200, CareRequestSchema)
def close_care_request(args: dict[str, Any], request_id: int) -> Any:
    """Say what came of a request

    Send If-Match. Refused if something was shared with a caregiver without the patient's consent (CAR-01).
    """
    may_call(work(), requests.close)
    require_match(requests.request_for_change(work(), request_id))
    return with_etag(requests.close(work(), request_id, args["outcome"], note=args["note"], shared=args["shared"]))
