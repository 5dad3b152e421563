"""Small classifiers learn from standardised figures and leave the random numbers of others alone."""

import torch
import torch.nn.functional as F

from gan.metrics.classifier_training import EXTREME, FigureClassifier, Standardisation, train_classifier


def test_figures_are_standardised_and_missing_ones_lie_at_the_mean() -> None:
    sample = torch.tensor([[1.0, 5.0], [3.0, torch.nan], [torch.nan, 5.0]])
    standardise = Standardisation(sample)
    assert torch.allclose(standardise(sample)[:, 0], torch.tensor([-1.0, 1.0, 0.0]))
    assert standardise(torch.tensor([1000.0, torch.nan])).tolist() == [EXTREME, 0.0]


def test_a_classifier_learns_and_draws_no_global_random_number() -> None:
    figures = torch.cat([torch.randn((100, 3), generator=torch.Generator().manual_seed(seed)) for seed in (1, 2)])
    labels = torch.arange(200) // 100
    figures[:, 1] += 3 * labels
    batches = list(torch.randint(200, (50, 32), generator=torch.Generator().manual_seed(3)))

    def learnt(seed: int) -> FigureClassifier:
        return train_classifier(
            lambda: FigureClassifier(figures, 2),
            lambda classifier, rows: F.cross_entropy(classifier(figures[rows]), labels[rows]),
            batches,
            seed,
        )

    before = torch.get_rng_state()
    first, again, other = learnt(1), learnt(1), learnt(2)
    assert torch.equal(torch.get_rng_state(), before)
    assert (first(figures).argmax(1) == labels).float().mean() > 0.9
    assert torch.equal(first(figures), again(figures))
    assert not torch.equal(first(figures), other(figures))
