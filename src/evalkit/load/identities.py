"""Whether published figures of one place can be true together."""

import re
from functools import lru_cache
from itertools import combinations, pairwise

import pandas as pd

from evalkit.load import facts as printed
from evalkit.load import reference

RATES = {
    "overdue_pct": ("overdue_debt_vnd", "outstanding_loans_vnd"),
    "frozen_pct": ("frozen_debt_vnd", "outstanding_loans_vnd"),
    "poverty_rate_pct": ("poor_households", "households_total"),
    "near_poor_rate_pct": ("near_poor_households", "households_total"),
    "groups_rated_good_pct": ("groups_rated_good", "savings_loan_groups"),
}
_WHOLES = [
    (r"outstanding_loans_\w+_vnd", "outstanding_loans_vnd"),
    (r"(overdue|frozen)_debt_vnd", "outstanding_loans_vnd"),
    (r"borrower_(households|customers)_\w+", "borrower_households"),
    (r"groups_rated_(good|fair|average|weak)", "savings_loan_groups"),
    (r"(poor|near_poor)_households", "households_total"),
    (r"households_total", "population"),
    (r"groups_without_overdue", "savings_loan_groups"),
]
_POVERTY = {
    "poverty_rate_pct",
    "near_poor_rate_pct",
    "poor_plus_near_poor_rate_pct",
    "poor_households",
    "near_poor_households",
}
_FLAGS = ["printed_error", "reading_inferred", "date_inferred", "undated"]


def of_facts(delivery):
    """Return the findings of a table of facts, place by place; every rule names what it compared."""
    rows = _comparable(printed.read(delivery.frame))
    limits = reference.table("plausibility").set_index("parameter")["value"].astype(float)

    def say(severity, rule, fact, **arguments):
        """A finding that begins at the row of the fact it speaks of."""
        return delivery.finding(
            severity, rule, fact.Index, "value", **({"indicator": fact.indicator} | arguments)
        )

    found = []
    by_place = {}
    for fact in rows[rows["place"].notna()].itertuples():
        by_place.setdefault(fact.place, {}).setdefault(fact.indicator, []).append(fact)
    for by in by_place.values():
        for rule in _RULES:
            found += rule(by, limits, say)
    return found


def _comparable(rows):
    """The facts that name an indicator, their absent texts None: pd.NA answers a comparison with neither yes nor no."""
    rows = rows[rows["indicator"].notna()]
    texts = rows.select_dtypes("string")
    return rows.assign(**texts.astype(object).where(texts.notna(), None))


def _pairs(by, first, second, limits):
    for a in by.get(first, ()):
        for b in by.get(second, ()):
            if (
                pd.notna(a.number)
                and pd.notna(b.number)
                and printed.together(a, b, days=limits["date_tolerance"])
            ):
                yield a, b


def _group_size(by, limits, say):
    for members, groups in _pairs(by, "group_members", "savings_loan_groups", limits):
        minimum, maximum = reference.group_size(
            members.ends if pd.notna(members.ends) else pd.Timestamp.now()
        )
        low, high = members.lower / groups.upper, members.upper / groups.lower
        if high < minimum or low > maximum:
            found = {"members": float(members.number), "groups": float(groups.number)}
            found["found"] = round(members.number / groups.number, 1)
            yield say("warning", "group_size", members, **found, minimum=minimum, maximum=maximum)


def _part_exceeds_whole(by, limits, say):
    for part in by:
        for pattern, whole in _WHOLES:
            if part == whole or not re.fullmatch(pattern, part):
                continue
            for a, b in _pairs(by, part, whole, limits):
                if a.lower > b.upper:
                    values = {
                        "part": part,
                        "part_value": float(a.number),
                        "whole": whole,
                        "whole_value": float(b.number),
                    }
                    yield say("warning", "part_exceeds_whole", a, **values)


def _ratio_mismatch(by, limits, say):
    for rate, (numerator, denominator) in RATES.items():
        for n, d in _pairs(by, numerator, denominator, limits):
            for r in by.get(rate, ()):
                if not printed.together(r, n, days=limits["date_tolerance"]) or (
                    r.basis is not n.basis and r.basis != n.basis
                ):
                    continue
                low, high = 100 * n.lower / d.upper, 100 * n.upper / d.lower if d.lower else float("inf")
                slack = r.step + r.number * limits["ratio_tolerance"] / 100
                if r.lower - slack > high or r.upper + slack < low:
                    computed = float(f"{100 * n.number / d.number:.3g}")
                    yield say(
                        "warning",
                        "ratio_mismatch",
                        r,
                        rate=rate,
                        printed=r.number,
                        numerator=numerator,
                        denominator=denominator,
                        computed=computed,
                    )


def _implied_total(rate, count):
    half = rate.step / 2
    return 100 * count.number / (rate.number + half), 100 * count.number / max(rate.number - half, 1e-9)


def _denominators(by, limits, say):
    implied = []
    for rate, count in (
        ("poverty_rate_pct", "poor_households"),
        ("near_poor_rate_pct", "near_poor_households"),
    ):
        for r, c in _pairs(by, rate, count, limits):
            if r.number and r.basis == c.basis if pd.notna(r.basis) and pd.notna(c.basis) else r.number:
                implied.append((r, c, *_implied_total(r, c)))
    for (r1, c1, low1, high1), (r2, c2, low2, high2) in combinations(implied, 2):
        same_page = r1.source_url == r2.source_url and r1.ends == r2.ends
        if same_page and r1.indicator != r2.indicator and (low1 > high2 or low2 > high1):
            totals = {
                "first_total": float(100 * c1.number / r1.number),
                "second_total": float(100 * c2.number / r2.number),
            }
            yield say("warning", "different_denominators", r1, first=r1.number, second=r2.number, **totals)
    for r, c, low, high in implied:
        for p in by.get("population", ()):
            size = p.number / ((low + high) / 2)
            near = pd.notna(p.ends) and pd.notna(r.ends) and abs((p.ends - r.ends).days) <= 732
            if near and limits["people_per_household_low"] <= size <= limits["people_per_household_high"]:
                values = {"count": float(c.number), "rate": r.number, "population": float(p.number)}
                yield say(
                    "note", "denominator_households", r, **values, total=float(100 * c.number / r.number)
                )


def _sums(by, limits, say):
    for pattern in (r"entrusted_share_\w+_union_pct", r"groups_rated_(good|fair|average|weak)_pct"):
        parts = [f for name in by if re.fullmatch(pattern, name) for f in by[name]]
        for page in {(p.source_url, p.ends) for p in parts}:
            on_page = [p for p in parts if (p.source_url, p.ends) == page]
            total = sum(p.number for p in on_page)
            if len(on_page) == 4 and abs(total - 100) > limits["sum_tolerance"]:
                names = ", ".join(p.indicator for p in on_page)
                yield say(
                    "warning", "sum_mismatch", on_page[0], parts=names, found=round(total, 2), expected=100.0
                )
    for total in by.get("savings_loan_groups", ()):
        ratings = [
            f for name in by if re.fullmatch(r"groups_rated_(good|fair|average|weak)", name) for f in by[name]
        ]
        own = [r for r in ratings if printed.together(r, total, days=limits["date_tolerance"])]
        if len(own) == 4 and sum(r.number for r in own) != total.number:
            found = float(sum(r.number for r in own))
            yield say(
                "warning",
                "sum_mismatch",
                total,
                parts="groups by rating",
                found=found,
                expected=float(total.number),
            )


def _stock_flow(by, limits, say):
    stocks = sorted(
        (s for s in by.get("outstanding_loans_vnd", ()) if pd.notna(s.ends) and s.scope == "whole"),
        key=lambda s: s.ends,
    )
    for lent in by.get("lending_turnover_vnd", ()):
        same = [
            f
            for f in by.get("debt_collection_turnover_vnd", ())
            if (f.starts, f.ends) == (lent.starts, lent.ends)
        ]
        opening = [s for s in stocks if pd.notna(lent.starts) and 0 <= (lent.starts - s.ends).days <= 31]
        closing = [s for s in stocks if pd.notna(lent.ends) and abs((lent.ends - s.ends).days) <= 31]
        if not (same and opening and closing):
            continue
        written = sum(
            f.number for f in by.get("write_off_vnd", ()) if (f.starts, f.ends) == (lent.starts, lent.ends)
        )
        flow = lent.number - same[0].number - written
        gap = closing[-1].number - opening[-1].number - flow
        if abs(gap) > limits["stock_flow_tolerance"] / 100 * closing[-1].number:
            values = {"opening": float(opening[-1].number), "closing": float(closing[-1].number)}
            yield say("warning", "stock_flow", closing[-1], **values, flow=float(flow), gap=float(gap))


def _against_population(by, limits, say):
    for p in by.get("population", ()):
        for name, rows in by.items():
            if "households" not in name or name.endswith("_cumulative") or name.endswith("_pct"):
                continue
            for f in rows:
                if f.flow or not f.number > 0:
                    continue
                people = f.number * limits["people_per_household_low"]
                values = {"count": float(f.number), "population": float(p.number)}
                if f.number > p.number:
                    yield say(
                        "error" if f.number > 1000 * p.number else "warning",
                        "more_households_than_people",
                        f,
                        **values,
                    )
                elif name == "poor_households" and people > p.number * limits["poor_people_share_high"] / 100:
                    yield say("warning", "households_against_population", f, people=float(people), **values)


def _over_time(by, limits, say):
    for name, rows in by.items():
        if not name.endswith("_vnd") or "lending" in name or "disbursed" in name or "increase" in name:
            continue
        dated = sorted(
            (f for f in rows if pd.notna(f.ends) and not f.flow and f.number > 0), key=lambda f: f.ends
        )
        for a, b in pairwise(dated):
            years = (b.ends - a.ends).days / 365.25
            if (a.scope, a.method, a.unit) != (b.scope, b.method, b.unit) or years <= 0:
                continue
            factor = b.number / a.number
            values = {"first": float(a.number), "second": float(b.number)}
            if max(factor, 1 / factor) > limits["jump_factor"]:
                yield say("warning", "jump_thousand", b, **values)
            elif factor == 1 and years >= limits["copy_years"]:
                yield say("warning", "no_growth", b, first=a.ends, second=b.ends)
            elif years >= 0.9 and 100 * (factor ** (1 / years) - 1) > limits["growth_high"]:
                rate = round(100 * (factor ** (1 / years) - 1))
                yield say(
                    "warning",
                    "fast_growth",
                    b,
                    **values,
                    start=str(a.ends.year),
                    end=str(b.ends.year),
                    rate=rate,
                )


def _average_loan(by, limits, say):
    ceiling = reference.largest_household_ceiling()
    for debt, borrowers in _pairs(by, "outstanding_loans_vnd", "borrower_households", limits):
        if debt.lower / borrowers.upper > ceiling:
            found = float(debt.number / borrowers.number)
            yield say("warning", "implausible_average", debt, found=found, ceiling=float(ceiling))


@lru_cache
def _spans():
    spans = reference.standard_spans()
    return dict(zip(spans.index, zip(spans["valid_from"], spans["valid_to"], strict=True), strict=True))


def _standards(by, limits, say):
    spans = _spans()
    for name in sorted(_POVERTY & set(by)):
        for f in by[name]:
            date = f.as_of if pd.notna(f.as_of) else "?"
            if pd.isna(f.basis):
                yield say("note", "standard_unknown", f, date=date)
                continue
            if "basis_inferred" in str(f.flags).split(";"):
                yield say("note", "standard_inferred", f, date=date, standard=f.basis)
            if pd.notna(f.ends) and f.basis in spans:
                start, end = spans[f.basis]
                # the review at the end of a standard's last year already uses the next one
                if f.ends < start - pd.Timedelta(days=366) or f.starts > end + pd.Timedelta(days=31):
                    yield say(
                        "warning",
                        "standard_not_in_force",
                        f,
                        date=date,
                        standard=f.basis,
                        start=start,
                        end=end,
                    )


def _scope(by, limits, say):
    for rows in by.values():
        for f in rows:
            note = "" if pd.isna(f.note) else f.note
            if f.scope in ("one_union", "one_programme", "part"):
                yield say("warning", "partial_portfolio", f, note=note)
            elif f.scope == "uncertain":
                yield say("warning", "uncertain_scope", f, note=note)
            if str(f.unit).startswith("turns") or f.indicator == "borrowing_turns":
                yield say("note", "turns_not_households", f)
            for flag in _FLAGS:
                if flag in str(f.flags).split(";"):
                    severity = "note" if flag in ("undated", "date_inferred") else "warning"
                    yield say(severity, flag, f, note=note)


_RULES = [
    _group_size,
    _part_exceeds_whole,
    _ratio_mismatch,
    _denominators,
    _sums,
    _stock_flow,
    _against_population,
    _over_time,
    _average_loan,
    _standards,
    _scope,
]
