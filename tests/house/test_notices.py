"""Whoever adds a notice adds its Chinese: a missing one fails the build, here, where everybody's landing looks."""

import re

from coordinator.deadlines.words import SAID
from coordinator.domain.family import FamilyLanguage
from coordinator.domain.vocabulary import Discipline
from coordinator.notify import words, words_zh


def test_every_notice_and_every_code_in_it_is_said_in_chinese() -> None:
    assert words_zh.KINDS.keys() == words.KINDS.keys()
    for kind, said in words.KINDS.items():
        assert set(re.findall(r"\{(\w+)\}", words_zh.KINDS[kind])) == set(re.findall(r"\{(\w+)\}", said)), kind
    for name in ("reason", "decision"):
        assert words_zh.SAID[name].keys() == SAID[name].keys()
    assert words_zh.SAID["discipline"].keys() == set(Discipline)
    assert words_zh.SAID["language"].keys() == set(FamilyLanguage)
