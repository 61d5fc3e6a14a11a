"""Rules of published facts: each fires on a figure that can't be, and not on one that can."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from babel.messages.pofile import read_po
from dataset_sample import facts, rules, write

from evalkit.load import rule_list
from evalkit.load.dataset import check
from evalkit.load.findings import RULES, SECTIONS, finding
from evalkit.load.titles import TITLES

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = {
    "file": "credit.csv",
    "row": 7,
    "column": "outstanding_vnd",
    "value": 26_500_000_000.0,
    "date": pd.Timestamp("2020-01-01"),
    "start": pd.Timestamp("2020-01-01"),
    "end": pd.NaT,
}


def names_in(sentence):
    return set(re.findall(r"{(\w+)}", sentence))


@pytest.mark.parametrize("rule", RULES)
def test_every_sentence_can_be_filled(rule):
    given = {name: ARGUMENTS.get(name, f"<{name}>") for name in names_in(RULES[rule]) | {"file"}}
    said = finding("note", rule, **given)
    assert "{" not in said["message"]
    for name in names_in(RULES[rule]) - set(ARGUMENTS):
        assert f"<{name}>" in said["message"]
    assert names_in(RULES[rule]) <= set(json.loads(said["arguments"]))


def translations():
    with (ROOT / "src/evalkit/present/locale/vi.po").open("rb") as file:
        return {m.id: m.string for m in read_po(file, locale="vi") if m.id and m.string}


def test_every_rule_has_a_title():
    assert list(TITLES) == list(RULES)


@pytest.mark.parametrize("sentence", [*SECTIONS, *TITLES.values(), *RULES.values()])
def test_every_sentence_has_its_vietnamese(sentence):
    vietnamese = translations()[sentence]
    assert names_in(vietnamese) == names_in(sentence)


def test_the_list_of_checks_is_that_of_the_code():
    assert (ROOT / "docs" / "checks.md").read_text(encoding="utf-8") == rule_list.markdown()


COUNT, MONEY = {"unit": "households"}, {"unit": "VND"}


@pytest.mark.parametrize(
    ("rule", "wrong", "right"),
    [
        (
            "group_size",
            [
                {"indicator": "group_members", "value": "700"},
                {"indicator": "savings_loan_groups", "value": "10"},
            ],
            [
                {"indicator": "group_members", "value": "600"},
                {"indicator": "savings_loan_groups", "value": "10"},
            ],
        ),
        (
            "part_exceeds_whole",
            [
                {"indicator": "poor_households", "value": "90"},
                {"indicator": "households_total", "value": "80"},
            ],
            [
                {"indicator": "poor_households", "value": "80"},
                {"indicator": "households_total", "value": "80"},
            ],
        ),
        (
            "sum_mismatch",
            [
                {"indicator": f"groups_rated_{r}", "value": v}
                for r, v in zip(("good", "fair", "average", "weak"), "5432", strict=True)
            ]
            + [{"indicator": "savings_loan_groups", "value": "15"}],
            [
                {"indicator": f"groups_rated_{r}", "value": v}
                for r, v in zip(("good", "fair", "average", "weak"), "5432", strict=True)
            ]
            + [{"indicator": "savings_loan_groups", "value": "14"}],
        ),
        (
            "implausible_average",
            [
                {"indicator": "outstanding_loans_vnd", "value": "26500000000"} | MONEY,
                {"indicator": "borrower_households", "value": "61"} | COUNT,
            ],
            [
                {"indicator": "outstanding_loans_vnd", "value": "26500000000"} | MONEY,
                {"indicator": "borrower_households", "value": "614"} | COUNT,
            ],
        ),
        (
            "jump_thousand",
            [
                {"indicator": "outstanding_loans_vnd", "value": "26500000000", "as_of": "2021-12-31"} | MONEY,
                {"indicator": "outstanding_loans_vnd", "value": "28000000"} | MONEY,
            ],
            [
                {"indicator": "outstanding_loans_vnd", "value": "26500000000", "as_of": "2021-12-31"} | MONEY,
                {"indicator": "outstanding_loans_vnd", "value": "28000000000"} | MONEY,
            ],
        ),
        (
            "standard_not_in_force",
            [{"indicator": "poverty_rate_pct", "value": "5.1", "unit": "percent", "basis": "2011-2015"}],
            [{"indicator": "poverty_rate_pct", "value": "5.1", "unit": "percent", "basis": "2022-2025"}],
        ),
    ],
)
def test_rules_of_facts(tmp_path, rule, wrong, right):
    found = check(write(tmp_path / "wrong", facts=facts(*wrong)))
    assert rule in rules(found)
    assert found[found["rule"] == rule]["place"].eq("10001").all()
    assert rule not in rules(check(write(tmp_path / "right", facts=facts(*right))))


def test_a_figure_printed_as_over_is_no_contradiction(tmp_path):
    """ "Over 500" members in 10 groups may be any number above: only bounds that exclude the law are a finding."""
    rows = [
        {"indicator": "group_members", "value": "40", "qualifier": "over"},
        {"indicator": "savings_loan_groups", "value": "10"},
    ]
    assert "group_size" not in rules(check(write(tmp_path / "d", facts=facts(*rows))))
