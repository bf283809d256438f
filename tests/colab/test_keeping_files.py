"""Lesson 11 says how files outlive Colab's machine, and it is so."""

import re
import subprocess
import sys

from set_up_cell import LESSONS, ROOT, read_cell

STAND_IN = ROOT / "tests" / "colab" / "stand_in"
LESSON = ROOT / "notebooks" / "11_your_own_x.ipynb"


def read_advice(name):
    """Return the Python that a cell of prose shows."""
    text = "".join(read_cell(LESSON, name)["source"])
    (code,) = re.findall("```python\n(.*?)```", text, re.DOTALL)
    return code


def run_in_colab(code, folder):
    """Run code where `google.colab` is; return what it prints."""
    code = f"import sys; sys.path += [{str(STAND_IN)!r}]\n" + code
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_results_may_lie_on_the_drive(tmp_path):
    upload = "".join(read_cell(LESSON, "upload")["source"])
    first = "from tutorial_lib.settings import OUT\n"
    assert upload.startswith(first)
    advice = read_advice("upload-text").replace("/content", str(tmp_path))
    later = upload.removeprefix(first).replace("from", "#", 1)
    code = f"from pathlib import Path\n{advice}\n"
    code += f"show_upload = lambda folder, kind: print(folder)\n{later}"
    shown = run_in_colab(code, tmp_path).splitlines()[-1]
    drive = tmp_path / "drive" / "MyDrive"
    assert drive.is_dir()
    assert shown == str(drive / "my words" / "my pictures")


def test_a_word_is_taken_home(tmp_path):
    (tmp_path / "X.safetensors").touch()
    code = f"path = 'X.safetensors'\n{read_advice('diffusers-text')}"
    code += "print(files.downloaded)"
    assert run_in_colab(code, tmp_path) == "['X.safetensors']\n"


def test_every_lesson_asks_colab_for_a_gpu():
    for lesson in LESSONS:
        text = lesson.read_text(encoding="utf-8")
        assert '"accelerator": "GPU"' in text, lesson.name
        assert '"gpuType": "T4"' in text, lesson.name
