"""The batch against papermill alone: a loop, a process pool, and the same code without any notebook.

    python benchmarks/batch.py OUT --places 225 --sample 25 --rounds 3

OUT is a folder with a build (`evalkit build DATA --out OUT`). Every method runs in a process of its own, in
turn (A B C A B C ...), on the same notebooks, places and processors; wall and processor time are those of the
process and of all it started, and the table gives medians. papermill's pages are made by nbconvert, ours by
`evalkit publish`.
``--sample N`` gives papermill and the bare code N places only, since papermill's loop takes an hour for 225:
ratios are of the cost per notebook, and the table says of how many. ``--scale N`` also runs the batch alone,
without pages, on N places: a build in which the places of OUT are repeated under further codes. ``--rounds 0``
leaves the comparison out, ``--code-only`` papermill and the pages.

Ratios by the clock: papermill_loop and papermill_pool, papermill's time over the batch's; repeat, that of a run with
nothing changed over the first. Of processor time: the same with ``_processor``; over the bare code, bare_code (the
batch, without pages), children (its notebooks, without loading and forking), children_apart (the same with a process
for each notebook) and forked_code (the bare code itself, each notebook in a forked child); growth, the batch at
``--scale`` over that at ``--places``. overhead_ms is what the batch adds to a notebook's bare code.
"""

import argparse
import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks" / "commune").glob("*.ipynb"))
PAPERMILL = ("papermill_loop", "papermill_pool")
METHODS = (*PAPERMILL, "evalkit", "apart", "bare_code", "forked_code")
COMMUNES_OF_VIETNAM = 10_600


def enlarged(build, target, count):
    """Write a build of at least ``count`` reported places: those of ``build``, each under several codes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from evalkit.building import TABLES, read

    times = math.ceil(count / int(read(build, "places")["reported"].sum()))
    target.mkdir()
    for path in build.iterdir():
        if path.suffix != ".parquet" or path.stem not in TABLES:
            (target / path.name).symlink_to(path)
            continue
        table = pq.read_table(path)
        column = table.schema.names.index("place")
        codes = table["place"].to_pylist()
        with pq.ParquetWriter(target / path.name, table.schema) as file:
            for n in range(times):
                own = pa.array([f"{n:02d}-{code}" for code in codes], table.schema.field("place").type)
                file.write_table(table.set_column(column, table.schema.field("place"), own), 4_000)
    return target


def tasks_of(out, count, work):
    """(notebook, parameters, output) of the first ``count`` places that the build reports on."""
    from evalkit.building import read

    places = read(out / "build", "places")
    reported = list(places.loc[places["reported"], "place"])
    if count > len(reported):
        raise SystemExit(
            f"{out}: the build reports on {len(reported)} places, not {count}. Take a larger data set."
        )
    build = str((out / "build").resolve())
    for place in reported[:count]:
        for notebook in NOTEBOOKS:
            parameters = {"place": place, "build": build, "lang": "vi"}
            yield notebook, parameters, work / place / "vi" / notebook.name


def one_page(task):
    """papermill and nbconvert as their manuals show them."""
    import nbconvert
    import papermill

    notebook, parameters, target = task
    target.parent.mkdir(parents=True, exist_ok=True)
    papermill.execute_notebook(notebook, target, parameters, cwd=notebook.parent, progress_bar=False)
    page, _ = nbconvert.HTMLExporter().from_filename(str(target))
    target.with_suffix(".html").write_text(page, encoding="utf-8")


def papermill_loop(tasks, _):
    for task in tasks:
        one_page(task)


def papermill_pool(tasks, _):
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(one_page, tasks))


def evalkit(tasks, work, together=NOTEBOOKS):
    from evalkit.batch import Job, run
    from evalkit.cli import PRELOAD

    jobs = [Job(*task, (), task[2].relative_to(work).with_suffix("").as_posix()) for task in tasks]
    preload = [*PRELOAD, f"evalkit.present.warm:of_build:{tasks[0][1]['build']}"]
    summary = run(jobs, preload=preload, together=together)
    began = time.monotonic()
    run(jobs, preload=preload, together=together)
    memory = statistics.median(row.memory_mb for row in summary.rows)
    failed = sorted({row.error for row in summary.failed})
    again = time.monotonic() - began
    children = sum(row.cpu_seconds for row in summary.rows)
    return {"again_seconds": again, "memory_mb": memory, "failed": failed, "children_processor": children}


def apart(tasks, work):
    """The batch with a process for each notebook, where `evalkit run` gives one to the notebooks of a place."""
    return evalkit(tasks, work, together=())


def bare_code(tasks, _):
    """The notebooks' cells in one process that has everything loaded: no kernel, no messages, no file.

    What loading took is told apart: it is not part of the code's own cost per notebook.
    """
    from evalkit.present.warm import of_build, warm_up

    warm_up()
    of_build(tasks[0][1]["build"])
    started = time.process_time()
    codes = compiled(tasks)
    for task in tasks:
        execute_bare(codes, task)
    return {"code_processor": time.process_time() - started}


def forked_code(tasks, _):
    """The bare code, each notebook in a child that is forked as the batch forks it and does nothing else."""
    from evalkit.batch.forker import load

    load(["evalkit.present.warm:warm_up", f"evalkit.present.warm:of_build:{tasks[0][1]['build']}"])
    codes = compiled(tasks)
    started = sum(os.times()[:4])
    for task in tasks:
        if (pid := os.fork()) == 0:
            execute_bare(codes, task)
            os._exit(0)
        if os.waitpid(pid, 0)[1]:
            raise SystemExit(f"{task[0].name} failed for {task[1]['place']}")
    return {"code_processor": sum(os.times()[:4]) - started}


def compiled(tasks):
    """The code cells of each notebook, compiled once for all places."""
    import nbformat

    codes = {}
    for notebook in {task[0] for task in tasks}:
        cells = [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
        codes[notebook] = [compile(cell.source, notebook.name, "exec") for cell in cells]
    return codes


def execute_bare(codes, task):
    notebook, parameters, _ = task
    names = {}
    first, *rest = codes[notebook]
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        exec(first, names)
        names |= parameters
        for code in rest:
            exec(code, names)


def measured(method, out, places, pages=True):
    """Wall and processor seconds of ``method`` in a process of its own, and what it tells of itself."""
    from evalkit.batch.process import ENVIRONMENT

    with tempfile.TemporaryDirectory() as work:
        command = [sys.executable, __file__, str(out), "--places", str(places), "--method", method]
        found = timed([*command, "--work", work], ENVIRONMENT if method == "forked_code" else {})
        found["wall"] -= found.get("again_seconds", 0.0)
        found["pages_processor"] = 0.0
        if method == "evalkit" and pages:
            (Path(work) / "build").symlink_to((out / "build").resolve())
            program = "from evalkit.cli import main; main()"
            pages = timed([sys.executable, "-c", program, "publish", "--out", work, "--langs", "vi"])
            found["pages_processor"] = pages["processor"]
            found["wall"] += pages["wall"]
            found["processor"] += pages["processor"]
        return found


def timed(command, more_environment=()):
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | dict(more_environment))
    told = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"this failed: {' '.join(command)}")
    found = {"wall": time.monotonic() - began, "processor": usage.ru_utime + usage.ru_stime}
    return found | (json.loads(told) if told.startswith("{") else {})


def compare(out, methods, places, sample, rounds):
    counts = {method: places if method == "evalkit" else sample for method in methods}
    runs = {method: [] for method in methods}
    for _ in range(rounds):
        for method in methods:
            runs[method].append(measured(method, out, counts[method], pages=PAPERMILL[0] in methods))
            print(method, runs[method][-1], file=sys.stderr, flush=True)
    return {method: medians(rows, counts[method] * len(NOTEBOOKS)) for method, rows in runs.items()}


def medians(rows, notebooks):
    numbers = [key for key, value in rows[0].items() if isinstance(value, float)]
    others = {key: value for key, value in rows[0].items() if key not in numbers}
    return (
        {key: statistics.median(row[key] for row in rows) for key in numbers}
        | others
        | {"notebooks": notebooks}
    )


def each(row, key):
    return row[key] / row["notebooks"]


def ratios(found, scale):
    ours, alone, bare, forked = (found[method] for method in ("evalkit", "apart", "bare_code", "forked_code"))
    compared = {}
    for method in found.keys() & PAPERMILL:
        compared[method] = each(found[method], "wall") / each(ours, "wall")
        compared[f"{method}_processor"] = each(found[method], "processor") / each(ours, "processor")
    code = each(bare, "code_processor")
    compared |= {
        "bare_code": without_pages(ours) / code,
        "children": each(ours, "children_processor") / code,
        "children_apart": each(alone, "children_processor") / code,
        "forked_code": each(forked, "code_processor") / code,
        "overhead_ms": 1000 * (without_pages(ours) - code),
        "repeat": ours["again_seconds"] / ours["wall"],
    }
    return compared | ({"growth": without_pages(scale) / without_pages(ours)} if scale else {})


def without_pages(row):
    return (row["processor"] - row["pages_processor"]) / row["notebooks"]


def show(found, scale):
    print("| method | notebooks | wall, s each | processor, s each |\n|---|---|---|---|")
    for method, row in found.items():
        print(f"| {method} | {row['notebooks']} | {each(row, 'wall'):.3f} | {each(row, 'processor'):.3f} |")
    for name, ratio in ratios(found, scale).items():
        print(f"{name}: {ratio:.3g}")
    ours = found["evalkit"]
    print(
        f"private memory of a child, median: {ours['memory_mb']:.0f} MB; failed: {ours['failed'] or 'none'}"
    )


def measured_at_scale(out, count):
    with tempfile.TemporaryDirectory() as folder:
        enlarged((out / "build").resolve(), Path(folder) / "build", count)
        return medians([measured("evalkit", Path(folder), count, pages=False)], count * len(NOTEBOOKS))


def show_scale(row):
    hours = each(row, "wall") * COMMUNES_OF_VIETNAM * len(NOTEBOOKS) / 3600
    wall, processor = each(row, "wall"), each(row, "processor")
    print(f"{row['notebooks']} notebooks: {wall:.3f} s wall, {processor:.3f} s processor each, without pages")
    print(
        f"again, nothing changed: {row['again_seconds']:.1f} s; a child's private memory {row['memory_mb']:.0f} MB"
    )
    print(f"projected, not measured: {COMMUNES_OF_VIETNAM} communes in {hours:.1f} h on these processors")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--places", type=int, default=225)
    parser.add_argument("--sample", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=int)
    parser.add_argument("--code-only", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--method", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.method:
        work = given.work / "private"
        tasks = list(tasks_of(given.out, given.places, work))
        print(json.dumps(globals()[given.method](tasks, work) or {}))
        return
    sample = given.sample or given.places
    methods = [method for method in METHODS if not (given.code_only and method in PAPERMILL)]
    found = compare(given.out, methods, given.places, sample, given.rounds) if given.rounds else {}
    scale = given.scale and measured_at_scale(given.out, given.scale)
    if given.json:
        compared = ratios(found, scale) if found else {}
        print(json.dumps({"ratios": compared, "measured": found, "scale": scale}))
        return
    if found:
        show(found, scale)
    if scale:
        show_scale(scale)


if __name__ == "__main__":
    main()
