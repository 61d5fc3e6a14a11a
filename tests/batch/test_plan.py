"""Parameters are checked against the notebook, and a job's key changes with what its result depends on."""

import json

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.batch import plan, read_parameters
from evalkit.batch.plan import Digests
from evalkit.errors import ParameterError
from notebooks import REPORT, write_notebook

KINDS = """place: str = "08473"
lang: str = "vi"
year: int = 2024
share = 0.6
raw: bool = False
years: list[int] = [2019, 2024]
limit: int | None = None
# type: ignore"""


@pytest.fixture
def notebook(tmp_path):
    return write_notebook(tmp_path / "credit.ipynb", *REPORT, parameters=KINDS)


def test_one_job_per_notebook_and_parameter_set(tmp_path, notebook):
    other = write_notebook(tmp_path / "income.ipynb", *REPORT)
    places = [{"place": "01001"}, {"place": "08473"}]
    jobs = plan([notebook, other], places, tmp_path / "out")
    assert [job.name for job in jobs] == ["01001/credit", "01001/income", "08473/credit", "08473/income"]
    assert jobs[0].output == tmp_path / "out" / "01001" / "credit.ipynb"
    assert jobs[0].parameters == {"place": "01001"}


def test_a_path_is_no_part_of_the_name(tmp_path):
    notebook = write_notebook(tmp_path / "credit.ipynb", *REPORT)
    parameters = {"place": "01001", "build": str(tmp_path / "build"), "lang": "en"}
    assert plan([notebook], [parameters], tmp_path / "out")[0].name == "01001/en/credit"


def test_a_pattern_names_the_jobs(tmp_path, notebook):
    jobs = plan([notebook], [{"place": "01001"}], tmp_path, name="{notebook}-{place}")
    assert jobs[0].output == tmp_path / "credit-01001.ipynb"


def test_two_jobs_for_one_file_are_refused(tmp_path, notebook):
    with pytest.raises(ParameterError, match=r"would write credit\.ipynb.*name pattern"):
        plan([notebook], [{"place": "01001"}, {"place": "08473"}], tmp_path, name="{notebook}")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"place": 1001}, r"place is text .*'08473'.*1001 is a whole number.*leading zero"),
        ({"plase": "01001"}, r"no parameter plase\. Did you mean place\?"),
        ({"commune_code": "01001"}, r"no parameter commune_code\. It has place, lang"),
        ({"year": "2024"}, r"year is a whole number .*'2024' is text"),
        ({"year": True}, r"True is True or False"),
        ({"share": "60%"}, r"share is a number"),
        ({"raw": 1}, r"raw is True or False"),
        ({"years": 2024}, r"years is a list"),
        ({"limit": "ten"}, r"limit is None or a whole number"),
        ({"share": float("nan")}, r"share is nan, which can't be written"),
        ({"place": {"01001"}}, r"can't be written into a notebook"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_runs(tmp_path, notebook, parameters, message):
    with pytest.raises(ParameterError, match=message) as error:
        plan([notebook], [parameters], tmp_path / "out")
    assert str(error.value).startswith("credit.ipynb: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "parameters",
    [{"year": 2023}, {"share": 1}, {"raw": True}, {"years": []}, {"limit": None}, {"limit": 3}, {}],
)
def test_parameters_of_the_declared_kind_are_accepted(tmp_path, notebook, parameters):
    assert plan([notebook], [parameters], tmp_path)[0].parameters == parameters


def test_parameters_for_a_notebook_without_a_parameters_cell_are_refused(tmp_path):
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "plain.ipynb")
    with pytest.raises(ParameterError, match='no parameters in a cell tagged "parameters"'):
        plan([tmp_path / "plain.ipynb"], [{"place": "01001"}], tmp_path)


def test_texts_are_read_as_the_notebook_declares(notebook):
    texts = {"place": "01001", "year": "2024", "years": "[2019, 2024]", "raw": "True", "share": "0.5"}
    wanted = {"place": "01001", "year": 2024, "years": [2019, 2024], "raw": True, "share": 0.5}
    assert read_parameters(notebook, texts) == wanted
    with pytest.raises(ParameterError, match="year is a whole number"):
        read_parameters(notebook, {"year": "next"})


@given(code=st.text(st.characters(categories=["Nd", "Lu", "Ll"]), max_size=8))
def test_a_code_stays_the_text_it_is(tmp_path_factory, code):
    notebook = tmp_path_factory.getbasetemp() / "codes.ipynb"
    if not notebook.exists():
        write_notebook(notebook, *REPORT)
    assert read_parameters(notebook, {"place": code}) == {"place": code}


def test_the_key_follows_content_and_nothing_else(tmp_path, notebook):
    data = tmp_path / "build" / "01001.csv"
    data.parent.mkdir()
    data.write_text("poor\n9.5\n")

    def key(place="01001", inputs=(data,)):
        return Digests().key(plan([notebook], [{"place": place}], tmp_path / "out", inputs=inputs)[0])

    first = key()
    assert key() == first
    assert key(place="01002") != first
    assert key(inputs=(data.parent,)) != first

    executed = json.loads(notebook.read_text())
    executed["cells"][-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "old"}]
    notebook.write_text(json.dumps(executed))
    assert key() == first, "outputs left in a notebook change nothing"
    executed["cells"][-1]["source"] = "print('khác')"
    notebook.write_text(json.dumps(executed))
    assert (second := key()) != first
    data.write_text("poor\n1.0\n")
    assert key() != second


def test_inputs_can_be_a_slice_per_job(tmp_path, notebook):
    for place in ("01001", "01002"):
        (tmp_path / place).write_text(place)
    places = [{"place": "01001"}, {"place": "01002"}]
    jobs = plan([notebook], places, tmp_path / "out", inputs=lambda one: [tmp_path / one["place"]])
    assert [job.inputs for job in jobs] == [(tmp_path / "01001",), (tmp_path / "01002",)]


def test_a_missing_input_is_named(tmp_path, notebook):
    job = plan([notebook], [{"place": "01001"}], tmp_path, inputs=[tmp_path / "absent.parquet"])[0]
    with pytest.raises(ParameterError, match=r"absent\.parquet: no such file"):
        Digests().key(job)
