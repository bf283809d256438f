"""CI is green only if the science holds: faults turn a lesson red.

Each fault is one that a careless change could bring, and that nothing but
the results would show. Slow, and so not part of `make test`:
`pytest -m slow tests` runs it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tutorial_lib import world
from tutorial_lib.notebooks import CELL_TIMEOUT

ROOT = Path(__file__).resolve().parents[2]


def replace_line(file, old, new):
    """Return a fault: one place in the library reads differently."""

    def spoil(root):
        path = root / "tutorial_lib" / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} is not once in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    return spoil


def give_other_images(root):
    """The folder of T-shirts shows another pattern."""
    folder = root / "data" / "concepts" / "tshirt"
    files = sorted(folder.glob("*.*"))
    other = world.new_concept("pattern", 999)
    images = world.render_concept(other, len(files), seed=0, size=512)
    for file, image in zip(files, images, strict=True):
        image.save(file)


FAULTS = {
    "X is frozen": (
        "00_start_here",
        replace_line(
            "inversion/trainer.py",
            "            self.optimizer.step()\n",
            "            pass\n",
        ),
    ),
    "CLIP reads the wrong token": (
        "02_the_word_x",
        replace_line(
            "models.py",
            'clip.text_pool_type = "eos"',
            'clip.text_pool_type = "argmax"',
        ),
    ),
    "guidance is dropped": (
        "04_how_stable_diffusion_draws",
        replace_line(
            "generation/sampling.py",
            "latents.to(prompt_embeds),\n"
            "            guidance_scale=guidance_scale,\n",
            "latents.to(prompt_embeds),\n            guidance_scale=1.0,\n",
        ),
    ),
    "the loss asks for another noise": (
        "05_textual_inversion",
        replace_line(
            "inversion/timesteps.py",
            "        return noise\n",
            "        return torch.randn_like(noise)\n",
        ),
    ),
    "the images show something else": ("06_t_shirt", give_other_images),
}


@pytest.fixture
def copy(tmp_path):
    """Return a copy of the project whose library and data may be spoilt."""
    for folder in ("tutorial_lib", "notebooks", "data/concepts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for part in (ROOT / "data").iterdir():
        if not (tmp_path / "data" / part.name).exists():
            (tmp_path / "data" / part.name).symlink_to(part)
    return tmp_path


def read_files(root):
    """Return the library's and the concepts' files as path -> bytes."""
    return {
        path: path.read_bytes()
        for folder in ("tutorial_lib", "data/concepts")
        for path in (root / folder).rglob("*.*")
    }


def run_lesson(root, name):
    """Run a lesson as CI does; return pytest's exit code and its words."""
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--nbmake",
            "--nbmake-kernel=python3",
            f"--nbmake-timeout={CELL_TIMEOUT}",
            "-p",
            "no:cacheprovider",
            f"notebooks/{name}.ipynb",
        ],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_changes_the_copy_and_leaves_it_python(copy, fault):
    before = read_files(copy)
    _, spoil = FAULTS[fault]
    spoil(copy)
    after = read_files(copy)
    changed = [path for path in after if after[path] != before[path]]
    assert changed
    for path in changed:
        if path.suffix == ".py":
            compile(after[path], path, "exec")


@pytest.mark.slow
def test_a_lesson_without_a_fault_is_green(copy):
    code, output = run_lesson(copy, "00_start_here")
    assert code == 0, output


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_turns_a_lesson_red(copy, fault):
    lesson, spoil = FAULTS[fault]
    spoil(copy)
    code, output = run_lesson(copy, lesson)
    assert code == 1, output
    assert "AssertionError" in output or "does not change the word" in output
