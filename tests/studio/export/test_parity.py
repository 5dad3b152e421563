"""A browser makes of the same latents, conditions and context the phrases that PyTorch makes, cell by cell."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from playwright.sync_api import Browser, Error, Route

from gan.context import StreamContext
from gan.networks.generator import Generator
from gan.networks.onnx_step import DiscriminatorScore
from gan.training.augmentation import draw_masks
from pipeline.studio.export.networks import discriminator_model, sampler_model
from pipeline.studio.export.runtime import ADDRESS, bring_runtime
from pipeline.studio.export.static_page import OWN_PAGE
from tests.gan.trio import lively, music, networks
from tests.studio.export.conftest import static_host

COUNT, BATCHES = 25, 4
IN_BROWSER = """async ({ model, batches }) => {
  const { Networks } = await import(new URL("networks.js", location.href));
  const networks = await Networks.load(model, location.href);
  const floats = (text) => new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  const found = [];
  for (const batch of batches) {
    const inputs = Object.fromEntries(Object.entries(batch).map(([name, text]) => [name, floats(text)]));
    inputs.condition_strength = inputs.condition_strength[0];
    inputs.chord_strength = inputs.chord_strength[0];
    const phrases = await networks.sample(inputs, model.candidates);
    const logits = await networks.score(phrases, inputs.mask, model.candidates);
    found.push([Array.from(phrases, (value) => (value > 0.5 ? "1" : "0")).join(""), Array.from(logits)]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def page_folder(runtime_package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Networks of a trio, and what runs them."""
    folder = tmp_path_factory.mktemp("page")
    generator, discriminator = trained()
    onnx.save(sampler_model(generator, COUNT), folder / "sampler.onnx")
    onnx.save(discriminator_model(discriminator, generator.pitch_range, COUNT), folder / "discriminator.onnx")
    shutil.copyfile(OWN_PAGE / "networks.js", folder / "networks.js")
    (folder / "index.html").write_text("<!DOCTYPE html><title>Networks</title><link rel=icon href='data:,'>")
    spec = generator.spec
    values = {
        "tracks": [{"name": name} for name in spec.names],
        "bars": spec.bars,
        "steps_per_bar": spec.steps_per_bar,
        "pitch_range": generator.pitch_range,
        "latent_size": generator.settings.latent_size,
        "candidates": COUNT,
        "runtime": bring_runtime(runtime_package, folder).to_dict(),
    }
    (folder / "model.json").write_text(json.dumps(values))
    return folder


def trained() -> tuple[Generator, torch.nn.Module]:
    generator, discriminator = networks()
    discriminator.moments.copy_(torch.tensor([2.0, 0.5]))
    return lively(generator), discriminator


def text_of(values: NDArray[np.float32]) -> str:
    return base64.b64encode(np.ascontiguousarray(values, np.float32).tobytes()).decode()


def test_a_browser_makes_the_cells_that_python_makes_of_a_hundred_phrases(page_folder: Path, browser: Browser) -> None:
    generator, discriminator = trained()
    expected, scores, batches = [], [], []
    for seed in range(BATCHES):
        latents = generator.sample_latents(COUNT, torch.Generator().manual_seed(seed))
        mask = draw_masks(COUNT, generator.spec, torch.Generator().manual_seed(seed))
        context = StreamContext(generator.encode(music(COUNT, seed)), mask)
        strength, warmth, chord_strength = (1.0, 1.0, 1.0) if seed % 2 else (0.8, 1.2, 2.0)
        expected.append(generator.streams(latents, context, strength, warmth, chord_strength=chord_strength))
        scores.append(DiscriminatorScore(discriminator)(expected[-1], mask.float()).detach())
        inputs = latents.to_dict() | {"streams": context.streams, "mask": mask.float()}
        inputs |= {"temperature": torch.full((generator.spec.num_tracks,), warmth)}
        inputs |= {"condition_strength": torch.tensor(strength), "chord_strength": torch.tensor(chord_strength)}
        batches.append({name: text_of(values.numpy()) for name, values in inputs.items()})
    page = browser.new_page()
    with static_host(page_folder) as address:
        page.goto(address)
        model = json.loads((page_folder / "model.json").read_text())
        found = page.evaluate(IN_BROWSER, {"model": model, "batches": batches})
    page.close()
    cells = np.array([[letter == "1" for letter in bits] for bits, _ in found])
    wanted = torch.stack(expected).flatten(1).numpy() > 0.5
    same = (cells == wanted).mean()
    assert same >= 0.999, f"{same:.5f} of the cells are the same"
    alike = (cells == wanted).reshape(BATCHES * COUNT, -1).all(1)
    logits = np.array([logits for _, logits in found]).reshape(-1)
    np.testing.assert_allclose(logits[alike], torch.cat(scores)[torch.from_numpy(alike)], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("is_genuine", [True, False])
def test_what_comes_from_the_pinned_address_must_have_its_hash(
    page_folder: Path, runtime_package: Path, browser: Browser, is_genuine: bool
) -> None:
    pinned = bring_runtime(None, page_folder)
    if json.loads((runtime_package / "package.json").read_text())["version"] != pinned.version:
        pytest.skip("another version is installed")
    page = browser.new_page()

    def answer(route: Route) -> None:
        body = (runtime_package / "dist" / route.request.url.rpartition("/")[2]).read_bytes()
        body = body if is_genuine else body + b" "
        route.fulfill(body=body, headers={"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript"})

    page.route(f"{ADDRESS}*", answer)
    model = json.loads((page_folder / "model.json").read_text()) | {"runtime": pinned.to_dict()}
    with static_host(page_folder) as address:
        page.goto(address)
        if is_genuine:
            assert page.evaluate(IN_BROWSER, {"model": model, "batches": []}) == []
        else:
            with pytest.raises(Error, match="fetch"):
                page.evaluate(IN_BROWSER, {"model": model, "batches": []})
    page.close()
