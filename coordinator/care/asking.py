"""What findings become: flags on the row, and tasks that the book of deadlines hears of."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from coordinator.core.work import Work
from coordinator.domain.events import CareTaskRaised
from coordinator.rules.terms import Finding, Severity


def flags(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The findings as values for the row."""
    return [finding.as_dict() for finding in findings]


def raise_tasks(work: Work, patient_id: int, about: str, findings: Iterable[Finding]) -> None:
    """CareTaskRaised once for each task and day that the findings ask for; `about` is what asks: `assessment:7`."""
    told: set[tuple[str, date]] = set()
    for finding in findings:
        task = finding.facts.get("task")
        if finding.severity is not Severity.TASK or task is None or type(finding.due) is not date:
            continue
        if (str(task), finding.due) in told:
            continue
        told.add((str(task), finding.due))
        discipline = finding.facts.get("discipline")
        work.publish(
            CareTaskRaised(
                patient_id=patient_id,
                rule=finding.rule,
                task=str(task),
                subject=f"{about}:{task}",
                due_on=finding.due,
                owner=finding.owner,
                discipline=str(discipline) if discipline else None,
                at_once=bool(finding.facts.get("at_once")),
            )
        )
