"""Whether the figures of one table add up: stocks and flows, parts and wholes, sums and printed rates."""

import numpy as np
import pandas as pd

from evalkit.load import reference
from evalkit.load.said import Said
from evalkit.load.terms import TOTAL
from evalkit.load.territory import absorbed

_AMOUNTS = ["lent_vnd", "collected_vnd", "outstanding_vnd", "overdue_vnd", "frozen_vnd", "written_off_vnd"]
_PARTS = {
    "credit": [
        *((part, "outstanding_vnd") for part in ("overdue_vnd", "frozen_vnd", "extended_vnd")),
        ("overdue_vnd + frozen_vnd", "outstanding_vnd"),
        ("borrowers", "loans"),
    ],
    "groups": [("overdue_vnd", "outstanding_vnd")],
    "poverty": [("poor", "households"), ("near_poor", "households"), ("poor + near_poor", "households")],
    "loans": [("outstanding_vnd", "amount_vnd"), ("overdue_vnd", "outstanding_vnd")],
}


def of_tables(tables, units):
    """Yield the findings on tables ({name: Delivery}) whose rows have their ``place``; units: all places."""
    limits = reference.table("plausibility").set_index("parameter")["value"].astype(float)
    for name, pairs in _PARTS.items():
        if name in tables:
            for part, whole in pairs:
                yield from _part_exceeds_whole(tables[name], part, whole)
    taken = absorbed(units)
    if "credit" in tables:
        yield from _stock_flow(tables["credit"], taken, limits)
        yield from _programme_sums(tables["credit"], limits)
        yield from _missing_total(tables["credit"])
        yield from _average_loan(tables["credit"])
        yield from _small_average(tables["credit"], limits)
    if "groups" in tables:
        yield from _group_size(tables["groups"])
    if {"groups", "credit"} <= set(tables):
        yield from _groups_against_credit(tables["groups"], tables["credit"], limits)
    if "poverty" in tables:
        yield from _printed_rates(tables["poverty"], limits)
        yield from _denominators(tables["poverty"], limits)
        yield from _bridge_households(tables["poverty"])
        yield from _households_jump(tables["poverty"], taken, limits)
        yield from _review_flow(tables["poverty"], taken)
        yield from _standards(tables["poverty"])
    if "loans" in tables:
        yield from _loan_status(tables["loans"])


def _part_exceeds_whole(delivery, part, whole):
    """Parts of a sum are compared where any of them is known: what is missing can only add."""
    frame = delivery.frame
    columns = part.split(" + ")
    known = frame[columns].astype(float)
    value, total = known.sum(axis=1, min_count=1), frame[whole].astype(float)
    if len(columns) > 1:
        value = value.mask(known.gt(total, axis=0).any(axis=1))  # a part that exceeds it alone is found alone
    over = value > total
    hits = pd.DataFrame({"part_value": value[over], "whole_value": total[over]})
    yield from delivery.findings("warning", "part_exceeds_whole", hits, columns[0], part=part, whole=whole)


def _follows(frame, by):
    """Positions of (earlier, later) rows of consecutive years within ``by``, as two indexes."""
    known = frame[frame["place"].notna()].sort_values([*by, "year"], kind="stable")
    same = (known[by] == known[by].shift()).all(axis=1) & (known["year"] == known["year"].shift() + 1)
    same = same.fillna(False).to_numpy(dtype=bool)
    return known.index[np.flatnonzero(same) - 1], known.index[same]


def _own_stock(frame, later, taken):
    """Which rows continue the stock of the year before: not those in whose year the place absorbed another."""
    if not taken:
        return np.ones(len(later), dtype=bool)
    rows = pd.MultiIndex.from_frame(frame.loc[later, ["place", "year"]].astype({"year": int}))
    return ~rows.isin(taken)


def _stock_flow(delivery, taken, limits):
    frame = delivery.frame
    before, later = _follows(frame, ["place", "programme"])
    own = _own_stock(frame, later, taken)
    before, later = before[own], later[own]
    now = frame.loc[later, _AMOUNTS].astype(float)
    opening = frame.loc[before, "outstanding_vnd"].to_numpy(dtype=float)
    flow = now["lent_vnd"] - now["collected_vnd"] - now["written_off_vnd"].fillna(0)
    gap = now["outstanding_vnd"] - opening - flow
    slack = (
        4 * limits["amount_rounding"] + limits["table_stock_flow_tolerance"] / 100 * now["outstanding_vnd"]
    )
    hits = pd.DataFrame({"opening": opening, "closing": now["outstanding_vnd"], "flow": flow, "gap": gap})
    yield from delivery.findings("warning", "stock_flow", hits[gap.abs() > slack], "outstanding_vnd")


def _programme_sums(delivery, limits):
    """The office's own total row against its programmes: amounts and loans add up, borrowers can only overlap."""
    frame = delivery.frame[delivery.frame["place"].notna()]
    totals = frame[frame["programme"] == TOTAL]
    parts = frame[frame["programme"] != TOTAL].groupby(["place", "year"])
    if totals.empty:
        return
    keys = pd.MultiIndex.from_frame(totals[["place", "year"]])
    for column in (*_AMOUNTS, "extended_vnd", "loans", "borrowers"):
        known = parts[column].count() == parts.size()  # a sum over gaps says nothing
        found = parts[column].sum().where(known).astype(float).reindex(keys).set_axis(totals.index)
        stated = totals[column].astype(float)
        count = parts.size().reindex(keys).set_axis(totals.index)
        slack = (count + 1) * limits["amount_rounding"] if column.endswith("_vnd") else 0
        gap = found - stated
        off = (gap < 0) if column == "borrowers" else (gap.abs() > slack)
        hits = pd.DataFrame({"found": found[off], "expected": stated[off]})
        yield from delivery.findings("warning", "sum_mismatch", hits, column, parts=column)


def _missing_total(delivery):
    """A year of a place without the office's own total row, which its other years have."""
    frame = delivery.frame[delivery.frame["place"].notna()].reset_index()
    is_total = frame["programme"] == TOTAL
    years = is_total.groupby([frame["place"], frame["year"]]).any()
    others = years.groupby("place").transform("sum")
    lacks = years.index[~years & (others > 0)]
    rows = frame.set_index(["place", "year"])["index"]
    rows = rows[rows.index.isin(lacks)].groupby(["place", "year"]).agg(["first", "size"])
    hits = pd.DataFrame({"count": rows["size"], "others": others.reindex(rows.index)})
    hits = hits.assign(year=rows.index.get_level_values("year")).set_axis(rows["first"])
    yield from delivery.findings("warning", "missing_total", hits, "programme")


def _average_loan(delivery):
    """Programmes without a ceiling in the law, such as social housing, and a household's loans together go free."""
    terms = reference.table("programme_terms").dropna(subset="ceiling_vnd")
    ceiling = float(terms["ceiling_vnd"].max())
    frame = delivery.frame[delivery.frame["programme"].isin(terms["programme"])]
    average = frame["outstanding_vnd"] / frame["borrowers"].astype(float).replace(0, np.nan)
    over = average > ceiling
    hits = pd.DataFrame({"found": average[over]})
    said = {"indicator": "outstanding_vnd", "ceiling": ceiling}
    yield from delivery.findings("warning", "implausible_average", hits, "outstanding_vnd", **said)


def _small_average(delivery, limits):
    """All programmes of a place and year against their borrowers: one programme alone may be nearly repaid."""
    frame = delivery.frame[delivery.frame["place"].notna()]
    of_year = [frame["place"], frame["year"]]
    programmes = frame["programme"] != TOTAL
    own = frame[programmes == programmes.groupby(of_year).transform("any")].reset_index()
    book = own.groupby(["place", "year"])
    whole = book[["outstanding_vnd", "borrowers"]].sum(min_count=1).astype(float)
    average = (whole["outstanding_vnd"] / whole["borrowers"].where(whole["borrowers"] > 0)).where(
        lambda a: a > 0
    )
    least = limits["outstanding_per_borrower_low"]
    found = pd.DataFrame({"found": average.round(), "index": book["index"].first()})[average < least]
    yield from delivery.findings(
        "warning", "small_average", found.set_index("index"), "outstanding_vnd", least=least
    )


def _group_size(delivery):
    frame = delivery.frame
    for year, rows in frame[frame["members"].notna()].groupby("year"):
        minimum, maximum = reference.group_size(int(year))
        members = rows["members"].astype(float)
        outside = (members < (minimum or 0)) | (members > (maximum or np.inf))
        hits = pd.DataFrame({"members": members[outside], "found": members[outside]})
        said = {"groups": 1, "minimum": minimum, "maximum": maximum}
        yield from delivery.findings("warning", "group_size", hits, "members", **said)


def _groups_against_credit(groups, credit, limits):
    """Debt held through groups against all debt: it can't be more, and nearly all of it passes through groups."""
    held = groups.frame.groupby(["place", "year"])["outstanding_vnd"].sum(min_count=1)
    rows = credit.frame[credit.frame["place"].notna()]
    by_programme = (
        rows[rows["programme"] != TOTAL].groupby(["place", "year"])["outstanding_vnd"].sum(min_count=1)
    )
    stated = rows[rows["programme"] == TOTAL].drop_duplicates(["place", "year"])
    stated = stated.set_index(["place", "year"])["outstanding_vnd"]
    whole = stated.combine_first(by_programme).reindex(held.index)
    first = groups.frame[groups.frame["place"].notna()].drop_duplicates(["place", "year"])
    first = pd.Series(first.index, index=pd.MultiIndex.from_frame(first[["place", "year"]])).reindex(
        held.index
    )
    share = 100 * held / whole  # of nothing: infinite where something is held
    for severity, rule, off in (
        ("warning", "part_exceeds_whole", share > 100 + limits["stock_flow_tolerance"]),
        ("note", "groups_against_credit", share < limits["entrusted_share_low"]),
    ):
        hits = pd.DataFrame({"held": held[off], "whole": whole[off], "share": share[off]}).set_index(
            first[off].to_numpy()
        )
        if rule == "part_exceeds_whole":
            hits = hits.rename(columns={"held": "part_value", "whole": "whole_value"}).drop(columns="share")
            said = {"part": Said("Outstanding of the groups"), "whole": Said("outstanding of the programmes")}
        else:
            hits, said = hits.rename(columns={"held": "part", "share": "found"}).round({"found": 1}), {}
        yield from groups.findings(severity, rule, hits, "outstanding_vnd", **said)


def _printed_rates(delivery, limits):
    frame = delivery.frame
    for rate, count in (("poor_pct", "poor"), ("near_poor_pct", "near_poor")):
        households = frame["households"].astype(float).replace(0, np.nan)
        computed = 100 * frame[count].astype(float) / households
        off = (computed - frame[rate]).abs() > limits["printed_rate_tolerance"]
        hits = pd.DataFrame({"printed": frame.loc[off, rate], "computed": computed[off].round(2)})
        said = {"rate": rate, "numerator": count, "denominator": "households"}
        yield from delivery.findings("warning", "ratio_mismatch", hits, rate, **said)


def _denominators(delivery, limits):
    """Two printed rates of one row, each with its count, where the households themselves aren't given."""
    frame = delivery.frame[delivery.frame["households"].isna()]
    rates = frame[["poor_pct", "near_poor_pct"]].astype(float).to_numpy()
    counts = frame[["poor", "near_poor"]].astype(float).to_numpy()
    slack = limits["printed_rate_tolerance"]
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = 100 * counts / (rates + slack), 100 * counts / np.maximum(rates - slack, 1e-9)
        totals = 100 * counts / rates
    apart = (low[:, 0] > high[:, 1]) | (low[:, 1] > high[:, 0])
    hits = pd.DataFrame({"first": rates[:, 0], "second": rates[:, 1]}, index=frame.index)
    hits = hits.assign(first_total=totals[:, 0], second_total=totals[:, 1])[apart]
    yield from delivery.findings("warning", "different_denominators", hits, "poor_pct")


def _bridge_households(delivery):
    frame = delivery.frame[delivery.frame["place"].notna() & delivery.frame["households"].notna()]
    first = frame.groupby(["place", "year"])["households"].transform("first")
    off = first != frame["households"]
    hits = pd.DataFrame(
        {"first": first[off].astype(float), "second": frame.loc[off, "households"].astype(float)}
    )
    hits["year"] = frame.loc[off, "year"].astype(int)
    yield from delivery.findings("warning", "bridge_households", hits, "households")


def _households_jump(delivery, taken, limits):
    """Households of two years of one place: a merger not told in communes, or the row of another commune."""
    frame = delivery.frame
    before, later = _follows(frame, ["place"])
    own = _own_stock(frame, later, taken)
    before, later = before[own], later[own]
    now = frame.loc[later, "households"].astype(float)
    opening = frame.loc[before, "households"].astype(float).set_axis(later)
    factor = np.maximum(now / opening, opening / now)
    hits = pd.DataFrame({"first": opening, "second": now})[factor > 1 + limits["households_jump"] / 100]
    yield from delivery.findings("warning", "households_jump", hits, "households")


def _review_flow(delivery, taken):
    """Poor households of two years against those who left, fell back and became poor, on one standard."""
    frame = delivery.frame
    before, later = _follows(frame, ["place", "standard"])
    own = _own_stock(frame, later, taken)
    before, later = before[own], later[own]
    now = frame.loc[later, ["poor", "escaped", "fell_back", "newly_poor"]].astype(float)
    opening = frame.loc[before, "poor"].to_numpy(dtype=float)
    flow = now["fell_back"].fillna(0) + now["newly_poor"] - now["escaped"]
    hits = pd.DataFrame({"opening": opening, "closing": now["poor"], "flow": flow})
    off = (hits["closing"] - hits["opening"] - flow).abs() > 0
    yield from delivery.findings("note", "review_flow", hits[off], "poor")


def _standards(delivery):
    """Reviews on a standard that was neither in force in their year nor the one that followed at its end."""
    frame, spans = delivery.frame, reference.standards()
    for (year, standard), rows in frame.groupby(["year", "standard"]):
        if standard not in spans.index:
            continue
        span = spans.loc[standard]
        survey = span["measured_by"] == "survey"
        if standard in reference.standards_of_year(int(year)) or (
            survey and span["valid_from"].year <= year <= span["valid_to"].year
        ):
            continue
        said = {"indicator": "poor", "date": str(year), "standard": standard}
        said |= {"start": span["valid_from"], "end": span["valid_to"]}
        for index in rows.index:
            yield delivery.finding("error", "standard_not_in_force", index, "standard", **said)


def _loan_status(delivery):
    frame = delivery.frame
    for column, statuses in (
        ("overdue_vnd", ("current", "repaid", "written_off")),
        ("outstanding_vnd", ("repaid", "written_off")),
    ):
        off = frame["status"].isin(statuses) & (frame[column] > 0)
        hits = pd.DataFrame({"status": frame.loc[off, "status"], "amount": frame.loc[off, column]})
        yield from delivery.findings("warning", "status_mismatch", hits, column)
