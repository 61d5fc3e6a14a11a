"""Which places no equation ties to each other, so that a country is attacked province by province."""

import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components


def apart(units):
    """Return for each place a number that it shares with its district, its province and all others in these.

    Communes without an area share one number: nothing ties them, and together they are done sooner.
    """
    areas = [
        units[["place", c]].set_axis(["place", "area"], axis=1) for c in ("district_code", "province_code")
    ]
    ties = pd.concat(areas).dropna().astype(object)
    ties = ties[ties["place"] != ties["area"]]
    number, places = pd.factorize(pd.concat([ties["place"], ties["area"], units["place"].astype(object)]))
    one, other = number[: len(ties)], number[len(ties) : 2 * len(ties)]
    links = sparse.coo_matrix((ties["place"].notna(), (one, other)), shape=(len(places),) * 2)
    found = pd.Series(connected_components(links, directed=False)[1], index=places)
    alone = ~found.duplicated(keep=False)
    return found.where(~alone, -1)
