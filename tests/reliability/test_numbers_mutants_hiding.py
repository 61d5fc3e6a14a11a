"""Hiding and the attack on it by hand and by law: what mutation testing asked for beside the whole release."""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from evalkit.load.dataset import open_dataset
from evalkit.metrics import rollup, suppress
from evalkit.metrics.indicators import assemble
from evalkit.metrics.suppress import cells, primary
from evalkit.metrics.suppress.system import system
from evalkit.present import attack, disclose
from evalkit.present.attack.bounds import System

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "load"))
from dataset_sample import tables, write
from suppress_sample import COMMUNES, decided, decided_with_cells, interval, province

NAN = float("nan")
PER_YEAR = (
    "outstanding",
    "lent",
    "collected",
    "written_off",
    "current",
    "overdue",
    "frozen",
    "extended",
    "loans",
)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Two communes of one district and province, five years of credit, six reviews, four of them with flows."""
    given = tables()
    review = given["poverty"].sort_values(["code", "standard", "year"])
    before = review.groupby(["code", "standard"])["poor"].shift()
    flows = {
        "escaped": before * 0 + 30,
        "fell_back": before * 0 + 4,
        "newly_poor": review["poor"] - before + 26,
    }
    credit = given["credit"]
    repaid = (credit["collected_vnd"] * 0.9).astype("int64")  # the rest of what left the books is written off
    given["credit"] = credit.assign(collected_vnd=repaid, written_off_vnd=credit["collected_vnd"] - repaid)
    given["poverty"] = review.assign(
        **{name: flow.astype("Int64") for name, flow in flows.items()}
    ).sort_index()
    dataset = open_dataset(write(tmp_path_factory.mktemp("sample") / "d", **given))
    return system(assemble(dataset), rollup.with_areas(dataset.places))


def kinds(sample, where):
    names = sample.cells["expr"].str.split("@").str[0].to_numpy()
    rows = [sample.relations[i].indices for i in np.flatnonzero(where)]
    return Counter(" ".join(sorted({names[j] for j in row})) for row in rows if len(row))


def test_what_is_said_of_the_cells_is_true_of_the_tables(sample):
    value = sample.cells["value"].to_numpy(float)
    left = sample.relations @ value
    wrong = np.abs(left) > 1e-9 * (np.abs(sample.relations) @ np.abs(value))
    # What the households of the year before come to is printed nowhere: the sum is constant, and not 0.
    assert kinds(sample, wrong) == {"not_poor_before poor_before": 8}
    assert set(left[wrong]) == {-2000, -2010, -2020, -2030}


def test_every_sum_that_a_reader_could_take_is_among_the_relations(sample):
    found = kinds(sample, np.ones(sample.relations.shape[0], bool))
    communes, areas, years, reviews, flows = 2, 2, 5, 6, 4
    wanted = dict.fromkeys(PER_YEAR, areas * years)
    wanted |= dict.fromkeys(("poor", "near_poor", "poor+near_poor"), areas * reviews)
    wanted |= dict.fromkeys(
        ("escaped", "fell_back", "newly_poor", "poor_before", "outstanding_before"), areas * flows
    )
    wanted |= {
        "current extended frozen outstanding overdue": communes * years,
        "frozen overdue overdue+frozen": communes * years,
        "extended frozen overdue overdue+frozen+extended": communes * years,
        "outstanding_water water": communes * years,
        "near_poor poor poor+near_poor": communes * reviews,
        "escaped fell_back newly_poor poor poor_before": communes * flows,
        "collected lent outstanding outstanding_before written_off": communes * flows,
        "outstanding outstanding_before outstanding_mean": communes * flows,
        "poor poor_before": communes * flows,
        "outstanding outstanding_before": communes * flows,
        "borrower_households borrowers_most": communes * years,
    }
    assert {name: found[name] for name in wanted} == wanted
    rest = {name: count for name, count in found.items() if "rest of" in name}
    assert rest["households poor rest of poverty_rate_pct"] == (communes + areas) * reviews
    assert rest["escaped poor_before rest of exit_rate_pct"] == (communes + areas) * flows
    assert sample.cells.loc[~sample.cells["printed"], "value"].ge(0).all()


def test_each_quantity_is_one_cell_however_often_it_is_printed(sample):
    printed = sample.cells[sample.cells["printed"]]
    assert not printed.duplicated(["place", "year", "standard", "expr"]).any()
    assert (
        printed.loc[printed["expr"] == "poor", ["place", "year", "standard"]].drop_duplicates().shape[0] == 24
    )


@pytest.mark.parametrize(
    ("poor", "hidden"),
    [
        ([2, 40, 60, 50, 20, 30], {0: "primary", 1: "secondary"}),
        ([2, 60, 40, 50, 20, 30], {0: "primary", 2: "secondary"}),  # the smaller of the two is enough
        ([2, 5, 60, 50, 20, 30], {0: "primary", 1: "secondary"}),
        ([2, 3, 60, 50, 20, 30], {0: "primary", 1: "primary", 2: "secondary"}),  # 5 more is sought first
        ([1, 3, 60, 50, 20, 30], {0: "primary", 1: "primary", 2: "secondary"}),  # 0 to 4 is too narrow
        ([50, 20, 30, 4, 60, 7], {3: "primary", 5: "secondary"}),
        ([2, 40, 60, 50, 20, 3], {0: "primary", 1: "secondary", 5: "primary", 4: "secondary"}),
        ([298, 40, 60, 50, 20, 30], {0: "primary", 1: "secondary"}),  # two that are not poor
        ([300, 40, 60, 50, 20, 30], {}),
        ([5, 40, 60, 50, 20, 295], {}),
    ],
    ids=str,
)
def test_what_is_hidden_beside_a_small_count_by_hand(poor, hidden):
    rows = decided(poor)
    for name in ("poor_households", "poverty_rate_pct"):
        found = rows[(rows["indicator"] == name) & rows["hidden"].ne("")].set_index("place")["hidden"]
        assert set(found.index) == {f"1000{i}" for i in hidden}, name
    counts = rows[rows["indicator"] == "poor_households"].set_index("place")["hidden"]
    small = {i for i, n in enumerate(poor) if 0 < n < 5}
    assert {i for i in range(COMMUNES) if counts[f"1000{i}"] == "primary"} >= small


@pytest.mark.parametrize("poor", [[2, 40, 60, 50, 20, 30], [1, 3, 9, 50, 20, 30]], ids=str)
def test_the_attack_reaches_the_ends_that_another_programme_finds(poor):
    rows, sensitive, units = decided_with_cells(poor)
    sensitive = sensitive[sensitive["expr"] == "poor"].iloc[:1]
    place = sensitive["place"].iloc[0]
    told = rows.assign(hidden=rows["hidden"].where(rows["place"] == place, ""))
    two = rows.assign(hidden=rows["hidden"].where(rows["place"].isin(["10000", "10001"]), ""))
    for release, given_away in ((rows, False), (told, True), (two, sum(poor[:2]) < 5)):
        found = attack.intervals(suppress.shown(release), sensitive, units).iloc[0]
        low, high = interval(release, place)
        assert (found["lower"], found["upper"]) == pytest.approx((low, high), abs=1e-3)
        assert found["disclosed"] == given_away


def bounds(equations, total, firm, target, width):
    atoms = pd.DataFrame({"place": range(len(equations[0]))})
    made = System(
        atoms, sparse.csr_matrix(np.array(equations, float)), np.array(total, float), np.array(firm)
    )
    low, high = made.bound(sparse.csr_matrix(np.array(target, float)), np.array(width, float))
    return low.tolist(), high.tolist()


def test_bounds_of_sums_by_hand():
    # x + y = 10; x + y + z = 13: z is known, x and y lie between 0 and 10.
    low, high = bounds([[1, 1, 0], [1, 1, 1]], [10, 13], [True, True], [[1, 0, 0], [0, 0, 1]], [5, 5])
    assert low == pytest.approx([0, 3], abs=1e-3)
    assert high == pytest.approx([10, 3], abs=1e-3)


def test_a_single_printed_figure_is_known_and_a_trusted_one_gives_way_to_it():
    low, high = bounds([[1, 0], [1, 1]], [4, 10], [True, True], [[1, 0], [0, 1]], [5, 5])
    assert low == pytest.approx([4, 6], abs=1e-3)
    assert high == pytest.approx([4, 6], abs=1e-3)
    # Printed: x + y = 10. Only trusted, and against it: x + y = 12.
    low, high = bounds([[1, 1], [1, 1], [1, 0]], [12, 10, 4], [False, True, False], [[0, 1]], [5])
    assert low == pytest.approx([6], abs=1e-2)
    assert high == pytest.approx([6], abs=1e-2)


def test_money_is_bounded_in_millions_as_in_units():
    for scale in (1.0, 1e9):
        low, high = bounds([[1, 1, 1]], [12 * scale], [True], [[1, 1, 0]], [5 * scale])
        assert low[0] == pytest.approx(0, abs=1e-3 * scale)
        assert high[0] == pytest.approx(12 * scale, rel=1e-3)


def test_keys_tell_apart_what_differs_in_one_part_and_nothing_else():
    keys = cells.Keys(["a", "b", "c"], ["s", "t"], ["x", "y", "z"])
    parts = [(p, y, s, e) for p in "abc" for y in (2019, 2020) for s in "st" for e in "xyz"]
    place, year, standard, expr = (list(column) for column in zip(*parts, strict=True))
    found = keys.of(place, year, standard, expr)
    assert len(set(found)) == len(parts)
    assert (found >= 0).all()
    for unknown in (("d", "s", "x"), ("a", "u", "x"), ("a", "s", "w")):
        assert keys.of([unknown[0]], [2019], [unknown[1]], [unknown[2]]).tolist() == [-1]
    assert keys.of(["a"], [2019], "s", "x").tolist() == found[:1].tolist()


def test_published_counts_of_few_and_what_they_leave_of_few():
    row = {"unit": "households", "basis": None, "value": 3.0, "numerator": NAN, "denominator": NAN}
    share = {"unit": "percent", "value": 50.0, "numerator": 150.0, "denominator": 300.0}
    rows = [
        row,
        row | {"value": 5.0},
        row | {"value": 0.0},
        row | {"unit": "VND"},
        row | share,
        row | share | {"numerator": 298.0},
        row | share | {"numerator": 2.0},
        row | share | {"numerator": 300.0},
        row | share | {"numerator": 295.0},
    ]
    found = suppress._few(pd.DataFrame(rows), 5)
    assert found.tolist() == [True, False, False, False, False, True, True, False, False]


def test_only_dated_rows_of_the_data_sets_own_tables_are_decided_as_one_system():
    rows = pd.DataFrame({"source": ["credit", "credit; poverty", "https://page", "facts", None, "credit"]})
    rows["year"] = [2020, 2020, 2020, 2020, 2020, None]
    assert suppress.from_tables(rows).tolist() == [True, True, False, False, False, False]


def test_money_of_groups_with_few_members_is_hidden_with_that_of_the_areas_above():
    units = rollup.with_areas(province([9] * COMMUNES)[2])
    groups = {"place": ["10000", "10000", "10001"], "year": 2020, "union": ["women", "youth", "women"]}
    groups = pd.DataFrame(groups).assign(members=[30.0, 4.0, 30.0])
    names = ("entrusted_share_youth_union_pct", "entrusted_share_women_union_pct", "members_per_group")
    at = [(p, y, n) for p in ("10000", "10001", "100", "101", "10") for y in (2020, 2021) for n in names]
    rows = pd.DataFrame(at, columns=["place", "year", "indicator"]).assign(source="groups")
    hidden = rows[primary.money_of_few_members(rows, groups, units, 5)]
    unions = {(p, 2020, n) for p in ("10000", "100", "10") for n in names[:2]}
    assert set(hidden.itertuples(index=False, name=None)) == {(*at, "groups") for at in unions}
    assert not primary.money_of_few_members(rows, groups.assign(members=30.0), units, 5).any()
    assert not primary.money_of_few_members(rows, groups.assign(members=0.0), units, 5).any()


def test_a_place_shows_the_years_of_its_figures_and_what_it_became():
    nothing = pd.DataFrame()
    unit = pd.Series({"name": "A", "place": "a", "district": "D", "province": None})
    rows = pd.DataFrame({"year": [2019.0, 2021.0, NAN]})
    place = disclose.Place(unit, rows, nothing, nothing, nothing, nothing, nothing, (), None, {}, "public")
    assert "3 figures, 2019–2021" in place._repr_html_()
    assert "A (a; D)" in repr(place)


def test_findings_on_a_table_with_a_hidden_row_are_not_shown():
    findings = pd.DataFrame(
        {"place": ["a", "a", "b", "a"], "table": ["credit", "poverty", "credit", "income"]}
    )
    findings = findings.assign(file="x.csv", message="m", rule="r", severity="warning")
    rows = pd.DataFrame({"place": ["a", "a", "b"], "source": ["credit; poverty", "income", "credit"]})
    rows["hidden"] = ["secondary", "", ""]
    kept = disclose._quoting_nothing_hidden(findings, rows)
    assert set(zip(kept["place"], kept["table"], strict=True)) == {("b", "credit"), ("a", "income")}
