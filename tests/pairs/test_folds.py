from pathlib import Path

import pytest

from ircolor.pairs.folds import BLOCK_SCENES, Fold
from ircolor.pairs.index import Pair


def pairs_of(num_scenes: int, views: int = 2) -> list[Pair]:
    return [
        Pair(f"{number}_{view}", Path("i"), Path("r"), scene=f"scene_{number:03d}")
        for number in range(num_scenes)
        for view in range(views)
    ]


@pytest.mark.parametrize("num_scenes", [4, 9, 50, 200])
def test_every_pair_is_left_out_once_with_all_of_its_scene(num_scenes: int) -> None:
    pairs = pairs_of(num_scenes)
    folds = [Fold(number, 4) for number in range(4)]
    parts = [fold.part(pairs) for fold in folds]
    assert sorted(pair.stem for part in parts for pair in part) == sorted(pair.stem for pair in pairs)
    for fold, part in zip(folds, parts, strict=True):
        assert part
        assert not {pair.scene for pair in part} & {pair.scene for pair in fold.rest(pairs)}
        assert len(part) + len(fold.rest(pairs)) == len(pairs)


def test_neighbouring_scenes_stay_together() -> None:
    first = {pair.scene for pair in Fold(0, 4).part(pairs_of(100))}
    assert {f"scene_{number:03d}" for number in range(BLOCK_SCENES)} <= first
    assert f"scene_{BLOCK_SCENES:03d}" not in first
