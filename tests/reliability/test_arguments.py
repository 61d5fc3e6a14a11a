"""What is given in place of what is wanted is refused by name, with what to give."""

import inspect

import pytest

import evalkit as ek
from evalkit.errors import ParameterError

GROUPS = [(g, g.__all__) for g in (ek.charts, ek.tables, ek.texts)] + [(ek.own, ("text", "table", "figure"))]
OF_PLACES = {
    f"{group.__name__.rpartition('.')[2]}.{name}": getattr(group, name)
    for group, names in GROUPS
    for name in names
    if next(iter(inspect.signature(getattr(group, name)).parameters)) == "place"
}


@pytest.mark.parametrize("name", OF_PLACES)
def test_a_code_where_a_place_is_wanted_is_refused_with_what_to_write(name):
    for given in ("99006", 99006, None):
        with pytest.raises(ParameterError, match=r"a place is wanted.*ek\.place\(\"out/build\", \"99006\"\)"):
            OF_PLACES[name](given)


def test_every_public_function_of_a_place_is_among_them():
    assert {"charts.poverty", "tables.figures", "texts.header", "own.figure"} <= set(OF_PLACES)
