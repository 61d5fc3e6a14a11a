"""The household survey: a stratified sample of clusters, the same households every second year."""

import numpy as np
import pandas as pd

from evalkit.simulate import law, places

_EVERY = 2  # years between two rounds
_HOUSEHOLDS = 12  # in each cluster
_STAYING = 0.8  # correlation of a household's rank between rounds comes from this lasting part
_POOR_BORROW = 1.4  # times the chance of others
_POOREST = 0.45  # lowest income of a poor household as a share of the line
_SPREAD = 0.7  # log points of income among those who aren't poor
_ALTERNATIVE = 0.75  # share of the poor who meet a rule's first alternative
_STEP_VND = 1_000


def table(parameters, history, book, territory, draws, *, standards_break, mergers):
    """Return the survey: household × round, with design (stratum, cluster, weight) and class.

    A household's class follows the commune's review: its rank falls among the poor with the chance that
    the review states, and income and deprivations are drawn so that the standard's rule gives that class.
    Income per person has the commune's true mean. Borrowing is likelier among the poor; within a commune it
    has no effect of its own.
    """
    clusters, stratum, weight = _sample(parameters.survey_communes, territory, draws)
    rounds = [t for t, year in enumerate(history.years) if year % _EVERY == 0]
    n = len(clusters) * _HOUSEHOLDS
    part = np.repeat(clusters, _HOUSEHOLDS)
    members = 1 + draws.generator("members").poisson(territory.household_size[part] - 1)
    lasting = {k: draws.normal(f"survey {k}", n) for k in ("rank", "borrowing")}
    frames = []
    for t in rounds:
        year = int(history.years[t])
        standard = law.standards(year if standards_break else int(history.years[0]))[0]
        rank, luck = (
            _uniform(lasting[k], draws.normal(f"survey {k} {year}", n)) for k in ("rank", "borrowing")
        )
        shares = _shares(history, t, standard, part)
        label = np.select([rank < shares[0], rank < shares[0] + shares[1]], ["poor", "near_poor"], "not_poor")
        u = draws.uniform(f"survey {year}", 3, n)
        mean = history.income_year_vnd[part, t] / 12
        income, lacked = _circumstances(label, rank, shares, territory.urban[part], standard, mean, u)
        households = history.households[part, t]
        merged = year >= places.MERGER.year or not mergers
        frames.append(
            pd.DataFrame(
                {
                    "household": _label(territory, part),
                    "code": territory.unit_code[territory.unit[part]] if merged else territory.code[part],
                    "year": year,
                    "area": np.where(territory.urban[part], "urban", "rural"),
                    "members": members,
                    "income_month_vnd": income,
                    "deprivations": lacked,
                    "poor": label == "poor",
                    "near_poor": label == "near_poor",
                    "borrowed": luck < _borrowing(label, shares, book.customers[part, t] / households),
                    "weight": np.round(np.repeat(weight, _HOUSEHOLDS) * households / _HOUSEHOLDS, 4),
                    "stratum": np.repeat(stratum, _HOUSEHOLDS),
                    "cluster": territory.code[part],
                }
            )
        )
    frame = pd.concat(frames, ignore_index=True)
    return frame.sort_values(["household", "year"], ignore_index=True)


def _sample(size, territory, draws):
    """Draw clusters at random within strata: (parts, stratum, inverse of the chance) of each cluster."""
    high = territory.elevation_m > np.median(territory.elevation_m)
    stratum = np.select([territory.urban, high], ["urban", "upland"], "lowland")
    names, count = np.unique(stratum, return_counts=True)
    wanted = np.minimum(np.maximum(np.rint(size * count / count.sum()).astype(int), 2), count)
    g = draws.generator("survey clusters")
    chosen = [
        np.sort(g.permutation(np.flatnonzero(stratum == s))[:k]) for s, k in zip(names, wanted, strict=True)
    ]
    return np.concatenate(chosen), np.repeat(names, wanted), np.repeat(count / wanted, wanted)


def _uniform(lasting, passing):
    from scipy.special import ndtr

    return ndtr(_STAYING * lasting + np.sqrt(1 - _STAYING**2) * passing)


def _shares(history, t, standard, part):
    households = history.households[part, t]
    return history.poor[t, standard][part] / households, history.near_poor[t, standard][part] / households


def _circumstances(label, rank, shares, urban, standard, mean, u):
    """Return (income per person and month, deprivations) that give each household its class."""
    income, lacked = np.zeros(len(label)), np.zeros(len(label))
    poor, near = shares
    depth = np.select(
        [label == "poor", label == "near_poor"],
        [rank / np.maximum(poor, 1e-9), (rank - poor) / np.maximum(near, 1e-9)],
    )
    for area in (False, True):
        rules = law.rules(standard, "urban" if area else "rural")
        of = rules["of_deprivations"].max()
        for name in ("poor", "near_poor"):
            alternatives = rules[rules["class"] == name].sort_values("alternative")
            here = (urban == area) & (label == name)
            second = here & (u[0] > _ALTERNATIVE) if len(alternatives) > 1 else np.zeros_like(here)
            for rows, rule in zip((here & ~second, second), alternatives.itertuples(), strict=False):
                income[rows], lacked[rows] = _meeting(rule, depth[rows], u[1][rows], of)
        rest = (urban == area) & (label == "not_poor")
        line = rules["income_max_vnd"].max()
        income[rest] = _above(line, rank[rest], poor[rest] + near[rest], mean[rest])
        lacked[rest] = np.floor(u[1][rest] ** 3 * 4)
    if pd.isna(of):
        return income, pd.array([pd.NA] * len(label), dtype="Int64")
    return income, pd.array(lacked.astype(int), dtype="Int64")


def _meeting(rule, depth, u, of):
    """Return income and deprivations within a rule's bounds; the lower the rank, the lower the income."""
    low = _POOREST * rule.income_max_vnd if pd.isna(rule.income_min_vnd) else rule.income_min_vnd
    steps = np.ceil((low + depth * (rule.income_max_vnd - low)) / _STEP_VND)
    income = np.clip(steps, low // _STEP_VND + 1, rule.income_max_vnd // _STEP_VND) * _STEP_VND
    if pd.isna(of):
        return income, 0
    fewest = 0 if pd.isna(rule.deprivations_min) else rule.deprivations_min
    most = min(fewest + 4, of) if pd.isna(rule.deprivations_max) else rule.deprivations_max
    return income, np.floor(fewest + u * (most - fewest + 1))


def _above(line, rank, share, mean):
    """Return incomes above the line whose mean lets the commune reach its own."""
    from scipy.special import ndtri

    place = np.clip((rank - share) / np.maximum(1 - share, 1e-9), 1e-6, 1 - 1e-6)
    excess = np.maximum((mean - share * 0.8 * line) / np.maximum(1 - share, 1e-9) - line, 0.15 * line)
    steps = np.ceil((line + excess * np.exp(_SPREAD * ndtri(place) - _SPREAD**2 / 2)) / _STEP_VND)
    return np.maximum(steps, line // _STEP_VND + 1) * _STEP_VND


def _borrowing(label, shares, coverage):
    """Return each household's chance to borrow, whose mean in a commune is its coverage."""
    listed = shares[0] + shares[1]
    base = coverage / (1 + (_POOR_BORROW - 1) * listed)
    return np.where(label == "not_poor", base, np.minimum(base * _POOR_BORROW, 1))


def _label(territory, part):
    number = np.arange(len(part)) % _HOUSEHOLDS + 1
    return np.char.add(
        np.char.add(territory.code[part].astype(str), "-S"), np.char.zfill(number.astype(str), 2)
    )
