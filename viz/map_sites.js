// Construction projects: how far they are, whether they lag, their warnings, and the file of each.

function openSites(data) {
  const f = openTables(data);
  f.n = f.projects.number.length;
  for (const name of ["moves", "progress", "estimates", "warnings", "reports", "told", "supply", "lorries", "air"]) f[name].first = firstRows(f[name].project, f.n);
  f.byNumber = new Map(Array.from(f.projects.number, (v, i) => [v, i]));
  const last = (table, i, t) => {
    const k = upTo(table.t, table.first, i, t) - 1;
    return k >= table.first[i] ? k : -1;
  };
  f.last = last;
  f.libraryAt = (i, t) => {
    const k = last(f.moves, i, t);
    return f.meta.libraries[k >= 0 ? f.moves.library[k] : f.projects.library[i]];
  };
  f.warned = (i, t) => {
    const out = [];
    for (let k = f.warnings.first[i]; k < f.warnings.first[i + 1]; k++) if (f.warnings.t[k] <= t && (f.warnings.until[k] < 0 || t < f.warnings.until[k])) out.push(k);
    return out;
  };
  // planned progress after a share of the planned time: twin/control/construction/earned_value.py, s_curve
  f.planned = (i, day) => {
    const c = f.projects.curve_c[i] / 1000;
    const k = f.projects.curve_k[i] / 1000;
    const x = Math.min(1, Math.max(0, (day - f.projects.start[i]) / Math.max(1, f.projects.finish[i] - f.projects.start[i])));
    return x + c * x * x - c * x - (6 * x ** 3 - 9 * x * x + 3 * x) / k;
  };
  return f;
}

// thousandths: an index below 0.85, below 0.95, around 1, unknown
const SPI_COLOURS = [[255, 92, 92], [255, 176, 72], [96, 214, 150], [150, 162, 186]];
const spiGrade = (spi) => (spi < 0 ? 3 : spi < 850 ? 0 : spi < 950 ? 1 : 2);

Object.assign(MORE_GLYPHS, Object.fromEntries([0, 1, 2, 3, 4].map((n) => ["progress" + n, (g) => (g.strokeRect(-7, -11, 14, 22), n && g.fillRect(-7, 11 - 5.5 * n, 14, 5.5 * n))])));
MORE_ICONS.push((about) => (about.sites ? [["ok", "square"], ["warned", "triangle"], ["reserve", "round"], ["post", "hexagon"]].flatMap(([how, shape]) => SPI_COLOURS.flatMap((colour, k) => [0, 1, 2, 3, 4].map((n) => [`site_${how}_${k}_${n}`, shape, how === "reserve" ? "dot" : "progress" + n, colour]))) : []));

function makeSiteLayers(app, kit, view) {
  const { city, sites: f } = app;
  const unit = city.meta.unit_deg;
  let spots = [];
  view.pickers.push((x, y, pixel) => (nearestSpot(city, spots, x, y, 12 * pixel, 0) || {}).id);
  const at = Array.from({ length: f.n }, (_, i) => [f.projects.x[i] * unit, f.projects.y[i] * unit]);
  return (t, zoom) => {
    spots = [];
    const small = zoom < 12 ? 0.72 : 1;
    if (app.on.sites)
      for (let i = 0; i < f.n; i++) {
        const library = f.libraryAt(i, t);
        const k = f.last(f.estimates, i, t);
        const how = library !== "current" ? library : f.warned(i, t).length ? "warned" : "ok";
        const done = k >= 0 ? f.estimates.done[k] : library === "post" ? 1000 : 0;
        spots.push({ id: "project-" + f.projects.number[i], at: at[i], icon: `site_${how}_${library === "current" ? spiGrade(k >= 0 ? f.estimates.spi[k] : -1) : 3}_${Math.min(4, Math.round(done / 250))}`, size: (how === "warned" ? 27 : how === "ok" ? 22 : 14) * small });
      }
    spots.sort((a, b) => a.size - b.size); // warnings on top
    if (!spots.length) return [];
    return [
      kit.cached("sites", spots.map((d) => d.icon).join() + small, () =>
        kit.make("sites", { spec: "incidents", data: spots, iconAtlas: view.icons.canvas, iconMapping: view.icons.mapping, getIcon: (d) => d.icon, getPosition: (d) => d.at, getSize: (d) => d.size }),
      ),
    ];
  };
}

function siteLegend(app) {
  const { text } = app;
  if (!app.on.sites) return [];
  const picture = (name, words) => el("span", { class: "key" }, app.view.icons.picture(name, 17), words);
  const block = (title, keys) => el("div", { class: "legend-block" }, el("span", { class: "name" }, title), el("div", { class: "keys" }, keys));
  return [
    block(text.legend_sites, [picture("site_ok_2_2", text.site_ok), picture("site_warned_0_2", text.site_warned), picture("site_reserve_3_0", text.library_reserve), picture("site_post_3_4", text.library_post)]),
    block(text.legend_spi, ["< 0.85", "0.85–0.95", "≥ 0.95", "–"].map((words, k) => el("span", { class: "key" }, el("i", { class: "swatch", style: { background: rgb(SPI_COLOURS[k]) } }), words))),
    block(text.legend_progress, ["0 %", "50 %", "100 %"].map((words, k) => picture("site_ok_2_" + 2 * k, words))),
  ];
}

function makeSites(app, tools) {
  const { sites: f, text, city, about } = app;
  const { row, goTo, event, money, wide } = tools;
  const unit = city.meta.unit_deg;
  const words = (i) => f.words[i];
  const percent = (v) => (v < 0 ? "–" : (v / 10).toFixed(1) + " %");
  const index = (v) => (v < 0 ? "–" : (v / 1000).toFixed(2));
  const today = () => Math.floor((app.now + about.begin_s) / 86400);
  const dayName = (day) => text.site_day.replace("{n}", day).replace("{d}", day === today() ? "±0" : day > today() ? "+" + (day - today()) : "−" + (today() - day));

  function choiceOf(id) {
    const m = /^(project|sites)-(\d+)$/.exec(id);
    if (!m) return null;
    if (m[1] === "sites") return m[2] === "0" ? { id, kind: "sites", row: 0 } : null;
    return f.byNumber.has(Number(m[2])) ? { id, kind: "project", row: f.byNumber.get(Number(m[2])) } : null;
  }
  const spotOf = (c) => (c.kind === "project" ? [f.projects.x[c.row] * unit, f.projects.y[c.row] * unit] : null);

  // Planned S-curve, what the desk holds to be true, what is true, and the forecast.
  function curve(i) {
    const [w, h] = [258, 110];
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const canvas = el("canvas", { role: "img", "aria-label": text.s_curve, width: w * ratio, height: h * ratio, style: { width: w + "px", height: h + "px" } });
    const g = canvas.getContext("2d");
    g.scale(ratio, ratio);
    const [a, b] = [f.projects.start[i], f.projects.finish[i]];
    const k = f.last(f.estimates, i, app.now);
    const end = Math.max(b, today() + 1, k >= 0 ? f.estimates.forecast[k] : b);
    const x = (day) => 4 + ((day - a) / Math.max(1, end - a)) * (w - 8);
    const y = (done) => h - 6 - done * (h - 12);
    const line = (points, colour, width, dash = []) => {
      g.setLineDash(dash);
      g.strokeStyle = colour;
      g.lineWidth = width;
      g.beginPath();
      points.forEach(([day, done]) => g.lineTo(x(day), y(done)));
      g.stroke();
    };
    line([[a, 0], [end, 0]], "rgba(255,255,255,.2)", 1);
    line([[a, 1], [end, 1]], "rgba(255,255,255,.2)", 1, [3, 3]);
    line(Array.from({ length: 61 }, (_, n) => a + ((b - a) * n) / 60).map((d) => [d, f.planned(i, d)]), "rgb(150,190,240)", 1.6);
    if (today() > a) line([[today(), 0], [today(), 1]], "rgba(255,255,255,.45)", 1, [2, 3]);
    const upto = (table) => Array.from({ length: f[table].first[i + 1] - f[table].first[i] }, (_, n) => f[table].first[i] + n).filter((n) => f[table].t[n] <= app.now && f[table].done[n] >= 0).map((n) => [f[table].day[n] + 1, f[table].done[n] / 1000]);
    const dots = (points, colour) => points.forEach(([d, v]) => ((g.fillStyle = colour), g.beginPath(), g.arc(x(d), y(v), 2.4, 0, 7), g.fill()));
    const held = upto("estimates");
    if (held.length) line([[a, 0], ...held], "rgb(255,186,84)", 1.6, [4, 3]);
    dots(held, "rgb(255,186,84)");
    dots(upto("progress"), "rgb(96,214,150)");
    if (k >= 0 && held.length) line([held[held.length - 1], [f.estimates.forecast[k], 1]], "rgba(255,186,84,.6)", 1.2, [2, 4]);
    return el("figure", { class: "s-curve" }, el("figcaption", {}, text.s_curve), canvas, el("div", { class: "kind" }, text.s_curve_key));
  }

  function projectPanel(c) {
    const i = c.row;
    const t = app.now;
    const p = f.projects;
    const k = f.last(f.estimates, i, t);
    const e = f.estimates;
    const truth = f.last(f.progress, i, t);
    const air = f.last(f.air, i, t);
    let came = 0;
    let tonnes = 0;
    for (let n = f.supply.first[i]; n < f.supply.first[i + 1] && f.supply.t[n] <= t; n++) {
      came++;
      tonnes += f.supply.tonnes[n] / 10;
    }
    const told = [];
    for (let n = f.told.first[i]; n < f.told.first[i + 1]; n++) told.push([f.told.t[n], (text["site_" + f.meta.told[f.told.what[n]]] || f.meta.told[f.told.what[n]]) + (words(f.told.word[n]) ? ": " + words(f.told.word[n]) : "")]);
    for (let n = f.reports.first[i]; n < f.reports.first[i + 1]; n++) told.push([f.reports.t[n], `${text.site_told} ${text["end_" + f.meta.ends[f.reports.end[n]]]}: ${percent(f.reports.done[n])}`]);
    for (let n = f.warnings.first[i]; n < f.warnings.first[i + 1]; n++) told.push([f.warnings.t[n], el("span", { class: "bad" }, "▲ " + text["warning_" + f.meta.warnings[f.warnings.warning[n]]])]);
    told.sort((x, y) => x[0] - y[0]);
    return [
      el("h2", {}, words(p.name[i])),
      el("div", { class: "kind" }, `${text.project} ${p.number[i]} · ${text["project_" + f.meta.kinds[p.kind[i]]]} · ${text["library_" + f.libraryAt(i, t)]}`),
      ...f.warned(i, t).map((n) => el("div", { class: "warning" }, el("em", { class: "bad" }, "▲ " + text["warning_" + f.meta.warnings[f.warnings.warning[n]]]), el("div", { class: "kind" }, words(f.warnings.reason[n])))),
      row(text.investment, money(p.investment[i] * 1e4)),
      row(text.contractor, words(p.contractor[i])),
      row(text.site_start, dayName(p.start[i])),
      row(text.site_finish, dayName(p.finish[i])),
      k >= 0 ? row(text.site_progress, el("b", { "data-done": e.done[k] }, percent(e.done[k])), ` (${text.planned_now} ${percent(Math.round(1000 * f.planned(i, e.day[k] + 1)))})`) : null,
      truth >= 0 ? row(text.site_truth, percent(f.progress.done[truth])) : null,
      k >= 0 ? row("SPI · CPI · SPI(t)", [e.spi[k], e.cpi[k], e.spi_t[k]].map(index).join(" · ")) : null,
      k >= 0 ? row(text.site_forecast, dayName(e.forecast[k]), e.forecast[k] > p.finish[i] ? el("em", { class: "bad" }, ` ▲ ${e.forecast[k] - p.finish[i]} ${text.days_late}`) : "") : null,
      curve(i),
      f.lorries.first[i + 1] > f.lorries.first[i] ? row(text.site_lorries, `${came} / ${f.lorries.count[f.lorries.first[i]]} · ${figure(tonnes)} t`) : null,
      air >= 0 ? row(text.site_air, `PM10 ${f.air.dust[air]} µg/m³ · ${f.air.noise[air]} dB`) : null,
      ...(told.length ? [el("h3", {}, text.story), ...told.map(([at, node]) => event(at, node))] : []),
    ];
  }

  function sitesPanel() {
    const t = app.now;
    const late = [];
    const count = { reserve: 0, current: 0, post: 0 };
    const warned = f.meta.warnings.map(() => 0);
    for (let i = 0; i < f.n; i++) {
      count[f.libraryAt(i, t)]++;
      const on = f.warned(i, t);
      for (const n of on) warned[f.warnings.warning[n]]++;
      if (on.length) late.push([i, on, f.last(f.estimates, i, t)]);
    }
    const behind = (d) => (d[2] >= 0 ? f.estimates.forecast[d[2]] - f.projects.finish[d[0]] : 0);
    late.sort((x, y) => behind(y) - behind(x));
    return [
      el("h2", {}, text.sites_screen),
      ...f.meta.libraries.map((l) => row(text["library_" + l], figure(count[l]))),
      el("h3", {}, text.site_warnings),
      ...f.meta.warnings.map((w, k) => row(text["warning_" + w], figure(warned[k]))),
      ...(late.length ? [el("h3", {}, text.latest)] : []),
      ...late.slice(0, 14).map((d) => wide(goTo("project-" + f.projects.number[d[0]], words(f.projects.name[d[0]])), behind(d) > 0 ? el("em", { class: "bad" }, `▲ ${behind(d)} ${text.days_late}`) : text["warning_" + f.meta.warnings[f.warnings.warning[d[1][0]]]])),
      late.length > 14 ? row("", "+ " + (late.length - 14)) : null,
    ];
  }
  const panelOf = (c) => (c.kind === "project" ? projectPanel(c) : sitesPanel());
  function search(q, offer) {
    if (/^project-\d+$/.test(q)) offer(q, q, text.project);
    let n = 0;
    f.projects.name.forEach((w, i) => words(w).toLowerCase().includes(q) && n++ < 5 && offer("project-" + f.projects.number[i], words(w), text.project));
  }
  return { choiceOf, spotOf, wayOf: () => ({ roads: [] }), panelOf, search, kinds: new Set(["project", "sites"]), screens: [["sites-0", text.sites_screen]] };
}
