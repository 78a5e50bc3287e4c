"""Does a long video take more memory than a short one?

Colorizes a 640x480 video with sound by `ircolor colorize`, in a fresh process whose resident memory is read as it runs.
With --model narrow, a network of one convolution, an hour of video is done in minutes; all else is the same.

    python benchmarks/video_memory.py -o benchmarks/results/video_memory.json
"""

import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import psutil

from ircolor.media.scene import draw_road_scene
from machine import argument_parser, report
from narrow import write_narrow_model

HEIGHT, WIDTH, FPS, SOUND_HZ = 480, 640, 25, 48_000
SAMPLE_S = 1.0
WARM_UP_FRAMES = 4000  # pools and caches fill in the beginning


def write_video(path: Path, num_frames: int) -> None:
    """A camera that sways before a scene, with sensor noise, and a tone."""
    scene, _ = draw_road_scene(HEIGHT, WIDTH + 100)
    noise = np.random.default_rng(0).integers(0, 12, (16, *scene.shape), np.uint8)
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
        video.height, video.width, video.pix_fmt = HEIGHT, WIDTH, "yuv420p"
        audio = output.add_stream("aac", rate=SOUND_HZ, layout="mono")
        for number in range(num_frames):
            left = round(50 + 50 * np.sin(number / 40))
            pixels = (scene // 2 + noise[number % 16])[:, left : left + WIDTH]
            output.mux(video.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "gray")))
            tone = np.sin(np.arange(SOUND_HZ // FPS) / 20, dtype=np.float32)[None]
            sound = av.AudioFrame.from_ndarray(tone, "fltp", "mono")
            sound.sample_rate, sound.time_base, sound.pts = SOUND_HZ, Fraction(1, SOUND_HZ), number * SOUND_HZ // FPS
            output.mux(audio.encode(sound))
        output.mux(video.encode(None))
        output.mux(audio.encode(None))


def sample_memory(command: list[str]) -> tuple[list[float], list[int]]:
    """Run a command: seconds since its start and resident bytes, once a second."""
    start_s = time.monotonic()
    seconds, resident = [], []
    process = psutil.Popen(command, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        seconds.append(time.monotonic() - start_s)
        resident.append(process.memory_info().rss)
        time.sleep(SAMPLE_S)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: ended with status {process.returncode}")
    return seconds, resident


def main() -> None:
    """Measure and report."""
    parser = argument_parser(__doc__)
    parser.add_argument("--model", default="narrow", help="a name, a file, or narrow")
    parser.add_argument("--frames", type=int, default=3600 * FPS)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        source, output, model = Path(name, "night.mp4"), Path(name, "rgb.mp4"), wanted.model
        if model == "narrow":
            model = str(Path(name, "narrow.onnx"))
            write_narrow_model(Path(model))
        write_video(source, wanted.frames)
        command = [sys.executable, "-m", "ircolor", "colorize", str(source), "-o", str(output), "--model", model]
        seconds, resident = sample_memory([*command, "--device", "cpu"])
        with av.open(str(output)) as written:
            num_written = written.streams.video[0].frames
    frames = np.array(seconds) / seconds[-1] * wanted.frames
    settled = frames > WARM_UP_FRAMES
    slope_bytes = float(np.polyfit(frames[settled], np.array(resident)[settled], 1)[0])
    result = {
        "question": "growth of resident memory over a long 640x480 video with sound",
        "model": wanted.model,
        "num_frames": wanted.frames,
        "num_written": num_written,
        "seconds": round(seconds[-1], 1),
        "warm_up_frames": WARM_UP_FRAMES,
        "slope_mb_per_1000_frames": round(slope_bytes * 1000 / 1e6, 4),
        "peak_rss_bytes": max(resident),
        "rss_mb_by_tenth": [round(part.mean() / 1e6, 1) for part in np.array_split(np.array(resident), 10)],
    }
    report(result, wanted.output)


if __name__ == "__main__":
    main()
