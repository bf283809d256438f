"""A question to the reader: which of these is the true one?

Two film strips in one figure: what was generated, and the candidates with a
letter each. A few lines of JavaScript add a button for each letter and keep
the answer folded until one is pressed. It needs no kernel and no ipywidgets.
Where scripts do not run the strips are there, and the answer unfolds with a
click.
"""

import html
import json
import random
import string
from collections.abc import Sequence

from IPython.display import HTML, display
from PIL import Image

from tutorial_lib.arguments import read_whole_number
from tutorial_lib.errors import ImageError
from tutorial_lib.figures import film_strip, image_to_data_uri, make_grid

# Runs once, as the candidates' onload.
SCRIPT = """
this.onload = null;
const settings = JSON.parse(this.dataset.guess), strip = this;
const answer = strip.parentNode.querySelector('details');
const box = document.createElement('div');
const verdict = document.createElement('p');
verdict.setAttribute('aria-live', 'polite');
for (const letter of settings.letters) {
  const button = document.createElement('button');
  button.textContent = letter;
  button.style.cssText = 'margin:4px 6px 4px 0;padding:4px 14px';
  button.onclick = () => {
    verdict.textContent = `You say ${letter}: ` +
      (letter === settings.answer ? 'right.' : 'not the true one.');
    answer.hidden = false;
    answer.open = true;
  };
  box.append(button);
}
answer.hidden = true;
strip.after(box, verdict);
"""


def show_guess(
    images: Sequence[Image.Image],
    candidates: Sequence[Image.Image],
    cosines: Sequence[float],
    alt: str,
    caption: str = "",
    seed: int = 0,
) -> None:
    """Display the question which candidate is true; see `make_guess`.

    Taught in notebooks/08_face_photo.ipynb.
    """
    page = make_guess(
        images, candidates, cosines, alt=alt, caption=caption, seed=seed
    )
    display(HTML(page))


def make_guess(
    images: Sequence[Image.Image],
    candidates: Sequence[Image.Image],
    cosines: Sequence[float],
    alt: str,
    caption: str = "",
    seed: int = 0,
) -> str:
    """Ask which of the candidates the images show, as HTML.

    The *first* candidate is the true one; they are shuffled by `seed`.
    `cosines` are the judge's for each, in the order given, and are told with
    the answer. `alt` says in words what the upper row shows. Raises
    ImageError for no images, and for candidates and cosines that differ in
    number, are fewer than two or more than 26.
    """
    letters = name_candidates(candidates, cosines)
    if not images:
        raise ImageError("There are no images whose truth could be guessed.")
    order = list(range(len(candidates)))
    random.Random(read_whole_number(seed, "seed", 0)).shuffle(order)
    shown = make_grid(list(images), columns=len(images))
    strip = film_strip([candidates[i] for i in order], letters)
    answer = letters[order.index(0)]
    settings = json.dumps({"letters": letters, "answer": answer})
    says = describe_answer(answer, letters, [cosines[i] for i in order])
    return (
        '<figure style="margin:0">'
        f'<img style="max-width:100%" width="{shown.width}" '
        f'alt="{html.escape(alt)}" '
        f'src="{image_to_data_uri(shown, format="JPEG")}">'
        '<div style="margin:6px 0">Which of these is it?</div>'
        f'<img style="max-width:100%" width="{strip.width}" '
        f'alt="candidates {html.escape(", ".join(letters))}" '
        f'src="{image_to_data_uri(strip, format="JPEG")}" '
        f'data-guess="{html.escape(settings)}" '
        f'onload="{html.escape(SCRIPT.strip())}">'
        f"<details><summary>Answer</summary>{html.escape(says)}</details>"
        '<figcaption style="font-size:90%;opacity:.8;margin-top:4px">'
        f"{html.escape(caption)}</figcaption></figure>"
    )


def name_candidates(
    candidates: Sequence[Image.Image], cosines: Sequence[float]
) -> list[str]:
    """Return a letter for each candidate.

    Raises ImageError if there is not one cosine for each, or if there are
    fewer than two or more than 26.
    """
    if len(candidates) != len(cosines):
        raise ImageError(
            f"There are {len(candidates)} candidates and {len(cosines)} "
            "cosines; give one cosine for each candidate."
        )
    if not 2 <= len(candidates) <= len(string.ascii_lowercase):
        raise ImageError(
            f"Among {len(candidates)} candidates nothing can be guessed; "
            "give from 2 to 26."
        )
    return list(string.ascii_lowercase[: len(candidates)])


def describe_answer(
    answer: str, letters: list[str], cosines: list[float]
) -> str:
    """Return the answer and what the judge says, in two sentences."""
    pairs = sorted(zip(cosines, letters, strict=True), reverse=True)
    best = pairs[0][1]
    verdict = "agrees" if best == answer else f"finds {best} nearer"
    listed = ", ".join(f"{letter} {cosine:.2f}" for cosine, letter in pairs)
    return f"The true one is {answer}. The judge {verdict}: {listed}."
