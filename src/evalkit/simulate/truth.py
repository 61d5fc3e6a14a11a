"""What is true in a simulated province, in a form that programs and people read."""

from dataclasses import asdict

import numpy as np

from evalkit.simulate import products


def statement(parameters, history, territory, book, boundaries, heaped):
    """Return what is true of the province as a tree of plain values (the content of truth.json)."""
    first = int(history.years[0])
    production = [p.code for p in products.programmes() if p.purpose == "production"]
    effect = parameters.effect
    return {
        "simulated": True,
        "parameters": asdict(parameters),
        "effect": {
            "dose": "outstanding production credit per household (of all) at the end of the year before",
            "dose_unit": f"million VND at prices of {first}, deflated by consumer prices (annual averages)",
            "dose_programmes": production,
            "other_purposes": 0.0,
            "lag_years": 1,
            "outcomes": {
                "poor_pct": {"per_unit": effect.poverty_pp, "unit": "percentage points, on every standard"},
                "near_poor_pct": {"per_unit": 0.0, "unit": "percentage points"},
                "log_income": {
                    "per_unit": effect.log_income,
                    "unit": "log of real income per person, before survey error and heaping",
                },
            },
            "within_commune": "none: borrowers and others of one commune gain alike",
        },
        "floor": _floor(history, effect),
        "bridges": _bridges(history, boundaries),
        "recognised_early": heaped.to_dict("records"),
        "concurrent_programme": sorted(set(territory.code[history.concurrent])),
        "merged": _merged(territory) if parameters.difficulties.mergers_2020 else [],
        "doubtful_debt_vnd": _doubtful(history, book),
    }


def _floor(history, effect):
    """By standard: the share of commune-years whose rate can't fall further, and the effect that is left."""
    out = {}
    for standard in dict.fromkeys(s for _, s in history.at_floor):
        share = float(np.mean([v for (_, s), v in history.at_floor.items() if s == standard]))
        out[standard] = {"share_at_zero": share, "average_effect_pp": effect.poverty_pp * (1 - share)}
    return out


def _bridges(history, boundaries):
    """By year counted on two standards: households poor on each, and how the ratio differs by commune."""
    out = {}
    for t, year in enumerate(history.years):
        both = [s for k, s in history.poor if k == t]
        if len(both) < 2:
            continue
        rows = boundaries.years == year
        counts = []
        for s in both:
            values = np.zeros(history.households.shape, dtype=np.int64)
            values[:, t] = history.poor[t, s]
            counts.append(boundaries.count(values)[rows])
        ratio = counts[1][counts[0] > 0] / counts[0][counts[0] > 0]
        quantiles = np.quantile(ratio, [0.1, 0.5, 0.9]).round(3).tolist() if len(ratio) else []
        out[str(year)] = {
            "poor": {s: int(c.sum()) for s, c in zip(both, counts, strict=True)},
            "ratio_10_50_90_pct": quantiles,
        }
    return out


def _merged(territory):
    """Each merged unit with the parts that it was formed from."""
    units = np.flatnonzero(territory.merged)
    parts = [np.flatnonzero(territory.unit == u) for u in units]
    return [
        {
            "code": str(territory.unit_code[u]),
            "name": str(territory.unit_name[u]),
            "from": [{"code": str(territory.code[p]), "name": str(territory.name[p])} for p in own],
        }
        for u, own in zip(units, parts, strict=True)
    ]


def _doubtful(history, book):
    """By year: debt not paid when due, however it shows."""
    shown = {k: getattr(book, k).sum(axis=(0, 1)) for k in ("overdue", "frozen", "extended")}
    return {str(y): {k: int(v[t]) for k, v in shown.items()} for t, y in enumerate(history.years)}
