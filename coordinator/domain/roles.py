"""Who may do what: one page of permissions. Whose rows they may do it to is decided by the verb's own select."""

from coordinator.domain.vocabulary import Performer, Role

#: Permission -> the roles that hold it. A permission is noun:verb.
PERMISSIONS: dict[str, frozenset[Role]] = {
    "agency:read": frozenset(Role),
    "agency:edit": frozenset({Role.ADMINISTRATOR}),
    "user:manage": frozenset({Role.ADMINISTRATOR}),
    "self:read": frozenset(Role),
    "self:secure": frozenset(Role) - {Role.SYSTEM},
    "token:issue": frozenset(Role) - {Role.SYSTEM},
    # patients
    "patient:read": frozenset(Role),
    "patient:edit": frozenset({Role.INTAKE, Role.CLINICAL_MANAGER}),
    "patient:read-clinical": frozenset(
        {Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER, Role.INTAKE, Role.SYSTEM}
    ),
    "patient:set-preferences": frozenset({Role.INTAKE, Role.CLINICAL_MANAGER, Role.SCHEDULER}),
    "episode:open": frozenset({Role.INTAKE, Role.CLINICAL_MANAGER}),
    "episode:start": frozenset({Role.CLINICIAN, Role.INTAKE, Role.CLINICAL_MANAGER, Role.SYSTEM}),
    "episode:hold": frozenset({Role.CLINICIAN, Role.INTAKE, Role.CLINICAL_MANAGER, Role.SYSTEM}),
    "episode:discharge": frozenset({Role.INTAKE, Role.CLINICAL_MANAGER}),
    # an episode's papers
    "certification:read": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER, Role.INTAKE, Role.SYSTEM}),
    "certification:draft": frozenset({Role.CLINICIAN, Role.CLINICAL_MANAGER, Role.INTAKE}),
    "certification:sign": frozenset({Role.PHYSICIAN}),
    # A practitioner what they signed themselves.
    "certification:supersede": frozenset({Role.PHYSICIAN, Role.CLINICAL_MANAGER}),
    "interval:justify": frozenset({Role.PHYSICIAN, Role.CLINICIAN, Role.CLINICAL_MANAGER}),
    "practitioner:check": frozenset({Role.INTAKE, Role.CLINICAL_MANAGER, Role.ADMINISTRATOR}),
    "homebound:assess": frozenset({Role.CLINICIAN, Role.CLINICAL_MANAGER}),
    "home-absence:record": frozenset({Role.CLINICIAN, Role.CLINICAL_MANAGER, Role.INTAKE}),
    "assessment:complete": frozenset({Role.CLINICIAN, Role.CLINICAL_MANAGER}),
    "discharge:plan": frozenset({Role.CLINICIAN, Role.CLINICAL_MANAGER, Role.INTAKE}),
    "team:edit": frozenset({Role.INTAKE, Role.SCHEDULER, Role.CLINICAL_MANAGER}),
    "team:read": frozenset(Role),
    "handoff:list": frozenset(
        {Role.CLINICIAN, Role.PHYSICIAN, Role.SCHEDULER, Role.CLINICAL_MANAGER, Role.INTAKE, Role.SYSTEM}
    ),
    "handoff:read": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER, Role.SYSTEM}),
    "handoff:write": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER}),
    "handoff:acknowledge": frozenset({Role.CLINICIAN, Role.PHYSICIAN}),
    "cover:read": frozenset(Role),
    "cover:arrange": frozenset({Role.INTAKE, Role.SCHEDULER, Role.CLINICAL_MANAGER}),
    # A physician for themselves, by a colleague.
    "cover:arrange-own": frozenset({Role.PHYSICIAN}),
    "participant:read": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER, Role.INTAKE, Role.SYSTEM}),
    "participant:edit": frozenset({Role.CLINICIAN, Role.CLINICAL_MANAGER, Role.INTAKE}),
    "home:assess-safety": frozenset({Role.CLINICIAN, Role.CLINICAL_MANAGER}),
    "screening:record": frozenset({Role.CLINICIAN, Role.INTAKE, Role.CLINICAL_MANAGER}),
    "payment:read": frozenset({Role.CLINICAL_MANAGER}),
    "payment:edit": frozenset({Role.CLINICAL_MANAGER}),
    # staff
    "clinician:read": frozenset(Role),
    "clinician:edit": frozenset({Role.CLINICAL_MANAGER, Role.ADMINISTRATOR, Role.SCHEDULER}),
    "credential:edit": frozenset({Role.CLINICAL_MANAGER, Role.ADMINISTRATOR}),
    "absence:record": frozenset({Role.SCHEDULER, Role.CLINICAL_MANAGER}),
    "physician:read": frozenset(Role),
    "physician:edit": frozenset({Role.INTAKE, Role.CLINICAL_MANAGER, Role.ADMINISTRATOR}),
    "resource:read": frozenset(Role),
    "resource:edit": frozenset({Role.INTAKE, Role.CLINICAL_MANAGER, Role.ADMINISTRATOR, Role.SYSTEM}),
    "resource:check": frozenset({Role.INTAKE, Role.CLINICAL_MANAGER, Role.ADMINISTRATOR, Role.CLINICIAN}),
    "resource-referral:read": frozenset(
        {Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER, Role.INTAKE, Role.SYSTEM}
    ),
    "resource-referral:edit": frozenset({Role.CLINICIAN, Role.CLINICAL_MANAGER, Role.INTAKE}),
    "education:assign": frozenset({Role.CLINICIAN, Role.CLINICAL_MANAGER, Role.INTAKE}),
    "education:read": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER, Role.INTAKE, Role.SYSTEM}),
    "feedback:record": frozenset({Role.CLINICIAN, Role.INTAKE, Role.CLINICAL_MANAGER, Role.ADMINISTRATOR}),
    "feedback:read": frozenset({Role.CLINICIAN, Role.INTAKE, Role.CLINICAL_MANAGER, Role.ADMINISTRATOR}),
    "feedback:share": frozenset({Role.CLINICAL_MANAGER, Role.ADMINISTRATOR}),
    # referrals
    "referral:read": frozenset({Role.INTAKE, Role.CLINICAL_MANAGER, Role.SCHEDULER, Role.SYSTEM}),
    "referral:edit": frozenset({Role.INTAKE, Role.CLINICAL_MANAGER}),
    "referral:decide": frozenset({Role.INTAKE, Role.CLINICAL_MANAGER}),
    "referral:promise": frozenset({Role.INTAKE, Role.CLINICAL_MANAGER, Role.SCHEDULER, Role.SYSTEM}),
    "referral:hold": frozenset({Role.INTAKE, Role.CLINICAL_MANAGER, Role.SCHEDULER}),
    "eligibility:determine": frozenset({Role.INTAKE, Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER}),
    # plans and orders
    "plan:read": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER, Role.INTAKE, Role.SYSTEM}),
    "plan:edit": frozenset({Role.CLINICIAN, Role.CLINICAL_MANAGER, Role.INTAKE}),
    "order:read": frozenset(
        {Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER, Role.INTAKE, Role.SCHEDULER, Role.SYSTEM}
    ),
    "order:draft": frozenset({Role.CLINICIAN, Role.CLINICAL_MANAGER, Role.INTAKE, Role.PHYSICIAN}),
    "order:take-verbal": frozenset({Role.CLINICIAN, Role.CLINICAL_MANAGER}),
    "order:send": frozenset({Role.CLINICIAN, Role.CLINICAL_MANAGER, Role.INTAKE}),
    "order:sign": frozenset({Role.PHYSICIAN}),
    "order:decline": frozenset({Role.PHYSICIAN}),
    "order:discontinue": frozenset({Role.PHYSICIAN, Role.CLINICAL_MANAGER}),
    "order:void": frozenset({Role.CLINICIAN, Role.CLINICAL_MANAGER, Role.INTAKE}),
    "order:expire": frozenset({Role.SYSTEM}),
    "aide-plan:write": frozenset({Role.CLINICIAN}),
    "aide-plan:read": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER, Role.INTAKE, Role.SYSTEM}),
    "aide-plan:acknowledge": frozenset({Role.CLINICIAN}),
    "aide:clear": frozenset({Role.CLINICAL_MANAGER}),
    "case:review": frozenset({Role.CLINICAL_MANAGER}),
    # visits
    "visit:read": frozenset(Role),
    "visit:assign": frozenset({Role.SCHEDULER, Role.CLINICAL_MANAGER}),
    "visit:confirm": frozenset({Role.SCHEDULER, Role.CLINICAL_MANAGER}),
    "visit:cancel": frozenset({Role.SCHEDULER, Role.CLINICAL_MANAGER}),
    "visit:request-prn": frozenset({Role.CLINICIAN, Role.CLINICAL_MANAGER}),
    "visit:override": frozenset({Role.CLINICAL_MANAGER}),
    # Which rule is whose to set aside says the policy (`overrides`).
    "rule:set-aside": frozenset({Role.CLINICAL_MANAGER, Role.SCHEDULER, Role.INTAKE}),
    "override:read": frozenset({Role.CLINICAL_MANAGER, Role.SCHEDULER, Role.INTAKE, Role.SYSTEM}),
    "billing:read": frozenset({Role.CLINICAL_MANAGER, Role.SCHEDULER, Role.INTAKE, Role.SYSTEM}),
    "billing:reask": frozenset({Role.SYSTEM}),
    "compliance:read": frozenset({Role.CLINICAL_MANAGER, Role.INTAKE, Role.CLINICIAN, Role.PHYSICIAN, Role.SYSTEM}),
    "visit:explain": frozenset({Role.SCHEDULER, Role.CLINICAL_MANAGER, Role.SYSTEM}),
    "visit:perform": frozenset({Role.CLINICIAN}),
    "visit:miss": frozenset({Role.CLINICIAN, Role.SCHEDULER, Role.CLINICAL_MANAGER}),
    "visit:decide-missed": frozenset({Role.PHYSICIAN}),
    "visit:correct-evv": frozenset({Role.CLINICAL_MANAGER}),
    "visit:raise": frozenset({Role.SYSTEM}),
    "visit:close-week": frozenset({Role.SYSTEM}),
    "ledger:read": frozenset(
        {Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER, Role.SCHEDULER, Role.INTAKE, Role.SYSTEM}
    ),
    "supervision:record": frozenset({Role.CLINICIAN, Role.CLINICAL_MANAGER}),
    "therapist:reassign": frozenset({Role.CLINICAL_MANAGER}),
    "billing:except": frozenset({Role.CLINICAL_MANAGER}),
    "schedule:give": frozenset({Role.CLINICIAN, Role.SCHEDULER, Role.CLINICAL_MANAGER}),
    "roster:read": frozenset({Role.CLINICIAN, Role.SCHEDULER, Role.CLINICAL_MANAGER, Role.SYSTEM}),
    # what is owed about records
    "record-request:read": frozenset({Role.INTAKE, Role.CLINICAL_MANAGER, Role.ADMINISTRATOR}),
    "record-request:edit": frozenset({Role.INTAKE, Role.CLINICAL_MANAGER, Role.ADMINISTRATOR}),
    "disclosure:read": frozenset({Role.CLINICAL_MANAGER, Role.ADMINISTRATOR}),
    "disclosure:record": frozenset({Role.INTAKE, Role.CLINICAL_MANAGER, Role.ADMINISTRATOR}),
    "breach:read": frozenset({Role.CLINICAL_MANAGER, Role.ADMINISTRATOR}),
    "breach:edit": frozenset({Role.CLINICAL_MANAGER, Role.ADMINISTRATOR}),
    "legal-hold:edit": frozenset({Role.ADMINISTRATOR}),
    "record:destroy": frozenset({Role.ADMINISTRATOR}),
    "emergency:open": frozenset(Role) - {Role.SYSTEM},
    "emergency:review": frozenset({Role.CLINICAL_MANAGER, Role.ADMINISTRATOR}),
    "workday:read": frozenset({Role.CLINICIAN, Role.SCHEDULER, Role.CLINICAL_MANAGER, Role.ADMINISTRATOR}),
    "meal:record": frozenset({Role.CLINICIAN, Role.CLINICAL_MANAGER}),
    # planning
    "run:start": frozenset({Role.SCHEDULER, Role.CLINICAL_MANAGER, Role.SYSTEM}),
    "run:read": frozenset({Role.SCHEDULER, Role.CLINICAL_MANAGER, Role.SYSTEM}),
    "run:publish": frozenset({Role.SCHEDULER, Role.CLINICAL_MANAGER}),
    "scenario:edit": frozenset({Role.SCHEDULER, Role.CLINICAL_MANAGER, Role.SYSTEM}),
    "scenario:read": frozenset({Role.SCHEDULER, Role.CLINICAL_MANAGER, Role.SYSTEM}),
    "repair:propose": frozenset({Role.SCHEDULER, Role.CLINICAL_MANAGER}),
    "repair:read": frozenset({Role.SCHEDULER, Role.CLINICAL_MANAGER, Role.SYSTEM}),
    "repair:decide": frozenset({Role.SCHEDULER, Role.CLINICAL_MANAGER}),
    # the care team: instruments, readings, conferences, documents that speak for the patient
    "instrument:read": frozenset(Role),
    "instrument:load": frozenset({Role.SYSTEM}),
    "assessment:record": frozenset({Role.CLINICIAN, Role.PHYSICIAN}),
    "assessment:read": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER, Role.SYSTEM}),
    "assessment:withdraw": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER}),
    "assessment:withdraw-any": frozenset({Role.CLINICAL_MANAGER}),
    "proposal:decide": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER}),
    "safety:act": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER}),
    "treatment:give": frozenset({Role.CLINICIAN}),
    # patient and family
    "family-link:edit": frozenset({Role.CLINICIAN, Role.INTAKE, Role.SCHEDULER, Role.CLINICAL_MANAGER}),
    "family:tell": frozenset({Role.CLINICIAN, Role.INTAKE, Role.SCHEDULER, Role.CLINICAL_MANAGER}),
    "request:record": frozenset({Role.CLINICIAN, Role.INTAKE, Role.SCHEDULER, Role.CLINICAL_MANAGER}),
    "request:read": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.INTAKE, Role.SCHEDULER, Role.CLINICAL_MANAGER}),
    "request:answer": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.INTAKE, Role.SCHEDULER, Role.CLINICAL_MANAGER}),
    # Nobody's by role: whoever holds a link to the family's page.
    "family:read": frozenset(),
    "family:ask": frozenset(),
    "limit:set": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER}),
    "reading:record": frozenset({Role.CLINICIAN}),
    "reading:read": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER, Role.SYSTEM}),
    "conference:read": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER, Role.INTAKE, Role.SYSTEM}),
    "conference:record": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER}),
    "conference:sign": frozenset({Role.CLINICIAN, Role.PHYSICIAN}),
    "directive:read": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER, Role.INTAKE, Role.SYSTEM}),
    "directive:record": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER, Role.INTAKE}),
    "directive:settle": frozenset({Role.PHYSICIAN}),
    # what the team asks of each other
    "task:read": frozenset(Role),
    "task:ask": frozenset(Role) - {Role.SYSTEM},
    "task:act": frozenset(Role) - {Role.SYSTEM},
    "inbox:read": frozenset(Role) - {Role.SYSTEM},
    "note:read": frozenset(Role),
    "note:write": frozenset(Role) - {Role.SYSTEM},
    "note:write-clinical": frozenset({Role.CLINICIAN, Role.PHYSICIAN, Role.CLINICAL_MANAGER}),
    # obligations, notices, trail
    "deadline:read": frozenset(
        {
            Role.CLINICIAN,
            Role.CLINICAL_MANAGER,
            Role.SCHEDULER,
            Role.INTAKE,
            Role.PHYSICIAN,
            Role.ADMINISTRATOR,
            Role.SYSTEM,
        }
    ),
    "deadline:close": frozenset(
        {Role.CLINICAL_MANAGER, Role.INTAKE, Role.SCHEDULER, Role.CLINICIAN, Role.ADMINISTRATOR}
    ),
    "deadline:open": frozenset({Role.SYSTEM}),
    "webhook:read": frozenset({Role.ADMINISTRATOR}),
    "webhook:edit": frozenset({Role.ADMINISTRATOR}),
    "delivery:read": frozenset({Role.CLINICAL_MANAGER, Role.ADMINISTRATOR}),
    "notice:read": frozenset(Role) - {Role.SYSTEM},
    "audit:read": frozenset({Role.ADMINISTRATOR, Role.CLINICAL_MANAGER}),
    "import:run": frozenset({Role.SYSTEM}),
}

_OF_CLINICIANS = frozenset(permission for permission, holders in PERMISSIONS.items() if Role.CLINICIAN in holders)
#: All that an aide holds: their day, their visits, the instructions they work by, and no clinical detail. What is added
#: to the clinicians' permissions above is an aide's only if it is added here as well.
_OF_AIDES = frozenset(
    {
        "agency:read", "aide-plan:acknowledge", "aide-plan:read", "assessment:read", "clinician:read",
        "feedback:record", "inbox:read", "instrument:read", "note:read", "note:write", "notice:read", "patient:read",
        "physician:read", "reading:record", "resource:read", "roster:read", "schedule:give", "self:read", "token:issue",
        "visit:miss", "visit:perform", "visit:read", "meal:record", "task:act", "task:read", "workday:read",
        "self:secure", "team:read", "handoff:list", "handoff:read", "handoff:write", "handoff:acknowledge",
    }
)  # fmt: skip
#: What calls for a nurse's, a therapist's or a physician's own judgement.
_JUDGEMENT = frozenset(
    {
        "assessment:complete", "eligibility:determine", "home:assess-safety", "homebound:assess", "limit:set",
        "supervision:record",
    }
)  # fmt: skip
_ORDERING = frozenset({"interval:justify", "order:draft", "order:take-verbal", "order:send", "order:void"})
#: Profession -> what it lacks of the clinician's role (ORD-05, SUP-01, AID-02). Not named: lacks nothing.
LACKS: dict[Performer, frozenset[str]] = {
    Performer.CHHA: _OF_CLINICIANS - _OF_AIDES,
    Performer.PTA: _JUDGEMENT | _ORDERING,
    Performer.COTA: _JUDGEMENT | _ORDERING,
    Performer.CHAPLAIN: _JUDGEMENT | _ORDERING,
    Performer.LVN: _JUDGEMENT,
}


def permissions_of(roles: frozenset[Role], performer: str | None = None) -> frozenset[str]:
    """Everything that holders of these roles may do; a clinician's profession takes away what it does not include.

    It takes away of the clinician's role alone: what another role gives as well, stays.
    """
    lacks = LACKS.get(Performer(performer), frozenset()) if performer is not None else frozenset()
    return frozenset(
        permission
        for permission, holders in PERMISSIONS.items()
        if (roles - {Role.CLINICIAN} if permission in lacks else roles) & holders
    )
