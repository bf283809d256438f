"""The lessons run with models that have Stable Diffusion 1.5's shapes.

Their weights are random, so what was measured on the tiny models does not
hold, and is passed over. `make test-real` runs them all.
"""

import os
import re
from dataclasses import replace

import nbformat
import pytest
from mini_dreambench import save_mini_dreambench
from mini_encoders import save_mini_encoders
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell
from standins import make_standin

from tutorial_lib.images import dreambench
from tutorial_lib.notebooks import CELL_TIMEOUT, FOLDER
from tutorial_lib.settings import PROFILES, ROOT
from tutorial_lib.words import LearnedWord

LESSONS = sorted(path.stem for path in FOLDER.glob("[0-9]*.ipynb"))
QUICK = [name for name in LESSONS if name[:2] in "00 05 06 08 11 12".split()]
FEW_STEPS = """
from dataclasses import replace
from tutorial_lib import settings
for name in ("sd15", "sd2"):
    settings.PROFILES[name] = replace(
        settings.PROFILES[name], similarity_steps=10, denoising_steps=4,
        num_inference_steps=2,
    )
"""
VELOCITY = """
import os
os.environ |= {{"TUTORIAL_MODEL": "sd2", "TUTORIAL_SD2": {folder!r}}}
"""


@pytest.fixture(scope="module")
def run(standin, tmp_path_factory):
    """Return a function that runs a lesson; words are learned once."""
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TUTORIAL_MODEL": "sd15",
        "TUTORIAL_SD15": str(standin),
        "TUTORIAL_OUT": str(tmp_path_factory.mktemp("out")),
        "HF_HUB_OFFLINE": "1",  # a test fetches nothing
    }

    def run_lesson(name, first="", changes=()):
        """Return a lesson's code, and what it printed.

        `first` is code that is run before it; `changes` are pairs of what
        stands in it and what is to stand there.
        """
        notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
        for old, new in changes:
            assert any(old in cell.source for cell in notebook.cells), old
            for cell in notebook.cells:
                cell.source = cell.source.replace(old, new)
        notebook.cells.insert(0, new_code_cell(first))
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name="python3",
            resources={"metadata": {"path": str(FOLDER)}},
        )
        client.execute(env=env)
        cells = [c for c in notebook.cells if c.cell_type == "code"]
        outputs = [output for cell in cells for output in cell.outputs]
        return (
            "\n".join(cell.source for cell in cells),
            "".join(output.get("text", "") for output in outputs),
        )

    return run_lesson


def check_claims(name, code, printed):
    """Random weights keep no claim of trained ones: some are passed over."""
    passed_over = printed.count("Passed over: ")
    print(f"{name}: {passed_over} claims of the tiny models passed over")
    assert bool(passed_over) == ("with measured_on_tiny(" in code)


@pytest.mark.parametrize("name", QUICK)
def test_a_lesson_runs_in_few_steps(name, run):
    check_claims(name, *run(name, first=FEW_STEPS))


@pytest.mark.slow
@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_whole(name, run):
    check_claims(name, *run(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", [LESSONS[4], LESSONS[5], LESSONS[12]])
def test_a_lesson_that_takes_steps_by_hand_runs_with_velocities(
    name, run, tmp_path
):
    folder = make_standin("sd2", tmp_path, prediction_type="v_prediction")
    first = VELOCITY.format(folder=str(folder)) + FEW_STEPS
    check_claims(name, *run(name, first=first))


# --- photos of a public set, and the networks that measure


PHOTOS = """
from pathlib import Path
from tutorial_lib.evaluation import image_encoders
from tutorial_lib.images import dreambench
dreambench.DREAMBENCH_FOLDER = Path({folder!r})
dreambench.MANIFEST = Path({manifest!r})
image_encoders.ENCODERS_FOLDER = {encoders!r}
"""


@pytest.fixture
def data_set(tmp_path):
    """Return the folder of a made-up data set, and the list of its files."""
    return save_mini_dreambench(tmp_path / "dreambench")


@pytest.fixture
def photos(data_set, tmp_path):
    """Return code that lets photos and encoders be small made-up ones."""
    folder, manifest = data_set
    save_mini_encoders(tmp_path / "encoders")
    return PHOTOS.format(
        folder=str(folder),
        manifest=str(manifest),
        encoders=str(tmp_path / "encoders"),
    )


def test_lesson_11_learns_and_measures_a_subject_of_dreambench(run, photos):
    code, printed = run(
        "11_your_own_x",
        first=FEW_STEPS + photos,
        changes=[
            ('SUBJECT = ""', 'SUBJECT = "dreambench/dog6"'),
            ('DESCRIPTION = ""', 'DESCRIPTION = "small brown dog"'),
            ("count=4", "count=1"),
        ],
    )
    check_claims("11_your_own_x", code, printed)
    assert "3 of 3 files used" in printed and "Unsplash License" in printed
    table = printed[printed.index("dog6  ") :]
    assert re.match(r"dog6 +DINO +CLIP-I +CLIP-T\n", table)
    for row in ("real photos", "X ", '"small brown dog"', '"dog"', "X minus"):
        assert f"\n{row}" in table, row
    assert "1 pictures a row, 1 prompts" in table
    assert "Ruiz et al." in table
    assert "'initializer': 'dog'" in printed


def test_the_readme_s_example_is_short_and_runs(
    sd15, data_set, tmp_path, monkeypatch
):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    part = readme[readme.index("### With Stable Diffusion 1.5") :]
    code = re.search(r"```python\n(.*?)```", part, re.DOTALL)[1]
    assert code.count("\n") - code.count("\n\n") <= 12
    few = {"similarity_steps": 10, "denoising_steps": 4}
    few["num_inference_steps"] = 2
    monkeypatch.setitem(PROFILES, "sd15", replace(PROFILES["sd15"], **few))
    monkeypatch.setattr(dreambench, "DREAMBENCH_FOLDER", data_set[0])
    monkeypatch.setattr(dreambench, "MANIFEST", data_set[1])
    monkeypatch.chdir(tmp_path)
    space = {}
    exec(code, space)
    assert len(space["pictures"]) == 4
    word = LearnedWord.load("X.safetensors", space["models"].profile)
    assert word.vectors.equal(space["word"].vectors)
