"""How each figure is made: the definitions of the indicators and the docstrings of what the package computes."""

import ast
import hashlib
import inspect
import re
import sys
import textwrap
from functools import cache
from importlib import import_module

from evalkit.publish.wording import N_

SECTIONS = {
    "credit": N_("Credit"),
    "quality": N_("Quality of debt"),
    "groups": N_("Groups"),
    "poverty": N_("Poverty"),
    "income": N_("Income"),
    "context": N_("Context"),
    "outputs": N_("Outputs"),
}
MODULES = {
    "evalkit.metrics.poverty": N_("Measures of poverty"),
    "evalkit.metrics.inequality": N_("Measures of inequality"),
    "evalkit.metrics.income": N_("Income in real terms"),
    "evalkit.metrics.intervals": N_("Intervals"),
    "evalkit.impact": N_("Designs and their checks"),
}
SOURCE = re.compile(r"\bSources?: ")


@cache
def indicators():
    """Return every indicator in the order of the reference table: labels, unit, and its definitions as data."""
    from evalkit.load import reference
    from evalkit.metrics import facts
    from evalkit.metrics.catalogue import definitions

    found = {}
    for table, definition in definitions():
        made = {key: getattr(definition, key) for key in ("meaning", "formula", "interval", "source")}
        found.setdefault(definition.name, []).append(made | {"table": table})
    for ratio in facts.RATIOS:
        over = " + ".join(ratio.numerators)
        over = f"({over})" if len(ratio.numerators) > 1 else over
        scale = f"{ratio.scale:g} × " if ratio.scale != 1 else ""
        made = {"table": "facts", "formula": f"{scale}{over} / {ratio.denominator}", "source": ""}
        made |= {
            "meaning": "From published figures of one place and date.",
            "interval": "from printed bounds",
        }
        found.setdefault(ratio.name, []).append(made)
    rows = reference.table("indicators").to_dict("records")
    return [row | {"definitions": found.get(row["indicator"], [])} for row in rows]


@cache
def names():
    """Return the names of all indicators."""
    return frozenset(entry["indicator"] for entry in indicators())


def definition_hashes():
    """Return {indicator: hash of its formulas, meanings and unit}: two releases differ where the definition did."""
    said = lambda e: repr((e["unit"], [sorted(d.items()) for d in e["definitions"]]))  # noqa: E731
    return {e["indicator"]: hashlib.sha256(said(e).encode()).hexdigest()[:16] for e in indicators()}


@cache
def functions():
    """Return {module: [function]} of what the package computes: name, parameters, docstring in pieces."""
    found = {}
    for name in MODULES:
        module = import_module(name)
        public = getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]
        own = [getattr(module, n) for n in public]
        found[name] = [
            {"name": f.__name__, "call": f"{f.__name__}{_parameters(f)}", "pieces": pieces(said)}
            for f in own
            if inspect.isfunction(f) and f.__module__.startswith(name) and (said := docstring(f))
        ]
    return found


def docstring(function):
    """Return a function's docstring; from its source where Python was told to strip it (``-OO``)."""
    if function.__doc__ or not sys.flags.optimize:
        return inspect.getdoc(function)
    (defined,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    return ast.get_docstring(defined)


def _parameters(function):
    return "(" + ", ".join(str(p) for p in inspect.signature(function).parameters.values()) + ")"


def pieces(docstring):
    """Return a docstring as (kind, text): paragraphs, formulas as they are written, and the sources cited."""
    found = []
    for part in re.split(r"\n\s*\n", inspect.cleandoc(docstring)):
        if part.lstrip().startswith(".. math::"):
            found.append(("formula", inspect.cleandoc(part.split("::", 1)[1]).strip()))
        elif found and found[-1] == ("formula", ""):
            found[-1] = ("formula", inspect.cleandoc(part).strip())
        else:
            text, _, source = SOURCE.sub("\0", " ".join(part.split()), count=1).partition("\0")
            found += [(kind, said) for kind, said in (("text", text.strip()), ("source", source)) if said]
    return found
