"""What a person types is a command, a line or a mistake that is explained."""

from dataclasses import replace

import pytest
import torch

from pipeline.lyrics.editor.commands import CommandKind, parse_command

torch.set_num_threads(1)  # two that wait for each other make these small tensors many times slower


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("9", "There is no line 9"),
        ("0", "There is no line 0"),
        ("9" * 5000, "There is no line 9"),
        ("e", "`e 3` changes line 3"),
        ("e 12", "There is no line 12"),
        ("w", "`w` comes before your line"),
        ("w 12 34", "A line needs a word"),
        ("Hallelujah", "`w Hallelujah` makes it a line"),
        ("12 34", "A line needs a word"),
        ("la " * 50, "at most 100 fit"),
    ],
)
def test_what_can_not_be_done_gives_a_hint(typed, hint):
    command = parse_command(typed, 7)
    assert command.kind is CommandKind.UNCLEAR
    assert hint in command.text
    assert len(command.text) < 200


@pytest.mark.parametrize(
    "line", ["a river runs", "again and again", "e flat minor", "write me a letter", "3 kings came"]
)
def test_words_that_look_like_commands_are_lines(line):
    assert parse_command(line, 7) == replace(parse_command("w x", 7), text=line)


def test_what_is_typed_is_cleaned_as_the_texts_are():
    assert parse_command("  don\u2019t\tsay\u200b “no”—\x1bever \ud800\ue000 ", 7).text == 'don\'t say "no" - ever'
    assert parse_command("W  Caf\u0065\u0301", 7).text == "Café"
