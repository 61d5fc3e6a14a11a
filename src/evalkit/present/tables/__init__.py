"""Tables of a report. Each takes a place and returns a block."""

from evalkit.present.opened import refusing
from evalkit.present.tables.checked import findings
from evalkit.present.tables.comparison import among, beside, position
from evalkit.present.tables.evidence import data_to_ask, evidence_elsewhere
from evalkit.present.tables.figures import figures, sources
from evalkit.present.tables.judged import judged, peers
from evalkit.present.tables.law import standards
from evalkit.present.tables.loan_book import lending_years, loan_book
from evalkit.present.tables.moves import moves

__all__ = [
    "among",
    "beside",
    "data_to_ask",
    "evidence_elsewhere",
    "figures",
    "findings",
    "judged",
    "lending_years",
    "loan_book",
    "moves",
    "peers",
    "position",
    "sources",
    "standards",
]

globals().update(refusing({name: globals()[name] for name in __all__}))
