"""What a score proposes: which visits its findings call for. Asked by nobody for a refusal, so no rule of its own."""

from collections.abc import Iterable

from coordinator.domain.vocabulary import Discipline
from coordinator.rules.terms import Finding, Severity

#: Tasks of scores that a visit answers best; the others are answered by a call or by the team.
_VISITED = frozenset({"severe-symptom", "mood-follow-up", "caregiver-strain"})


def visits_wanted(findings: Iterable[Finding]) -> dict[Discipline, tuple[str, ...]]:
    """Discipline -> codes of what calls for its visit: the symptom, or the task where a whole score does."""
    wanted: dict[Discipline, list[str]] = {}
    rose = []
    for finding in findings:
        symptom = finding.params.get("symptom")
        task, discipline = finding.facts.get("task"), finding.facts.get("discipline")
        if finding.rule == "INS-02" and finding.severity is Severity.WARN:
            rose.append(str(symptom))
        if finding.severity is Severity.TASK and task in _VISITED and discipline is not None:
            codes = wanted.setdefault(Discipline(str(discipline)), [])
            codes.append(str(symptom or task))
    moderate = {
        str(finding.params.get("symptom")) for finding in findings if finding.facts.get("task") == "recontact"
    }  # fmt: skip
    for symptom_code in rose:
        codes = wanted.get(Discipline.SN, [])
        if symptom_code in moderate and symptom_code not in codes:
            wanted.setdefault(Discipline.SN, []).append(symptom_code)
    return {discipline: tuple(codes) for discipline, codes in wanted.items()}


def trigger(codes: Iterable[str]) -> str:
    """The signs for which an as-needed visit is made, in words (FRQ-05)."""
    return "Scores: " + ", ".join(code.replace("_", " ").replace("-", " ") for code in codes)
