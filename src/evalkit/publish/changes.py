"""What changed since the last release: cell by cell, with the cause."""

import pandas as pd

from evalkit.metrics.suppress import KEY
from evalkit.publish.wording import N_

COLUMNS = [
    *(
        "place",
        "name",
        "period",
        "indicator",
        "basis",
        "method",
        "before",
        "after",
        "unit",
        "change",
        "cause",
    ),
    *("before_lower", "before_upper", "before_flags", "after_lower", "after_upper", "after_flags"),
]
CAUSES = {
    "new_data": N_("new data"),
    "correction": N_("correction of the data"),
    "definition": N_("definition"),
    "code": N_("computation"),
    "protection": N_("protection of households"),
}
CHANGES = {"added": N_("added"), "removed": N_("removed"), "changed": N_("changed")}
TOLERANCE = 1e-9  # relative; two runs on different processors differ by less


def changes(before, kept, release):
    """Return one row per figure that was added, removed or changed between two releases, with its cause.

    before: figures of the earlier release. kept: its release.json. The cause of a change is, in this order:
    protection (hidden in one release only), definition (formula or meaning of the indicator changed), new data
    (a figure that was not there, from data that changed), correction (data changed, and with them a figure of
    the same place and period that is read from the data), code (nothing else is left).
    """
    after = release.figures
    if before is None:
        return None
    both = _keyed(before).join(_keyed(after), how="outer", suffixes=("_before", "_after"))
    both = both[_differs(both)].reset_index()
    if both.empty:
        return pd.DataFrame(columns=COLUMNS)
    both["change"] = "changed"
    both.loc[both["there_before"].isna(), "change"] = "added"
    both.loc[both["there_after"].isna(), "change"] = "removed"
    both["cause"] = _causes(both, kept, release)
    for column in ("name", "unit"):
        both[column] = both[f"{column}_after"].fillna(both[f"{column}_before"])
    both = both.rename(columns={"value_before": "before", "value_after": "after"})
    ends = [(part, when) for part in ("lower", "upper", "flags") for when in ("before", "after")]
    both = both.rename(columns={f"{part}_{when}": f"{when}_{part}" for part, when in ends})
    return both[COLUMNS].sort_values(["place", "indicator", "period"], kind="stable", ignore_index=True)


def _keyed(figures):
    kept = figures[[*KEY, "name", "unit", "value", "lower", "upper", "flags"]].copy()
    kept[KEY] = kept[KEY].astype("string").fillna("")
    kept["turn"] = kept.groupby(KEY).cumcount()
    kept["there"] = True
    kept["hidden"] = kept["flags"].fillna("").str.contains("hidden")
    kept["read"] = ~kept["flags"].fillna("").str.contains("computed")
    return kept.set_index([*KEY, "turn"])


def _differs(both):
    other = both["there_before"].isna() | both["there_after"].isna()
    for column in ("value", "lower", "upper"):
        old, new = both[f"{column}_before"].astype(float), both[f"{column}_after"].astype(float)
        same = (old == new) | ((old - new).abs() <= TOLERANCE * old.abs()) | (old.isna() & new.isna())
        other |= ~same
    return other


def _causes(both, kept, release):
    data = kept["data"] != release.fingerprints["data"]
    known = kept["definitions"]
    redefined = both["indicator"].map(lambda i: known.get(i) != release.definitions.get(i))
    read = both["read_before"].eq(True) | both["read_after"].eq(True)
    touched = set(zip(both.loc[read, "place"], both.loc[read, "period"].str[:4], strict=True))
    beside = [(p, d[:4]) in touched for p, d in zip(both["place"], both["period"], strict=True)]
    hidden = both["hidden_before"].eq(True) != both["hidden_after"].eq(True)
    cause = pd.Series("code", index=both.index)
    if data:
        cause[pd.Series(beside, index=both.index)] = "correction"
        cause[both["change"] == "added"] = "new_data"
    cause[redefined] = "definition"
    cause[hidden & (both["change"] == "changed")] = "protection"
    return cause
