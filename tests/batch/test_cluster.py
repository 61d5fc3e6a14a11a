"""The same plan on Dask workers, one of which is killed while it runs notebooks."""

import os
import signal
import threading

import pytest
from faults import contents, jobs_for, wait_until_gone

from evalkit.batch import run
from evalkit.errors import EvalkitError

distributed = pytest.importorskip("distributed", reason="needs the extra `cluster`")


@pytest.fixture
def cluster(importable):
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster:
        yield cluster


class KillAfterTwo:
    """Progress that kills a Dask worker once two notebooks have come home."""

    def __init__(self, cluster):
        self.nanny = next(iter(cluster.workers.values()))
        self.rows = []

    def start(self, total, skipped):
        assert (total, skipped) == (24, 0)

    def row(self, row):
        self.rows.append(row)
        if len(self.rows) == 2:
            os.kill(self.nanny.process.pid, signal.SIGKILL)

    def end(self):
        assert threading.current_thread() is threading.main_thread()


def test_a_killed_dask_worker_costs_only_its_running_notebooks(tmp_path, cluster, monkeypatch):
    killer = KillAfterTwo(cluster)
    monkeypatch.setitem(run.__globals__["KINDS"], "killer", lambda: killer)
    summary = run(
        jobs_for(tmp_path), engine="fork", cluster=cluster.scheduler_address, preload=(), progress="killer"
    )
    assert summary.counts == {"ok": 21, "failed": 3}
    assert len(killer.rows) == 24
    assert not wait_until_gone(tmp_path / "out")
    away = contents(tmp_path / "out")

    (tmp_path / "alone").mkdir()
    run(jobs_for(tmp_path / "alone"), engine="fork", preload=())
    home = contents(tmp_path / "alone" / "out")
    assert away.keys() == home.keys()
    assert all(away[name] == home[name] for name in home if name.endswith(".ipynb"))


def test_an_address_where_nothing_answers(tmp_path, monkeypatch):
    monkeypatch.setattr("evalkit.batch.cluster.CONNECT_SECONDS", 0.5)
    with pytest.raises(EvalkitError, match=r"tcp://127\.0\.0\.1:9: no Dask scheduler answers"):
        run(jobs_for(tmp_path), cluster="tcp://127.0.0.1:9")
