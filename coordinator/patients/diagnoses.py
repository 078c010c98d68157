"""The codes of ICD-10-CM: 98,000 of them, in a library that takes two seconds to read its table.

So it is read when the first code is looked up, not when the program starts: no command, worker or clock waits for codes
that it never looks up. A server reads it beside, while it begins to serve (`load`).
"""

from functools import cache
from importlib import import_module
from types import ModuleType

from coordinator.core.errors import Invalid


@cache
def load() -> ModuleType:
    """The table of codes, read once in a process; two at once read it once, since an import is locked."""
    return import_module("simple_icd_10_cm")


def diagnosis_code(code: str, pointer: str) -> tuple[str, str]:
    """The ICD-10-CM code with its dot, and its title; Invalid if there is no such code or it needs more characters."""
    icd = load()
    plain = code.strip().upper()
    if not icd.is_valid_item(plain) or not icd.is_category_or_subcategory(plain):
        raise Invalid("There is no such ICD-10-CM code.", pointer=pointer, code="unknown-diagnosis-code")
    plain = icd.add_dot(icd.remove_dot(plain))
    if not icd.is_leaf(plain):
        raise Invalid(
            "This ICD-10-CM code is only a heading; choose the more specific code below it.",
            pointer=pointer,
            code="diagnosis-code-incomplete",
        )
    return plain, str(icd.get_description(plain))[:300]
