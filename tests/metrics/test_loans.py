"""Loan measures: a public portfolio's printed PAR, hand counts, laws, and one answer from frame and store."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.errors import DataError
from evalkit.metrics import loans as measures

CONNECTION = duckdb.connect()


@pytest.fixture
def six():
    """Six loans: in order, late, very late, frozen with unknown days, extended, written off."""
    return pd.DataFrame(
        {
            "loan": ["1", "2", "3", "4", "5", "6"],
            "programme": ["poor", "poor", "water", "water", "poor", "poor"],
            "group": ["g1", "g1", "g1", "g2", "g2", "g2"],
            "disbursed_on": [
                "2019-03-01",
                "2019-05-01",
                "2020-01-15",
                "2020-02-01",
                "2019-03-01",
                "2019-08-01",
            ],
            "amount_vnd": [50e6, 50e6, 20e6, 20e6, 30e6, 10e6],
            "as_of": "2020-12-31",
            "outstanding_vnd": [40e6, 30e6, 10e6, 15e6, 5e6, 8e6],
            "overdue_vnd": [0, 2e6, 10e6, 0, 0, 8e6],
            "days_past_due": [np.nan, 31, 200, np.nan, 0, 900],
            "status": ["current", "overdue", "overdue", "frozen", "extended", "written_off"],
        }
    )


def test_public_portfolio(replication):
    d = pd.read_csv(replication / "openintro_loans_full_schema_subset.csv")
    status = {
        "Current": ("current", 0),
        "In Grace Period": ("overdue", 1),
        "Late (16-30 days)": ("overdue", 16),
        "Late (31-120 days)": ("overdue", 31),
        "Charged Off": ("written_off", 121),
        "Fully Paid": ("repaid", 0),
    }
    loans = pd.DataFrame(
        {
            "loan": d.rownames,
            "outstanding_vnd": d.balance,
            "days_past_due": d.loan_status.map(lambda s: status[s][1]),
            "status": d.loan_status.map(lambda s: status[s][0]),
            "purpose": d.loan_purpose,
        }
    )
    par = {days: measures.portfolio_at_risk(loans, days=days).iloc[0] for days in (15, 30)}
    assert par[15].denominator == pytest.approx(144_589_166.10)
    assert round(100 * par[15].value, 4) == 1.2606
    assert round(100 * par[30].value, 4) == 0.8403
    by = measures.portfolio_at_risk(loans, days=30, by="purpose")
    assert by.numerator.sum() == pytest.approx(par[30].numerator)


def test_par_by_hand(six):
    got = measures.portfolio_at_risk(six, days=30, as_of="2020-12-31").iloc[0]
    # Portfolio 100 m without the loan written off; 15 m frozen with unknown days; 40 m at risk of 85 m known.
    assert (got.numerator, got.denominator, got.unknown_vnd, got.loans) == (40e6, 85e6, 15e6, 5)
    assert got.value == pytest.approx(40 / 85)
    assert (got.lower, got.upper) == pytest.approx((0.40, 0.55))
    assert got.restructured_vnd == 20e6
    assert got.with_restructured == pytest.approx(0.60)
    assert measures.portfolio_at_risk(six, days=31).numerator.item() == 10e6  # strictly more than 31 days


def test_arrears_ratio_counts_overdue_instalments_alone_and_stays_below_par(six):
    got = measures.arrears_ratio(six).iloc[0]
    assert got.value == pytest.approx(0.12)
    assert got.with_restructured == pytest.approx(0.32)
    assert "arrears" in got.method
    assert got.value <= measures.portfolio_at_risk(six, days=0).lower.item()


def test_groups_programmes_and_purposes(six):
    by_group = measures.arrears_ratio(six, by=["group", "programme"])
    assert by_group[["group", "programme"]].apply(tuple, axis=1).tolist() == [
        ("g1", "poor"),
        ("g1", "water"),
        ("g2", "poor"),
        ("g2", "water"),
    ]
    assert by_group.value.tolist() == pytest.approx([2 / 70, 1, 0, 0])
    programmes = pd.DataFrame({"code": ["poor", "jobs"], "purpose": ["production", "production"]})
    by_purpose = measures.arrears_ratio(measures.with_purpose(six, programmes), by="purpose")
    assert by_purpose.purpose.fillna("missing").tolist() == ["production", "missing"]
    assert by_purpose.denominator.tolist() == [75e6, 25e6]
    store = measures.with_purpose(CONNECTION.from_df(six), programmes)
    pd.testing.assert_frame_equal(measures.arrears_ratio(store, by="purpose"), by_purpose, check_dtype=False)


def test_ageing_by_hand(six):
    got = measures.ageing(six, as_of="2020-12-31").set_index("band")
    assert got.index.tolist() == ["0", "1-30", "31-90", "91-180", "181-365", ">365", "unknown"]
    assert got.outstanding_vnd.tolist() == [45e6, 0, 30e6, 0, 10e6, 0, 15e6]
    assert got.loans.tolist() == [2, 0, 1, 0, 1, 0, 1]
    assert got.value.sum() == pytest.approx(1)
    by = measures.ageing(six, by="group", edges=(30,))
    assert len(by) == 2 * 4
    assert by.groupby("group").value.sum().tolist() == pytest.approx([1, 1])


@pytest.fixture
def two_dates(six):
    """The six loans a year on: 2 cured, 3 repaid, 4 frozen still, 5 late, 6 gone, and a new one."""
    later = six.iloc[:5].assign(
        as_of="2021-12-31",
        outstanding_vnd=[30e6, 20e6, 0.0, 15e6, 4e6],
        days_past_due=[0, 0, 0, np.nan, 45],
        status=["current", "current", "repaid", "frozen", "overdue"],
    )
    new = six.iloc[:1].assign(
        loan="7", as_of="2021-12-31", disbursed_on="2021-06-01", outstanding_vnd=50e6, days_past_due=0
    )
    return pd.concat([six, later, new], ignore_index=True)


def test_cure_rates_by_hand(two_dates):
    got = measures.cure_rates(two_dates, start="2020-12-31", end="2021-12-31").iloc[0]
    assert (got.at_risk, got.cured, got.still_at_risk, got.unknown) == (2, 2, 0, 0)
    assert (got.value, got.at_risk_vnd) == (1, 40e6)
    assert got.lower == pytest.approx(0.3424, abs=5e-5)  # Wilson, 2 of 2
    gone = two_dates[~((two_dates.loan == "2") & (two_dates.as_of == "2021-12-31"))]
    got = measures.cure_rates(gone, start="2020-12-31", end="2021-12-31", by="group")
    assert got[["group", "at_risk", "cured", "unknown", "denominator"]].values.tolist() == [
        ["g1", 2, 1, 1, 1]
    ]
    frozen = two_dates.assign(
        status=np.where(
            (two_dates.loan == "2") & (two_dates.as_of == "2021-12-31"), "frozen", two_dates.status
        )
    )
    got = measures.cure_rates(frozen, start="2020-12-31", end="2021-12-31").iloc[0]
    assert (got.cured, got.restructured) == (1, 1)


def test_vintages_by_hand(two_dates):
    got = measures.vintages(two_dates, days=30)
    got = got.assign(year=pd.to_datetime(got.vintage).dt.year, on=pd.to_datetime(got.as_of).dt.year)
    got = got.set_index(["year", "on"])
    of_2019 = got.loc[2019]
    assert of_2019.amount_vnd.tolist() == [140e6, 140e6]  # loans 1, 2, 5 and 6, the same pool at both dates
    assert of_2019.at_risk_vnd.tolist() == [30e6, 4e6]
    assert of_2019.written_off_vnd.tolist() == [8e6, 8e6]  # what was lost stays lost
    assert of_2019.not_seen.tolist() == [0, 0]
    assert of_2019.months_on_book.tolist() == [23, 35]
    assert of_2019.value.tolist() == pytest.approx([38 / 140, 12 / 140])
    of_2020 = got.loc[(2020, 2020)]
    assert np.isnan(of_2020.value)  # a frozen loan of unknown days: bounds instead of a value
    assert (of_2020.lower, of_2020.upper) == pytest.approx((10 / 40, 25 / 40))
    assert got.loc[(2021, 2021), "months_on_book"] == 11
    assert len(measures.vintages(two_dates, by="programme", period="quarter")) > 4


def test_repayment_on_time_by_hand(six):
    instalments = pd.DataFrame(
        {
            "loan": ["1", "1", "1", "2", "2", "3"],
            "due_on": ["2020-03-01", "2020-06-01", "2021-03-01", "2020-03-01", "2020-06-01", "2020-06-01"],
            "due_vnd": [10e6, 10e6, 10e6, 5e6, 5e6, 10e6],
            "paid_on": ["2020-03-01", "2020-06-11", None, None, None, "2020-05-20"],
            "paid_vnd": [10e6, 10e6, None, None, 5e6, 12e6],
        }
    )
    got = measures.repayment_on_time(instalments, as_of="2020-12-31").iloc[0]
    # Due 40 m; in time 10 + 10 (the excess of loan 3 isn't counted); 5 m paid on a date unknown.
    assert (got.instalments, got.numerator, got.denominator, got.unknown_vnd) == (5, 20e6, 35e6, 5e6)
    assert (got.lower, got.upper) == pytest.approx((20 / 40, 25 / 40))
    graced = measures.repayment_on_time(instalments, as_of="2020-12-31", grace_days=10).iloc[0]
    assert graced.numerator == 30e6
    by = measures.repayment_on_time(instalments, as_of="2020-12-31", loans=six, by="programme")
    assert by.programme.tolist() == ["poor", "water"]
    assert by.numerator.tolist() == [10e6, 10e6]
    unsized = instalments.assign(paid_vnd=instalments.paid_vnd.where(instalments.paid_on != "2020-03-01"))
    got = measures.repayment_on_time(unsized, as_of="2020-12-31").iloc[0]
    assert (got.numerator, got.unknown_vnd) == (
        10e6,
        15e6,
    )  # a date without an amount is no payment of the due
    unknown = measures.repayment_on_time(instalments.assign(due_vnd=np.nan), as_of="2020-12-31").iloc[0]
    assert np.isnan(unknown.value)
    assert (unknown.lower, unknown.upper) == (0, 1)


def test_a_store_and_a_frame_give_one_answer(two_dates, tmp_path):
    before = two_dates.copy()
    connection = duckdb.connect()
    connection.from_df(two_dates).write_parquet(str(tmp_path / "loans.parquet"))
    store = connection.read_parquet(str(tmp_path / "loans.parquet"))
    for measure, more in (
        (measures.portfolio_at_risk, {"days": 30, "as_of": "2021-12-31", "by": ["group"]}),
        (measures.arrears_ratio, {"as_of": "2020-12-31"}),
        (measures.ageing, {"as_of": "2020-12-31", "by": "programme"}),
        (measures.vintages, {}),
        (measures.cure_rates, {"start": "2020-12-31", "end": "2021-12-31"}),
    ):
        pd.testing.assert_frame_equal(measure(two_dates, **more), measure(store, **more))
    pd.testing.assert_frame_equal(two_dates, before)


portfolio = st.lists(
    st.tuples(
        st.integers(1, 100),
        st.floats(0, 1),
        st.one_of(st.none(), st.integers(0, 700)),
        st.sampled_from(["current", "overdue", "frozen", "extended"]),
        st.sampled_from(["g1", "g2", "g3"]),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=15)
@given(portfolio, st.integers(0, 400))
def test_laws(rows, days):
    frame = pd.DataFrame(rows, columns=["outstanding_vnd", "share", "days_past_due", "status", "group"])
    frame["days_past_due"] = frame.days_past_due.astype("Int64").where(frame.status != "current", 0)
    frame["overdue_vnd"] = np.floor(frame.outstanding_vnd * frame.share) * (frame.days_past_due.fillna(1) > 0)
    before, frame = frame.copy(), CONNECTION.from_df(frame)
    par = measures.portfolio_at_risk(frame, days=days).iloc[0]
    assert 0 <= par.lower <= par.upper <= 1
    assert np.isnan(par.value) or par.lower - 1e-12 <= par.value <= par.upper + 1e-12
    later = measures.portfolio_at_risk(frame, days=days + 50).iloc[0]
    assert later.lower <= par.lower
    arrears = measures.arrears_ratio(frame).iloc[0]
    assert arrears.value <= measures.portfolio_at_risk(frame, days=0).upper.item() + 1e-12
    assert par.numerator == measures.portfolio_at_risk(frame, days=days, by="group").numerator.sum()
    mixed = CONNECTION.from_df(before.sample(frac=1, random_state=1))
    mixed = measures.portfolio_at_risk(mixed, days=days).iloc[0]
    assert (mixed.numerator, mixed.denominator) == (par.numerator, par.denominator)
    ages = measures.ageing(frame)
    assert ages.outstanding_vnd.sum() == before.outstanding_vnd.sum()


def test_faults_are_named(six, two_dates):
    with pytest.raises(DataError, match="no column days_past_due"):
        measures.portfolio_at_risk(six.drop(columns="days_past_due"), days=30)
    with pytest.raises(DataError, match=r"no row as of 2019-12-31; the last dates .* 2020-12-31, 2021-12-31"):
        measures.arrears_ratio(two_dates, as_of="2019-12-31")
    with pytest.raises(DataError, match="no as_of given"):
        measures.arrears_ratio(two_dates)
    with pytest.raises(DataError, match="missing for 1 loans"):
        measures.arrears_ratio(six.assign(outstanding_vnd=six.outstanding_vnd.where(six.loan != "1")))
    with pytest.raises(DataError, match="edges"):
        measures.ageing(six, edges=(90, 30))
    with pytest.raises(DataError, match="days=-1"):
        measures.portfolio_at_risk(six, days=-1)
    with pytest.raises(DataError, match="period='week'"):
        measures.vintages(six, period="week")
    with pytest.raises(DataError, match="types against the schema"):
        measures.arrears_ratio(six.assign(overdue_vnd="2 triệu"))
    with pytest.raises(DataError, match="Give two of a kind"):
        measures.repayment_on_time(
            six, as_of="2020-12-31", loans=duckdb.connect().from_df(six), by="programme"
        )
    empty = six[six.status == "written_off"]
    assert measures.portfolio_at_risk(empty, days=30).empty
