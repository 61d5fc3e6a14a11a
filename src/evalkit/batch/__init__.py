"""Runs parameterised notebooks over many places: checked first, supervised, resumed, never lost."""

from evalkit.batch.plan import Job, plan, read_parameters
from evalkit.batch.preview import Preview, preview
from evalkit.batch.summary import RunSummary
from evalkit.batch.supervisor import run

__all__ = ["Job", "Preview", "RunSummary", "plan", "preview", "read_parameters", "run"]
