"""One year against another: units that slipped, years that were copied, incomes heaped at a threshold."""

import numpy as np
import pandas as pd

from evalkit.load import reference, schema
from evalkit.load.said import Said

_LEVELS = {  # columns whose level can be told, with what identifies a series
    "credit": (["outstanding_vnd"], ["place", "programme"]),
    "groups": (["outstanding_vnd", "savings_vnd"], ["place", "group"]),
    "poverty": (["households"], ["place"]),
    "income": (["income_vnd"], ["place", "basis", "per"]),
}


_DISTRESS = [
    "overdue_vnd",
    "frozen_vnd",
    "extended_vnd",
]  # told by their own size: few borrowers have such debt


def of_tables(tables, units):
    """Yield the findings on tables ({name: Delivery}) whose rows have their ``place``; units: all places."""
    limits = reference.table("plausibility").set_index("parameter")["value"].astype(float)
    for name, (columns, by) in _LEVELS.items():
        if name not in tables:
            continue
        for column in columns:
            slipped = _slipped_deliveries(tables[name], column, limits)
            yield from _say_slipped(tables[name], column, slipped)
            yield from _slipped_cells(tables[name], column, by, slipped, limits)
        yield from _copied_years(tables[name], limits)
    if "credit" in tables:
        for column in _DISTRESS:
            yield from _say_slipped(
                tables["credit"], column, _slipped_deliveries(tables["credit"], column, limits)
            )
    if "poverty" in tables:
        yield from _fractions(tables["poverty"])
    if "income" in tables:
        yield from _fast_growth(tables["income"], limits)
        yield from _heaping(tables["income"], units, limits)


def _typical(delivery, column):
    """The size of a figure: an amount per borrower where borrowers are known, an income per year."""
    frame = delivery.frame
    size = frame[column].astype(float)
    if delivery.table == "credit" and column not in _DISTRESS:
        size = size / frame["borrowers"].astype(float).where(lambda n: n > 0)
    if delivery.table == "groups":
        size = size / frame["members"].astype(float).where(lambda n: n > 0)
    if delivery.table == "income":
        size = size * frame["per"].map({"month": 12.0, "year": 1.0}).astype(float)
    return size.where(size > 0)


def _usual_range(delivery, column, limits):
    if column in _DISTRESS and delivery.table == "credit":
        return limits["distress_low"], np.inf
    if delivery.table == "income":
        return limits["income_year_low"], limits["income_year_high"]
    if delivery.table in ("credit", "groups") and column == "outstanding_vnd":
        return limits["outstanding_per_borrower_low"], float(reference.largest_household_ceiling())
    return 0.0, np.inf


def _slipped_deliveries(delivery, column, limits):
    """The years of a file whose typical figure is far from what is usual: {(file, year): (found, usual, factor)}.

    Usual is the median of the other years' and files' medians, or, where no other tells, the plausible range.
    """
    size = _typical(delivery, column)
    by = pd.DataFrame({"file": delivery.origin["file"], "year": delivery.frame["year"], "size": size})
    medians = by.groupby(["file", "year"])["size"].median().dropna()
    low, high = _usual_range(delivery, column, limits)
    jump = "income_jump_factor" if delivery.table == "income" else "jump_factor"
    inside = medians[(medians >= low) & (medians <= high)]
    slipped = {}
    for at, found in medians.items():
        others = inside.drop(at, errors="ignore")
        if not len(others) and low <= found <= high:
            continue
        usual = others.median() if len(others) else low if found < low else high
        factor = found / usual
        if max(factor, 1 / factor) > limits[jump] or not len(others):
            slipped[at] = (float(found), float(usual), float(factor))
    # of two halves of a table the smaller is taken as the one that slipped
    return slipped if len(slipped) <= len(medians) / 2 or not len(inside) else {}


def _say_slipped(delivery, column, slipped):
    frame, files = delivery.frame, delivery.origin["file"]
    for (file, year), (found, usual, factor) in slipped.items():
        index = frame.index[(files == file) & (frame["year"] == year)][0]
        times = f"1/{1 / factor:,.0f}" if factor < 1 else f"{factor:,.0f} ×"
        said = {"indicator": column, "year": int(year), "found": found, "usual": usual, "factor": times}
        yield delivery.finding("error", "unit_slip", index, column, **said)


def _slipped_cells(delivery, column, by, slipped, limits):
    """Figures a thousandfold off the years beside them: from both, or, at an end of the series, from the one.

    Where a figure per borrower is known it must be as far off what is usual in the table: a programme that grew
    from its first loans isn't a slip.
    """
    frame = delivery.frame[delivery.frame["place"].notna() & (delivery.frame[column] > 0)]
    if slipped:
        at = pd.MultiIndex.from_arrays([delivery.origin["file"].loc[frame.index], frame["year"]])
        frame = frame[~at.isin(list(slipped))]
    frame = frame.drop_duplicates([*by, "year"]).sort_values([*by, "year"], kind="stable")
    level = np.log10(frame[column].astype(float))
    series = level.groupby([frame[c] for c in by], dropna=False)
    before, after = level - series.shift(), level - series.shift(-1)
    jump = np.log10(limits["jump_factor"])
    far = ((before > jump) & ~(after <= jump)) | ((after > jump) & ~(before <= jump))
    far |= ((before < -jump) & ~(after >= -jump)) | ((after < -jump) & ~(before >= -jump))
    size = np.log10(_typical(delivery, column).loc[frame.index])
    known = size.notna()
    if delivery.table in ("credit", "groups"):
        far &= ~known | ((size - size.median()).abs() > jump / 2)
    alone = (before.isna() | after.isna()) & ~known
    far &= ~alone | ((level - series.transform("median")).abs() > jump)
    other = frame[column].astype(float).groupby([frame[c] for c in by], dropna=False)
    beside = other.shift().fillna(other.shift(-1))
    hits = pd.DataFrame({"first": beside[far], "second": frame.loc[far, column].astype(float)})
    yield from delivery.findings("warning", "jump_thousand", hits, column, indicator=column)


def _fractions(delivery):
    """Rates that no count beside them can test, all at most 1 and most with more decimals than a printed percentage."""
    frame = delivery.frame
    for column, count in (("poor_pct", "poor"), ("near_poor_pct", "near_poor")):
        rates = frame.loc[(frame[column] > 0) & (frame["households"].isna() | frame[count].isna()), column]
        by = pd.DataFrame({"file": delivery.origin["file"], "year": frame["year"]}).loc[rates.index]
        for (file, year), values in rates.groupby([by["file"], by["year"]]):
            if (values <= 1).all() and ((values * 100) % 1 > 1e-9).mean() > 0.5:
                said = {"count": len(values), "year": int(year), "largest": float(values.max())}
                yield delivery.finding(
                    "warning", "rates_as_fractions", values.index[0], column, file=file, **said
                )


def _copied_years(delivery, limits):
    """Years in which most series repeat every figure of the year before."""
    fields, key = schema.fields(delivery.table), schema.key(delivery.table)
    figures = [c for c, f in fields.items() if f["type"] in ("number", "integer") and c not in key]
    by = ["place", *(c for c in key if c not in ("code", "year"))]
    frame = delivery.frame[delivery.frame["place"].notna()].sort_values([*by, "year"], kind="stable")
    values = frame[figures].astype(float)
    moved = values.shift()
    follows = (frame[by] == frame[by].shift()).all(axis=1) & (frame["year"] == frame["year"].shift() + 1)
    follows = follows.fillna(False).astype(bool)
    same = ((values == moved) | (values.isna() & moved.isna())).all(axis=1) & (values.fillna(0) > 0).any(
        axis=1
    )
    counted = (
        pd.DataFrame({"year": frame["year"], "follows": follows, "same": same & follows})
        .groupby("year")
        .sum()
    )
    copied = counted[
        (counted["same"] > limits["copied_share"] / 100 * counted["follows"]) & (counted["same"] > 2)
    ]
    for year, n in copied.iterrows():
        index = frame.index[(frame["year"] == year) & same & follows][0]
        said = {
            "count": int(n["same"]),
            "total": int(n["follows"]),
            "year": int(year),
            "previous": int(year) - 1,
        }
        yield delivery.finding("warning", "copied_year", index, figures[0], **said)


def _fast_growth(delivery, limits):
    frame = delivery.frame[delivery.frame["place"].notna() & (delivery.frame["income_vnd"] > 0)]
    frame = frame.sort_values(["place", "basis", "per", "year"], kind="stable")
    series = frame.groupby(["place", "basis", "per"], dropna=False)
    before, start = series["income_vnd"].shift(), series["year"].shift()
    factor, years = frame["income_vnd"] / before, (frame["year"] - start).astype(float)
    rate = 100 * (factor ** (1 / years) - 1)
    fast = (rate > limits["growth_high"]) & (factor < limits["jump_factor"])
    hits = pd.DataFrame({"first": before, "second": frame["income_vnd"], "rate": rate.round()})[fast]
    hits["start"], hits["end"] = start[fast].astype(int).astype(str), frame.loc[fast, "year"].astype(str)
    yield from delivery.findings("warning", "fast_growth", hits, "income_vnd", indicator="income_vnd")


def _heaping(delivery, units, limits):
    """Incomes of the year of recognition in two equal bands over the threshold; chance fills them alike.

    Exact binomial test, one-sided, p = 1/2. Incomes below the threshold say nothing: the commune wouldn't have
    been recognised. Where the region of a province isn't known, each region's threshold is tried and the
    p-value multiplied by their number (Bonferroni). The finding is of every commune just over the threshold.
    """
    from scipy.special import bdtrc

    rows = _recognised(delivery.frame)
    if rows.empty:
        return
    thresholds = _thresholds()
    province = rows["place"].map(units.set_index("place")["province_code"])
    area = province.map(reference.table("regions").set_index("province_code")["nrd_area"].to_dict())
    known = area.dropna().unique()
    tried = [*known, *(thresholds["area"].unique() if area.isna().any() else ())]
    width = limits["heaping_window"] / 100
    tests = []
    for name in dict.fromkeys(tried):
        own = rows[(area == name) | area.isna()]
        line = own["year"].map(_in_force(thresholds[thresholds["area"] == name], own["year"].unique()))
        over = (own["income_vnd"] / line - 1).round(9)
        just, further = (
            int(over.between(0, width, "left").sum()),
            int(over.between(width, 2 * width, "left").sum()),
        )
        if just:
            p_value = float(bdtrc(just - 1, just + further, 0.5))
            tests.append((p_value, just, further, over.index[over.between(0, width, "left")]))
    if not tests:
        return
    p_value, just, further, heaped = min(tests, key=lambda test: test[0])
    p_value = min(1.0, p_value * len(tests))
    if p_value < limits["heaping_level"] / 100:
        shown = Said("< {p}", p=0.001) if p_value < 0.001 else round(p_value, 3)
        said = {"just_over": just, "further": further, "p_value": shown}
        for index in heaped:
            yield delivery.finding("note", "heaping", index, "income_vnd", **said)


def _recognised(frame):
    """Self-surveyed incomes per year, of each place's first year of recognition after a year without."""
    own = frame[(frame["basis"] == "self_survey") & (frame["per"] == "year") & frame["place"].notna()]
    own = own.sort_values(["place", "year"], kind="stable")
    before = own.groupby("place")["nrd_status"].shift()
    return own[own["nrd_status"].isin(["basic", "advanced"]) & (before == "none")]


def _thresholds():
    return reference.table("nrd_criteria").query("criterion == 'income'")


def _in_force(thresholds, years):
    found = {}
    for year in years:
        day = pd.Timestamp(int(year), 12, 31)
        valid = thresholds[thresholds["valid_from"] <= day].sort_values("valid_from")
        if len(valid):
            found[year] = valid["threshold"].iloc[-1]
    return found
