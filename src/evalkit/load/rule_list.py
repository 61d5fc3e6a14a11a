"""The list of all checks, written from the rules so that it can't drift from what is checked."""

from evalkit.load.findings import SECTIONS
from evalkit.load.titles import TITLES

_HEAD = """\
# The checks

`evalkit check DATA` (in Python `ek.check(folder)`) reads a data set and lists what it finds, with file, sheet, row,
column, value, rule and the mend. An **error** keeps the data set from being opened, a **warning** asks for a second
look, a **note** says how something was read. The exit status is 1 where there is an error, 2 where the folder can't be
used at all. `--json` prints every finding with its `rule`, `place`, `key` and `value`.

The parameters of the checks (tolerances, factors, bands) are dated data: `data/reference/plausibility.csv`, with
the reason for each.

**Acknowledge** a finding that was looked at, in `dataset.toml`. It becomes a note with the reason, until the value
changes; an acknowledgement that fits nothing any more is a warning. Faults of files and cells can't be acknowledged.

```toml
[[acknowledge]]
rule = "ratio_mismatch"
key = "code=10001;year=2019;standard=2016-2020"   # or place = "10001", or file and row
value = 0.6
reason = "asked on 5 May 2025: a slip of the pen"
```

**Correct** a delivered figure in `corrections.csv`, beside the tables; the delivered file stays as it came. The
correction fails once the source no longer holds the faulty value (`expectation`).

```csv
table,key,column,value,expectation,reason
credit,code=10001;year=2020;programme=poor,overdue_vnd,5000000,5000000000,the office confirmed that it meant million
```

Words in braces are filled in for each finding.
"""

NAMED = (  # each with a fault of its kind in the tests
    ("schema", ("wrong_kind", "not_allowed", "missing_value")),
    ("keys", ("duplicate_key",)),
    ("bounds", ("out_of_bounds", "in_future")),
    ("references", ("unknown_place",)),
    ("dates of validity", ("place_not_valid", "units_overlap", "counted_twice")),
    ("code against name", ("code_under_other_name", "name_differs")),
    ("stocks against flows", ("stock_flow", "review_flow")),
    (
        "parts against wholes",
        ("part_exceeds_whole", "groups_against_credit", "implausible_average", "small_average"),
    ),
    ("programmes against totals", ("sum_mismatch", "missing_total")),
    ("group size", ("group_size",)),
    ("same denominator", ("different_denominators", "bridge_households")),
    ("jumps and growth", ("jump_thousand", "fast_growth", "households_jump")),
    ("heaping at recognition thresholds", ("heaping",)),
    ("counts against the printed ratio", ("ratio_mismatch",)),
    ("standards against years", ("standard_not_in_force",)),
)
_TESTED = """
## Each check against a fault of its kind

The tests put one fault for each of these rules into a district of the simulated province, at once, and ask for the
finding at its file and row (`tests/load/test_injected_faults.py`; for unread cells `tests/load/test_spreadsheet.py`);
without the faults the district has no finding but heaping. The province as it is kept has 30 notes, all of heaping,
which is built into it.

| check | rules |
|---|---|
"""


def markdown():
    """Return the page that lists every rule with its sentence (docs/checks.md)."""
    parts = [_HEAD]
    for section, rules in SECTIONS.items():
        parts.append(f"\n## {section}\n\n| about | rule | what a finding says |\n|---|---|---|\n")
        parts += [f"| {TITLES[rule]} | `{rule}` | {sentence} |\n" for rule, sentence in rules.items()]
    parts.append(_TESTED)
    parts += [f"| {what} | {', '.join(f'`{rule}`' for rule in rules)} |\n" for what, rules in NAMED]
    return "".join(parts)
