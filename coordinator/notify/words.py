"""What a notice says, in one table: a sentence per kind, filled at the door with codes and ids, never with a name.

English is here, Traditional Chinese in `words_zh`; what is not translated is said in English behind a visible mark.
"""

from collections.abc import Mapping
from typing import Any

from coordinator.deadlines import words_zh as deadlines_zh
from coordinator.deadlines.words import about, fill
from coordinator.deadlines.words import sentence as deadline
from coordinator.notify import words_zh

#: Stands before words that nobody has written in the reader's language yet.
NOT_TRANSLATED = "［未有譯文 · not translated］"

KINDS: dict[str, str] = {
    "referral.accepted": "Referral {referral} was accepted: book the initial visit of patient {patient}{due}.",
    "hold.expired": "The slot on {day} that was held for referral {referral} is held no longer: its time was up.",
    "order.sent": "Order {order} ({discipline}) waits for your signature.",
    "order.amended": "The practitioner changed order {order} ({discipline}) before signing it: read what it says now.",
    "order.signed": "Order {order} ({discipline}) was signed.",
    "order.declined": "Order {order} ({discipline}) was declined: {reason}. Its new draft is order {replacement}.",
    "visit.missed": "Visit {visit} ({discipline}) of patient {patient} was missed: {reason}.",
    "visit.decide": "Visit {visit} ({discipline}) of patient {patient} was missed: {reason}. Decide what follows.",
    "visit.decided": "The practitioner decided about missed visit {visit}: {decision}.",
    "visit.given": "Visit {visit} on {day} is yours now.",
    "visit.moved": "Visit {visit} was moved; it is on {day} now.",
    "visit.taken": "Visit {visit} is no longer yours.",
    "visit.cancelled": "Visit {visit} on {day} was cancelled.",
    "visit.unheard": "Nobody has heard from the clinician of visit {visit}, due to {stage} it by {due}. Ring now.",
    "visit.late": "The clinician of visit {visit} comes about {minutes} minutes late. Tell the family.",
    "directives.differ": "Documents of patient {patient} differ about resuscitation: settle today which holds.",
    "plan.changed": "The plan of care of patient {patient} was changed: look whether you agree.",
    "visit.proposed": "A score of patient {patient} proposes an as-needed {discipline} visit under the order.",
    "visit.asked": "A score of patient {patient} asks for a {discipline} visit, and no order has one left: order it?",
    "family.tell": "Tell the family of patient {patient}: a visit has changed (notice {notice}, in {language}).",
    "safety.opened": "The safety protocol is open for patient {patient}: act now.",
    "roster.published": "Your roster was published (plan {run}).",
    "repair.waits": "Repair {repair} waits for you: approving it takes what only your role includes.",
    "roster.repaired": "Your roster was changed (repair {repair}).",
    "note.to-you": "Note {note} is addressed to you.",
    "task.yours": "Task {task} is on your list. It is due on {due_on}.",
    "task.late": "Task {task} was due on {due_on} and is not done.",
    "deadline.reminder": "{what} It is due on {due_on} ({rule}, {about}).",
    "deadline.warning": "{what} It is due soon, on {due_on} ({rule}, {about}).",
    "deadline.overdue": "{what} It is overdue since {due_on} ({rule}, {about}).",
}


def sentence(kind: str, facts: Mapping[str, Any], language: str = "en") -> str:
    """The notice as a sentence; a kind that is not known speaks its name. Of a deadline, it says what is to be done."""
    english = fill(KINDS.get(kind, kind), {**facts, "what": deadline(facts)})
    if language == "en":
        return english
    if language != "zh-Hant" or kind not in words_zh.KINDS:
        return f"{NOT_TRANSLATED} {english}"
    told = {name: _in_chinese(name, value) for name, value in facts.items()}
    return fill(words_zh.KINDS[kind], {**told, "what": obligation(facts, language)})


def obligation(facts: Mapping[str, Any], language: str = "en") -> str:
    """What a deadline asks, as a sentence; in English behind a mark where the language has none for it."""
    if language == "en":
        return deadline(facts)
    text = deadlines_zh.TASKS.get(str(facts.get("task"))) if language == "zh-Hant" else None
    if text is None:
        return f"{NOT_TRANSLATED} {deadline(facts)}"
    return fill(text, {name: _in_chinese(name, value) for name, value in facts.items()})


def _in_chinese(name: str, value: Any) -> Any:
    """A fact in Chinese where there are words for it, else as it is."""
    if name == "about":
        noun, _, number = about(str(value)).partition(" ")
        return f"{words_zh.NOUNS.get(noun, noun)} {number}".strip()
    if name == "due" and str(value).startswith(" by "):
        return f"（{str(value)[4:]} 前）"
    return words_zh.SAID.get(name, {}).get(str(value), value)


#: Kind of message -> language -> its subject and its text. They say that something waits, never what.
_LETTERS: dict[str, dict[str, tuple[str, str]]] = {
    "notice": {
        "en": (
            "Something waits for you in the coordinator",
            "Coordinator: notice {number} waits for you. Sign in to read it.\n",
        ),
        "zh-Hant": ("協調系統有待您處理的事項", "協調系統：通知 {number} 待您查閱。請登入系統閱讀。\n"),
    },
    "digest": {
        "en": ("Your notices of today in the coordinator", "Notices wait for you. Sign in to read them.\n"),
        "zh-Hant": ("協調系統今日通知", "有通知待您查閱。請登入系統閱讀。\n"),
    },
    "roles": {
        "en": (
            "Something came for your role in the coordinator",
            "Notices for a role of yours wait. Sign in to read them.\n",
        ),
        "zh-Hant": ("協調系統有給您職務的通知", "有給您職務的通知待查閱。請登入系統閱讀。\n"),
    },
}
LETTER_LANGUAGES = ("en", "zh-Hant")


def letter_words(kind: str, number: int | None, language: str, link: str | None = None) -> tuple[str, str]:
    """The subject and the text of a message, with the link on a line of its own; English, marked, where need be."""
    said = _LETTERS[kind]
    subject, text = said.get(language) or tuple(f"{NOT_TRANSLATED} {words}" for words in said["en"])
    return subject, text.format(number=number) + (f"\n{link}\n" if link else "")
