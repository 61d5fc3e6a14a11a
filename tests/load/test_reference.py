"""The law as data: hand cases of each rule, laws of the classification, and the shape of every table."""

import ast
import json
import re
import shutil
import subprocess
import sys
from datetime import date
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.errors import BasisError, DataError
from evalkit.load import reference

ROOT = Path(__file__).resolve().parents[2]
TABLES = sorted(path.stem for path in reference.reference_folder().glob("*.csv"))
OF_FACTS = sorted(
    set(TABLES) - {"indicators", "data_requests", "legal_bases"}
)  # a vocabulary, a list of wishes and a translation state no fact
WITH_AMOUNTS = ("2006-2010", "2011-2015", "2016-2020", "2022-2025", "2027-2030")
PROGRAMMES = {
    *("poor", "near_poor", "escaped", "students"),
    *("water", "jobs", "difficult_area", "housing_poor"),
    *("social_housing", "ethnic_minority", "labour_export", "extreme_ethnic"),
    *("forestry", "traders", "ex_prisoners", "computers"),
}


@pytest.mark.parametrize(
    ("on", "area", "income", "deprivations", "expected"),
    [
        # QĐ 170/2005: income only, the amount itself is poor
        ("2009-06-30", "rural", 200_000, 0, "poor"),
        ("2009-06-30", "rural", 200_001, 9, "not_poor"),
        ("2009-06-30", "urban", 260_000, 0, "poor"),
        # QĐ 09/2011: "từ 400.000 đồng trở xuống"
        ("2014-12-31", "rural", 400_000, 0, "poor"),
        ("2014-12-31", "rural", 400_001, 10, "near_poor"),
        ("2014-12-31", "rural", 520_000, 0, "near_poor"),
        ("2014-12-31", "rural", 520_001, 0, "not_poor"),
        ("2014-12-31", "urban", 500_000, 0, "poor"),
        ("2014-12-31", "urban", 650_000, 0, "near_poor"),
        ("2014-12-31", "urban", 650_001, 0, "not_poor"),
        # QĐ 59/2015: income alone, or a higher income with three of ten deprivations
        ("2016-12-31", "rural", 700_000, 0, "poor"),
        ("2016-12-31", "rural", 700_001, 3, "poor"),
        ("2016-12-31", "rural", 700_001, 2, "near_poor"),
        ("2016-12-31", "rural", 1_000_000, 3, "poor"),
        ("2016-12-31", "rural", 1_000_000, 2, "near_poor"),
        ("2016-12-31", "rural", 1_000_001, 10, "not_poor"),
        ("2016-12-31", "urban", 900_000, 0, "poor"),
        ("2016-12-31", "urban", 1_300_000, 3, "poor"),
        ("2016-12-31", "urban", 1_300_000, 2, "near_poor"),
        ("2016-12-31", "urban", 1_300_001, 3, "not_poor"),
        # extended to the whole of 2021 (NĐ 07/2021, Điều 2)
        ("2021-12-31", "rural", 1_000_001, 10, "not_poor"),
        ("2022-01-01", "rural", 1_000_001, 10, "poor"),
        # NĐ 07/2021: income and deprivation; the press prints "either … or"
        ("2023-12-31", "rural", 1_500_000, 3, "poor"),
        ("2023-12-31", "rural", 1_500_000, 2, "near_poor"),
        ("2023-12-31", "rural", 300_000, 0, "near_poor"),
        ("2023-12-31", "rural", 1_500_001, 12, "not_poor"),
        ("2023-12-31", "urban", 2_000_000, 3, "poor"),
        ("2023-12-31", "urban", 2_000_001, 3, "not_poor"),
        # extended to the end of 2026
        ("2026-12-31", "rural", 1_500_001, 3, "not_poor"),
        ("2027-01-01", "rural", 2_200_000, 3, "poor"),
        ("2030-12-31", "rural", 2_200_000, 2, "near_poor"),
        ("2030-12-31", "urban", 2_800_000, 12, "poor"),
        ("2030-12-31", "urban", 2_800_001, 12, "not_poor"),
    ],
)
def test_hand_cases(on, area, income, deprivations, expected):
    standard = reference.standard_in_force(on)
    by_income_alone = pd.isna(reference.standards().of_deprivations[standard])
    for known in (deprivations, None) if by_income_alone else (deprivations,):
        assert reference.classify_households([area], [income], [known], standard=standard).item() == expected


def test_many_households_at_once_and_missing_values():
    found = reference.classify_households(
        ["rural", "rural", "rural", "rural", "urban", None],
        [650_000, 2_000_000, 800_000, None, 800_000, 1],
        [None, None, None, 10, None, 0],
        standard="2016-2020",
    )
    # income alone decides the first two; the others hang on what is missing, except urban 800,000
    assert found.fillna("missing").tolist() == ["poor", "not_poor", "missing", "missing", "poor", "missing"]


@pytest.mark.parametrize("standard", WITH_AMOUNTS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_poorer_household_is_never_classed_better_off(standard, data):
    order = {"poor": 0, "near_poor": 1, "not_poor": 2}
    income = data.draw(st.lists(st.integers(0, 4_000_000), min_size=2, max_size=2).map(sorted))
    lacked = data.draw(st.lists(st.integers(0, 10), min_size=2, max_size=2).map(sorted))
    area = data.draw(st.sampled_from(["rural", "urban"]))
    worse, better = reference.classify_households([area] * 2, income, lacked[::-1], standard=standard)
    assert order[worse] <= order[better]


@pytest.mark.parametrize(
    ("area", "deprivations", "message"),
    [("nông thôn", 1, "area"), ("rural", 13, "0 to 12"), ("rural", -1, "0 to 12")],
)
def test_households_that_cannot_be(area, deprivations, message):
    with pytest.raises(DataError, match=message):
        reference.classify_households([area], [1], [deprivations], standard="2022-2025")


def test_the_survey_line_classifies_nobody():
    with pytest.raises(DataError, match="no amounts"):
        reference.classify_households(["rural"], [1], [1], standard="2011-2015-cpi")


@pytest.mark.parametrize("year", [2010, 2015, 2021, 2026])
def test_a_bare_year_before_a_break_is_ambiguous(year):
    assert len(reference.standards_of_year(year)) == 2
    for on in (year, str(year)):
        with pytest.raises(BasisError, match=str(year)):
            reference.standard_in_force(on)
    assert str(year) in reference.why_ambiguous(year, "vi")
    assert reference.standard_in_force(date(year, 12, 31)) == reference.standards_of_year(year)[0]


def test_the_sentence_about_2021_names_both_standards():
    assert reference.standards_of_year(2021) == ("2016-2020", "2022-2025")
    vi, en = (reference.why_ambiguous(2021, lang) for lang in ("vi", "en"))
    assert "31/12/2021" in vi
    assert "01/01/2022" in vi
    assert "2016–2020 multidimensional" in en


@pytest.mark.parametrize(
    ("year", "standard"), [(2014, "2011-2015"), (2016, "2016-2020"), (2020, "2016-2020"), (2024, "2022-2025")]
)
def test_a_year_inside_a_period_is_certain(year, standard):
    assert reference.standard_in_force(year) == standard
    assert reference.why_ambiguous(year) == ""


@pytest.mark.parametrize("on", [2005, 2031, "1999-01-01", date(2031, 1, 1)])
def test_outside_all_periods_is_refused(on):
    with pytest.raises(BasisError, match="2006-01-01 to 2030-12-31"):
        reference.standard_in_force(on)


def test_a_standard_is_known_by_the_names_in_use():
    assert reference.standard_id("multidimensional 2016-2020 (QĐ 59/2015)") == "2016-2020"
    assert reference.standard_id("chuẩn nghèo đa chiều 2022–2025") == "2022-2025"
    assert reference.standard_id("2011-2015-cpi") == "2011-2015-cpi"
    with pytest.raises(BasisError, match="names none"):
        reference.standard_id("as published")


def test_the_basis_of_a_national_poverty_rate_names_its_standard():
    rows = reference.table("national_series").query("standard != ''")
    assert len(rows)
    assert [reference.standard_id(basis) for basis in rows["basis"]] == rows["standard"].tolist()


def test_breaks_between_years_and_days():
    poverty = reference.breaks_between("poverty", 2014, 2024)
    assert poverty["date"].dt.strftime("%Y-%m-%d").tolist() == ["2016-01-01", "2022-01-01"]
    assert reference.breaks_between("poverty", 2016, 2021).empty
    assert reference.breaks_between("credit", 2018, 2019)["date"].dt.strftime("%Y-%m-%d").tolist() == [
        "2019-03-01"
    ]
    assert reference.breaks_between("credit", "2019-03-01", "2019-12-31").empty
    with pytest.raises(DataError, match="poverty"):
        reference.breaks_between("prices", 2014, 2024)


def test_group_size_by_date():
    assert reference.group_size(2024) == (5, 60)
    assert reference.group_size(2005) == (5, None)
    with pytest.raises(DataError, match="no rule on members on 1999"):
        reference.group_size(1999)


def test_price_index_gives_the_known_real_values_of_the_2011_rural_line():
    """400 thousand of 2011 were 487, 500 and 598 thousand in 2015, 2016 and 2022 (World Bank changes)."""
    index = reference.price_index(2011)
    assert (400 * index[[2015, 2016, 2022]] / 100).round().tolist() == [487, 500, 598]
    assert index[2011] == 100


def test_price_index_only_changes_scale_with_its_base():
    a, b = reference.price_index(2014), reference.price_index(2024)
    pd.testing.assert_series_equal(a / a[2024] * 100, b)


def test_a_gap_in_the_prices_is_named():
    changes = reference.table("consumer_prices").set_index("year")["change_pct"]
    with pytest.raises(DataError, match=r"\[2013, 2023\]"):
        reference.chain(changes.drop([2013, 2023]), 2020)
    with pytest.raises(DataError, match="no price level for 2035"):
        reference.price_index(2035)


def test_small_questions_are_answered_from_the_tables():
    assert reference.last_price_year() == reference.price_index(2014).index.max()
    assert reference.largest_household_ceiling() == 100_000_000
    assert str(reference.standard_spans().valid_to["2016-2020"].date()) == "2021-12-31"
    values = reference.table("plausibility").set_index("parameter")["value"]
    assert {key: reference.parameter("plausibility", key) for key in values.index} == values.to_dict()
    with pytest.raises(DataError, match="no parameter 'tolerance'"):
        reference.parameter("plausibility", "tolerance")


def test_an_unknown_table_names_the_known_ones():
    with pytest.raises(DataError, match="poverty_standards"):
        reference.table("poverty_lines")


def test_callers_cannot_change_what_the_next_one_reads():
    mine = reference.table("unions")
    mine["code"] = "x"
    assert set(reference.table("unions")["code"]) == {"women", "farmers", "veterans", "youth"}


def test_an_installed_package_brings_its_own_tables(tmp_path):
    """Laid out as the wheel is: the tables inside the package, no repository around it."""
    package = tmp_path / "evalkit"
    shutil.copytree(ROOT / "src/evalkit", package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(reference.reference_folder(), package / "data/reference")
    code = "from evalkit.load import reference as r; print(r.reference_folder(), len(r.standards()))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [str(package / "data/reference"), str(len(reference.standards()))]


@pytest.mark.parametrize("name", OF_FACTS)
def test_every_row_has_its_source_or_says_unverified(name):
    rows = reference.table(name)
    assert rows["verified"].notna().all()
    assert (rows["source_url"].str.match(r"https?://") | ~rows["verified"]).all()
    assert rows["source_url"].str.fullmatch(r"(https?://\S+)?").all()
    text = rows.select_dtypes("str")
    assert (text == text.apply(lambda column: column.str.strip())).all(axis=None)


@pytest.mark.parametrize("name", TABLES)
def test_labels_stand_in_both_languages(name):
    rows = reference.table(name)
    pairs = [(c, c.removesuffix("_vi") + "_en") for c in rows.columns if c.endswith("_vi")]
    for vi, en in pairs:
        assert (rows[vi] != "").all()
        assert (rows[en] != "").all()


def test_dates_parse_and_periods_run_forward():
    for name in TABLES:
        rows = reference.table(name)
        if "valid_from" in rows:
            both = rows.dropna(subset=["valid_from", "valid_to"])
            assert (both["valid_from"] <= both["valid_to"]).all(), name


def overlaps(periods):
    ordered = sorted(
        (
            pd.Timestamp.min if pd.isna(start) else start,
            pd.Timestamp.max if pd.isna(end) else end,
        )
        for start, end in periods
    )
    return any(earlier[1] >= later[0] for earlier, later in pairwise(ordered))


def test_no_two_periods_of_a_series_overlap():
    standards = reference.standards()
    for _, same in standards.groupby("measured_by"):
        assert not overlaps(zip(same["valid_from"], same["valid_to"], strict=True))
    terms = reference.table("programme_terms")
    for column in ("annual_rate_pct", "ceiling_vnd"):
        for programme, rows in terms.dropna(subset=column).groupby("programme"):
            assert not overlaps(zip(rows["valid_from"], rows["valid_to"], strict=True)), (programme, column)
    for _, rows in reference.table("group_rules").groupby("rule"):
        assert not overlaps(zip(rows["valid_from"], rows["valid_to"], strict=True))


def test_the_review_standards_leave_no_day_without_one():
    periods = reference.standards().query("measured_by == 'review'").sort_values("valid_from")
    gaps = periods["valid_from"].iloc[1:].to_numpy() - periods["valid_to"].iloc[:-1].to_numpy()
    assert (pd.to_timedelta(gaps) == pd.Timedelta(days=1)).all()


def test_the_facts_of_a_standard_are_the_same_in_all_its_rows():
    rows = reference.table("poverty_standards")
    for _, same in rows.groupby("standard"):
        for column in reference.STANDARD_COLUMNS:
            assert same[column].nunique(dropna=False) == 1, (same["standard"].iloc[0], column)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("poverty_standards", ["standard", "area", "class", "alternative"]),
        ("deprivation_indicators", ["standard", "indicator"]),
        ("programmes", ["code"]),
        ("debt_statuses", ["code"]),
        ("unions", ["code"]),
        ("group_ratings", ["code"]),
        ("consumer_prices", ["year"]),
        ("external_evidence", ["id"]),
        ("replications", ["study", "quantity"]),
        ("regions", ["province_code"]),
        ("nrd_criteria", ["criterion", "area", "valid_from"]),
    ],
)
def test_keys_are_unique(name, key):
    assert not reference.table(name).duplicated(key).any()


def test_ids_used_elsewhere_exist():
    standards = set(reference.standards().index)
    assert set(reference.table("deprivation_indicators")["standard"]) <= standards
    breaks = reference.table("series_breaks")
    assert set(breaks["standard_before"]) | set(breaks["standard_after"]) <= standards | {""}
    assert set(breaks["series"]) == {"poverty", "credit", "administrative", "nrd"}
    assert set(reference.table("programme_terms")["programme"]) <= set(reference.programmes().index)
    assert set(reference.table("regions")["nrd_area"]) <= set(reference.table("nrd_criteria")["area"])
    assert set(reference.programmes().index) == PROGRAMMES
    assert set(reference.programmes()["purpose"]) == {"production", "study", "water", "housing", "other"}


def test_codes_are_those_of_the_schema():
    schema = json.loads((ROOT / "src/evalkit/load/schema.json").read_text("utf-8"))
    fields = {(t["name"], f["name"]): f for t in schema["resources"] for f in t["schema"]["fields"]}
    for field, name in (
        (("loans", "status"), "debt_statuses"),
        (("groups", "union"), "unions"),
        (("groups", "rating"), "group_ratings"),
    ):
        assert set(fields[field]["constraints"]["enum"]) == set(reference.table(name)["code"])


def test_a_break_stands_where_each_standard_begins():
    breaks = reference.table("series_breaks").query("series == 'poverty'").set_index("date")
    begins = reference.standards().query("measured_by == 'review'")["valid_from"].iloc[1:]
    assert dict(zip(breaks.index, breaks["standard_after"], strict=True)) == {d: s for s, d in begins.items()}


def test_indicators_are_as_many_as_the_standard_counts():
    counted = reference.table("deprivation_indicators").groupby("standard").size()
    assert counted.to_dict() == {"2016-2020": 10, "2022-2025": 12}
    assert (reference.standards().of_deprivations[counted.index] == counted).all()


def test_regions_hold_the_63_provinces_with_codes_as_text():
    regions = reference.table("regions")
    assert len(regions) == 63
    assert regions["province_code"].str.fullmatch(r"\d{2}").all()
    assert regions["region"].nunique() == 6
    assert regions.set_index("province_code").nrd_area["25"] == "northern_mountains"


def test_aliases_of_programmes_and_standards_name_one_thing_each():
    for rows in (reference.programmes(), reference.standards()):
        named = [a.casefold() for aliases in rows["aliases"] for a in aliases.split("|") if a]
        assert len(named) == len(set(named))


def test_evidence_holds_the_numbers_as_printed():
    found = reference.evidence()
    printed = {
        "boonperm-2009-income": 1.9,
        "boonperm-2009-expenditure": 3.3,
        "boonperm-2009-durables": 5,
        "kaboski-townsend-2011-benefit": 20,
        "meager-2019-heterogeneity": 60,
        "pitt-khandker-1998-women": 18,
        "nguyen-vandenberg-2008-informal-2004": -1.6,
    }
    assert found["estimate"][list(printed)].to_dict() == printed
    assert set(found["design"]) == {"experiment", "quasi-experiment", "observational"}
    assert not found["verified"][["pitt-khandker-1998-women", "pitt-khandker-1998-men"]].any()


# No statutory number stands in the code ---------------------------------------------------------------

LAYOUT = {"present", "publish", "batch"}  # a rate such as 1.2 is a line width there
COINCIDENCES = {  # the same number with another meaning: (module, value)
    ("impact/honest.py", 200_000),  # most corners listed; also the rural line of 2006–2010
    *(
        ("load/templates.py", n)
        for n in (50_000_000, 2_500_000, 4_000_000, 45_000_000, 40_000_000, 2_000_000, 30_000_000)
    ),  # the example of the forms
    ("simulate/ledger.py", 5_000_000),  # step of simulated loan amounts; also an old ceiling
}
GROUP_WORDS = re.compile(r"member|per_group|group_size|households_in_group")


def statutory_amounts():
    """Amounts of the law in VND, without powers of ten, which are also the units thousand and million."""
    standards, terms = reference.table("poverty_standards"), reference.table("programme_terms")
    nrd = reference.table("nrd_criteria").query("unit.str.startswith('VND')")["threshold"]
    series = (standards["income_min_vnd"], standards["income_max_vnd"], terms["ceiling_vnd"], nrd)
    amounts = pd.concat(series).dropna().unique()
    return {amount for amount in amounts if not re.fullmatch("10*", f"{amount:.0f}")}


def statutory_rates():
    rates = reference.table("programme_terms")["annual_rate_pct"].dropna().unique()
    return {rate for rate in rates if rate != int(rate)}


def literals(tree):
    return [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, int | float) and not isinstance(n.value, bool)
    ]


def group_size_literals(tree):
    """Numbers in a comparison or call that also speaks of the members of a group."""
    bounds = set(reference.table("group_rules")[["minimum", "maximum"]].stack())
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare | ast.Call) and GROUP_WORDS.search(ast.unparse(node)):
            yield from (n for n in literals(node) if n.value in bounds)


def statutory_literals(source, *, layout=False):
    tree = ast.parse(source)
    law = statutory_amounts() | (set() if layout else statutory_rates())
    found = [n for n in literals(tree) if n.value in law]
    return [(n.lineno, n.value) for n in (*found, *group_size_literals(tree))]


@pytest.mark.parametrize(
    "source",
    ["line = 1_500_000", "poor = income <= 400000", "x = 7e5", "rate = 7.92", "bad = members > 60"]
    + [f"x = {int(a)}" for a in (500_000, 900_000, 1_300_000, 2_000_000, 2_200_000, 2_800_000)]
    + ["ok = groups['members'].between(5, 60)"],
)
def test_the_walk_sees_a_statutory_number(source):
    assert statutory_literals(source)


def test_the_walk_lets_units_and_other_numbers_pass():
    assert not statutory_literals("million = 1_000_000\nminutes = 60\nshare = members / total * 100")


def test_no_statutory_number_stands_in_the_code():
    package = ROOT / "src/evalkit"
    offences = [
        f"{path.relative_to(ROOT)}:{line}: {value}"
        for path in sorted(package.rglob("*.py"))
        for line, value in statutory_literals(
            path.read_text("utf-8"), layout=path.relative_to(package).parts[0] in LAYOUT
        )
        if (path.relative_to(package).as_posix(), value) not in COINCIDENCES
    ]
    assert not offences, "read these from data/reference: " + ", ".join(offences)


def test_every_law_that_a_table_cites_has_an_english_name_without_vietnamese_words():
    cited = set()
    for name in TABLES:
        columns = reference.table(name).filter(["legal_basis", "extension_basis"])
        cited |= set(columns.melt()["value"].dropna()) - {""}
    named = reference.table("legal_bases").set_index("legal_basis")["legal_basis_en"]
    assert set(named.index) == cited
    assert named.index.is_unique
    words = named.str.replace(r"\S*/\S+", "", regex=True)  # numbers of laws are printed as they are
    assert words[words.str.contains(r"[^\x00-\x7f]")].tolist() == []
    assert reference.legal_basis("QĐ 09/2011/QĐ-TTg", "en") == "Decision 09/2011/QĐ-TTg"
    assert reference.legal_basis("QĐ 09/2011/QĐ-TTg", "vi") == "QĐ 09/2011/QĐ-TTg"
