"""Mutation testing: change one thing in a module and see whether a test that runs the changed line fails.

    python benchmarks/mutation.py cover                        which test runs which line, kept in --folder
    python benchmarks/mutation.py cover --tests tests/new.py         the same of these tests, beside the others
    python benchmarks/mutation.py run --sample 600 --json m.json     600 mutants, evenly over the modules
    python benchmarks/mutation.py again --budget 20 --json m.json    those that lived, by more and by new tests

Each mutant is compiled from the changed syntax tree and put in place of its function in a forked child, so no
file is touched. The child has the libraries loaded and the shared fixtures ready, makes anew only those that ran
the line, and runs the tests that ran it, themselves or through a fixture, quickest first, up to --budget seconds
of processor time as measured by ``cover``, until one fails; ``again`` then runs the others of their files likewise,
which may have what an earlier test had worked out and kept. Tests that fail there without a mutant, which is tried
once a --folder, are left out. What stands outside a function (definitions, tables) and the words of errors aren't
mutated. A run goes on where the file of --json ends; run it on a copy of the project where files are being changed.
"""

import argparse
import ast
import copy
import functools
import gc
import inspect
import itertools
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

import coverage
import duckdb
import pytest
from _pytest import fixtures, tmpdir

ROOT = Path(__file__).resolve().parents[1]
TESTS = (
    "tests/metrics",
    "tests/impact",
    "tests/present",
    *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "tests/reliability").glob("test_numbers_*.py")),
    "tests/load/test_ledger.py",
    "tests/test_laws_of_a_build.py",
)
MODULES = ("metrics", "present/disclose.py", "present/attack", "impact")
DEAR = (
    "tests/present/test_comparing.py",
    "tests/impact/test_replication_notebook.py",
)  # too long for any mutant
OPTIONS = ("-q", "--hypothesis-seed=0", *(f"--ignore={path}" for path in DEAR))
FIXTURE = "fixture "
LIVED = ("survived", "only dear tests", "not run", "at import")
EQUAL = ("strict", "ignore_index", "stacklevel")  # arguments that change no figure where they are used
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


def is_idle(node):
    """Tell whether whatever is changed within a node changes no figure: an error's words, a type, a guard."""
    return isinstance(node, ast.Raise) or (isinstance(node, ast.keyword) and node.arg in EQUAL)


def mutants(path):
    """List (line, what, number of the node, number of the change) of every mutant of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    idle = {id(part) for node in ast.walk(tree) if is_idle(node) for part in ast.walk(node)}
    nodes = [(i, node) for i, node in enumerate(ast.walk(tree)) if id(node) not in idle]
    return [(n.lineno, what, i, k) for i, n in nodes for k, (what, _) in enumerate(changes(n))]


def same_mutant(path, found):
    """Find a mutant tried before in a module that may have changed since: (line, number, change), or None."""
    was, change = int(found["at"].split(":")[1]), found["number"][1]
    source = path.read_text(encoding="utf-8")
    nodes, lines = list(ast.walk(ast.parse(source))), source.splitlines()
    alike = [
        (abs(line - was), line, number)
        for line, what, number, k in mutants(path)
        if (what, k) == (found["what"], change)
        and shown(nodes[number]) == found["before"]
        and lines[line - 1].strip() == found.get("line", lines[line - 1].strip())
    ]
    return (*min(alike)[1:], change) if alike else None


def shown(node):
    return ast.unparse(node).split("\n")[0]


def mutated(path, number, change):
    """Return the changed syntax tree of a module, with the changed piece as it was and as it is."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    node = list(ast.walk(tree))[number]
    before = shown(node)
    list(changes(node))[change][1](node)
    return ast.fix_missing_locations(tree), before, shown(node)


def codes(code):
    """Return the code of a module's functions, methods and lambdas by name and line, nested ones inside theirs."""
    found = {}
    for part in (c for c in code.co_consts if isinstance(c, CodeType)):
        if part.co_flags & inspect.CO_OPTIMIZED:
            found.setdefault((part.co_qualname, part.co_firstlineno), []).append(part)
        else:  # the body of a class
            found |= codes(part)
    return found


@functools.cache
def plain_codes(path):
    return codes(compile(path.read_text(encoding="utf-8"), str(path), "exec"))


def changed_functions(path, tree):
    """Return {(name, line): code} of the functions that a mutant changes; none where it changes the module's body."""
    plain = plain_codes(path)
    other = codes(compile(tree, str(path), "exec"))
    same = [key for key in plain if len(plain[key]) == 1 == len(other.get(key, ()))]
    return {key: other[key][0] for key in same if plain[key] != other[key]}


@functools.cache
def functions_of(path):
    """List the functions of a loaded module."""
    functions = [f for f in gc.get_objects() if isinstance(f, FunctionType)]
    return [f for f in functions if f.__code__.co_filename == str(path)]


def put(path, functions):
    """Give the functions of the loaded module the code of the mutant."""
    for found in functions_of(path):
        code = functions.get((found.__code__.co_qualname, found.__code__.co_firstlineno))
        if code is not None:
            found.__code__ = code


@functools.cache
def caches():
    """List the functions of the tests and of the mutated modules that keep their answers."""
    kept = [f for f in gc.get_objects() if isinstance(f, functools._lru_cache_wrapper)]
    kept = [f for f in kept if isinstance(getattr(f, "__wrapped__", None), FunctionType)]
    paths = [Path(f.__wrapped__.__code__.co_filename) for f in kept]
    ours = [path.is_relative_to(ROOT / "tests") or path in modules() for path in paths]
    return list(itertools.compress(kept, ours))


def forget():
    for function in caches():
        function.cache_clear()


@functools.cache
def modules():
    """List the files that are mutated."""
    places = [ROOT / "src/evalkit" / m for m in MODULES]
    return [path for place in places for path in (sorted(place.rglob("*.py")) or [place])]


def place(path):
    return str(path.relative_to(ROOT / "src/evalkit"))


def name_of(fixture):
    return f"{FIXTURE}{fixture.baseid}::{fixture.argname}"


def is_shared(fixture):
    """Tell whether a fixture of the tests serves more than one of them."""
    return fixture.scope != "function" and fixture.baseid.startswith("tests")


def cover(folder, tests):
    """Run tests once, noting which test and which fixture runs which line, and the processor time of each."""
    sources = [str(path) for path in modules()]
    measured = coverage.Coverage(data_file=str(folder / "coverage"), include=sources)
    kept = folder / "seconds.json"
    seconds, within = Counter(json.loads(kept.read_text()) if tests != TESTS else {}), []

    class Watch:
        @pytest.hookimpl(hookwrapper=True)
        def pytest_fixture_setup(self, fixturedef, request):
            within.append(name_of(fixturedef))
            measured.switch_context(within[-1])
            start = time.process_time()
            yield
            within.pop()
            measured.switch_context(within[-1] if within else "")
            if is_shared(fixturedef):
                took = time.process_time() - start
                seconds[name_of(fixturedef)] = max(took, seconds[name_of(fixturedef)])
                seconds[request._pyfuncitem.nodeid] -= took

        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_protocol(self, item):
            seconds[item.nodeid], start = 0, time.process_time()
            yield
            seconds[item.nodeid] += time.process_time() - start

        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_call(self, item):
            measured.switch_context(item.nodeid)
            yield
            measured.switch_context("")

        def pytest_runtest_teardown(self, item, nextitem):
            if nextitem is None or nextitem.path != item.path:
                forget()

    if tests != TESTS:
        measured.load()
    measured.start()
    pytest.main([*OPTIONS, *tests], plugins=[Watch()])
    measured.stop()
    measured.save()
    kept.write_text(json.dumps(seconds), encoding="utf-8")


class Fixtures:
    """Hands the shared fixtures of the tests, made once, to each child; those named stale are made anew."""

    def __init__(self):
        self.values, self.stale, self.anew = {}, frozenset(), set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef, request):
        if not is_shared(fixturedef):
            return None
        name, of = name_of(fixturedef), fixturedef.cache_key(request)
        key = (name, repr(of))
        if key in self.values and (name not in self.stale or key in self.anew):
            fixturedef.cached_result = (self.values[key], of, None)
        else:
            self.values[key] = fixtures.pytest_fixture_setup(fixturedef, request)
            self.anew.add(key)
        return self.values[key]

    def make(self, items):
        """Make the shared fixtures of tests without running the tests."""
        made = set()
        for item in items:
            used = [d[-1] for d in item._fixtureinfo.name2fixturedefs.values() if is_shared(d[-1])]
            of = getattr(item, "callspec", None)
            keys = {(name_of(d), repr(of.params.get(d.argname) if of else None)) for d in used}
            if not keys <= made:
                made |= keys
                item.stash[tmpdir.tmppath_result_key] = {}
                try:
                    item.session._setupstate.setup(item)
                    item._request._fillfixtures()
                except pytest.skip.Exception:
                    print("skipped", item.nodeid)
                item.session._setupstate.teardown_exact(None)
                item._initrequest()  # it would hold the fixtures that it was given here


def stale(item, run):
    """Name the shared fixtures of a test that ran a line, or were made from one that did."""
    found = {name: d[-1] for name, d in item._fixtureinfo.name2fixturedefs.items()}
    names = {name for name, fixture in found.items() if name_of(fixture) in run}
    while more := {n for n, f in found.items() if n not in names and names & set(f.argnames)}:
        names |= more
    return {name_of(found[name]) for name in names}


def tests_of(run, items, seconds, budget, others):
    """List the tests that run a line, and with ``others`` the rest of their files, up to ``budget`` seconds each, and
    the fixtures to make anew. Quickest first.
    """
    fresh = {name: stale(item, run) for name, item in items.items()}
    own = {name for name in items if name in run or fresh[name]}
    files = {name.split("::")[0] for name in own}
    near = {name for name in items if others and name.split("::")[0] in files} - own
    kept, made = within(budget, own, fresh, seconds)
    return kept + within(budget, near, fresh, seconds)[0], made


def within(budget, chosen, fresh, seconds):
    """List the quickest of the chosen tests that take up to ``budget`` seconds, and their fixtures made anew."""
    took = lambda names: sum(seconds.get(name, 0) for name in names)  # noqa: E731
    spent, kept, made = 0.0, [], set()
    for test in sorted(chosen, key=lambda name: (took({name} | fresh[name]), name)):
        spent += took({test} | fresh[test] - made)
        if spent > budget and kept:
            break
        kept.append(test)
        made |= fresh[test]
    return kept, made


def run_in_child(items, limit, functions=(), path=None, failed=None):
    """Run tests in a child until one fails: the status of its end and its processor time.

    With ``failed``, all run, and the names of those that fail are written there.
    """
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silent, stream)
        if functions:
            put(path, functions)
        forget()
        names = []
        for item, following in zip(items, [*items[1:], None], strict=True):
            before = item.session.testsfailed
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if item.session.testsfailed > before:
                names.append(item.nodeid)
                if failed is None:
                    os._exit(1)
        if failed is not None:
            failed.write_text(json.dumps(names), encoding="utf-8")
        os._exit(0)
    end = time.monotonic() + 12 * limit
    while True:
        done, status, used = os.wait4(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.01)
    return status, used.ru_utime + used.ru_stime


class Judge:
    """Instead of running the collected tests, runs those of each mutant in a child."""

    def __init__(self, asked, shared):
        self.asked, self.shared = asked, shared

    def pytest_runtestloop(self, session):
        self.lines = coverage.CoverageData(str(self.asked.folder / "coverage"))
        self.lines.read()
        self.seconds = json.loads((self.asked.folder / "seconds.json").read_text(encoding="utf-8"))
        self.items = self.sound(session.items, self.seconds)
        gc.collect()
        gc.freeze()  # a child that went over the parent's objects would copy the memory that they lie in
        found = json.loads(self.asked.json.read_text())["mutants"] if self.asked.json.exists() else []
        self.again(found) if self.asked.what == "again" else self.first(found)
        return True

    def first(self, found):
        """Try mutants in random order, after those found before."""
        chosen = [path for path in modules() if place(path).startswith(tuple(self.asked.only))]
        everything = [(path, *mutant) for path in chosen for mutant in mutants(path)]
        random.Random(self.asked.seed).shuffle(everything)
        tried = {(f["at"], *f["number"]) for f in found}
        for path, line, what, number, change in everything:
            if len(found) >= self.asked.sample:
                break
            at = f"{place(path)}:{line}"
            if (at, number, change) not in tried:
                tree, before, after = mutated(path, number, change)
                found.append({"at": at, "what": what, "before": before, "after": after})
                text = path.read_text(encoding="utf-8").splitlines()[line - 1].strip()
                found[-1] |= {"line": text, "number": [number, change]} | self.verdict(path, line, tree)
                self.write(found, len(everything))

    def again(self, found):
        """Try those that lived once more."""
        for mutant in [f for f in found if f["verdict"] in LIVED]:
            path = ROOT / "src/evalkit" / mutant["at"].split(":")[0]
            if same := same_mutant(path, mutant) if path.exists() else None:
                line, number, change = same
                mutant |= {"at": f"{place(path)}:{line}", "number": [number, change], "again": True}
                mutant |= self.verdict(path, line, mutated(path, number, change)[0])
            else:
                mutant["verdict"] = "gone"
            self.write(found, len(found))

    def write(self, found, of):
        summary = {"of": of, "tried": len(found), "verdicts": Counter(f["verdict"] for f in found)}
        aside = self.asked.json.with_suffix(".part")
        aside.write_text(json.dumps(summary | {"mutants": found}, indent=1), encoding="utf-8")
        aside.replace(self.asked.json)

    def sound(self, items, seconds):
        """Make the shared fixtures; return the tests, by name, that pass in a child without a mutant."""
        cheap = [i for i in items if self.cost(i, seconds) <= self.asked.budget]
        self.shared.make(cheap)
        list(map(functions_of, modules()))
        caches()
        failed = self.asked.folder / "failed.json"
        if not failed.exists():
            run_in_child(cheap, 3600, failed=failed)
        left_out = json.loads(failed.read_text(encoding="utf-8"))
        print(len(items) - len(cheap), "tests too dear,", len(left_out), "fail here:", *left_out)
        return {item.nodeid: item for item in cheap if item.nodeid not in left_out}

    def cost(self, item, seconds):
        shared = {name_of(d[-1]) for d in item._fixtureinfo.name2fixturedefs.values()}
        return sum(seconds.get(name, 0) for name in {item.nodeid} | shared)

    def verdict(self, path, line, tree):
        """Tell what became of a mutant: killed, survived, or why it could not be decided."""
        functions = changed_functions(path, tree)
        run = set(self.contexts(path).get(line, []))
        if not functions:
            return {"verdict": "outside a function"}
        if not run - {""}:
            return {"verdict": "at import" if run else "not run"}
        others = self.asked.what == "again"
        names, self.shared.stale = tests_of(run, self.items, self.seconds, self.asked.budget, others)
        if not names:
            return {"verdict": "only dear tests"}
        self.shared.anew = set()
        status, used = run_in_child([self.items[name] for name in names], self.asked.limit, functions, path)
        ended = "killed by time" if os.WIFSIGNALED(status) else ("survived", "killed")[os.WEXITSTATUS(status)]
        return {"verdict": ended, "tests": len(names), "cpu_s": round(used, 2)}

    @functools.cache  # noqa: B019
    def contexts(self, path):
        return self.lines.contexts_by_lineno(str(path))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("cover", "run", "again"))
    parser.add_argument("--folder", type=Path, default=Path("/tmp/evalkit-mutation"))
    parser.add_argument("--sample", type=int, default=600)
    parser.add_argument("--only", nargs="+", default=list(MODULES), help="modules, as metrics/suppress")
    parser.add_argument("--tests", nargs="+", default=TESTS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--budget", type=float, default=20)
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--json", type=Path, default=Path("mutation.json"))
    asked = parser.parse_args()
    asked.folder, asked.json = asked.folder.resolve(), asked.json.resolve()
    asked.folder.mkdir(parents=True, exist_ok=True)
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(asked.folder / "hypothesis")
    os.chdir(ROOT)
    if asked.what == "cover":
        cover(asked.folder, asked.tests)
    else:
        # A forked child has none of its parent's threads, for which a database opened before would wait.
        duckdb.connect = functools.partial(duckdb.connect, config={"threads": 1})
        shared = Fixtures()
        pytest.main([*OPTIONS, *asked.tests], plugins=[shared, Judge(asked, shared)])
