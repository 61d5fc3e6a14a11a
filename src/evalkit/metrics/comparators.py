"""Whom each place stands beside, named and with a reason: its past, its district, province, type and peers.

Figures are rows of the result table. Every comparison stays within one level, indicator, unit, basis, kind of
statistic and year. Comparators leave the place itself out, so that a large commune isn't compared with itself
inside its district.
"""

import numpy as np
import pandas as pd

from evalkit.errors import DataError
from evalkit.metrics import benchmarks, compare

DESCRIPTORS = ("elevation_m", "distance_km", "ethnic_minority_pct")
GROUPS = {  # comparator: (levels it serves, the columns that its members share)
    "district": (("commune",), ("district_code",)),
    "province": (("commune", "district"), ("province_code",)),
    "type": (("commune",), ("province_code", "type")),
    "nation": (("province",), ()),
}
_GROUP = ["level", "indicator", "unit", "basis", "method", "year"]
_FIGURE = ["indicator", "period", "basis", "method"]
_COLUMNS = [
    *("place", "indicator", "period", "year", "basis", "method", "unit", "flags"),
    *("value", "lower", "upper", "numerator", "denominator"),
]


def compared(rows, units, peers, *, minimum):
    """Return the latest figure of every place and judged indicator beside each of its comparators, judged.

    rows: indicator rows of all places. units: the places, with level, district_code, province_code and type.
    Beside the province's others a share of counts carries the funnel limits of its denominator (limit_lower,
    limit_upper): within them lie 95 % of places of that size whose true share is the others'.
    peers: the table of :func:`peers_of`. minimum: with fewer comparators nothing is judged. For the columns see
    :func:`references` and :func:`evalkit.metrics.compare.judge`.

    Rows that ``evalkit.metrics.suppress`` hides (column ``hidden``) are not judged. A share beside others of
    whom some are hidden is judged where their counts are no secret, because the area's own figure is shown;
    else it is "not judged: hidden", for the others that are shown are those with many poor. Amounts stand
    beside the others that are shown.
    """
    own = comparable(rows, units)
    table = _withheld(references(own, units, peers), rows, units)
    judged = compare.judge(table, polarity=compare.polarity(), minimum=minimum)
    in_funnel = (judged["test"] == "counts") & judged["comparator"].isin(("province", "nation"))
    in_funnel &= judged["verdict"] != "not judged"
    limits = compare.funnel_limits(
        judged.loc[in_funnel, "denominator"],
        judged.loc[in_funnel, "reference"] / 100,
        levels=(compare.CONFIDENCE,),
    )
    for side in ("lower", "upper"):
        judged.loc[in_funnel, f"limit_{side}"] = (
            100 * limits[f"{side}_{100 * compare.CONFIDENCE:g}"].to_numpy()
        )
    secret = judged["secret"]
    judged.loc[secret, ["verdict", "reason"]] = ["not judged", "hidden"]
    return judged.drop(columns=["log_mean", "log_sd", "unseen", "secret"])


def _withheld(table, rows, units):
    """Take out the references of shares that would say something of hidden places; ``secret`` marks them."""
    shown = rows[rows["value"].notna() & ~_hidden(rows)]
    shown = pd.MultiIndex.from_frame(shown[["place", *_FIGURE]].astype(object))
    where, area = units.drop_duplicates("place").set_index("place"), {}
    for comparator in ("district", "province"):
        at = table[_FIGURE].astype(object).assign(place=table["place"].map(where[f"{comparator}_code"]))
        known = pd.MultiIndex.from_frame(at[["place", *_FIGURE]].astype(object)).isin(shown)
        area[comparator] = known & (table["comparator"] == comparator).to_numpy()
    secret = (table["unseen"] > 0) & (table["test"] == "counts")
    secret &= ~np.any(list(area.values()), axis=0)
    told = ["reference", "reference_lower", "reference_upper", "reference_numerator", "reference_denominator"]
    return table.assign(**table[told].mask(secret), secret=secret)


def _hidden(rows):
    return rows["hidden"].fillna("").ne("") if "hidden" in rows else pd.Series(False, index=rows.index)


def comparable(rows, units):
    """Return the rows that are judged: dated, about the whole place, on a known standard, one of each.

    Of several figures of one place, year, basis and kind of statistic the one with its counts comes first,
    then the one that is known exactly.
    """
    own = rows[rows["indicator"].isin(compare.TESTS) & rows["year"].notna() & rows["value"].notna()]
    own = own[benchmarks.whole(own)]
    own = own.assign(level=own["place"].map(units.set_index("place")["level"]).astype("string"))
    own = own.assign(rank=own["numerator"].isna() * 2 + (own["lower"] != own["upper"]))
    own = own.sort_values("rank", kind="stable").drop_duplicates(["place", *_GROUP])
    own = own[own["level"].isin(("commune", "district", "province"))].drop(columns="rank")
    own = own.sort_index(ignore_index=True)
    return own.assign(test=own["indicator"].map(compare.TESTS), hidden=_hidden(own))


def references(own, units, peers):
    """Return the latest row of each place and indicator beside the reference value of each comparator.

    own_past: the same place in the earliest year on the same basis. district, province, nation: the others of
    the same level in it. type: the others of the same type in the province. peers: the places that
    ``peers`` names. Where all of them give numerator and denominator the reference is their pooled ratio,
    otherwise the mean of their values; ``pooled`` says which, ``places`` of how many.

    Columns besides those of the row: comparator, reference with its counts and, where bounds are compared, its
    bounds, places, pooled, since
    (the year of the own past), log_mean and log_sd of the comparators' values. No row where nobody is left.
    """
    own = own.assign(group=own.groupby(_GROUP, dropna=False, sort=False).ngroup())
    log = np.log(own["value"].astype(float).where(own["value"] > 0))
    own["centre"] = log.groupby(own["group"]).transform("mean")
    shown = own[~own["hidden"]].sort_values("year", kind="stable")
    latest = shown.drop_duplicates(["place", "indicator"], keep="last").index
    latest = np.sort(latest.to_numpy())
    parts = [_own_past(own, latest)]
    for name, (levels, columns) in GROUPS.items():
        if set(columns) <= set(units):
            parts.append(_others(own, latest, units, name, levels, columns))
    parts.append(_peers(own, latest, peers))
    return pd.concat([p for p in parts if len(p)] or parts[:1], ignore_index=True)


def peers(places, *, descriptors, outcomes, count=10, within=(), key="code"):
    r"""The ``count`` places most like each place by published descriptors.

    .. math:: d_{ij} = \sqrt{\tfrac1m \sum_k (z_{ik} - z_{jk})^2}

    z: descriptor in units of its standard deviation over all places; m descriptors. within: columns that
    peers must share exactly (type, region). outcomes: the indicators that will be compared; a descriptor
    among them would choose peers by the result, and is refused. A place that lacks a descriptor has no peers
    and is none. Of two equally near the lower code stands first.

    Returns one row per place and peer: place, peer, rank, distance (in standard deviations). Publish it with
    the comparison and keep it for the release.
    Raises DataError where a descriptor is an outcome or missing from the table, or a place occurs twice.
    """
    chosen = sorted(set(descriptors) & set(outcomes))
    if chosen:
        raise DataError(
            f"descriptors: {', '.join(chosen)} are outcomes. Peers must be alike before the result."
        )
    lacking = [name for name in (key, *descriptors, *within) if name not in places]
    if lacking:
        raise DataError(f"places: no column {', '.join(lacking)}; there are {', '.join(places)}.")
    known = places.dropna(subset=[key, *descriptors, *within]).sort_values(key).reset_index(drop=True)
    if known[key].duplicated().any():
        twice = known[key][known[key].duplicated()].iloc[0]
        raise DataError(f"places, {key}: {twice} occurs twice. Choose the rows valid at one date.")
    values = known[list(descriptors)].astype(float)
    spread = values.std(ddof=0)
    values = ((values - values.mean()) / spread.where(spread > 0, 1)).to_numpy() / np.sqrt(len(descriptors))
    groups = known.groupby(list(within)).indices.values() if within else [np.arange(len(known))]
    codes = known[key].to_numpy()
    tables = [_nearest(codes[rows], values[rows], count) for rows in groups]
    empty = pd.DataFrame({"place": [], "peer": [], "rank": [], "distance": []})
    return pd.concat(tables or [empty], ignore_index=True).sort_values(["place", "rank"], ignore_index=True)


def peers_of(units, year, *, outcomes, frozen=None, count=10):
    """Return the peers of every commune that has descriptors, of the same type, valid on the same day.

    Communes standing at the end of ``year`` are compared with each other, one that ended before with those
    that stood on its last day. frozen: the table of an earlier release (place, peer, rank, distance), which
    is kept as it is for the places that it names; the column ``frozen`` says so.
    """
    communes = units[units["level"] == "commune"]
    found = [pd.DataFrame({"place": [], "peer": [], "rank": [], "distance": []})]
    if set(DESCRIPTORS) <= set(communes) and communes[list(DESCRIPTORS)].notna().all(axis=1).any():
        end = pd.Timestamp(year, 12, 31)
        last = communes["valid_to"].clip(upper=end).fillna(end)
        for day in last.unique():
            standing = communes[(last >= day) & ~(communes["valid_from"] > day)]
            table = peers(
                standing,
                descriptors=DESCRIPTORS,
                outcomes=outcomes,
                count=count,
                within=["type"],
                key="place",
            )
            found.append(table[table["place"].isin(communes.loc[last == day, "place"])])
    table = pd.concat(found[1:] or found, ignore_index=True).assign(frozen=False)
    if frozen is not None:
        kept = frozen[frozen["place"].isin(units["place"]) & frozen["peer"].isin(units["place"])]
        table = pd.concat(
            [table[~table["place"].isin(kept["place"])], kept.assign(frozen=True)], ignore_index=True
        )
    table = table.astype({"place": "string", "peer": "string", "rank": int, "distance": float})
    return table.sort_values(["place", "rank"], ignore_index=True)


def _nearest(codes, values, count):
    from scipy.spatial import cKDTree

    near = min(count + 1, len(codes))
    distance, index = cKDTree(values).query(values, k=near)
    distance, index = distance.reshape(len(codes), -1).round(12), index.reshape(len(codes), -1)
    table = pd.DataFrame(
        {
            "place": np.repeat(codes, near),
            "peer": codes[index.ravel()],
            "distance": distance.ravel(),
        }
    )
    table = table[table.place != table.peer].sort_values(["place", "distance", "peer"])
    table["rank"] = table.groupby("place").cumcount() + 1
    return table[table["rank"] <= count][["place", "peer", "rank", "distance"]]


def _own_past(own, latest):
    """The earliest year of the same place and basis, beside the latest; not of money in the prices of its year."""
    basis = ["place", *(c for c in _GROUP if c not in ("level", "year"))]
    first = own[~own["hidden"]].sort_values("year", kind="stable").drop_duplicates(basis)
    pairs = own.loc[latest].merge(first, on=basis, suffixes=("", "_past"))
    pairs = pairs[(pairs["year_past"] < pairs["year"]) & (pairs["unit"] != "VND")].reset_index(drop=True)
    return pairs[[*_COLUMNS, "test"]].assign(
        comparator="own_past",
        reference=pairs["value_past"],
        reference_lower=pairs["lower_past"],
        reference_upper=pairs["upper_past"],
        reference_numerator=pairs["numerator_past"],
        reference_denominator=pairs["denominator_past"],
        places=1,
        pooled=False,
        unseen=0,
        since=pairs["year_past"],
        log_mean=np.nan,
        log_sd=np.nan,
    )


def _others(own, latest, units, name, levels, columns):
    """The other members of each group, by taking the place from its group's sums."""
    listed = units.drop_duplicates("place").set_index("place")
    member = listed[list(columns)].dropna() if columns else listed.assign(all=1)[["all"]]
    member = member.groupby(list(member)).ngroup()
    code = own["place"].map(member).where(own["level"].isin(levels))
    usable = code.notna().to_numpy()
    group = pd.factorize(own["group"].to_numpy() * (len(member) + 1) + code.fillna(-1).to_numpy(int))[0]
    terms, sums = _terms(own), {}
    for term, values in terms.items():
        sums[term] = np.bincount(group, weights=values)[group] - values
    latest = latest[usable[latest]]
    return _beside(
        own.loc[latest], {k: v[latest] for k, v in sums.items()}, own["centre"].to_numpy()[latest], name
    )


def _peers(own, latest, peers):
    """The peers of each place that have a figure of the same group."""
    rows = own.loc[latest, ["place", "group"]].assign(row=latest)
    pairs = rows.merge(peers[["place", "peer"]], on="place")
    there = own[["place", "group"]].assign(other=own.index).rename(columns={"place": "peer"})
    pairs = pairs.merge(there, on=["peer", "group"])
    found, position = np.unique(pairs["row"].to_numpy(), return_inverse=True)
    sums = {
        term: np.bincount(position, weights=values[pairs["other"]], minlength=len(found))
        for term, values in _terms(own).items()
    }
    return _beside(own.loc[found], sums, own["centre"].to_numpy()[found], "peers")


def _terms(own):
    """What is summed over comparators: counts, values and their logarithms, centred so that squares stay exact."""
    seen = ~own["hidden"].to_numpy(bool)
    pooling = seen | own["test"].eq("counts").to_numpy()  # whole counts or none: see _withheld
    value, under = own["value"].to_numpy(float), own["denominator"].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.where(value > 0, np.log(value), np.nan)
    log = log - own["centre"].to_numpy()
    counted = own["numerator"].notna().to_numpy() & (under > 0)
    bounded = (own["lower"].notna() & own["upper"].notna()).to_numpy()
    bounds = {side: own[side].to_numpy(float) for side in ("lower", "upper")}
    weight = np.where(counted, under, 1.0)
    terms = {
        "places": np.ones(len(own)),
        "uncounted": ~counted,
        "unbounded": ~bounded,
        "endless": bounded & np.isinf(bounds["upper"]),
        "not_positive": np.isnan(log),
        "value": value,
        "weight": weight,
        **{side: np.where(bounded & np.isfinite(b), b * weight, 0.0) for side, b in bounds.items()},
        "log": np.nan_to_num(log),
        "log_square": np.nan_to_num(log) ** 2,
    }
    whole = {"numerator": own["numerator"].to_numpy(float), "denominator": under}
    return (
        {term: np.where(seen, values, 0.0) for term, values in terms.items()}
        | {term: np.where(counted & pooling, values, 0.0) for term, values in whole.items()}
        | {"unseen": np.where(seen, 0.0, 1.0)}
    )


def _beside(rows, sums, centre, comparator):
    n = sums["places"]
    pooled = sums["uncounted"] == 0
    scale = np.where(rows["unit"] == "percent", 100.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = scale * sums["numerator"] / sums["denominator"]
        mean, centred = sums["value"] / n, sums["log"] / n
        variance = np.maximum(sums["log_square"] - n * centred**2, 0) / (n - 1)
        lower, upper = sums["lower"] / sums["weight"], sums["upper"] / sums["weight"]
    positive = (sums["not_positive"] == 0) & (n > 1)
    known = (sums["unbounded"] == 0) & (rows["test"] == "bounds").to_numpy()
    upper = np.where(sums["endless"] > 0, np.inf, upper)
    table = rows[[*_COLUMNS, "test"]].assign(
        comparator=comparator,
        reference=np.where(pooled, ratio, mean),
        reference_lower=np.where(known, lower, np.nan),
        reference_upper=np.where(known, upper, np.nan),
        reference_numerator=np.where(pooled, sums["numerator"], np.nan),
        reference_denominator=np.where(pooled, sums["denominator"], np.nan),
        places=(n + np.where(rows["test"] == "counts", sums["unseen"], 0)).astype(int),
        pooled=pooled,
        unseen=sums["unseen"].astype(int),
        since=pd.array([pd.NA] * len(rows), dtype="Int64"),
        log_mean=np.where(positive, centre + centred, np.nan),
        log_sd=np.where(positive, np.sqrt(variance), np.nan),
    )
    return table[n > 0].reset_index(drop=True)
