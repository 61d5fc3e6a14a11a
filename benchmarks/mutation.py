"""Mutation testing: change one thing in a module and see whether a test that runs the changed line fails.

    python benchmarks/mutation.py cover                        which test runs which line, kept in --folder
    python benchmarks/mutation.py run --sample 600 --json m.json     600 mutants, evenly over the modules

Each mutant is compiled from the changed syntax tree in a forked child, so no file is touched. The child runs
the tests that ran the line (all tests of the file where a shared fixture ran it, all of the package where
the import did), quickest first, up to --budget seconds of them as measured by ``cover``.
"""

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import json
import os
import random
import re
import resource
import signal
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ("tests/metrics", "tests/impact", "tests/present", "tests/reliability", "tests/test_laws_of_a_build.py")
MODULES = ("metrics", "impact", "present/disclose.py")
LIBRARIES = ("pandas", "numpy", "scipy.stats", "duckdb", "statsmodels.api", "linearmodels", "hypothesis", "pytest")
COMPARED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq}
COMPARED |= {ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In}
COMPUTED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
COMPUTED |= {ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.FloorDiv: ast.Div, ast.And: ast.Or, ast.Or: ast.And}
NAMED = {"minimum": "maximum", "maximum": "minimum", "min": "max", "max": "min", "any": "all", "all": "any"}
NAMED |= {"first": "last", "last": "first", "fmin": "fmax", "fmax": "fmin", "isna": "notna", "notna": "isna"}
SQL = re.compile(r" (AND|OR|>|<=|<|=|<>|IS NOT|IS) |\b(sum|max|coalesce|least)\(|\bFILTER\b|, (0|1)\)")
SWAPPED = {"AND": "OR", "OR": "AND", ">": ">=", "<=": "<", "<": "<=", "=": "<>", "<>": "=", "IS NOT": "IS"}
SWAPPED |= {"IS": "IS NOT", "0": "1", "1": "0", "sum": "max", "max": "min", "least": "greatest"}


def changes(node):
    """Yield (what, change) for each way to mutate a node; change alters a copy of the node in place."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARED:
        yield "comparison", lambda n: n.ops.__setitem__(0, COMPARED[type(n.ops[0])]())
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in COMPUTED:
        if not (isinstance(node, ast.BinOp) and isinstance(node.left, ast.JoinedStr)):
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
                yield "SQL", lambda n, a=a, b=b: setattr(n, "value", n.value[:a] + SWAPPED[n.value[a:b]] + n.value[b:])


def _is_sql(text):
    return any(word in text for word in ("coalesce(", "sum(", " FILTER", "status ", "CASE ", "IS NULL", "_vnd"))


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


class Mutant(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a changed syntax tree."""

    def __init__(self, path, tree):
        self.path, self.tree = path, tree
        self.module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")

    def find_spec(self, name, path=None, target=None):
        if name != self.module:
            return None
        package = [str(self.path.parent)] if self.path.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            name, self.path, loader=self, submodule_search_locations=package
        )

    def exec_module(self, module):
        exec(compile(self.tree, str(self.path), "exec"), module.__dict__)


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
    pytest.main(["-q", "-p", "no:cacheprovider", *(t for t in TESTS if (ROOT / t).exists())], plugins=[Watch()])
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


def judged(path, tree, tests, limit):
    """Run the tests on a mutant in a child: killed, survived or timed out, with its processor time."""
    child = os.fork()
    if child == 0:
        import pytest

        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silent, stream)
        sys.meta_path.insert(0, Mutant(path, tree))
        options = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0", "--no-header"]
        os._exit(int(pytest.main([*options, *tests])))
    end = time.monotonic() + 12 * limit
    while True:
        done, status, used = os.wait4(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.05)
    verdict = "timeout" if os.WIFSIGNALED(status) else "survived" if os.WEXITSTATUS(status) == 0 else "killed"
    return verdict, used.ru_utime + used.ru_stime


def run(folder, sample, seed, budget, limit, out):
    """Judge a sample of all mutants, spread evenly over the modules, and write each verdict as it falls."""
    import coverage

    data = coverage.CoverageData(str(folder / "coverage"))
    data.read()
    seconds = json.loads((folder / "seconds.json").read_text(encoding="utf-8"))
    for library in LIBRARIES:
        importlib.import_module(library)
    paths = [p for m in MODULES for p in sorted((ROOT / "src/evalkit" / m).rglob("*.py") or [])]
    paths += [ROOT / "src/evalkit" / m for m in MODULES if m.endswith(".py")]
    everything = [(path, *mutant) for path in paths for mutant in mutants(path)]
    chosen = sorted(random.Random(seed).sample(range(len(everything)), min(sample, len(everything))))
    random.Random(seed).shuffle(chosen)
    found = []
    for path, line, what, number, change in (everything[i] for i in chosen):
        tree, before, after = mutated(path, number, change)
        tests = tests_of(path, line, data, seconds, budget)
        verdict, used = judged(path, tree, tests, limit) if tests else ("no test", 0.0)
        place = f"{path.relative_to(ROOT / 'src/evalkit')}:{line}"
        found.append({"at": place, "what": what, "before": before, "after": after, "verdict": verdict})
        found[-1] |= {"tests": len(tests), "cpu_s": round(used, 1)}
        result = {"of": len(everything), "tried": len(found), "verdicts": Counter(f["verdict"] for f in found)}
        out.write_text(json.dumps(result | {"mutants": found}, indent=1), encoding="utf-8")


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
        run(asked.folder, asked.sample, asked.seed, asked.budget, asked.limit, asked.json)
