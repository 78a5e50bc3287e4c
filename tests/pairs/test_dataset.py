from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from ircolor.errors import UserError
from ircolor.pairs.augment import Augmentation
from ircolor.pairs.dataset import LoadedPairs, PairDataset, VisitSampler, load_pairs, steps_per_epoch
from ircolor.pairs.index import Pair, find_pairs
from tests.tiny_pairs import write_mask, write_pairs

AUGMENTATION = Augmentation(crop_px=16, flip=True)


def edge_map(rgb: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return (rgb[..., 0] > 127).astype(np.float32)


def test_an_epoch_visits_every_pair_once_and_each_epoch_in_its_own_order() -> None:
    visits = [visit for batch in VisitSampler(8, 2, seed=3, first_step=0, last_step=8) for visit in batch]
    numbers = [number for _, number in visits]
    assert [draw for draw, _ in visits] == list(range(16))
    assert sorted(numbers[:8]) == sorted(numbers[8:]) == list(range(8))
    assert numbers[:8] != numbers[8:]


def test_pairs_are_drawn_as_often_as_their_chances_say() -> None:
    sampler = VisitSampler(3, 3, seed=0, first_step=0, last_step=2000, chances=np.array([0.25, 0, 0.75]))
    shares = np.bincount([number for batch in sampler for _, number in batch], minlength=3) / 6000
    np.testing.assert_allclose(shares, [0.25, 0, 0.75], atol=0.02)


def test_large_pairs_may_be_drawn_more_often_and_misaligned_ones_less() -> None:
    residuals = {"sound": "0", "unknown": "", "two off": "2", "four off": "4"}
    pairs = [Pair(stem, Path(), Path(), stem, {"residual_px": told}) for stem, told in residuals.items()]
    loaded = LoadedPairs([*pairs, Pair("no column", Path(), Path(), "")], None, np.array([100, 100, 100, 300, 100]))
    assert loaded.chances(by_pixels=False, half_residual_px=0) is None
    for by_pixels, half_residual_px, expected in (
        (True, 0, [1, 1, 1, 3, 1]),
        (False, 2, [1, 1, 0.5, 0.2, 1]),
        (True, 2, [1, 1, 0.5, 0.6, 1]),
    ):
        chances = loaded.chances(by_pixels, half_residual_px)
        assert chances is not None
        assert (chances * sum(expected)).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("told", ["little", "-1", "nan", "inf"])
def test_a_misalignment_that_is_no_number_is_named(told: str) -> None:
    loaded = LoadedPairs([Pair("field", Path(), Path(), "", {"residual_px": told})], None, np.array([100]))
    assert loaded.chances(by_pixels=True, half_residual_px=0) is not None
    with pytest.raises(UserError, match=f"pair field: its residual_px is '{told}'; give a number"):
        loaded.chances(by_pixels=True, half_residual_px=1)


def test_a_resumed_sampler_goes_on_where_the_first_ended() -> None:
    whole = list(VisitSampler(7, 3, seed=1, first_step=0, last_step=10))
    parts = [*VisitSampler(7, 3, seed=1, first_step=0, last_step=5), *VisitSampler(7, 3, 1, 5, 10)]
    assert whole == parts
    assert len(VisitSampler(7, 3, 1, 5, 10)) == 5


def test_fewer_pairs_than_a_batch_are_repeated() -> None:
    (batch,) = VisitSampler(2, 5, seed=0, first_step=0, last_step=1)
    assert len(batch) == 5
    assert {number for _, number in batch} == {0, 1}
    assert steps_per_epoch(2, 5) == 1


def test_pairs_stay_in_memory_within_the_budget_only(tmp_path: Path) -> None:
    pairs = find_pairs(write_pairs(tmp_path, ["a", "b"], (10, 10)))
    needed_bytes = 2 * 10 * 10 * 4
    assert load_pairs(pairs, needed_bytes).decoded is not None
    assert load_pairs(pairs, needed_bytes - 1).decoded is None
    assert load_pairs(pairs, 0).num_pixels.tolist() == [100, 100]


def test_memory_files_and_workers_give_the_same_crops(tmp_path: Path) -> None:
    pairs = find_pairs(write_pairs(tmp_path, ["a", "b", "c"]))

    def batches(in_memory: bool, workers: int) -> list[dict[str, torch.Tensor]]:
        dataset = PairDataset(load_pairs(pairs, 1 << 20 if in_memory else 0), AUGMENTATION, edge_map, seed=4)
        sampler = VisitSampler(len(dataset), 2, 4, 0, 4)
        return list(DataLoader(dataset, batch_sampler=sampler, num_workers=workers))

    expected = batches(in_memory=True, workers=0)
    assert expected[0]["infrared"].shape == (2, 1, 16, 16)
    assert expected[0]["true_rgb"].shape == (2, 3, 16, 16)
    assert expected[0]["true_edges"].shape == (2, 1, 16, 16)
    for others in (batches(in_memory=False, workers=0), batches(in_memory=False, workers=2)):
        for batch, other in zip(expected, others, strict=True):
            for name in batch:
                assert torch.equal(batch[name], other[name])


def test_values_are_those_of_a_tanh(tmp_path: Path) -> None:
    pairs = find_pairs(write_pairs(tmp_path, ["a"], (16, 16)))
    item = PairDataset(load_pairs(pairs, 0), Augmentation(crop_px=16), None, seed=0)[(0, 0)]
    infrared, rgb = pairs[0].read()
    np.testing.assert_allclose(item["infrared"][0], infrared / 127.5 - 1, atol=1e-6)
    np.testing.assert_allclose(item["true_rgb"], np.moveaxis(rgb / 127.5 - 1, -1, 0), atol=1e-6)
    assert "true_edges" not in item


def test_masks_are_in_every_item_or_in_none(tmp_path: Path) -> None:
    usable = np.zeros((16, 16), np.bool_)
    usable[3, 5:] = True
    write_pairs(tmp_path, ["a", "b"], (16, 16))
    loaded = load_pairs(find_pairs(tmp_path), 2 * 16 * 16 * 4)
    assert loaded.num_masks == 0
    assert "mask" not in PairDataset(loaded, Augmentation(crop_px=16), None, seed=0)[(0, 0)]
    write_mask(tmp_path, "b", usable)
    pairs = find_pairs(tmp_path)
    masked = load_pairs(pairs, 2 * 16 * 16 * 4 + 16 * 16)
    assert masked.num_masks == 1
    assert masked.digest != loaded.digest
    assert masked.decoded is not None
    assert load_pairs(pairs, 2 * 16 * 16 * 4 + 16 * 16 - 1).decoded is None
    dataset = PairDataset(masked, Augmentation(crop_px=16), None, seed=0)
    (batch,) = DataLoader(dataset, batch_sampler=[[(0, 0), (1, 1)]])
    assert batch["mask"].shape == (2, 1, 16, 16)
    assert batch["mask"][0].all()
    np.testing.assert_array_equal(batch["mask"][1, 0], usable)
