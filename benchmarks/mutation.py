"""Mutation testing: change one thing in a module and see whether a test that runs the changed line fails.

    python benchmarks/mutation.py cover                        which test runs which line, kept in --folder
    python benchmarks/mutation.py run --sample 600 --json m.json     600 mutants, evenly over the modules

Each mutant is compiled from the changed syntax tree and put in place of its function in a forked child, so no
file is touched. The child runs the tests that ran the line (all tests of the file where a shared fixture ran
it), quickest first, up to --budget seconds of them as measured by ``cover``. What stands outside a function
(definitions, tables) isn't mutated.
"""

import argparse
import ast
import copy
import functools
import gc
import inspect
import json
import os
import random
import re
import resource
import signal
import time
from collections import Counter
from pathlib import Path
from types import CodeType, FunctionType

ROOT = Path(__file__).resolve().parents[1]
TESTS = (
    "tests/metrics",
    "tests/impact",
    "tests/present",
    "tests/reliability",
    "tests/test_laws_of_a_build.py",
)
MODULES = ("metrics", "impact", "present/disclose.py")
COMPARED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq}
COMPARED |= {ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In}
COMPUTED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
COMPUTED |= {
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.FloorDiv: ast.Div,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
NAMED = {"minimum": "maximum", "maximum": "minimum", "min": "max", "max": "min", "any": "all", "all": "any"}
NAMED |= {"first": "last", "last": "first", "fmin": "fmax", "fmax": "fmin", "isna": "notna", "notna": "isna"}
SQL = re.compile(r" (AND|OR|>|<=|<|=|<>|IS NOT|IS) |\b(sum|max|coalesce|least)\(|\bFILTER\b|, (0|1)\)")
SWAPPED = {"AND": "OR", "OR": "AND", ">": ">=", "<=": "<", "<": "<=", "=": "<>", "<>": "=", "IS NOT": "IS"}
SWAPPED |= {"IS": "IS NOT", "0": "1", "1": "0", "sum": "max", "max": "min", "least": "greatest"}


def changes(node):
    """Yield (what, change) for each way to mutate a node; change alters a copy of the node in place."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARED:
        yield "comparison", lambda n: n.ops.__setitem__(0, COMPARED[type(n.ops[0])]())
    joined = isinstance(node, ast.BinOp) and isinstance(node.left, ast.JoinedStr)
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in COMPUTED and not joined:
        yield "operator", lambda n: setattr(n, "op", COMPUTED[type(n.op)]())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield "sign", lambda n: setattr(n, "op", ast.UAdd()) if isinstance(n.op, ast.USub) else _twice(n)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "constant", lambda n: setattr(n, "value", not n.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield "constant", lambda n: setattr(n, "value", n.value + 1)
    if isinstance(node, ast.If | ast.IfExp):
        yield "condition", lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))
    if isinstance(node, ast.Attribute) and node.attr in NAMED:
        yield "name", lambda n: setattr(n, "attr", NAMED[n.attr])
    if isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise):
        yield "refusal removed", lambda n: setattr(n, "test", ast.Constant(False))
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n\n" not in node.value:
        for hit in SQL.finditer(node.value if SQL.search(node.value) and _is_sql(node.value) else ""):
            at = next(i for i in (1, 2, 3, 0) if i == 0 or hit.group(i))
            if hit.group(at) in SWAPPED:
                a, b = hit.span(at)
                yield (
                    "SQL",
                    lambda n, a=a, b=b: setattr(
                        n, "value", n.value[:a] + SWAPPED[n.value[a:b]] + n.value[b:]
                    ),
                )


def _is_sql(text):
    return any(
        word in text for word in ("coalesce(", "sum(", " FILTER", "status ", "CASE ", "IS NULL", "_vnd")
    )


def _twice(node):
    node.operand = ast.UnaryOp(copy.deepcopy(node.op), node.operand)


def mutants(path):
    """List (line, what, number of the node, number of the change) of every mutant of a module."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return [(n.lineno, what, i, k) for i, n in enumerate(nodes) for k, (what, _) in enumerate(changes(n))]


def mutated(path, number, change):
    """Return the changed syntax tree of a module, with the changed piece as it was and as it is."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    node = list(ast.walk(tree))[number]
    before = ast.unparse(node).split("\n")[0]
    list(changes(node))[change][1](node)
    return ast.fix_missing_locations(tree), before, ast.unparse(node).split("\n")[0]


def codes(code):
    """Return the code of a module's functions, methods and lambdas by name and line, nested ones inside theirs."""
    found = {}
    for part in (c for c in code.co_consts if isinstance(c, CodeType)):
        if part.co_flags & inspect.CO_OPTIMIZED:
            found.setdefault((part.co_qualname, part.co_firstlineno), []).append(part)
        else:  # the body of a class
            found |= codes(part)
    return found


def changed_functions(path, tree):
    """Return {(name, line): code} of the functions that a mutant changes; none where it changes the module's body."""
    plain = codes(compile(path.read_text(encoding="utf-8"), str(path), "exec"))
    other = codes(compile(tree, str(path), "exec"))
    same = [key for key in plain if len(plain[key]) == 1 == len(other.get(key, ()))]
    return {key: other[key][0] for key in same if plain[key] != other[key]}


def put(path, functions):
    """Give the functions of the loaded module the code of the mutant."""
    for found in gc.get_objects():
        if isinstance(found, FunctionType) and found.__code__.co_filename == str(path):
            code = functions.get((found.__code__.co_qualname, found.__code__.co_firstlineno))
            if code is not None:
                found.__code__ = code


def cover(folder):
    """Run all tests once, noting which test runs which line and how long each takes."""
    import coverage
    import pytest

    measured = coverage.Coverage(data_file=str(folder / "coverage"), source=[str(ROOT / "src/evalkit")])
    seconds = Counter()

    class Watch:
        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_setup(self, item):
            measured.switch_context(item.nodeid.split("::")[0])
            yield

        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_call(self, item):
            measured.switch_context(item.nodeid)
            yield
            measured.switch_context("")

        def pytest_runtest_logreport(self, report):
            seconds[report.nodeid] += report.duration

    measured.start()
    pytest.main(
        ["-q", "-p", "no:cacheprovider", *(t for t in TESTS if (ROOT / t).exists())], plugins=[Watch()]
    )
    measured.stop()
    measured.save()
    (folder / "seconds.json").write_text(json.dumps(seconds), encoding="utf-8")


def tests_of(path, line, data, seconds, budget):
    """List the tests that run a line, quickest first, up to ``budget`` seconds of them."""
    contexts = [c for c in data.contexts_by_lineno(str(path)).get(line, []) if c]
    if not contexts:
        contexts = {c for found in data.contexts_by_lineno(str(path)).values() for c in found if c}
    files = {c for c in contexts if "::" not in c}
    chosen = [t for t in seconds if t in set(contexts) or t.split("::")[0] in files]
    spent, kept = 0.0, []
    for test in sorted(chosen, key=seconds.get):
        spent += seconds[test]
        if spent > budget and kept:
            break
        kept.append(test)
    return kept


def judged(path, functions, items, limit):
    """Run test items on a mutant in a child: killed, survived or timed out, with its processor time."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silent, stream)
        put(path, functions)
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if item.session.testsfailed:
                os._exit(1)
        os._exit(0)
    end = time.monotonic() + 12 * limit
    while True:
        done, status, used = os.wait4(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.02)
    verdict = "timeout" if os.WIFSIGNALED(status) else "survived" if os.WEXITSTATUS(status) == 0 else "killed"
    return verdict, used.ru_utime + used.ru_stime


class Judge:
    """Instead of running the collected tests, runs those of each mutant in a child."""

    def __init__(self, asked):
        self.asked = asked

    def pytest_runtestloop(self, session):
        import coverage

        data = coverage.CoverageData(str(self.asked.folder / "coverage"))
        data.read()
        seconds = json.loads((self.asked.folder / "seconds.json").read_text(encoding="utf-8"))
        items = {item.nodeid: item for item in session.items}
        seconds = {name: took for name, took in seconds.items() if name in items}
        paths = [p for m in MODULES for p in sorted((ROOT / "src/evalkit" / m).rglob("*.py"))]
        paths += [ROOT / "src/evalkit" / m for m in MODULES if m.endswith(".py")]
        everything = [(path, *mutant) for path in paths for mutant in mutants(path)]
        random.Random(self.asked.seed).shuffle(everything)
        found, outside = [], 0
        for path, line, what, number, change in everything:
            if len(found) == self.asked.sample:
                break
            tree, before, after = mutated(path, number, change)
            functions = changed_functions(path, tree)
            if not functions:
                outside += 1
                continue
            tests = tests_of(path, line, data, seconds, self.asked.budget)
            verdict, used = "no test", 0.0
            if tests:
                verdict, used = judged(path, functions, [items[test] for test in tests], self.asked.limit)
            place = f"{path.relative_to(ROOT / 'src/evalkit')}:{line}"
            found.append({"at": place, "what": what, "before": before, "after": after, "verdict": verdict})
            found[-1] |= {"tests": len(tests), "cpu_s": round(used, 1)}
            summary = {"of": len(everything), "tried": len(found), "outside_functions": outside}
            summary["verdicts"] = Counter(f["verdict"] for f in found)
            aside = self.asked.json.with_suffix(".part")
            aside.write_text(json.dumps(summary | {"mutants": found}, indent=1), encoding="utf-8")
            aside.replace(self.asked.json)
        return True


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("cover", "run"))
    parser.add_argument("--folder", type=Path, default=Path("/tmp/evalkit-mutation"))
    parser.add_argument("--sample", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--budget", type=float, default=20)
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--json", type=Path, default=Path("mutation.json"))
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(asked.folder / "hypothesis")
    os.chdir(ROOT)
    if asked.what == "cover":
        cover(asked.folder)
    else:
        import duckdb
        import pytest

        # A forked child has none of its parent's threads, for which a database opened before would wait.
        duckdb.connect = functools.partial(duckdb.connect, config={"threads": 1})
        tests = [test for test in TESTS if (ROOT / test).exists()]
        options = ["-q", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
        pytest.main([*options, *tests], plugins=[Judge(asked)])
