"""Charts, tables and texts are made of a place that was opened; anything else is named with the mend."""

import functools
import inspect

from evalkit.errors import ParameterError, Said


def refusing(functions):
    """Return {name: function}; those that take a place raise ParameterError for anything else."""
    return {name: _refusing(function) for name, function in functions.items()}


def _refusing(function):
    if next(iter(inspect.signature(function).parameters)) != "place":
        return function

    @functools.wraps(function)
    def checked(place, *given, **named):
        if not hasattr(place, "rows"):
            raise ParameterError(_said(function.__name__, place))
        return function(place, *given, **named)

    return checked


def _said(name, given):
    code = str(given) if isinstance(given, str | int) else "99006"
    return Said(
        '{name}: a place is wanted, not {given}. Open it first: place = ek.place("out/build", "{code}").',
        name=name,
        given=repr(given) if isinstance(given, str | int) else type(given).__name__,
        code=code,
    )
