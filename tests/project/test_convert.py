"""`textual-inversion convert`: a word in another program's form."""

import pytest
import torch
from typer.testing import CliRunner

from tutorial_lib import cli
from tutorial_lib.words import LearnedWord


def convert(*arguments):
    """Run the command as typer runs it and return its output."""
    result = CliRunner().invoke(cli.app, ["convert", *map(str, arguments)])
    if result.exception:
        raise result.exception
    return result.output


@pytest.mark.parametrize(
    "options, name, said",
    [
        ([], "Y.safetensors", "For diffusers, AUTOMATIC1111"),
        ([], "Y.pt", "It goes into embeddings/"),
        (["--form", "a1111"], "Y.pt", "It goes into embeddings/"),
        (["--form", "kohya"], "Y.safetensors", "InvokeAI imports it"),
        (["--form", "onetrainer"], "Y.safetensors", "For OneTrainer"),
    ],
)
def test_convert_writes_the_word_in_another_form(
    options, name, said, make_word, tmp_path
):
    word = make_word("X", num_vectors=2)
    source = word.save(tmp_path / "X.safetensors")
    output = convert(source, tmp_path / name, *options)
    assert f'{name} holds "X": 2 x 32 numbers in float32.\n' in output
    assert said in output
    back = LearnedWord.load(tmp_path / name)
    assert torch.equal(back.vectors, word.vectors)


def test_convert_renames_rounds_and_reads_any_form(make_word, tmp_path):
    word = make_word("X")
    source = word.save(tmp_path / "X", "a1111")
    target = tmp_path / "new folder" / "mug"
    output = convert(source, target, "--word", "Mug", "--dtype", "float16")
    assert 'mug.safetensors holds "Mug"' in output and "float16" in output
    back = LearnedWord.load(target)
    assert back.word == "Mug"
    assert torch.equal(back.vectors, word.vectors.half().float())


def test_convert_keeps_both_halves_of_a_word_for_sdxl(make_word, tmp_path):
    word = make_word("X", num_vectors=2)
    word.vectors_2 = torch.ones(2, 40)
    torch.save(
        {"clip_l": word.vectors, "clip_g": word.vectors_2},
        tmp_path / "toy.pt",
    )
    output = convert(tmp_path / "toy.pt", tmp_path / "Y")
    assert 'holds "toy": 2 x 32 and 40 numbers' in output
    back = LearnedWord.load(tmp_path / "Y")
    assert torch.equal(back.vectors_2, word.vectors_2)
    arguments = ["convert", str(tmp_path / "Y"), str(tmp_path / "Y.pt")]
    assert cli.main(arguments) == 2 and not (tmp_path / "Y.pt").exists()


def test_convert_may_write_over_what_it_read(make_word, tmp_path):
    word = make_word("X")
    path = word.save(tmp_path / "X")
    convert(path, path, "--dtype", "bfloat16")
    back = LearnedWord.load(path)
    assert torch.equal(back.vectors, word.vectors.bfloat16().float())


def test_a_source_that_cannot_be_read_leaves_nothing(tmp_path, capsys):
    source, target = tmp_path / "X.pt", tmp_path / "new" / "Y.safetensors"
    source.write_bytes(b"PK\x03\x04 and no more")
    assert cli.main(["convert", str(source), str(target)]) == 2
    error = capsys.readouterr().err
    assert f"'{source}' is cut short" in error and error.count("\n") == 2
    assert not target.parent.exists()
