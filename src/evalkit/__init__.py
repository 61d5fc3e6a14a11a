"""evalkit: what happened in a commune, how it compares, and what may honestly be said about the part that credit played.

Public names are loaded when first used, so that ``import evalkit`` costs little.
"""

from importlib import import_module

_NAMES = {
    "open_dataset": "evalkit.load.dataset",
    "check": "evalkit.load.dataset",
    "read_spreadsheet": "evalkit.load.spreadsheet",
    "parse_number": "evalkit.load.numbers",
    "build": "evalkit.building",
    "indicators": "evalkit.building",
    "panel": "evalkit.building",
    "place": "evalkit.present.disclose",
    "show": "evalkit.present.blocks",
    "charts": "evalkit.present.charts",
    "tables": "evalkit.present.tables",
    "texts": "evalkit.present.texts",
    "own": "evalkit.present.own",
    "credit": "evalkit.metrics.credit",
    "poverty": "evalkit.metrics.poverty",
    "inequality": "evalkit.metrics.inequality",
    "income": "evalkit.metrics.income",
    "impact": "evalkit.impact",
    "simulate": "evalkit.simulate",
}
_MODULES = {
    "charts",
    "tables",
    "texts",
    "own",
    "credit",
    "poverty",
    "inequality",
    "income",
    "impact",
    "simulate",
}

__all__ = sorted(_NAMES)


def __getattr__(name):
    if name not in _NAMES:
        raise AttributeError(f"module 'evalkit' has no attribute {name!r}")
    module = import_module(_NAMES[name])
    return module if name in _MODULES else getattr(module, name)


def __dir__():
    return __all__
