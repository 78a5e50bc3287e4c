"""The text of `report.html` around its cards."""

from string import Template

STYLE = """
:root { color-scheme: light dark; --line: #8886; --accept: #1a8f4c; --review: #c77700; --reject: #d02f3f; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 1800px; }
h1 { font-size: 1.5rem; margin: 0 0 .3rem; overflow-wrap: anywhere; }
p { margin: .3rem 0; }
.bar { display: inline-flex; flex-wrap: wrap; gap: .4rem; margin: .6rem .8rem .6rem 0; }
label, .sort { border: 1px solid var(--line); border-radius: 6px; padding: .3rem .7rem; cursor: pointer; }
input { position: absolute; opacity: 0; pointer-events: none; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(320px, 100%), 1fr)); gap: 1rem; }
article { border: 1px solid var(--line); border-top: 5px solid var(--verdict); border-radius: 6px; overflow: hidden;
 content-visibility: auto; contain-intrinsic-size: auto 420px; }
.accept { --verdict: var(--accept); } .review { --verdict: var(--review); } .reject { --verdict: var(--reject); }
article header { display: flex; justify-content: space-between; gap: .6rem; padding: .3rem .7rem; }
article b { color: var(--verdict); }
h2 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
.picture { width: 100%; aspect-ratio: 4 / 3; object-fit: contain; background: #111; color: #aaa; display: grid;
 place-items: center; }
article p, dl { margin: .4rem .7rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: 1fr 1fr; gap: .1rem .8rem; font-size: .88em;
 font-variant-numeric: tabular-nums; }
dt, dd { display: inline; margin: 0; } dt { opacity: .7; } dt::after { content: " "; }
#checkerboard:not(:checked) ~ main .checkerboard, #edges:not(:checked) ~ main .edges,
#before:not(:checked) ~ main .before, #accept:not(:checked) ~ main .accept,
#review:not(:checked) ~ main .review, #reject:not(:checked) ~ main .reject { display: none; }
#checkerboard:checked ~ nav [for=checkerboard], #edges:checked ~ nav [for=edges],
#before:checked ~ nav [for=before] { background: #8884; font-weight: 600; }
#accept:checked ~ nav [for=accept] { background: var(--accept); color: #fff; }
#review:checked ~ nav [for=review] { background: var(--review); color: #fff; }
#reject:checked ~ nav [for=reject] { background: var(--reject); color: #fff; }
nav { position: sticky; top: 0; background: Canvas; z-index: 1; }
select { font: inherit; border: 0; background: Canvas; color: CanvasText; }
"""

# Order of each choice: the attribute, and 1 for the smallest first or -1 for the largest first. What has no number
# stands last either way.
SCRIPT = """
const orders = { verdict: ["verdict", 1], worst: ["residual", -1], best: ["residual", 1],
  low: ["correlation", 1], high: ["correlation", -1], stem: ["stem", 0] };
const main = document.querySelector("main");
const byStem = (a, b) => a.dataset.stem.localeCompare(b.dataset.stem, undefined, { numeric: true });
function compare(key, sign, a, b) {
  if (!sign) return byStem(a, b);
  const x = parseFloat(a.dataset[key]), y = parseFloat(b.dataset[key]);
  return isNaN(x) - isNaN(y) || sign * (x - y) || byStem(a, b);
}
const sort = document.querySelector(".sort");
sort.hidden = false;
sort.querySelector("select").addEventListener("change", event => {
  const [key, sign] = orders[event.target.value];
  main.append(...[...main.children].sort((a, b) => compare(key, sign, a, b)));
});
"""

# The inputs stand before what they govern, so that style alone shows and hides.
HEAD = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="$policy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ircolor register: $title</title>
<style>$style</style>
</head>
<body>
<h1>$title</h1>
<p>$summary</p>
<p>Checkerboard: colour and infrared tiles in turn; lines run on where the pair is aligned. Edges: orange of the colour
image, blue of the infrared, white where they coincide. Before: the edges before alignment.</p>
<input type="radio" name="picture" id="edges" checked>
<input type="radio" name="picture" id="checkerboard">
<input type="radio" name="picture" id="before">
<input type="checkbox" id="accept" checked>
<input type="checkbox" id="review" checked>
<input type="checkbox" id="reject" checked>
<nav>
<span class="bar"><label for="edges">edges</label><label for="checkerboard">checkerboard</label>
<label for="before">before</label></span>
<span class="bar"><label for="accept">accept $accept</label><label for="review">review $review</label>
<label for="reject">reject $reject</label></span>
<span class="sort" hidden>sort by <select aria-label="sort by">
<option value="verdict">verdict</option>
<option value="worst">largest residual</option>
<option value="best">smallest residual</option>
<option value="low">lowest correlation</option>
<option value="high">highest correlation</option>
<option value="stem">name</option>
</select></span>
</nav>
<main>
""")

TAIL = Template("""</main>
<p>Before you publish this page: it contains images of the data set.</p>
<script>$script</script>
</body>
</html>
""")
