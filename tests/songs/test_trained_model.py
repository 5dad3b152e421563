from pathlib import Path

import pytest
import torch

from pipeline.dataset.sample_identification.flip_transforms import FlipTransform, pack_transforms
from pipeline.errors import UserError
from pipeline.songs.trained_model import load_trained_model
from tests.song_makers import configured, write_checkpoint

LEARNT = [FlipTransform(2, 1.1225, 2, True, 0.5)]


def test_what_songs_did_to_their_samples_comes_back_from_the_checkpoint(tmp_path: Path) -> None:
    config = configured("+stage=generate")
    path = write_checkpoint(tmp_path, config)
    assert load_trained_model(config, path).flip_transforms == (), "one of songs without samples says nothing"
    state = torch.load(path, weights_only=True)
    torch.save(state | {"flip_transforms": pack_transforms(LEARNT)}, path)
    assert load_trained_model(config, path).flip_transforms == tuple(LEARNT)
    torch.save(state | {"flip_transforms": torch.zeros(2)}, path)
    with pytest.raises(UserError, match="damaged"):
        load_trained_model(config, path)
