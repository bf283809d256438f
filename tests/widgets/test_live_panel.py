"""The live panel shows each measured step, and its last frame stays."""

import base64
import io
import re
from dataclasses import replace

import pytest
from PIL import Image

from tutorial_lib.generation import generate
from tutorial_lib.inversion import learn_word
from tutorial_lib.widgets import LivePanel, live_panel
from tutorial_lib.widgets.live_panel import describe_rest, make_panel
from tutorial_lib.words import History


class Page:
    """Takes the place of a notebook's output: counts and keeps frames."""

    def __init__(self):
        self.opened, self.frames = 0, []

    def display(self, page, display_id):
        """Open an output, as IPython does."""
        assert display_id is True
        self.opened += 1
        self.frames.append(page.data)
        return self

    def update(self, page):
        """Replace the frame before."""
        self.frames.append(page.data)


@pytest.fixture
def page(monkeypatch):
    """Let panels be shown on a page that keeps every frame."""
    page = Page()
    monkeypatch.setattr(live_panel, "display", page.display)
    return page


def make_history(similarities):
    """Make a run's history, with a similarity at every tenth step."""
    return History(
        {
            "step": step,
            "recipe": "similarity",
            "norm": 0.5 + step / 100,
            "similarity": None if step % 10 else similarities[step // 10],
            "evaluation": None if step % 10 else 1 - similarities[step // 10],
        }
        for step in range(10 * len(similarities) - 9)
    )


def test_the_panel_opens_once_and_is_then_brought_up_to_date(page):
    panel = LivePanel(steps=40)
    for entry in make_history([0.1, 0.5, 0.6]):
        panel(entry)
    assert (page.opened, len(page.frames)) == (1, 3)  # steps 0, 10, 20
    assert len(panel.history) == 21


def test_a_frame_is_a_picture_with_alt_text_and_the_time_left():
    frame = make_panel(make_history([0.1, 0.5]), steps=40, seconds=2.0)
    assert "step 10: similarity 0.50, norm 0.60" in frame
    assert "step 10, 2 s; at most 30 steps left, 6 s" in frame
    code = re.search('src="data:image/png;base64,([^"]+)"', frame)[1]
    image = Image.open(io.BytesIO(base64.b64decode(code)))
    assert image.size == (550, 330)


def test_nobody_knows_the_time_left_before_the_first_step():
    rest = describe_rest({"step": 0}, steps=40, seconds=0.0)
    assert rest == "; at most 40 steps left"


@pytest.mark.parametrize(
    ("similarities", "steps"),
    [([0.1, 0.5, 0.6], 20), ([0.1, 0.8, 0.8, 0.8, 0.8, 0.8], 100)],
)
def test_the_last_frame_of_a_run_speaks_of_no_time_left(similarities, steps):
    history = make_history(similarities)
    earlier = History(history[:-10])
    assert "left" not in make_panel(history, steps=steps, seconds=2.0)
    assert "left" in make_panel(earlier, steps=steps, seconds=2.0)


def test_a_learning_run_takes_the_panel_as_its_callback(page, models, images):
    learn_word(
        models,
        images,
        recipe="similarity",
        steps=12,
        callbacks=[LivePanel(steps=12)],
        progress=False,
    )
    assert len(page.frames) == 3  # steps 0, 10, 12
    assert "step 12" in page.frames[-1]
    assert "left" not in page.frames[-1]


def test_the_panel_needs_no_running_notebook(capsys):
    panel = LivePanel(steps=10)
    for entry in make_history([0.1, 0.5]):
        panel(entry)
    assert len(panel.history) == 11


def test_the_paper_s_recipe_adds_the_error_and_previews(page, models, images):
    panel = LivePanel(steps=20, models=models, prompt="A mug with X")
    word = learn_word(
        models,
        images,
        recipe="denoising",
        steps=20,
        callbacks=[panel],
        progress=False,
    )
    assert sorted(panel.previews) == [0, 20]
    assert "with the word of step 0, 20" in page.frames[-1]
    codes = re.findall(
        'src="data:image/[a-z]+;base64,([^"]+)"', page.frames[-1]
    )
    curves, _ = (Image.open(io.BytesIO(base64.b64decode(c))) for c in codes)
    assert curves.size == (825, 330)  # three panels
    last = replace(word, vectors=word.history[-1]["vectors"])
    [image] = generate(
        models, "A mug with X", words=[last], seed=0, progress=False
    )
    assert panel.previews[20].tobytes() == image.tobytes()


def test_generating_previews_does_not_change_what_is_learned(
    page, models, images
):
    def learn(*callbacks):
        """Return the vectors of a short run."""
        return learn_word(
            models,
            images,
            recipe="denoising",
            steps=20,
            callbacks=callbacks,
            progress=False,
        ).vectors

    panel = LivePanel(steps=20, models=models, prompt="A mug with X")
    assert learn(panel).equal(learn())
