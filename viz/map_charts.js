// Small charts with a cursor at the present moment; figures as people write them.

function figure(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (typeof value !== "number") return String(value);
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en-US").replaceAll(",", "\u2009");
  return size >= 100 || Number.isInteger(value) ? String(Math.round(value)) : size >= 10 ? value.toFixed(1) : value.toFixed(2).replace(/0$/, "");
}

function makeChart(app, panels, series) {
  const { about, text } = app;
  const pal = about.palette;
  const span = about.end_s - about.begin_s;
  const road = series.name === "on_the_road";
  const states = series.name === "unit_states";
  const spare = [[150, 190, 240], [150, 226, 92], [255, 186, 84], [216, 140, 255]];
  const colours = series.parts.map((p, i) => (road && pal.vehicle[p]) || (states && pal.state[p]) || pal.series[p] || pal.mode[p] || spare[i % spare.length]);
  const name = (p) => (road && text["kind_" + p]) || (states && text["unit_state_" + p]) || text["series_" + p] || text["mode_" + p] || p;
  const title = text["chart_" + series.name] || text[series.name];
  const canvas = el("canvas", { role: "img", "aria-label": title });
  const value = el("b");
  const unit = text["unit_" + series.unit] || "";
  const line = el("i", { class: "cursor" });
  const area = el("div", { class: "plot" }, canvas, line);
  const node = el("figure", { "data-chart": series.name }, el("figcaption", {}, el("span", {}, title), el("span", {}, value, unit ? " " + unit : "")), area);
  const n = series.values[0].length;
  const totals = series.values[0].map((_, i) => (series.stacked ? series.values.reduce((sum, row) => sum + (row[i] || 0), 0) : series.values[0][i]));
  const lines = series.stacked ? [totals] : series.values;
  const finite = lines.flat().filter((v) => v !== null);
  const low = Math.min(0, ...finite);
  const high = series.high || Math.max(...finite, low + 1e-9);
  const { instant } = series;
  const stepAt = (t) => Math.min(n - 1, Math.max(0, instant ? Math.round(t / series.step_s) : Math.floor(t / series.step_s)));
  function draw() {
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const w = canvas.clientWidth;
    const h = canvas.clientHeight;
    if (!w) return;
    canvas.width = w * ratio;
    canvas.height = h * ratio;
    const g = canvas.getContext("2d");
    g.scale(ratio, ratio);
    const x = (i) => ((i * series.step_s) / span) * w;
    const y = (v) => h - 2 - ((v - low) / (high - low || 1)) * (h - 6);
    g.strokeStyle = "rgba(255,255,255,.08)";
    g.beginPath();
    g.moveTo(0, y(Math.max(0, low)) + 0.5);
    g.lineTo(w, y(Math.max(0, low)) + 0.5);
    g.stroke();
    const edge = (row, i, put) => {
      put(x(i), row[i]);
      if (!instant) put(x(i + 1), row[i]);
    };
    if (series.stacked) {
      let below = new Array(n).fill(0);
      series.values.forEach((row, p) => {
        const above = below.map((v, i) => v + (row[i] || 0));
        g.beginPath();
        for (let i = 0; i < n; i++) edge(above, i, (a, b) => g.lineTo(Math.min(a, w), y(b)));
        for (let i = n - 1; i >= 0; i--) {
          if (!instant) g.lineTo(Math.min(x(i + 1), w), y(below[i]));
          g.lineTo(x(i), y(below[i]));
        }
        g.closePath();
        g.fillStyle = rgb(colours[p], 0.72);
        g.fill();
        below = above;
      });
      return;
    }
    lines.forEach((row, p) => {
      g.beginPath();
      let pen = false;
      row.forEach((v, i) => {
        if (v === null) pen = false;
        else
          edge(row, i, (a, b) => {
            if (pen) g.lineTo(Math.min(a, w), y(b));
            else g.moveTo(a, y(b));
            pen = true;
          });
      });
      g.strokeStyle = rgb(colours[p]);
      g.lineWidth = 1.6;
      g.stroke();
    });
  }
  let shown = -1;
  function cursor() {
    line.style.transform = `translateX(${((app.now / span) * area.clientWidth).toFixed(1)}px)`;
    const i = stepAt(app.now);
    if (i !== shown) {
      shown = i;
      value.textContent = lines.map((row) => figure(row[i])).join(" · ");
    }
  }
  const timeOf = (e) => {
    const box = area.getBoundingClientRect();
    return Math.min(span, Math.max(0, ((e.clientX - box.left) / box.width) * span));
  };
  area.addEventListener("pointermove", (e) => {
    const i = stepAt(timeOf(e));
    const rows = series.parts.length > 1 ? series.parts.map((p, k) => el("div", { class: "row" }, el("i", { class: "swatch", style: { background: rgb(colours[k]) } }), el("span", {}, name(p)), el("b", {}, figure(series.values[k][i])))).reverse() : [];
    panels.tip([el("div", { class: "row" }, el("span", {}, panels.hms(i * series.step_s, false)), el("b", {}, lines.map((row) => figure(row[i])).join(" · ") + " " + unit)), ...rows], e.clientX, area.getBoundingClientRect().top - 6, true);
    if (e.buttons) app.seek(timeOf(e), true);
  });
  area.addEventListener("pointerdown", (e) => app.seek(timeOf(e), true));
  area.addEventListener("pointerleave", () => panels.tip(null));
  return { node, draw, cursor };
}
