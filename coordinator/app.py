"""The one place that knows every room: puts settings, database, policy, wiring and doors together."""

from flask import Response, jsonify

from coordinator.access import api as access_api
from coordinator.access import entering_api, factors_api, oidc_api, sessions_api
from coordinator.access.service import Doorman, system_actor
from coordinator.agency import api as agency_api
from coordinator.agency import programmes_api
from coordinator.agency.policy import policy_of
from coordinator.care import api as care_api
from coordinator.care import conferences_api, directives_api, minutes, responses_api
from coordinator.care.shelf import instruments
from coordinator.compliance import api as compliance_api
from coordinator.core import http, logs
from coordinator.core.db import Database
from coordinator.core.errors import Conflict
from coordinator.core.http import Coordinator, CoordinatorApi, Door
from coordinator.core.i18n import open_languages
from coordinator.core.settings import Settings, load_settings
from coordinator.deadlines import api as deadlines_api
from coordinator.directory import api as directory_api
from coordinator.directory import keeping_api
from coordinator.episodes import api as episodes_api
from coordinator.family import api as family_api
from coordinator.family import pages as family_pages
from coordinator.fhir import api as fhir_api
from coordinator.jobs.context import Workshop
from coordinator.jobs.ledger import counts
from coordinator.jobs.queue import enqueue
from coordinator.notify import api as notify_api
from coordinator.notify import hooks_api, mail_api
from coordinator.orders import api as orders_api
from coordinator.orders import plan_api
from coordinator.patients import api as patients_api
from coordinator.patients import authorisations_api, enrolments_api
from coordinator.planning import api as planning_api
from coordinator.planning import asking_api, promise_api, what_if_api
from coordinator.planning.repairs import api as repairs_api
from coordinator.privacy import api as privacy_api
from coordinator.referrals import api as referrals_api
from coordinator.rules.profiles import UnknownProgramme
from coordinator.rules.terms import Policy
from coordinator.staff import api as staff_api
from coordinator.teams import api as teams_api
from coordinator.teamwork import agenda_api, handoffs_api, inbox_api, notes_api, resources_api, tasks_api
from coordinator.travel.atlas import atlas_from
from coordinator.visits import api as visits_api
from coordinator.visits import doing_api, payment_api, watching_api, workday_api
from coordinator.web import (
    account,
    board,
    board_repairs,
    board_visit,
    digest_link,
    inbox,
    pages,
    plans,
    roster,
    roster_doing,
    roster_visit,
    rules_api,
    sign_in,
    signing_more,
    signing_queue,
    signing_sheet,
)
from coordinator.web.shell import open_screens
from coordinator.wiring import CLOCK, HANDLERS, JOBS, places

#: Every blueprint of the API, in the order in which the document shows them.
BLUEPRINTS = (
    entering_api.blp,
    factors_api.blp,
    sessions_api.blp,
    oidc_api.blp,
    access_api.blp,
    agency_api.blp,
    programmes_api.blp,
    patients_api.blp,
    authorisations_api.blp,
    enrolments_api.blp,
    staff_api.blp,
    teams_api.blp,
    directory_api.blp,
    keeping_api.blp,
    plan_api.blp,
    orders_api.blp,
    referrals_api.blp,
    episodes_api.blp,
    planning_api.blp,
    asking_api.blp,
    what_if_api.blp,
    repairs_api.blp,
    promise_api.blp,
    visits_api.blp,
    doing_api.blp,
    watching_api.blp,
    care_api.blp,
    responses_api.blp,
    conferences_api.blp,
    directives_api.blp,
    family_api.blp,
    payment_api.blp,
    workday_api.blp,
    privacy_api.blp,
    deadlines_api.blp,
    inbox_api.blp,
    notes_api.blp,
    tasks_api.blp,
    resources_api.blp,
    compliance_api.blp,
    handoffs_api.blp,
    agenda_api.blp,
    notify_api.blp,
    mail_api.blp,
    hooks_api.blp,
    rules_api.blp,
    fhir_api.blp,
)

#: Every family of screens.
SCREENS = (
    sign_in.blueprint,
    roster.blueprint,
    roster_doing.blueprint,
    roster_visit.blueprint,
    signing_queue.blueprint,
    digest_link.blueprint,
    board.blueprint,
    board_visit.blueprint,
    board_repairs.blueprint,
    plans.blueprint,
    inbox.blueprint,
    account.blueprint,
)
#: Modules whose views stand on the blueprint of another, above.
VIEWS_BESIDE = (signing_sheet, signing_more)


def create_app(settings: Settings | None = None) -> Coordinator:
    """The WSGI application. SettingsError if something it needs is missing, by name."""
    settings = settings or load_settings()
    logs.configure()
    app = Coordinator("coordinator", static_folder=None)
    app.config.update(
        API_TITLE="Coordinator",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "info": {
                "description": "Home-visit scheduling and care-team coordination. Instants are UTC; days are the "
                "branch's. Every change may carry an Idempotency-Key and `?dry_run=true`; edits need If-Match."
            },
            "servers": [{"url": "/"}],
            "security": [{"bearer": []}, {"session": []}],
        },
    )
    http.open_door(app)
    app.register_error_handler(UnknownProgramme, _answer_unknown_programme)
    furnish(app, settings)
    open_languages(app)
    open_screens(app)
    api = CoordinatorApi(app)
    assert api.spec is not None
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    api.spec.components.security_scheme("session", {"type": "apiKey", "in": "cookie", "name": "coordinator_session"})
    api.register_converter(http.IdConverter, lambda _converter: {"type": "integer", "minimum": 1, "maximum": 2**53 - 1})
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    app.register_blueprint(pages.pages)
    app.register_blueprint(family_pages.pages)
    app.register_blueprint(minutes.pages)
    for screens in SCREENS:
        app.register_blueprint(screens)

    @app.get("/health")
    @http.public
    def health() -> Response:
        """Whether the server answers, its database does, and its jobs get done."""
        jobs = counts(http.work().session)
        return jsonify(status="ok" if not jobs.get("failed") else "look", jobs=jobs)

    return app


def _answer_unknown_programme(unknown: Exception) -> Response:
    """A row names a programme whose file somebody took away: said as a conflict, with what would end it."""
    return http.answer_refusal(
        Conflict(
            f"{unknown}. Put the programme's file back, or end what is served under it.",
            code="unknown-programme",
            field="programme",
        )
    )


def furnish(
    app: Coordinator, settings: Settings, *, database: Database | None = None, policy: Policy | None = None
) -> None:
    """Give the app its database, policy, wiring and doorman; again, and it serves another installation.

    Tests do so thousands of times at one address: they keep the database, whose engine remembers how it wrote each
    statement, and the policy, which is read and checked for as long as a small test takes.
    """
    database = database or Database(settings.database_url, pool_size=settings.pool_size)
    doorman = Doorman(settings)
    policy = policy or policy_of(settings)
    instruments()  # a file that cannot be meant is heard of at the start
    atlas = atlas_from(settings)
    app.secret_key = settings.secret_key
    app.config["SESSION_COOKIE_SECURE"] = settings.secure_cookies
    app.extensions["doorman"] = doorman
    app.extensions["settings"] = settings
    app.extensions["database"] = database
    app.extensions["answer_refusal"] = http.answer_refusal
    app.extensions["door"] = Door(
        settings=settings,
        database=database,
        policy=policy,
        handlers=HANDLERS,
        enqueue=enqueue,
        authenticate=doorman.authenticate,
        touch=doorman.touch,
        atlas=atlas,
    )
    app.extensions["workshop"] = Workshop(
        settings=settings,
        database=database,
        policy=policy,
        handlers=HANDLERS,
        jobs=JOBS,
        clock=CLOCK,
        actor_for=system_actor,
        places=places,
        atlas=atlas,
    )
