import numpy as np

from ircolor.media.scene import draw_road_scene


def test_it_is_the_same_each_time_and_another_with_another_seed() -> None:
    infrared, rgb = draw_road_scene(96, 128)
    assert infrared.shape == (96, 128)
    assert rgb.shape == (96, 128, 3)
    assert infrared.dtype == rgb.dtype == np.uint8
    again = draw_road_scene(96, 128)
    np.testing.assert_array_equal(infrared, again[0])
    np.testing.assert_array_equal(rgb, again[1])
    assert (infrared != draw_road_scene(96, 128, seed=1)[0]).any()


def test_plants_are_bright_and_sky_and_asphalt_dark_as_in_near_infrared() -> None:
    infrared, rgb = draw_road_scene(96, 128)
    red, green, blue = rgb[..., 0].astype(int), rgb[..., 1].astype(int), rgb[..., 2].astype(int)
    plants = (green > red + 12) & (green > blue + 25)
    sky = (blue > red + 60) & (blue > green + 30)
    road = infrared[80:, 40:88]
    assert plants.sum() > 500
    assert sky.sum() > 500
    assert infrared[plants].mean() > 2.5 * infrared[sky].mean()
    assert infrared[plants].mean() > 2.5 * road.mean()
