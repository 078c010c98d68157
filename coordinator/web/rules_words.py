"""The catalogue of rules in words: one entry for the API and the command, and the whole as `docs/rules.md`."""

from typing import Any

from coordinator.rules.catalogue import RULES, Rule, by_family
from coordinator.rules.conventions import CONVENTIONS
from coordinator.rules.terms import Policy, Verification

VERIFY = "verify before go-live"
VERIFY_ZH = "啟用前須核實"
MARKS = {
    Verification.CHECKED: "checked against a published copy",
    Verification.PROGRAMME: "the programme's own page",
    Verification.KNOWN: VERIFY,
    Verification.DECISION: "a decision of the agency",
}
SEVERITIES = {
    "BLOCK": "refused; nobody may override",
    "BLOCK-OVR": "refused unless a permitted role gives a reason, which is audited",
    "HOLD-BILL": "care goes on; nothing is billed until it is cleared",
    "WARN": "saved, with a visible flag",
    "TASK": "somebody has something to do by a date",
}


def entry(known: Rule, policy: Policy) -> dict[str, Any]:
    """One rule with the settings it reads as they stand in `policy`."""
    return {
        "id": known.id,
        "family": known.family,
        "severity": known.severity.value,
        "citation": known.citation,
        "verification": known.verification.value,
        "verify_before_go_live": known.verify_before_go_live,
        "sentence": known.sentence,
        "sentence_zh": known.sentence_zh,
        "asked_on": [occasion.value for occasion in known.asked_on],
        "settings": [
            {
                "key": setting.key,
                "value": plain(setting.value),
                "source": setting.source,
                "effective_from": setting.effective_from,
                "verification": setting.verification,
            }
            for setting in (policy.settings[key] for key in known.settings)
        ],
    }


def plain(value: object) -> str:
    """A setting's value as people read it; sets are sorted, so that it is the same each time."""
    if isinstance(value, frozenset | set):
        return ", ".join(sorted(map(plain, value)))
    if isinstance(value, tuple | list):
        return ", ".join(map(plain, value))
    if isinstance(value, dict):
        return "; ".join(f"{plain(key)}: {plain(one)}" for key, one in value.items())
    return str(value)


def document(policy: Policy) -> str:
    """The page `docs/rules.md`, in Markdown."""
    lines = [
        "# The rules",
        "",
        f"{len(RULES)} rules, of them to be verified: {sum(known.verify_before_go_live for known in RULES.values())}.",
        "",
        "Written by `make rules` from what the product asks; do not edit. Not legal advice.",
        "",
        "| Severity | What the product does |",
        "| --- | --- |",
        *(f"| {word} | {meaning} |" for word, meaning in SEVERITIES.items()),
        "",
        "| Mark | How well the source was checked |",
        "| --- | --- |",
        *(f"| {mark.value} | {meaning} |" for mark, meaning in MARKS.items()),
        "",
    ]
    for family, rules in by_family().items():
        lines += [f"## {family.capitalize()}", ""]
        for known in rules:
            lines += _paragraph(known, policy)
    lines += [
        "## Conventions",
        "",
        "What the rule book sets down and no function asks of facts. What nobody keeps is not there yet.",
        "",
        "| Name | Section | Sentence | 繁體中文 | Source | Mark | Kept by |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {one.id} | {one.section} | {one.sentence} | {one.sentence_zh} | {one.citation} | "
            f"{one.verification.value} | {', '.join(f'`{name}`' for name in one.kept_by) or 'nobody'} |"
            for one in CONVENTIONS
        ),
        "",
    ]
    return "\n".join(lines)


def _paragraph(known: Rule, policy: Policy) -> list[str]:
    mark = f"{known.verification.value}: {MARKS[known.verification]}"
    lines = [
        f"### {known.id}",
        "",
        known.sentence,
        "",
        known.sentence_zh,
        "",
        f"- Severity: {known.severity.value}",
        f"- Source: {known.citation} ({f'**{mark}**' if known.verify_before_go_live else mark})",
        f"- Asked on: {', '.join(occasion.value for occasion in known.asked_on)}",
    ]
    for setting in (policy.settings[key] for key in known.settings):
        lines.append(
            f"- `{setting.key}` = {plain(setting.value)} ({setting.source}; since {setting.effective_from}, "
            f"{setting.verification})"
        )
    return [*lines, ""]
