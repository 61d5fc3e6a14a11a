"""Measures of single loans under tables that lie: counted by hand, or refused with the reason."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.errors import DataError

LOAN = {
    "programme": "poor",
    "group": "g",
    "code": "08473",
    "disbursed_on": "2019-03-01",
    "amount_vnd": 50e6,
    "as_of": "2020-12-31",
    "outstanding_vnd": 40e6,
    "overdue_vnd": 0.0,
    "days_past_due": 0.0,
    "status": "current",
}
LATE = {"days_past_due": 40, "overdue_vnd": 5e6, "status": "overdue"}


def book(*changes):
    """Loans "0", "1", …, each with what is changed on the common loan."""
    return pd.DataFrame([LOAN | {"loan": str(i)} | change for i, change in enumerate(changes)])


def par(loans, days=30, **more):
    return ek.credit.portfolio_at_risk(loans, days=days, **more).iloc[0]


PORTFOLIOS = {
    "bullet loan, nothing due yet": ({"overdue_vnd": 0.0}, 0, 0),
    "one instalment late puts all at risk": (LATE, 40 / 80, 5 / 80),
    "late within the limit": (LATE | {"days_past_due": 30}, 0, 5 / 80),
    "one day above the limit": (LATE | {"days_past_due": 31}, 40 / 80, 5 / 80),
    "half a day above the limit": (LATE | {"days_past_due": 30.5}, 40 / 80, 5 / 80),
    "due in 20 days": ({"days_past_due": -20}, 0, 0),
    "said to be current, 60 days late": ({"days_past_due": 60}, 40 / 80, 0),
    "frozen, its clock stopped": ({"status": "frozen"}, 0, 0),
    "frozen, its clock running": ({"status": "frozen", "days_past_due": 400}, 40 / 80, 0),
    "extended": ({"status": "extended"}, 0, 0),
    "no status": (LATE | {"status": None}, 40 / 80, 5 / 80),
    "written off": (LATE | {"status": "written_off"}, 0, 0),
    "repaid, the balance not cleared": ({"status": "repaid"}, 0, 0),
    "nothing left": (LATE | {"outstanding_vnd": 0.0, "overdue_vnd": 0.0}, 0, 0),
}


@pytest.mark.parametrize(("other", "at_risk", "arrears"), PORTFOLIOS.values(), ids=PORTFOLIOS)
def test_what_is_at_risk_beside_a_loan_in_order(other, at_risk, arrears):
    loans = book({}, other)
    found, overdue = par(loans), ek.credit.arrears_ratio(loans).iloc[0]
    assert (found.value, overdue.value) == pytest.approx((at_risk, arrears))
    assert found.lower == found.upper == found.value
    assert overdue.value <= par(loans, days=0).value
    for form in (
        loans.convert_dtypes(),
        loans.convert_dtypes(dtype_backend="pyarrow"),
        loans.set_index([[1, 1]]),
    ):
        assert par(form).value == pytest.approx(at_risk)


def test_unknown_days_are_bounds_and_not_in_order():
    found = par(book({}, LATE | {"days_past_due": np.nan}))
    assert (found.value, found.lower, found.upper, found.unknown_vnd) == (0, 0, 0.5, 40e6)
    alone = par(book(LATE | {"days_past_due": np.nan}))
    assert np.isnan(alone.value)
    assert (alone.lower, alone.upper) == (0, 1)


REFUSED = {
    "a loan twice": (book({}, LATE, LATE | {"loan": "1"}), "loan 1, as_of 2020-12-31 occurs twice"),
    "balance below 0": (book({}, {"outstanding_vnd": -5e6}), r"outstanding_vnd: -5e\+06"),
    "balance infinite": (book({}, {"outstanding_vnd": np.inf}), "outstanding_vnd: inf"),
    "balance missing": (book({}, {"outstanding_vnd": np.nan}), "missing for 1 loans"),
    "balances as texts": (book({}, LATE).astype({"outstanding_vnd": str}), "outstanding_vnd: texts"),
    "another word for a status": (book({}, LATE | {"status": "written off"}), "status: 'written off'"),
    "a capital letter": (book({"status": "Current"}), "status: 'Current'"),
    "no date of reporting": (book({}, LATE | {"as_of": None}), "as_of: missing in 1 rows"),
    "two dates of reporting": (book({}, {"as_of": "2021-12-31"}), "no as_of given"),
    "a date of two readings": (book({}).assign(as_of="01/02/2021"), "Write dates as 2024-12-31"),
    "no loans": (book({}).iloc[:0], "that the table holds are none"),
    "no such column": (book({}).drop(columns="status"), "no column status"),
    "no table": ([LOAN], "a list"),
}


@pytest.mark.parametrize(("loans", "reason"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("measure", [par, ek.credit.arrears_ratio, ek.credit.ageing])
def test_a_table_that_cannot_be_is_refused(measure, loans, reason):
    with pytest.raises(DataError, match=reason):
        measure(loans)


def test_columns_swapped_are_refused():
    swapped = book({}, LATE).rename(
        columns={"overdue_vnd": "outstanding_vnd", "outstanding_vnd": "overdue_vnd"}
    )
    with pytest.raises(DataError, match="more overdue than outstanding for 2 loans"):
        ek.credit.arrears_ratio(swapped)


def test_an_overdue_amount_that_is_missing_is_not_nothing():
    bands = ek.credit.ageing(book({}, LATE, LATE | {"overdue_vnd": np.nan})).set_index("band")
    assert bands.overdue_vnd.drop("31-90").eq(0).all()
    assert np.isnan(bands.overdue_vnd["31-90"])
    assert bands.outstanding_vnd["31-90"] == 80e6


@pytest.mark.parametrize("days", [-1, 30.5, "30", np.nan, None, np.inf])
def test_days_are_a_whole_number(days):
    with pytest.raises(DataError, match="whole number of days"):
        par(book({}), days=days)


def test_a_date_has_one_reading_and_a_day_stays_a_day():
    loans = book({}, LATE)
    for text in ("31/12/2020", "01/02/2020", "2020", 20201231, pd.NaT):
        with pytest.raises(DataError, match=r"no date\. Write it as 2024-12-31"):
            par(loans, as_of=text)
    with pytest.raises(DataError, match=r"no row as of 2018-01-01; the last dates .* are 2020-12-31"):
        par(loans, as_of="2018-01-01")
    midnight = pd.Timestamp("2020-12-31", tz="Asia/Ho_Chi_Minh")  # still 30 December in Greenwich
    assert par(loans.assign(as_of=midnight), as_of="2020-12-31").value == 0.5
    assert par(loans.assign(as_of=pd.Timestamp("2020-12-31 23:59")), as_of="2020-12-31").value == 0.5
    new_year = loans.assign(disbursed_on=pd.Timestamp("2019-01-01 00:30", tz="Asia/Ho_Chi_Minh"))
    assert ek.credit.vintages(new_year).vintage.dt.year.tolist() == [2019]


def pools(*changes, **more):
    return ek.credit.vintages(book(*changes), **more).set_index("as_of")


def test_what_was_written_off_stays_lost():
    gone = {"loan": "1", "status": "written_off"}
    later = {"loan": "0", "as_of": "2021-12-31"}
    kept = pools({}, LATE, later, gone | {"as_of": "2021-12-31", "outstanding_vnd": 0.0})
    assert kept.written_off_vnd.tolist() == [0, 40e6]  # the balance that the loan last had
    assert kept.value.tolist() == [0.4, 0.4]
    dropped = pools({}, gone | {"outstanding_vnd": 8e6}, later)
    assert dropped.written_off_vnd.tolist() == [8e6, 8e6]
    assert dropped.not_seen.tolist() == [0, 0]
    unknown = pools({}, gone | {"outstanding_vnd": 0.0, "days_past_due": np.nan})
    assert np.isnan(unknown.value.item())
    assert (unknown.lower.item(), unknown.upper.item()) == (0, 0.5)
    alive = pools({}, gone | {"outstanding_vnd": 8e6}, later, LATE | {"loan": "1", "as_of": "2021-12-31"})
    assert alive.written_off_vnd.tolist() == [0, 0]
    assert alive.at_risk_vnd.tolist() == [0, 40e6]
    again = pools(
        gone | {"outstanding_vnd": 8e6},
        {"loan": "1", "as_of": "2021-12-31"},
        gone | {"as_of": "2022-12-31", "outstanding_vnd": 0.0},
    )
    assert again.written_off_vnd.tolist() == [0, 0, 40e6]


def test_pools_by_hand_over_three_dates():
    dates = ["2020-12-31", "2021-12-31", "2022-12-31"]
    rows = [{"loan": "0", "as_of": day} for day in dates]
    rows += [LATE | {"loan": "1", "as_of": day} for day in dates[1:]]
    rows += [{"loan": "2", "as_of": dates[0]}]
    rows += [
        {
            "loan": "3",
            "as_of": dates[2],
            "disbursed_on": "2022-06-30",
            "amount_vnd": 10e6,
            "days_past_due": np.nan,
        }
    ]
    rows[-1] |= {"outstanding_vnd": 10e6, "status": "frozen"}
    found = ek.credit.vintages(book(*rows))
    first = found[found.vintage.dt.year == 2019]
    assert first.loans.tolist() == [3, 3, 3]
    assert first.amount_vnd.tolist() == [150e6] * 3  # the same pool at every date
    assert first.value.tolist() == pytest.approx([0, 40 / 150, 40 / 150])
    assert first.not_seen.tolist() == [1, 1, 1]
    assert first.months_on_book.tolist() == [23, 35, 47]
    second = found[found.vintage.dt.year == 2022].iloc[0]
    assert np.isnan(second.value)
    assert (second.lower, second.upper) == (0, 1)


def test_pools_that_cannot_be():
    before = pools({"disbursed_on": "2022-03-01"})
    assert np.isnan(before.value.item())  # a balance before the loan was disbursed
    assert (before.lower.item(), before.upper.item()) == (0, 0.8)
    moved = {"loan": "0", "as_of": "2021-12-31", "disbursed_on": "2018-03-01"}
    with pytest.raises(DataError, match="one loan has several dates"):
        pools({}, moved)
    with pytest.raises(DataError, match="disbursed_on: missing in 1 rows"):
        pools({}, {"disbursed_on": None})
    with pytest.raises(DataError, match="amount_vnd: -5"):
        pools({}, {"amount_vnd": -5.0})
    with pytest.raises(DataError, match="invalid date"):
        pools({"disbursed_on": "31/03/2019"})


DUE = {"loan": "0", "due_on": "2020-01-31", "due_vnd": 1e6, "paid_on": "2020-01-30", "paid_vnd": 1e6}
SECOND = {"due_on": "2020-02-29", "paid_on": None, "paid_vnd": None}
INSTALMENTS = {
    "before it was due": ([{}], 1),
    "on the day, late in the evening": ([{"paid_on": pd.Timestamp("2020-01-31 23:00")}], 1),
    "on the day, still the day before in Greenwich": (
        [{"paid_on": pd.Timestamp("2020-01-31 03:00", tz="Asia/Ho_Chi_Minh")}],
        1,
    ),
    "three days late": ([{"paid_on": "2020-02-03"}], 0),
    "in part": ([{"paid_vnd": 4e5}], 0.4),
    "more than was due doesn't pay the next": ([{"paid_vnd": 2e6}, SECOND], 0.5),
    "unpaid": ([{"paid_on": None, "paid_vnd": None}], 0),
    "paid after the date of the report": ([{"paid_on": "2021-05-01"}], 0),
}


@pytest.mark.parametrize(("rows", "value"), INSTALMENTS.values(), ids=INSTALMENTS)
def test_what_was_repaid_on_time(rows, value):
    table = pd.DataFrame([DUE | row for row in rows])
    assert ek.credit.repayment_on_time(table, as_of="2020-12-31").value.item() == pytest.approx(value)


def test_instalments_that_cannot_be():
    def on_time(*rows, **more):
        return ek.credit.repayment_on_time(
            pd.DataFrame([DUE | row for row in rows]), **{"as_of": "2020-12-31"} | more
        )

    assert on_time({}, as_of="2019-01-01").empty  # nothing was due yet
    refused = {
        "loan 0, due_on 2020-01-31 occurs twice": [{}, {}],
        "paid_vnd: -1e": [{"paid_vnd": -1e6}],
        "due_vnd: -1e": [{"due_vnd": -1e6}],
        "due_on: missing in 1 rows": [{"due_on": None}],
    }
    for reason, rows in refused.items():
        with pytest.raises(DataError, match=reason):
            on_time(*rows)
    with pytest.raises(DataError, match="no date"):
        on_time({}, as_of="01/02/2020")


def test_loans_are_cured_after_they_were_late():
    later = LATE | {"loan": "0", "as_of": "2021-12-31", "days_past_due": 0, "status": "current"}
    assert ek.credit.cure_rates(book(LATE, later), start="2020-12-31", end="2021-12-31").value.item() == 1
    with pytest.raises(DataError, match=r"end='2020-12-31': not after start"):
        ek.credit.cure_rates(book(LATE, later), start="2021-12-31", end="2020-12-31")
    with pytest.raises(DataError, match="loan 0, as_of 2021-12-31 occurs twice"):
        ek.credit.cure_rates(
            book(LATE, later, later | {"status": "overdue"}), start="2020-12-31", end="2021-12-31"
        )


loans = st.lists(
    st.tuples(
        st.integers(1, 100),
        st.one_of(st.none(), st.integers(0, 200)),
        st.sampled_from(["current", "overdue", "frozen", "extended", "written_off", "repaid"]),
        st.sampled_from(["poor", "water"]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=12, deadline=None)
@given(loans, st.sampled_from([3, 1000]))
def test_money_scales_and_programmes_add_up(rows, factor):
    frame = book(
        *(
            {"outstanding_vnd": float(b), "days_past_due": d, "status": s, "programme": p}
            for b, d, s, p in rows
        )
    )
    whole = ek.credit.portfolio_at_risk(frame, days=30)
    parts = ek.credit.portfolio_at_risk(frame, days=30, by="programme")
    money = ["numerator", "denominator", "unknown_vnd", "restructured_vnd"]
    assert parts[money].sum().tolist() == whole[money].sum().tolist()
    assert (
        parts.loans.sum()
        == whole.loans.sum()
        == sum(s not in ("written_off", "repaid") for _, _, s, _ in rows)
    )
    scaled = frame.assign(outstanding_vnd=frame.outstanding_vnd * factor)
    scaled = ek.credit.portfolio_at_risk(scaled.sample(frac=1, random_state=1), days=30)
    shown = ["value", "lower", "upper", "with_restructured"]
    pd.testing.assert_frame_equal(scaled[shown], whole[shown])
    assert scaled[money].sum().tolist() == (factor * whole[money].sum()).tolist()
