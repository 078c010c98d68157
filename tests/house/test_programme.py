"""The table of the founding pages is whole, and each test that it names exists."""

import ast
import re

from coordinator.core.settings import ROOT

ROWS = (
    *(f"K-0{number}" for number in range(1, 5)), *(f"K-C{number}" for number in range(1, 10)), "K-T0",
    *(f"K-N{number}" for number in range(5)), "K-R1", "K-S0", "K-S1", "K-S2", "K-A0", "K-A1",
    "S1-M1", "S1-M2", "S1-V0", "S1-V1", "S1-Q1", "S1-I1", *(f"S1-P{number}" for number in range(1, 7)), "S1-T2",
    "S1-T3", "S1-L1", *(f"S1-S{number}" for number in range(4)), *(f"PR-{number}" for number in range(1, 6)),
    "S1-C0", "CS-1", "CS-1b", "CS-1b2", "CS-1c", "CS-1d", "CS-1e", "CS-2", *(f"E-{number}" for number in range(1, 12)),
    "F-languages", "F-settings", "F-organisations", "F-program", "F-education",
    *(f"F-{number}" for number in range(1, 8)),
)  # fmt: skip
TABLE = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "programme.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| (K|S1|PR|CS|E|F)-", line)
]


def test_every_row_of_the_pages_is_in_the_table_once() -> None:
    assert [row[0] for row in TABLE] == list(ROWS)
    assert all(len(row) == 4 and all(row) for row in TABLE)


def test_every_test_that_the_table_names_exists() -> None:
    missing = []
    for row in TABLE:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row[3])
        assert named or row[3] in {"not yet", "nothing to test"}, row[0]
        for path, name in named:
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            if name not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
                missing.append(f"{row[0]}: {path}::{name}")
    assert missing == []
