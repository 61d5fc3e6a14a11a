"""The attack on a release: what an intruder can work out of the hidden figures from those that are shown.

It knows nothing of how figures were chosen for hiding. From the rows as a reader sees them and the published
definitions of the indicators it writes every equation down and asks, by linear programming, how low and how
high each protected figure can lie.

Source: Hundepool et al. (2012), Statistical Disclosure Control, section 4.4 (the audit of suppressed tables);
Fischetti and Salazar (2001), Management Science 47(7), 1008-1027, the attacker's subproblems.
"""

import numpy as np
import pandas as pd

from evalkit import building as built
from evalkit.errors import DisclosureError
from evalkit.metrics import rollup, suppress
from evalkit.present.attack.equations import equations, targets


def must_fail(build_folder, *, earlier=None):
    """Raise DisclosureError, naming the worst figure, where the attack on a build succeeds; else return its table.

    earlier: the figures of a release that readers already have, as they were shown. Those that are still true are
    used against this build, and nothing that was hidden there may be shown here: it would be used against that
    release, of which the sums are still known.
    """
    rows, sensitive, units = (built.read(build_folder, t) for t in ("indicators", "sensitive", "places"))
    public = suppress.shown(rows)
    found = [intervals(public, sensitive, units)] if len(sensitive) else []
    if earlier is not None:
        _nothing_uncovered(public, earlier)
    if earlier is not None and len(sensitive):
        found.append(intervals(_filled(public, rows, earlier), sensitive, units))
    table = pd.concat(found, ignore_index=True) if found else pd.DataFrame()
    broken = table[table["disclosed"]] if len(table) else table
    if len(broken):
        worst = (
            broken.assign(wide=broken["upper"] - broken["lower"]).sort_values("wide", kind="stable").iloc[0]
        )
        raise DisclosureError(
            f"{worst['place']}, {worst['year']}, {worst['expr']}: whoever subtracts what is shown learns that it lies "
            f"between {worst['lower']:g} and {worst['upper']:g}, and so for {len(broken)} figures in all. Nothing is "
            f"published. {_MEND}"
        )
    return table


_MEND = (
    "Build again with this version of evalkit, beside the release that readers have (--since, or the site in the "
    "output folder). If it is a matter of a new threshold, take that release down and publish to another folder."
)


def _nothing_uncovered(public, earlier):
    """Raise where a figure is shown that the earlier release hid."""
    hidden = suppress.beside(public, earlier)["hidden"].eq(True).to_numpy()
    again = public[hidden & ~suppress.is_hidden(public)]
    if len(again):
        first = again.iloc[0]
        raise DisclosureError(
            f"{first['place']}, {first['period']}, {first['indicator']}: hidden in the release that readers have and "
            f"shown in this build, and so {len(again)} figures in all. Nothing is published. {_MEND}"
        )


def intervals(public, sensitive, units):
    """Return for each protected figure how low and how high it can lie: the columns of ``sensitive`` and lower,
    upper, disclosed (the interval is narrower than ``width``).

    No equation ties two provinces, so each is attacked by itself.

    public: indicator rows as a reader sees them. sensitive: place, year, standard, expr, width. Where an
    interval was found to be wide enough its ends are points that it surely holds, not its outermost ones.
    """
    number = rollup.apart(units)
    of_places, of_figures, of_cells = (x["place"].map(number).to_numpy() for x in (units, public, sensitive))
    found = sensitive.assign(lower=np.nan, upper=np.nan)
    for one in np.unique(of_cells[~np.isnan(of_cells)]):
        own, aimed = units[of_places == one], sensitive[of_cells == one]
        system = equations(public[of_figures == one], own)
        ends = system.bound(targets(aimed, system, own), aimed["width"].to_numpy(float))
        found.loc[of_cells == one, ["lower", "upper"]] = np.column_stack(ends)
    # A hundredth of the width is left for the rounding of sums; what wasn't bounded counts as disclosed.
    return found.assign(disclosed=~(found["upper"] - found["lower"] >= 0.99 * found["width"]))


def _filled(public, rows, earlier):
    """The rows as a reader of both releases has them: of what is hidden now, what the earlier one shows and still holds."""
    back = suppress.is_hidden(public) & suppress.holds(rows, suppress.beside(rows, earlier))
    figures = ["value", "lower", "upper", "numerator", "denominator"]
    out = public.copy()
    out.loc[back, figures] = rows.loc[back, figures]
    return out
