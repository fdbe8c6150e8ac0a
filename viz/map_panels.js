// Everything around the map: clock, controls, time line, switches, legend, charts, panels. Text enters as text only.

function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") node.className = value;
    else if (key === "style") for (const [k, v] of Object.entries(value)) node.style.setProperty(k, v);
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked") node[key] = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat()) if (child !== null && child !== undefined && child !== false) node.append(child);
  return node;
}

const $ = (id) => document.getElementById(id);
const rgb = (c, a = 1) => `rgba(${c[0]},${c[1]},${c[2]},${a})`;
const SPEEDS = [0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 100, 300, 1000];

const GLYPHS = {
  play: "M8 5v14l11-7z",
  pause: "M7 5h4v14H7zM13 5h4v14h-4z",
  reverse: "M16 5v14L5 12z",
  back: "M17 6v12l-8-6zM6 6h2v12H6z",
  on: "M7 6v12l8-6zM16 6h2v12h-2z",
  home: "M12 4l8 7h-2.5v8h-4v-5h-3v5h-4v-8H4z",
  link: "M10 13.5a4 4 0 0 0 6 .4l2.6-2.6a4 4 0 0 0-5.7-5.7l-1.4 1.4M14 10.5a4 4 0 0 0-6-.4l-2.6 2.6a4 4 0 0 0 5.7 5.7l1.4-1.4",
  layers: "M12 4l9 5-9 5-9-5zM4.5 12.5L12 16.7l7.5-4.2M4.5 16L12 20.2 19.5 16",
  chart: "M4 19h16M6 16v-4M11 16V6M16 16v-7",
  help: "M9.2 9a3 3 0 1 1 4.2 3c-.9.5-1.4 1-1.4 2M12 17.2v.3",
};
const STROKED = new Set(["link", "layers", "chart", "help"]);

function glyph(name) {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(ns, "path");
  path.setAttribute("d", GLYPHS[name]);
  if (STROKED.has(name)) svg.setAttribute("class", "stroked");
  svg.append(path);
  return svg;
}

function button(name, title, click, extra = {}) {
  return el("button", { type: "button", title, "aria-label": title, onclick: click, ...extra }, glyph(name));
}

function makePanels(app) {
  const { about, text } = app;
  const pal = about.palette;
  const panels = {};
  const span = about.end_s - about.begin_s;
  const pad = (v) => String(v).padStart(2, "0");
  const hms = (t, seconds = true) => {
    const s = Math.floor(t + about.begin_s + 1e-6);
    const hh = pad(Math.floor(s / 3600) % 24);
    return hh + ":" + pad(Math.floor(s / 60) % 60) + (seconds ? ":" + pad(s % 60) : "");
  };
  panels.hms = hms;
  panels.clockOf = (t_s, seconds = false) => hms(t_s - about.begin_s, seconds);

  // -- head -------------------------------------------------------------------------------------------
  $("title").textContent = about.title;
  $("subtitle").textContent = [about.city_title, `${text.seed} ${about.seed}`, about.digest && `${text.digest} ${about.digest}`].filter(Boolean).join(" · ");
  if (about.schematic) {
    $("badge").textContent = app.lang === "zh" ? "示意 schematic" : "schematic 示意";
    $("badge").title = text.schematic_why;
    $("badge").hidden = false;
    $("badge").addEventListener("click", () => panels.toast(text.schematic_why, 6000));
  }
  const notes = [];
  if (about.thinning.one_in > 1)
    notes.push(text.thinned.replace("{n}", about.thinning.one_in).replace("{shown}", about.thinning.shown).replace("{all}", about.thinning.all));
  $("notice").textContent = notes.join(" ");
  $("notice").hidden = !notes.length;
  $("credit").textContent = [about.schematic ? text.schematic_why : text.simulated, about.attribution && `${text.source}: ${text["source_" + about.attribution] || about.attribution}`].filter(Boolean).join("  ");

  // -- tools --------------------------------------------------------------------------------------------
  const fold = (id) => {
    document.body.classList.toggle("hide-" + id);
    if (id === "figures" && !document.body.classList.contains("hide-figures")) {
      panels.drawCharts(); // a hidden chart has no width to draw in
      panels.cursor();
    }
    app.changed();
  };
  $("tools").append(
    button("layers", text.layers, () => fold("layers"), { id: "tool-layers" }),
    button("chart", text.figures, () => fold("figures"), { id: "tool-figures" }),
    button("home", text.home + " (0)", () => app.home(), { id: "tool-home" }),
    button("link", text.link, () => app.copyLink(), { id: "tool-link" }),
    button("help", text.help + " (?)", () => panels.help(), { id: "tool-help" }),
  );

  // -- clock and controls -------------------------------------------------------------------------------
  const playButton = button("play", text.play, () => app.play(!app.playing), { id: "play", class: "big" });
  const speedBox = el(
    "select",
    { id: "speed", "aria-label": text.speed_of, title: text.speed_of + " (↑ ↓)", onchange: (e) => app.setSpeed(Number(e.target.value)) },
    SPEEDS.map((s) => el("option", { value: String(s) }, s + "×")),
  );
  const reverse = button("reverse", text.back + " (R)", () => app.turn(), { id: "reverse", "aria-pressed": "false" });
  $("controls").append(
    button("back", text.second_back + " (←)", () => app.seek(Math.ceil(app.now) - 1)),
    reverse,
    playButton,
    button("on", text.second_on + " (→)", () => app.seek(Math.floor(app.now) + 1)),
    speedBox,
  );
  const slider = $("slider");
  slider.max = String(span);
  slider.setAttribute("aria-label", text.time);
  slider.addEventListener("input", () => app.seek(Number(slider.value), true));
  let shown = "";
  panels.clock = () => {
    const now = hms(app.now);
    if (now !== shown) {
      shown = now;
      $("clock-main").textContent = now.slice(0, 5);
      $("clock-sec").textContent = now.slice(5);
      const day = Math.floor((app.now + about.begin_s) / 86400);
      const days = about.end_s > 86400;
      $("clock-day").textContent = days ? (app.lang === "zh" ? `第 ${day + 1} 天` : `day ${day + 1}`) : "";
      slider.value = String(Math.round(app.now));
      slider.setAttribute("aria-valuetext", now);
      slider.style.setProperty("--done", (100 * app.now) / span + "%");
    }
    panels.cursor();
  };
  panels.controls = () => {
    playButton.replaceChildren(glyph(app.playing ? "pause" : "play"));
    playButton.title = (app.playing ? text.pause : text.play) + " (space)";
    playButton.setAttribute("aria-label", app.playing ? text.pause : text.play);
    reverse.setAttribute("aria-pressed", String(app.direction < 0));
    speedBox.value = String(app.speed);
  };

  // -- time line: how full the roads are, and what happened ---------------------------------------------
  const road = about.series.find((s) => s.name === "on_the_road");
  panels.drawTicks = () => {
    const canvas = $("ticks");
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const w = canvas.clientWidth;
    const h = canvas.clientHeight;
    if (!w) return;
    canvas.width = w * ratio;
    canvas.height = h * ratio;
    const g = canvas.getContext("2d");
    g.scale(ratio, ratio);
    if (road) {
      const total = road.values[0].map((_, i) => road.values.reduce((sum, row) => sum + (row[i] || 0), 0));
      const most = Math.max(1, ...total);
      g.beginPath();
      g.moveTo(0, h - 7);
      total.forEach((v, i) => g.lineTo(((i * road.step_s) / span) * w, h - 7 - (v / most) * (h - 16)));
      g.lineTo(w, h - 7);
      g.closePath();
      g.fillStyle = rgb(pal.vehicle.car, 0.16);
      g.fill();
      g.strokeStyle = rgb(pal.vehicle.car, 0.55);
      g.lineWidth = 1;
      g.stroke();
    }
    if (app.brain) brainTicks(app, g, w, span);
    for (const item of app.happenings) {
      const x = (item.t0 / span) * w;
      const colour = EVENT_COLOUR[item.kind] || [200, 200, 210];
      if (item.unit) {
        unitTick(g, item.kind, x, colour);
        continue;
      }
      if (item.t1 !== undefined) {
        g.fillStyle = rgb(colour, 0.22);
        g.fillRect(x, h - 7, Math.max(2, ((item.t1 - item.t0) / span) * w), 4);
      }
      g.fillStyle = rgb(colour, 1);
      g.beginPath();
      if (item.kind === "weather") g.arc(x, 5, 3.6, 0, 7);
      else if (/closed/.test(item.kind)) g.rect(x - 3.4, 1.6, 6.8, 6.8);
      else for (const [dx, dy] of [[0, 1], [4.4, 9], [-4.4, 9]]) g.lineTo(x + dx, dy);
      g.fill();
      g.fillRect(x - 0.5, 8, 1, h - 15);
    }
  };
  // Happenings of units are many and small: a mark in the middle of the line, told apart by shape.
  function unitTick(g, kind, x, colour) {
    const y = 20;
    g.beginPath();
    if (kind === "violation") for (const [dx, dy] of [[0, -4], [4, 4], [-4, 4]]) g.lineTo(x + dx, y + dy);
    else if (kind === "found") g.arc(x, y, 3.2, 0, 7);
    else if (kind === "broken") for (const [dx, dy] of [[0, -5], [4, 0], [0, 5], [-4, 0]]) g.lineTo(x + dx, y + dy);
    else if (kind === "takeover") g.rect(x - 3, y - 3, 6, 6);
    else g.rect(x - 0.8, y - 4, 1.6, 8);
    g.closePath();
    g.fillStyle = g.strokeStyle = rgb(colour, 0.95);
    g.lineWidth = 1.8;
    if (kind === "found") g.stroke(); // hollow: what the platform found; filled: the truth
    else g.fill();
  }
  const every = [300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600].find((s) => span / s <= 9) || 43200;
  for (let t = Math.ceil(about.begin_s / every) * every; t <= about.end_s; t += every)
    $("hours").append(el("span", { style: { left: (100 * (t - about.begin_s)) / span + "%" } }, hms(t - about.begin_s, false)));
  slider.addEventListener("pointermove", (e) => {
    const box = slider.getBoundingClientRect();
    const t = ((e.clientX - box.left) / box.width) * span;
    const near = app.happenings.filter((x) => Math.abs(x.t0 - t) < (span * 7) / box.width);
    panels.tip([el("b", {}, hms(Math.min(span, Math.max(0, t)))), ...near.slice(0, 5).map((x) => el("div", {}, app.happeningText(x))), ...(app.brain ? brainMarks(app, t, (span * 5) / box.width).slice(0, 6).map((x) => el("div", {}, x)) : [])], e.clientX, box.top - 8, true);
  });
  slider.addEventListener("pointerleave", () => panels.tip(null));

  // -- switches and legend ------------------------------------------------------------------------------
  $("layers").querySelector("h2").textContent = text.layers;
  for (const id of Object.keys(about.switches)) {
    const box = el("input", { type: "checkbox", id: "switch-" + id, checked: app.on[id], onchange: (e) => app.setLayer(id, e.target.checked) });
    $("switches").append(el("label", { class: "switch", title: text["about_" + id] }, box, el("i"), el("span", {}, text["layer_" + id])));
    if (id === "vehicles")
      $("switches").append(
        el(
          "div",
          { class: "row sub", id: "draw-row" },
          el("span", {}, text.draw),
          ["auto", "trails", "dots"].map((d) =>
            el("button", { type: "button", class: "chip", "data-draw": d, onclick: () => app.setDraw(d) }, text["draw_" + d]),
          ),
        ),
        el("p", { class: "note", id: "draw-note" }),
      );
    if (id === "incidents")
      $("switches").append(
        el("label", { class: "switch sub" }, el("input", { type: "checkbox", id: "switch-over", checked: app.showOver, onchange: (e) => app.setOver(e.target.checked) }), el("i"), el("span", {}, text.resolved)),
      );
  }
  panels.switches = () => {
    for (const id of Object.keys(about.switches)) $("switch-" + id).checked = app.on[id];
    $("switch-over").checked = app.showOver;
    for (const chip of document.querySelectorAll("[data-draw]")) chip.setAttribute("aria-pressed", String(chip.dataset.draw === app.draw));
    const slow = app.draw === "auto" && (app.view.software || app.view.trailsSlow);
    $("draw-note").textContent = slow ? text.draw_slow : "";
    panels.legend();
  };
  const swatch = (colour, shape = "") => el("i", { class: "swatch " + shape, style: { background: rgb(colour) } });
  panels.legend = () => {
    const out = [el("h3", {}, text.legend)];
    if (app.on.congestion)
      out.push(
        el("div", { class: "legend-block" }, el("span", { class: "name" }, text.legend_speed), gradient(pal.speed), el("div", { class: "ends" }, el("span", {}, "≤ 15 % " + text.legend_slow), el("span", {}, "≥ 90 % " + text.legend_free))),
      );
    if (app.on.volume)
      out.push(
        el("div", { class: "legend-block" }, el("span", { class: "name" }, text.legend_volume), widths(), el("span", { class: "name" }, text.legend_change), gradient(pal.change), el("div", { class: "ends" }, el("span", {}, text.legend_less), el("span", {}, text.legend_more))),
      );
    if (app.on.vehicles)
      out.push(el("div", { class: "keys" }, app.kindsSeen.map((k) => el("span", { class: "key" }, swatch(pal.vehicle[k], "dot " + k), text["kind_" + k]))));
    if (app.fleet) out.push(...fleetLegend());
    const { screens } = app.find;
    if (screens.length) out.unshift(el("h3", {}, text.screens), el("div", { class: "row wrap screens" }, screens.map(([id, words]) => el("button", { type: "button", class: "chip", "data-screen": id, onclick: () => app.choose(id) }, words))));
    if (app.brain) out.push(...brainLegend(app));
    if (app.offices) out.push(...officeLegend(app), ...climateLegend(app));
    if (app.sites) out.push(...siteLegend(app));
    if (app.community) out.push(...communityLegend(app));
    if (app.junctions) out.push(...junctionLegend(app));
    if (app.on.places && app.placeKindsSeen.length)
      out.push(
        el("details", { open: window.innerHeight > 960 }, el("summary", {}, text.layer_places), el("div", { class: "keys" }, app.placeKindsSeen.map((k) => el("span", { class: "key" }, app.view.icons.picture(k, 16), text["place_" + k])))),
      );
    if (app.on.blocks && app.blockKindsSeen.length)
      out.push(
        el("details", {}, el("summary", {}, text.layer_blocks), el("div", { class: "keys" }, app.blockKindsSeen.map((k) => el("span", { class: "key" }, swatch(pal.block[k]), text["block_" + k])))),
      );
    $("legend").replaceChildren(...out);
  };
  function fleetLegend() {
    const { fleets, roles } = app.fleet.meta;
    const shown = fleets.filter((k) => app.on["fleet_" + k]);
    const picture = (name, words) => el("span", { class: "key" }, app.view.icons.picture(name, 16), words);
    const block = (title, keys) => el("div", { class: "legend-block fleet" }, el("span", { class: "name" }, title), el("div", { class: "keys" }, keys));
    const out = [];
    if (shown.length)
      out.push(block(text.legend_fleet, shown.map((k) => el("span", { class: "key" }, swatch(pal.vehicle[k]), text["kind_" + k]))), block(text.legend_states, Object.keys(about.unit_shapes).map((s) => picture("unit_any_" + s, text["unit_state_" + s]))));
    if (app.on.fleet_places) out.push(block(text.layer_fleet_places, Object.keys(roles).map((r) => picture("role_" + r, text["role_" + r]))));
    if (app.on.swept) out.push(block(text.layer_swept, [el("span", { class: "key" }, swatch(pal.swept), text.legend_swept)]));
    return out;
  }
  const gradient = (stops) => el("div", { class: "gradient", style: { background: `linear-gradient(90deg, ${stops.map((c) => rgb(c)).join()})` } });
  const widths = () =>
    el("div", { class: "widths" }, [5, 25, 100, 200].map((n) => el("span", {}, el("i", { style: { height: Math.min(16, 0.9 * Math.sqrt(n)).toFixed(1) + "px" } }), String(n))));

  // -- charts -------------------------------------------------------------------------------------------
  $("figures").querySelector("h2").textContent = text.figures;
  const charts = about.series.map((series) => makeChart(app, panels, series));
  $("charts").append(...charts.map((c) => c.node));
  panels.cursor = () => charts.forEach((c) => c.cursor());
  panels.drawCharts = () => charts.forEach((c) => c.draw());
  if (about.kpis.length) {
    $("kpis").hidden = false;
    $("kpis").querySelector("summary").textContent = text.kpis;
    $("kpis")
      .querySelector("table")
      .append(...about.kpis.map((k) => el("tr", {}, el("td", {}, k.title), el("td", {}, figure(k.value) + (k.unit ? " " + k.unit : "")))));
  }

  // -- what holds now, tips, toasts, help ---------------------------------------------------------------
  let happeningKey = null;
  panels.happening = () => {
    const now = app.happeningNow();
    const key = now.map((h) => h.index).join();
    if (key === happeningKey) return;
    happeningKey = key;
    $("happening").replaceChildren(
      ...now.slice(0, 4).map((h) =>
        el("li", { class: h.over ? "over" : "" }, el("button", { type: "button", class: "card", onclick: () => app.goHappening(h) }, app.view.icons.picture("event_" + h.kind + (h.over ? "_over" : ""), 18), el("span", {}, app.happeningText(h)))),
      ),
      ...(now.length > 4 ? [el("li", { class: "more" }, "+ " + (now.length - 4))] : []),
    );
  };
  panels.tip = (content, x, y, above = false) => {
    const tip = $("tip");
    if (!content) {
      tip.hidden = true;
      return;
    }
    tip.replaceChildren(...content);
    tip.hidden = false;
    const w = tip.offsetWidth;
    const h = tip.offsetHeight;
    const left = Math.min(window.innerWidth - w - 8, Math.max(8, above ? x - w / 2 : x + 14));
    const top = above ? y - h : y + 14 + h > window.innerHeight - 8 ? y - h - 10 : y + 14;
    tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(Math.max(4, top))}px)`;
  };
  let toastTimer = 0;
  panels.toast = (words, ms = 2500) => {
    $("toast").textContent = words;
    $("toast").hidden = false;
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => ($("toast").hidden = true), ms);
  };
  panels.help = () => {
    const dialog = $("help");
    if (!dialog.firstChild)
      dialog.append(
        el("h2", {}, text.help_title),
        el("p", {}, text.help_mouse),
        el("dl", {}, text.help_keys.split("\n").flatMap((line) => line.split("|")).map((word, i) => (i % 2 ? el("dd", {}, word) : el("dt", {}, word)))),
        el("p", { class: "note" }, about.schematic ? text.schematic_why : text.simulated),
        ...(app.fleet ? [el("p", { class: "note" }, text.help_units)] : []),
        el("p", { class: "note" }, text.help_truth.replace("{period}", figure(about.period_s)).replace("{tolerance}", figure(about.tolerance_m)).replace("{slack}", about.slack_s ? text.help_slack.replace("{slack}", figure(about.slack_s)) : "")),
        el("button", { type: "button", class: "chip", onclick: () => dialog.close() }, text.close),
      );
    if (dialog.open) dialog.close();
    else dialog.showModal();
  };
  panels.chosen = (content) => {
    const box = $("chosen");
    box.hidden = !content;
    if (content) box.replaceChildren(button("on", text.close + " (Esc)", () => app.choose(null), { class: "close" }), ...content);
    const close = box.querySelector(".close");
    if (close) close.textContent = "×";
  };
  return panels;
}

const EVENT_COLOUR = {
  closed: [255, 92, 92],
  lane_closed: [255, 150, 80],
  speed_limit: [255, 196, 90],
  weather: [120, 190, 255],
  demand: [200, 170, 255],
  event: [255, 214, 120],
  advice: [120, 230, 200],
  broken: [255, 84, 84],
  link: [190, 150, 255],
  halt: [255, 156, 66],
  takeover: [216, 140, 255],
  violation: [255, 110, 150],
  found: [110, 200, 255],
  depot: [255, 92, 92],
  charger: [236, 214, 96],
  permit: [255, 130, 110],
};
