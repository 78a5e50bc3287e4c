"""The text of the page of `ircolor compare` around its pictures and numbers."""

from string import Template

STYLE = """
:root { color-scheme: light dark; --line: #8886; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1700px; margin: 1.5rem auto; padding: 0 1rem; }
h2 { margin: 2rem 0 .4rem; } h3 { margin: 1.2rem 0 .3rem; font-size: 1rem; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: right; vertical-align: bottom; padding: .25rem .6rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: Canvas; }
th button { font: inherit; font-weight: 600; border: 0; background: none; color: inherit; cursor: pointer; padding: 0; }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
small { font-weight: normal; opacity: .75; display: block; white-space: nowrap; }
td:first-child small { white-space: normal; width: 15rem; }
.best { font-weight: 700; }
.images { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: .6rem; }
figure { margin: 0; } figcaption { font-size: .85em; }
.images img { width: 100%; display: block; cursor: zoom-in; }
.trio { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(360px, 100%), 1fr)); gap: .6rem 1.5rem; }
.trio .images { grid-template-columns: repeat(3, 1fr); }
.scores:not(:target) { display: none; }
.crops img { image-rendering: pixelated; }
dialog { width: min(96vw, 1300px); border: 1px solid var(--line); border-radius: 8px; }
dialog::backdrop { background: #000a; }
.stage { position: relative; } .stage img { width: 100%; display: block; }
.stage img + img { position: absolute; inset: 0; height: 100%; }
dialog input { width: 100%; } dialog p { display: flex; justify-content: space-between; margin: .3rem 0; }
svg { max-width: 100%; height: auto; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(560px, 100%), 1fr)); gap: 1rem; }
"""

# A picture opens large, with a slider from infrared over the prediction to the truth. A heading sorts its column.
SCRIPT = """
const dialog = document.querySelector('dialog'), range = dialog.querySelector('input');
const [below, middle, above] = dialog.querySelectorAll('img');
const show = () => {
  const at = Number(range.value);
  middle.style.clipPath = `inset(0 ${100 - Math.min(at, 100)}% 0 0)`;
  above.style.clipPath = `inset(0 ${100 - Math.max(at - 100, 0)}% 0 0)`;
};
range.addEventListener('input', show);
document.addEventListener('click', event => {
  const image = event.target.closest('.compared img');
  if (!image) return;
  const all = image.closest('.compared');
  below.src = all.querySelector('[data-row=infrared] img').src;
  middle.src = image.src;
  above.src = all.querySelector('[data-row=truth] img').src;
  dialog.querySelector('b').textContent = image.alt;
  range.value = 100;
  show();
  dialog.showModal();
});
for (const button of document.querySelectorAll('th button')) button.addEventListener('click', () => {
  const heading = button.parentElement, body = heading.closest('table').tBodies[0];
  const column = [...heading.parentElement.children].indexOf(heading);
  const down = heading.getAttribute('aria-sort') !== 'descending';
  for (const other of heading.parentElement.children) other.removeAttribute('aria-sort');
  heading.setAttribute('aria-sort', down ? 'descending' : 'ascending');
  const key = row => row.cells[column].dataset.value ?? row.cells[column].textContent;
  const number = row => Number.parseFloat(key(row));
  [...body.rows].sort((a, b) => {
    const [x, y] = [number(a), number(b)];
    if (Number.isNaN(x) || Number.isNaN(y))
      return Number.isNaN(x) && Number.isNaN(y) ? key(a).localeCompare(key(b)) : Number.isNaN(x) - Number.isNaN(y);
    return down ? y - x : x - y;
  }).forEach(row => body.append(row));
});
"""

PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>ircolor compare: $title</title>
<style>$style</style>
<h1>$title</h1>
<p>$verdict</p>
$notes
<h2>Side by side</h2>
<p>Click a picture: the slider goes from infrared over the prediction to the truth.</p>
$side_by_side
<h2>Numbers</h2>
<p>Mean, &plusmn; standard error over the images; below, the difference to $measure with its 95&nbsp;% interval. Both
tell of the choice of images, those of one scene counted as alike, not of the chance of a training: where there are
several, it is told as &ldquo;of a training&rdquo;. Click a heading to sort. Chroma gain and colour ratio are 0 for a
gray image and 1 at best; PSNR and SSIM hardly see colour, as the PSNR of the output&rsquo;s own gray version tells.
Cosine paper ranks nothing.</p>
<p>$budget</p>
$numbers
$edges
<h2>Best, median and worst of $measure</h2>
$extremes
<h2>Best, median and worst of $measure in each category</h2>
$categories
<h2>Why the worst are bad</h2>
<p>CIEDE2000 of each pixel, from 0 (black) to 50 and more (white), and which colours were taken for which.</p>
$failures
<h2>Charts</h2>
<div class="charts">$charts</div>
<h2>Every image</h2>
<p>PSNR in dB. Click a heading to sort, the name of an image to see all its scores.</p>
$images
$scores
<p><strong>Before you publish this page:</strong> it contains images of the data set. If the terms of the
data are research-only or forbid publication, the numbers may be shared, the images may not.</p>
<dialog><form method="dialog"><p><b></b><button aria-label="close">&times;</button></p></form>
<div class="stage"><img alt="infrared"><img alt="prediction"><img alt="truth"></div>
<input type="range" min="0" max="200" value="100" aria-label="infrared, prediction, truth">
<p><span>infrared</span><span>prediction</span><span>truth</span></p></dialog>
<script>$script</script>
</html>
""")
