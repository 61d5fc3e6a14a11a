"""A run killed at any moment resumes to the same files, and leaves no process behind.

``benchmarks/faults.py`` kills at many more moments, and fills a disk.
"""

import pytest
from faults import contents, disturbed_run, jobs_for, resumed, wait_until_gone

from evalkit.batch import run


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    run(jobs_for(folder), engine="fork", workers=2, preload=())
    return contents(folder / "out")


@pytest.mark.parametrize("victim", ["child", "forker", "supervisor"])
def test_a_killed_run_resumes_to_the_same_files(tmp_path, undisturbed, victim):
    disturbed_run(tmp_path, victim, seed=victim)
    assert not wait_until_gone(tmp_path / "out")
    resumed(tmp_path)
    found = contents(tmp_path / "out")
    assert found.keys() == undisturbed.keys()
    for name, content in undisturbed.items():
        if name != "summary.json":
            assert found[name] == content, name
    assert not wait_until_gone(tmp_path / "out")
