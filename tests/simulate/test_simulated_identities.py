"""What must hold exactly in any simulated province, whatever its size, years, seed and difficulties."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit import simulate
from evalkit.load import reference, schema
from evalkit.simulate.province import TABLES

_SWITCHES = sorted(simulate.Difficulties.__dataclass_fields__)


@pytest.fixture(scope="module")
def whole_province():
    """Return a small province with every table and every difficulty but missing years."""
    kept = [f for f in simulate.Difficulties.__dataclass_fields__ if f != "missing_years"]
    difficulties = simulate.Difficulties.only(*kept)
    return simulate.draw(tables=TABLES, communes=40, districts=5, seed=7, difficulties=difficulties)


@st.composite
def provinces(draw):
    """Draw a small province: any switches, any years, an effect that may be absurd."""
    first = draw(st.integers(2011, 2022))
    districts = draw(st.integers(1, 4))
    on = draw(st.lists(st.sampled_from(_SWITCHES), unique=True))
    return simulate.draw(
        tables=TABLES,
        districts=districts,
        communes=draw(st.integers(districts, 24)),
        years=(first, draw(st.integers(first + 1, 2024))),
        seed=draw(st.integers(0, 10**6)),
        effect=simulate.Effect(
            draw(st.sampled_from([0.0, -0.3, -3.0, 1.0])), draw(st.sampled_from([0.0, 0.05]))
        ),
        difficulties=simulate.Difficulties.only(*on),
        loan_communes=draw(st.integers(0, 2)),
        survey_communes=draw(st.integers(0, 5)),
        press_communes=draw(st.integers(0, 5)),
    )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(provinces())
def test_every_identity_holds(province):
    for check in (
        _schema_holds,
        _stocks_follow_from_flows,
        _programmes_add_up,
        _groups_add_up,
        _reviews_add_up,
        _loans_add_up,
        _codes_exist_in_their_years,
    ):
        check(province)


def _schema_holds(province):
    for name, frame in province.tables.items():
        declared = schema.fields(name)
        assert set(frame.columns) <= set(declared), name
        assert set(schema.required(name)) <= set(frame.columns), name
        assert not frame[schema.required(name)].isna().any(axis=None), name
        assert not frame.duplicated(schema.key(name)).any() if set(schema.key(name)) <= set(frame) else True
        for column in frame.columns:
            limits = declared[column].get("constraints", {})
            values = frame[column].dropna()
            assert (values >= limits["minimum"]).all() if "minimum" in limits else True, (name, column)
            assert (values <= limits["maximum"]).all() if "maximum" in limits else True, (name, column)
            assert values.isin(limits["enum"]).all() if "enum" in limits else True, (name, column)
            assert values.str.fullmatch(limits["pattern"]).all() if "pattern" in limits else True, (
                name,
                column,
            )


def _identity_of_units(province, frame):
    """Mark each row with its unit, so that a code that lives on under another name isn't followed."""
    old = frame["year"] < 2020
    merged = {p["code"] for m in province.truth["merged"] for p in m["from"]}
    return frame["code"].where(~(frame["code"].isin(merged) & old), frame["code"] + " before")


def _stocks_follow_from_flows(province):
    credit = province["credit"].assign(unit=lambda d: _identity_of_units(province, d))
    credit = credit.sort_values(["unit", "programme", "year"])
    delivered = credit[["unit", "year"]].drop_duplicates().set_index(["unit", "year"]).index
    by = credit.groupby(["unit", "programme"])
    before = by["outstanding_vnd"].shift().where(by["year"].shift() == credit["year"] - 1)
    flows = credit["lent_vnd"] - credit["collected_vnd"] - credit["written_off_vnd"]
    followed = before.notna()
    assert (credit["outstanding_vnd"] == before + flows)[followed].all()
    # A programme without a row in a year that was delivered owed nothing: its first row starts from zero.
    previous = pd.MultiIndex.from_arrays([credit["unit"], credit["year"] - 1])
    begins = ~followed & previous.isin(delivered)
    assert (credit["outstanding_vnd"] == flows)[begins].all()
    doubtful = credit[["overdue_vnd", "frozen_vnd", "extended_vnd"]].sum(axis=1)
    assert (doubtful <= credit["outstanding_vnd"]).all()


def _programmes_add_up(province):
    credit = province["credit"]
    total = credit[credit["programme"] == "total"].set_index(["code", "year"])
    parts = credit[credit["programme"] != "total"].groupby(["code", "year"])
    money = [c for c in credit if c.endswith("_vnd")]
    pd.testing.assert_frame_equal(parts[[*money, "loans"]].sum(), total[[*money, "loans"]], check_dtype=False)
    borrowers = total["borrowers"]
    assert (parts["borrowers"].sum() >= borrowers).all()
    assert (parts["borrowers"].max() <= borrowers).all()
    assert (credit["borrowers"] <= credit["loans"]).all()
    households = (
        province["poverty"].drop_duplicates(["code", "year"]).set_index(["code", "year"])["households"]
    )
    assert (borrowers <= households.reindex(borrowers.index).fillna(np.inf)).all()
    starts = reference.programmes()["started_on"].dt.year
    begun = credit["programme"].map(starts).fillna(0)
    assert (credit["year"] >= begun).all()


def _groups_add_up(province):
    groups, credit = province["groups"], province["credit"]
    total = credit[credit["programme"] == "total"].set_index(["code", "year"])
    sums = groups.groupby(["code", "year"])[["members", "outstanding_vnd", "overdue_vnd"]].sum()
    both = sums.join(total.add_suffix("_book"), how="inner")
    assert (both["members"] == both["borrowers_book"]).all()
    assert (both["outstanding_vnd"] == both["outstanding_vnd_book"]).all()
    assert (both["overdue_vnd"] == both["overdue_vnd_book"]).all()
    least, most = reference.group_size(2024)
    assert groups["members"].between(least, most).all()
    assert (groups["overdue_vnd"] <= groups["outstanding_vnd"]).all()
    assert (groups.groupby("group")["union"].nunique() == 1).all()


def _reviews_add_up(province):
    poverty = province["poverty"].assign(unit=lambda d: _identity_of_units(province, d))
    assert (poverty["poor"] + poverty["near_poor"] <= poverty["households"]).all()
    assert np.allclose(poverty["poor_pct"], 100 * poverty["poor"] / poverty["households"], atol=0.006)
    poverty = poverty.sort_values(["unit", "standard", "year"])
    by = poverty.groupby(["unit", "standard"])
    before = by["poor"].shift().where(by["year"].shift() == poverty["year"] - 1)
    moved = poverty["fell_back"] + poverty["newly_poor"] - poverty["escaped"]
    followed = before.notna() & poverty["escaped"].notna()
    assert (poverty["poor"] == before + moved)[followed].all()
    assert (poverty["escaped"] <= before)[followed].all()
    asked = poverty["year"].map({y: reference.standards_of_year(int(y)) for y in poverty["year"].unique()})
    if province.parameters.difficulties.standards_break:
        assert all(s in some for s, some in zip(poverty["standard"], asked, strict=True))
    else:
        assert poverty["standard"].nunique() == 1


def _loans_add_up(province):
    if not province.parameters.loan_communes:
        assert "loans" not in province.tables
        return
    loans, paid = province["loans"], province["repayments"]
    keys = ["code", "year", "programme"]
    loans = loans.assign(year=loans["as_of"].dt.year.astype("int64"))
    open_ = loans[loans["outstanding_vnd"] > 0]
    counted = open_.groupby(keys).agg(
        outstanding_vnd=("outstanding_vnd", "sum"),
        overdue_vnd=("overdue_vnd", "sum"),
        loans=("loan", "nunique"),
        borrowers=("household", "nunique"),
    )
    for status in ("frozen", "extended"):
        doubtful = open_[open_["status"] == status].groupby(keys)["outstanding_vnd"].sum()
        counted[f"{status}_vnd"] = doubtful.reindex(counted.index, fill_value=0)
    home = loans.groupby(["loan", "year"])[["code", "programme"]].first()
    new = loans[loans["disbursed_on"].dt.year == loans["year"]]
    counted["lent_vnd"] = new.groupby(keys)["amount_vnd"].sum().reindex(counted.index, fill_value=0)
    paid = paid[paid["paid_on"].notna()].assign(year=lambda d: d["paid_on"].dt.year.astype("int64"))
    paid = paid.join(home, on=["loan", "year"], how="inner")
    counted["collected_vnd"] = paid.groupby(keys)["paid_vnd"].sum().reindex(counted.index, fill_value=0)
    credit = province["credit"].set_index(keys)
    book = credit[credit["outstanding_vnd"] > 0].loc[lambda d: d.index.isin(counted.index)]
    assert set(counted.index) == set(book.index)
    pd.testing.assert_frame_equal(counted.sort_index(), book[counted.columns].sort_index(), check_dtype=False)
    total = credit.xs("total", level="programme")["borrowers"]
    distinct = open_.groupby(["code", "year"])["household"].nunique()
    assert (total.reindex(distinct.index) == distinct).all()
    group = province["groups"].set_index(["group", "year"])
    in_groups = open_.groupby(["group", "year"]).agg(o=("outstanding_vnd", "sum"), m=("household", "nunique"))
    matched = group.join(in_groups, how="inner")
    assert len(matched) == len(in_groups)
    assert (matched["o"] == matched["outstanding_vnd"]).all()
    assert (matched["m"] == matched["members"]).all()


def _codes_exist_in_their_years(province):
    communes = province["communes"]
    for name in {"credit", "groups", "poverty", "income", "households"} & set(province.tables):
        rows = province[name][["code", "year"]].drop_duplicates().merge(communes, on="code")
        end = pd.to_datetime(rows["year"].astype(str) + "-12-31")
        valid = (rows["valid_from"] <= end) & ~(rows["valid_to"] < end)
        assert (rows[valid].groupby(["code", "year"]).size() == 1).all(), name
        assert len(rows[valid]) == len(province[name][["code", "year"]].drop_duplicates()), name


def test_stocks_carry_over_the_mergers(whole_province):
    """The books of the former communes at the end of 2019 open the book of the merged one."""
    credit = whole_province["credit"].set_index(["code", "year", "programme"])
    merged = whole_province.truth["merged"]
    assert merged
    for unit in merged:
        now = credit.loc[(unit["code"], 2020, "total")]
        then = sum(credit.loc[(p["code"], 2019, "total"), "outstanding_vnd"] for p in unit["from"])
        assert (
            now["outstanding_vnd"] == then + now["lent_vnd"] - now["collected_vnd"] - now["written_off_vnd"]
        )


@pytest.mark.parametrize("seed", range(3))
def test_the_default_province_adds_up(seed):
    province = simulate.draw(seed=seed, tables=TABLES)
    for check in (
        _stocks_follow_from_flows,
        _programmes_add_up,
        _groups_add_up,
        _reviews_add_up,
        _loans_add_up,
    ):
        check(province)


def test_unions_share_what_the_national_figures_say():
    """Women 42, farmers 36, veterans 14, youth 8 per cent of what the groups owe (Thái Bình, March 2024)."""
    groups = simulate.draw(tables=("groups",))["groups"]
    shares = 100 * groups.groupby("union")["outstanding_vnd"].sum() / groups["outstanding_vnd"].sum()
    expected = {"women": 42.26, "farmers": 35.55, "veterans": 13.93, "youth": 8.26}
    assert shares.to_dict() == pytest.approx(expected, abs=1.0)
