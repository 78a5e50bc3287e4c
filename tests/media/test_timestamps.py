from fractions import Fraction

from ircolor.media.timestamps import Clock, Joints

MS, STEP = Fraction(1, 1000), Fraction(1, 25)


def ticks(*stamps: int | None) -> tuple[list[int], int]:
    clock = Clock(MS, STEP)
    return [clock.tick(stamp) for stamp in stamps], clock.num_repaired


def test_stamps_that_increase_are_kept_however_unevenly() -> None:
    assert ticks(-7, 3, 4, 90000) == ([-7, 3, 4, 90000], 0)


def test_missing_stamps_continue_by_the_step() -> None:
    assert ticks(None, None, 100, None) == ([0, 40, 100, 140], 0)


def test_a_repeated_stamp_moves_by_the_least_step() -> None:
    assert ticks(40, 40, 39, 80) == ([40, 41, 42, 80], 2)
    fine = Clock(Fraction(1, 90000), STEP)
    assert [fine.tick(0), fine.tick(0)] == [0, 90]


def test_a_new_count_is_put_behind_the_old_one() -> None:
    assert ticks(9960, 10000, 0, 40, 90) == ([9960, 10000, 10040, 10080, 10130], 1)


def test_all_streams_go_on_after_a_joint_as_far_moved() -> None:
    joints = Joints()
    picture, sound = Clock(MS, STEP, joints), Clock(Fraction(1, 8000), STEP, joints)
    for begin in (2000, 3000, 4000):
        picture.tick(begin)
    picture.announce(4040)  # a picture that the decoder holds back
    for begin in (16000, 25000):  # the sound ends before the picture does
        sound.tick(begin)
    assert sound.tick(16080, duration=80) == 4080 * 8  # behind all of the picture
    assert picture.tick(4040) == 4040
    assert picture.tick(2000) == 4070  # as far before the sound as they were recorded
    assert picture.tick(3000) == 5070
    # A second joint, at which the picture is the first.
    assert picture.tick(0) == 5110
    assert sound.tick(160) == 5130 * 8


def test_duration_moves_what_comes_next() -> None:
    clock = Clock(MS, STEP)
    clock.tick(500, duration=21)
    assert (clock.begin_s, clock.end_s) == (0.5, 0.521)
    assert clock.tick(None) == 521
