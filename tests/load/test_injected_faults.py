"""Each named check against a fault of its kind, put into one district of the simulated province and found there."""

from pathlib import Path

import pandas as pd
import pytest
from dataset_sample import rules, write

from evalkit import simulate
from evalkit.load import rule_list
from evalkit.load.dataset import check

PROVINCE = Path(__file__).resolve().parents[2] / "data" / "simulated-province"
DISTRICT = "901"
TABLES = ("communes", "credit", "groups", "poverty", "income")
SETTINGS = '[title]\nvi = "a"\nen = "a"\n[data]\nreal = false\nyears = [2012, 2024]\n'


def changed(table, column, value, **at):
    """A fault that puts ``value``, or what it makes of the old one, into one cell; ``at`` names the row."""

    def put(frames):
        frame = frames[table]
        hit = frame.index[(frame[list(at)] == pd.Series(at)).all(axis=1)][0]
        frame.loc[hit, column] = value(frame.loc[hit, column]) if callable(value) else value
        return table, hit

    return put


def added(table, source, **changes):
    """A fault that adds a row like the one of ``source``, with other values."""

    def put(frames):
        frame = frames[table]
        row = frame[(frame[list(source)] == pd.Series(source)).all(axis=1)].iloc[[0]].assign(**changes)
        frames[table] = pd.concat([frame, row], ignore_index=True)
        return table, len(frame)

    return put


def without_households(frames):
    """The two printed rates of a review without its total: 3.5 % and 41,041 beside 7.35 % and 75,389."""
    at = {"code": "99051", "year": "2018"}
    for column, value in {
        "households": "",
        "poor": "41041",
        "poor_pct": "4.11",
        "near_poor": "75389",
        "near_poor_pct": "7.35",
    }.items():
        where = changed("poverty", column, value, **at)(frames)
    return where


def times(factor):
    return lambda text: str(round(float(text) * factor))


def of(code, year, **more):
    return {"code": code, "year": str(year), **more}


def thousandth_of_credit(frames):
    """The whole credit of one commune in thousands of đồng; the first of its rows is named."""
    credit = frames["credit"]
    own = credit["code"] == "99069"
    for column in (name for name in credit if name.endswith("_vnd")):
        credit.loc[own & (credit[column] != ""), column] = credit[column].map(lambda text: text[:-3])
    return "credit", credit.index[own][0]


def first_row(table, **at):
    """The first row of ``at`` in a table from which another one is gone."""

    def put(frames):
        return table, frames[table].index[(frames[table][list(at)] == pd.Series(at)).all(axis=1)][0]

    return put


POOR, TOTAL = {"programme": "poor"}, {"programme": "total"}
FAULTS = {
    "not_allowed": changed("groups", "union", "womn", **of("99003", 2015)),
    "missing_value": changed("poverty", "poor", "", **of("99003", 2016)),
    "duplicate_key": added("poverty", of("99006", 2017), near_poor="51"),
    "out_of_bounds": changed("poverty", "poor_pct", "101", **of("99009", 2017)),
    "in_future": added("income", of("99009", 2022), year="2095"),
    "unknown_place": added("income", of("99009", 2019), code="99999"),
    "place_not_valid": added("income", of("99021", 2018), year="2022"),
    "code_under_other_name": changed("income", "Tên xã", "An Long", **of("99018", 2021)),
    "name_differs": changed("income", "Tên xã", "Một Nơi Khác", **of("99012", 2021)),
    "units_overlap": changed("communes", "valid_from", "2019-06-30", code="99066", valid_from="2020-01-01"),
    "counted_twice": added("credit", of("99021", 2019, **TOTAL), year="2020"),
    "stock_flow": changed("credit", "collected_vnd", times(1.5), **of("99012", 2016, **POOR)),
    "sum_mismatch": changed("credit", "lent_vnd", times(1.2), **of("99015", 2016, **TOTAL)),
    "missing_total": first_row("credit", **of("99057", 2018)),
    "part_exceeds_whole": changed("credit", "frozen_vnd", "999000000000", **of("99024", 2016, **POOR)),
    "group_size": changed("groups", "members", "75", **of("99027", 2016)),
    "groups_against_credit": None,
    "ratio_mismatch": changed(
        "poverty", "poor_pct", lambda text: f"{float(text) / 10:.2f}", **of("99030", 2016)
    ),
    "different_denominators": without_households,
    "bridge_households": changed(
        "poverty", "households", times(1.1), **of("99033", 2015, standard="2016-2020")
    ),
    "review_flow": changed("poverty", "escaped", "90", **of("99036", 2018)),
    "jump_thousand": changed("credit", "outstanding_vnd", times(0.001), **of("99039", 2016, **POOR)),
    "fast_growth": changed("income", "income_vnd", times(3), **of("99042", 2016)),
    "standard_not_in_force": changed("poverty", "standard", "2011-2015", **of("99045", 2018)),
    "implausible_average": changed("credit", "borrowers", "1", **of("99048", 2022, **POOR)),
    "small_average": thousandth_of_credit,
    "households_jump": changed("poverty", "households", times(1.4), **of("99051", 2021)),
}


@pytest.fixture(scope="module")
def district():
    frames = {
        name: pd.read_csv(PROVINCE / f"{name}.csv", dtype=str, keep_default_na=False) for name in TABLES
    }
    codes = frames["communes"].loc[frames["communes"]["district_code"] == DISTRICT, "code"]
    frames = {name: frame[frame["code"].isin(codes)].reset_index(drop=True) for name, frame in frames.items()}
    frames["income"]["Tên xã"] = ""
    return frames


@pytest.fixture(scope="module")
def spoiled(district, tmp_path_factory):
    """(findings, {rule: (table, row of the file)}) of the district with every fault at once."""
    frames = {name: frame.copy() for name, frame in district.items()}
    frames["groups"] = frames["groups"][
        ~((frames["groups"]["code"] == "99054") & (frames["groups"].index % 3 > 0))
    ]
    credit, gone = frames["credit"], pd.Series(of("99057", 2018, **TOTAL))
    frames["credit"] = credit[~(credit[list(gone.index)] == gone).all(axis=1)].reset_index(drop=True)
    frames["groups"] = frames["groups"].reset_index(drop=True)
    where = {rule: put(frames) for rule, put in FAULTS.items() if put}
    found = check(write(tmp_path_factory.mktemp("spoiled") / "d", settings=SETTINGS, **frames))
    return found, {rule: (f"{table}.csv", index + 2) for rule, (table, index) in where.items()}


def test_the_district_by_itself_is_sound(district, tmp_path):
    found = check(write(tmp_path / "d", settings=SETTINGS, **district))
    assert rules(found) <= {"heaping"}, found["message"].tolist()


@pytest.mark.parametrize("rule", FAULTS)
def test_a_fault_is_found_where_it_stands(spoiled, rule):
    found, where = spoiled
    hits = found[found["rule"] == rule]
    assert len(hits), rules(found)
    if rule in where:
        assert where[rule] in set(hits[["file", "row"]].itertuples(index=False, name=None)), hits.to_string()


def test_heaping_is_found_where_communes_heap_and_only_there(tmp_path):
    every = simulate.Difficulties()
    for name, difficulties in (("heaped", every), ("honest", simulate.Difficulties.only("mergers_2020"))):
        province = simulate.draw(tables=("communes", "income"), seed=1, difficulties=difficulties)
        frames = {table: province[table] for table in ("communes", "income")}
        found = check(write(tmp_path / name, settings=SETTINGS, **frames))
        assert ("heaping" in rules(found)) == (name == "heaped")


def test_the_page_names_these_checks():
    assert {rule for _, named in rule_list.NAMED for rule in named} - {"heaping", "wrong_kind"} == set(FAULTS)
