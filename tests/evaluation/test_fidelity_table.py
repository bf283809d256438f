"""Fidelity is written as a table, beside published rows."""

import re
from dataclasses import replace

from PIL import Image

from tutorial_lib.evaluation import Fidelity, FidelityRow, format_fidelity
from tutorial_lib.evaluation.fidelity_table import PUBLISHED, format_cosine


def make_fidelity():
    """Make rows by hand."""
    row = FidelityRow(
        name="x",
        text="X",
        images=[Image.new("RGB", (8, 8))] * 4,
        prompts=["a {}", "a {}", "a red {}", "a red {}"],
        cosines={
            "DINO": [0.6, 0.7, 0.5, 0.6],
            "CLIP-I": [0.8] * 4,
            "CLIP-T": [0.25, 0.2, 0.3, 0.35],
        },
    )
    other = FidelityRow(
        name="initializer",
        text="dog",
        images=row.images,
        prompts=row.prompts,
        cosines={name: [0.1] * 4 for name in row.cosines},
    )
    real = FidelityRow(
        "real", "", row.images, [], {"DINO": [0.7, 0.8], "CLIP-I": [0.9] * 2}
    )
    return Fidelity(
        concept="dog6",
        encoders={"DINO": "DINO ViT-S/16", "CLIP-I": "B/32", "CLIP-T": "B/32"},
        learned_with="CLIP ViT-L-14-quickgelu",
        rows={"real": real, "x": row, "initializer": other},
    )


def test_the_table_shows_each_row_with_its_interval():
    lines = format_fidelity(make_fidelity()).splitlines()
    head, real, x, start, lead, published = lines[:6]
    assert head.split() == ["dog6", "DINO", "CLIP-I", "CLIP-T"]
    assert real.split() == [
        *["real", "photos", ".75", "(.70", "to", ".80)"],
        *[".90", "(.90", "to", ".90)"],
    ]
    assert x.startswith("X   ") and ".60 (.55 to .65)" in x
    assert start.startswith('"dog"') and ".10 (.10 to .10)" in start
    assert (
        lead.startswith("X minus initializer") and ".50 (.45 to .55)" in lead
    )
    assert published == "published"


def test_the_table_names_its_networks_and_the_published_protocol():
    table = format_fidelity(make_fidelity())
    text = " ".join(table.split())
    assert "4 pictures a row, 2 prompts" in text
    assert "DINO: DINO ViT-S/16; CLIP-I and CLIP-T: B/32." in text
    assert "X was learned with CLIP ViT-L-14-quickgelu." in text
    assert "Ruiz et al. (2023), DreamBooth, table 1" in text
    assert re.search(r"Textual Inversion, SD +\.569 +\.780 +\.255", text)
    assert len(PUBLISHED) == 3
    assert max(map(len, table.splitlines())) <= 100


def test_a_cosine_is_written_short():
    share = {"value": -0.05, "low": -0.126, "high": 1.0}
    assert format_cosine(share) == "-.05 (-.13 to 1.00)"
    assert format_cosine(None) == ""


def test_rows_that_were_not_measured_are_not_in_the_table():
    fidelity = make_fidelity()
    alone = replace(fidelity, rows={"x": fidelity.rows["x"]})
    assert "X minus" in format_fidelity(fidelity)
    lines = format_fidelity(alone).splitlines()
    assert lines[1].startswith("X ") and lines[2] == "published"


def test_a_judge_has_a_column_and_nothing_published_beside_it():
    fidelity = make_fidelity()
    for row in fidelity.rows.values():
        row.cosines = {"judge": row.cosines["DINO"]}
    text = format_fidelity(replace(fidelity, encoders={"judge": "a judge"}))
    head, given, x = text.splitlines()[:3]
    assert head.split() == ["dog6", "judge"]
    assert given.startswith("given pictures") and ".75 (.70 to .80)" in given
    assert x.startswith("X   ") and ".60 (.55 to .65)" in x
    assert "judge: a judge." in text
    assert "ublished" not in text and "CLIP-T" not in text
