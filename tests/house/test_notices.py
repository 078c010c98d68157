"""Whoever adds a notice adds its Chinese: a missing one fails the build, here, where everybody's landing looks."""

import re

from coordinator.deadlines import words_zh as deadlines_zh
from coordinator.deadlines.words import SAID, TASKS
from coordinator.domain.family import FamilyLanguage
from coordinator.domain.vocabulary import Discipline
from coordinator.notify import words, words_zh


def test_every_obligation_is_said_in_chinese_with_the_same_facts() -> None:
    assert deadlines_zh.TASKS.keys() == TASKS.keys()
    for task, said in TASKS.items():
        facts = set(re.findall(r"\{(\w+)\}", said.sentence))
        assert set(re.findall(r"\{(\w+)\}", deadlines_zh.TASKS[task])) == facts, task


def test_every_notice_and_every_code_in_it_is_said_in_chinese() -> None:
    assert words_zh.KINDS.keys() == words.KINDS.keys()
    for kind, said in words.KINDS.items():
        assert set(re.findall(r"\{(\w+)\}", words_zh.KINDS[kind])) == set(re.findall(r"\{(\w+)\}", said)), kind
    for name in ("reason", "decision"):
        assert words_zh.SAID[name].keys() == SAID[name].keys()
    assert words_zh.SAID["discipline"].keys() == set(Discipline)
    assert words_zh.SAID["language"].keys() == set(FamilyLanguage)
