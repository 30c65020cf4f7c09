/* Draws every <script type="application/json" data-figure-for="ID"> into #ID with the theme's colours.
   A trace says which hue it has (meta.hue, or meta.hues one per point); colours themselves stand only in the CSS. */
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const hue = (number) => css(number ? `--hue-${number}` : "--chart-ink"); // 0: that of the text
const CONFIG = {
  displaylogo: false, displayModeBar: false,
  locale: document.documentElement.lang === "zh-hans" ? "zh-CN" : "en",
};
const PAPER_WIDTH = 680;
const BAND = "2e"; // how dense an interval's band is, as the alpha of its colour
const NARROW = 520; // pixels; below, what the layout's meta.narrow says is laid over the layout
const LINE = 16; // pixels, height of a text beside a mark
const figures = new Map();

function template() {
  const ink = css("--chart-ink"), grid = css("--chart-grid");
  const axis = { gridcolor: grid, zerolinecolor: ink, linecolor: grid, automargin: true, title: { standoff: 10, font: { size: 13 } } };
  return { layout: {
    font: { color: ink, family: getComputedStyle(document.body).fontFamily, size: 13 },
    title: { font: { size: 15 }, x: 0, xanchor: "left", xref: "container", pad: { l: 4 } },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 8, r: 28, t: 44, b: 48 }, bargap: 0.3, showlegend: false,
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 13 } },
    xaxis: axis, yaxis: { ...axis, ticksuffix: "  " },
    shapedefaults: { line: { color: css("--chart-ink") } },
    hoverlabel: { bgcolor: css("--chart-hover"), bordercolor: grid, font: { color: ink } },
  } };
}

function coloured(trace) {
  const { hue: one, hues: many } = trace.meta ?? {};
  const color = many ? many.map(hue) : one === undefined ? undefined : hue(one);
  if (!color) return trace;
  const error = trace.error_x ? { error_x: { ...trace.error_x, color: Array.isArray(color) ? color[0] : color } } : {};
  if (trace.type === "heatmap") return { ...trace, colorscale: [[0, css("--soft")], [1, color]] };
  if (trace.meta.band) return { ...trace, fillcolor: color + BAND };
  const line = trace.line ? { line: { ...trace.line, color } } : {};
  return { ...trace, ...error, ...line, marker: { ...trace.marker, color, line: { ...trace.marker?.line, color } } };
}

/* Beside which side of its mark each text of a trace with meta.label stands: the first side where it covers nothing.
   A text for which there is no such side is left out; pointing at the mark and the table below tell it. Where
   meta.label lists texts, the longest first, every mark gets room for its shortest, then the longest that has room. */
const SIDES = { "middle right": [1, 0], "middle left": [-1, 0], "top center": [0, -1], "bottom center": [0, 1] };
const pen = document.createElement("canvas").getContext("2d");

function label(place) {
  const { xaxis, yaxis, font } = place._fullLayout;
  const marked = place._fullData.flatMap((trace, index) => trace.meta?.label ? [{ index, trace }] : []);
  if (!marked.length) return;
  pen.font = `13px ${font.family}`;
  const spots = marked.map(({ index, trace }) => ({
    index, texts: [trace.meta.label === true ? figures.get(place.id).data[index].text[0] : trace.meta.label].flat(),
    x: xaxis.d2p(trace.x[0]), y: yaxis.d2p(trace.y[0]), reach: trace.marker.size / 2 + 2,
  }));
  const marks = spots.map(({ x, y, reach }) => [x - reach, y - reach, x + reach, y + reach]);
  const free = (box, own) => box[0] > 0 && box[1] > 0 && box[2] < xaxis._length && box[3] < yaxis._length
    && [...marks, ...spots.flatMap((other) => other !== own && other.box ? [other.box] : [])]
      .every((other) => box[2] <= other[0] || other[2] <= box[0] || box[3] <= other[1] || other[3] <= box[1]);
  const put = (spot, texts) => texts.some((text) => Object.entries(SIDES).some(([side, [across, down]]) => {
    const { x, y, reach } = spot, width = pen.measureText(text).width + 4;
    const left = across > 0 ? x + reach : across < 0 ? x - reach - width : x - width / 2;
    const top = down > 0 ? y + reach : down < 0 ? y - reach - LINE : y - LINE / 2;
    const box = [left, top, left + width, top + LINE];
    return free(box, spot) && Object.assign(spot, { box, text, side });
  }));
  spots.forEach((spot) => put(spot, spot.texts.slice(-1)));
  spots.forEach((spot) => put(spot, spot.texts));
  const spare = ({ texts }) => texts.length > 1 ? texts.at(-1) : "";
  return Plotly.restyle(place, {
    text: spots.map((spot) => [spot.text ?? spare(spot)]), textposition: spots.map(({ side }) => side ?? "top center"),
  }, spots.map(({ index }) => index));
}

function draw(id) {
  const place = document.getElementById(id), figure = figures.get(id);
  if (!place || !figure) return;
  const width = place.clientWidth || innerWidth; // what is still hidden is drawn again when it shows
  const narrow = width < NARROW ? figure.layout.meta?.narrow ?? {} : {};
  const fitted = Object.fromEntries(Object.entries(narrow).map(([name, part]) => [name, part instanceof Object ? { ...figure.layout[name], ...part } : part]));
  const layout = { ...figure.layout, ...fitted, template: template(), width };
  return Plotly.react(place, figure.data.map(coloured), layout, CONFIG).then(() => label(place)).then(() => { follow(place); place.dataset.drawn = "yes"; });
}

/* A mark of a trace with meta.links leads to the list behind it: its customdata is the address. */
function follow(place) {
  if (place.dataset.drawn) return;
  place.on("plotly_click", ({ points: [point] }) => { if (point.data.meta?.links) location.assign(point.customdata); });
}

/* Plotly's own way of following the width forgets the height that a figure asks for. */
const waiting = new Map();
const watcher = new ResizeObserver((entries) => entries.forEach(({ target }) => {
  clearTimeout(waiting.get(target.id));
  waiting.set(target.id, setTimeout(() => {
    if (target.dataset.drawn && target.clientWidth && target.clientWidth !== target.layout.width) draw(target.id);
  }, 100));
}));

/* Each script is read once: a part of the page that comes later must not put an older figure back. */
const read = new WeakSet();
function scan() {
  document.querySelectorAll('script[type="application/json"][data-figure-for]').forEach((script) => {
    if (read.has(script)) return;
    read.add(script);
    figures.set(script.dataset.figureFor, JSON.parse(script.textContent));
    draw(script.dataset.figureFor);
    const place = document.getElementById(script.dataset.figureFor);
    if (place) watcher.observe(place);
  });
}

const each = (act) => figures.forEach((_, id) => {
  const place = document.getElementById(id);
  if (place?.dataset.drawn) act(place);
});

/* A page that has a newer figure says so: detail has the id, the figure, and what to call when it is drawn. */
document.addEventListener("figure", ({ detail: { id, figure, done } }) => {
  figures.set(id, figure);
  watcher.observe(document.getElementById(id));
  draw(id).then(done);
});
document.addEventListener("themechange", () => figures.forEach((_, id) => draw(id)));
document.addEventListener("htmx:after:swap", scan);
/* The layout for paper comes after beforeprint, so the paper's width is set there and taken back afterwards. */
addEventListener("beforeprint", () => each((place) => Plotly.relayout(place, { width: PAPER_WIDTH })));
addEventListener("afterprint", () => each((place) => draw(place.id)));
scan();
