"""What evalkit raises. Every message names the file or table, the fault, what was found, where, and the mend."""

import linecache
import re
import traceback
from pathlib import Path

_PACKAGE = Path(__file__).parent
_LISTED = 5  # findings shown under an error in a notebook

# Control characters but tab and line feed, and those that reorder what is written.
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text):
    r"""Return a text with each character that would steer a terminal written as its escape: \x1b, \u202e."""
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))


class Said(str):
    """English text: ``template`` with its ``{names}`` filled from ``parts``, which may be ``Said`` themselves."""

    def __new__(cls, template, **parts):
        shown = {k: f"{v:,.15g}" if isinstance(v, float) else v for k, v in parts.items()}
        said = super().__new__(cls, template.format(**shown))
        said.template, said.parts = template, parts
        return said

    def __getnewargs_ex__(self):
        return (self.template,), self.parts


class EvalkitError(Exception):
    """Something the user can mend; the command line prints it in one line and exits with status 2.

    A notebook shows the sentence under the user's own line that led to it, and no frame of evalkit's: what
    happened inside is in ``traceback.print_exception(sys.last_value)``.
    """

    def __str__(self):
        return printable(super().__str__())

    def _render_traceback_(self):
        frames = [f for f in traceback.extract_tb(self.__traceback__) if _is_users(f.filename)]
        lines = [f"{type(self).__name__}: {self}"]
        if frames:
            last = frames[-1]
            said = last.line or linecache.getline(last.filename, last.lineno).strip()
            lines.insert(0, f"line {last.lineno}: {said}")
        found = getattr(self, "findings", None)
        if found is not None:
            errors = found.loc[found["severity"] == "error", "message"].tolist()[1:]
            lines += [f"  also: {printable(message)}" for message in errors[:_LISTED]]
            lines += [f"  … and {len(errors) - _LISTED} more"] if len(errors) > _LISTED else []
        return lines


def _is_users(file):
    """Whether a frame is the user's own: not of evalkit, IPython or another installed package."""
    path = Path(file)
    return _PACKAGE not in path.parents and "site-packages" not in path.parts and path.suffix != ".pyx"


class DataError(EvalkitError):
    """A data set, table or argument that can't be used as it is. ``findings`` lists every fault found."""

    def __init__(self, message, findings=None):
        super().__init__(message)
        self.findings = findings


class NumberError(DataError, ValueError):
    """A text that is no number, or could be read as two different numbers."""


class BasisError(DataError):
    """Two values on different bases (poverty standards, price years, per month or per year) were combined."""


class PlaceError(EvalkitError):
    """A place that is unknown, ambiguous, or not valid in the years of the data."""


class ParameterError(EvalkitError):
    """A notebook or command parameter that is unknown, missing or of the wrong kind."""


class DisclosureError(EvalkitError):
    """Publishing would reveal a figure that must stay hidden."""
