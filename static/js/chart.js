/* Draws every <script type="application/json" data-figure-for="ID"> into #ID with the theme's colours.
   A trace says which hue it has (meta.hue, or meta.hues one per point); colours themselves stand only in the CSS. */
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const hue = (number) => css(`--hue-${number}`);
const CONFIG = {
  responsive: true, displaylogo: false, displayModeBar: false,
  locale: document.documentElement.lang === "zh-hans" ? "zh-CN" : "en",
};
const PAPER_WIDTH = 680;
const figures = new Map();

function template() {
  const ink = css("--chart-ink"), grid = css("--chart-grid");
  const axis = { gridcolor: grid, zerolinecolor: ink, linecolor: grid, automargin: true, title: { standoff: 10, font: { size: 12 } } };
  return { layout: {
    font: { color: ink, family: getComputedStyle(document.body).fontFamily, size: 13 },
    title: { font: { size: 14 }, x: 0, xanchor: "left", xref: "container", pad: { l: 4 } },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 8, r: 28, t: 44, b: 48 }, bargap: 0.3, showlegend: false,
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 12 } },
    xaxis: axis, yaxis: { ...axis, ticksuffix: "  " },
    hoverlabel: { bgcolor: css("--chart-hover"), bordercolor: grid, font: { color: ink } },
  } };
}

function coloured(trace) {
  const { hue: one, hues: many } = trace.meta ?? {};
  const color = many ? many.map(hue) : one ? hue(one) : undefined;
  if (!color) return trace;
  const error = trace.error_x ? { error_x: { ...trace.error_x, color: Array.isArray(color) ? color[0] : color } } : {};
  return { ...trace, ...error, marker: { ...trace.marker, color } };
}

function draw(id) {
  const place = document.getElementById(id), figure = figures.get(id);
  if (!place || !figure) return;
  const layout = { ...figure.layout, template: template(), autosize: true };
  Plotly.react(place, figure.data.map(coloured), layout, CONFIG).then(() => { place.dataset.drawn = "yes"; });
}

function scan() {
  document.querySelectorAll('script[type="application/json"][data-figure-for]').forEach((script) => {
    figures.set(script.dataset.figureFor, JSON.parse(script.textContent));
    draw(script.dataset.figureFor);
  });
}

const each = (act) => figures.forEach((_, id) => {
  const place = document.getElementById(id);
  if (place?.dataset.drawn) act(place);
});

document.addEventListener("themechange", () => figures.forEach((_, id) => draw(id)));
document.addEventListener("htmx:after:swap", scan);
/* The layout for paper comes after beforeprint, so the paper's width is set there and taken back afterwards. */
addEventListener("beforeprint", () => each((place) => Plotly.relayout(place, { autosize: false, width: PAPER_WIDTH })));
addEventListener("afterprint", () => each((place) => Plotly.relayout(place, { autosize: true, width: null })));
scan();
