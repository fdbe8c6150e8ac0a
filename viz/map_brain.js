// The city brain: hazards in truth, channels, alerts on the map and in words. Incidents and responders: map_incidents.js.

function openBrain(data) {
  const f = openTables(data);
  const n = { hazards: f.hazards.t.length, alerts: f.alerts.t.length, incidents: f.incidents.t.length };
  for (const name of ["grew", "harmed"]) f[name].first = firstRows(f[name].hazard, n.hazards);
  for (const name of ["updates", "covered"]) f[name].first = firstRows(f[name].alert, n.alerts);
  for (const name of ["parts", "states", "levels", "grades", "clocks", "ends", "story"]) f[name].first = firstRows(f[name].incident, n.incidents);
  f.n = n;
  f.byName = new Map(Array.from(f.incidents.name, (w, i) => [f.words[w], i]));
  f.responderRow = new Map(Array.from(f.responders.number, (v, i) => [v, i]));
  f.ticketsOf = new Map();
  f.tickets.number.forEach((v, k) => (f.ticketsOf.get(v) || f.ticketsOf.set(v, []).get(v)).push(k));
  f.freeOf = new Map();
  f.free.number.forEach((v, k) => (f.freeOf.get(v) || f.freeOf.set(v, []).get(v)).push(k));
  f.themesSeen = [...new Set(f.hazards.theme)].sort((a, b) => a - b).map((k) => f.meta.themes[k]);
  f.open = (table, i, t) => table.t[i] <= t && (table.end[i] < 0 || t < table.end[i]);
  f.amountAt = (i, t) => {
    const k = upTo(f.grew.t, f.grew.first, i, t);
    return (k > f.grew.first[i] ? f.grew.amount[k - 1] : f.hazards.amount[i]) / 10;
  };
  // state of an alert at t: an index into alert_states
  const stays = { unknown: 1, known: 0, inhibited: 2, released: 0, flapping: 3 };
  f.alertState = (i, t) => {
    if (f.alerts.end[i] >= 0 && t >= f.alerts.end[i]) return 4;
    let state = 0;
    for (let k = f.updates.first[i]; k < f.updates.first[i + 1] && f.updates.t[k] <= t; k++) state = stays[f.words[f.updates.what[k]]] ?? state;
    return state;
  };
  // channels that are down after outage k; asked for in the order of time mostly
  let downAt = -2;
  let down = new Set();
  f.down = (t) => {
    const o = f.outages;
    const last = o.t.length && o.t[0] <= t ? lastAtMost(o.t, t, 0, o.t.length) : -1;
    if (last !== downAt) {
      down = new Set();
      for (let k = 0; k <= last; k++) o.down[k] ? down.add(o.channel[k]) : down.delete(o.channel[k]);
      downAt = last;
    }
    return { last, down };
  };
  return f;
}

// Badges: theme by shape (truth has a white edge), state of an incident by shape, its level by bars, severity by colour.
Object.assign(MORE_GLYPHS, {
  person: (g) => (g.beginPath(), g.arc(0, -6, 6, 0, 7), g.fill(), g.beginPath(), g.arc(0, 14, 11, Math.PI, 0), g.fill()),
  crowd: (g) => [-9, 9, 0].forEach((x, i) => (g.beginPath(), g.arc(x, i === 2 ? -7 : -2, 4.6, 0, 7), g.fill(), g.beginPath(), g.arc(x, i === 2 ? 9 : 13, 7, Math.PI, 0), g.fill())),
  grains: (g) => [[-9, -4], [0, -9], [9, -3], [-5, 6], [5, 7]].forEach(([x, y]) => (g.beginPath(), g.arc(x, y, 3.6, 0, 7), g.fill())),
  wheels: (g) => [-8, 8].forEach((x) => (g.beginPath(), g.arc(x, 3, 6, 0, 7), g.stroke())),
  down: (g) => (g.fillRect(-3, -13, 6, 14), g.beginPath(), g.moveTo(-10, 0), g.lineTo(10, 0), g.lineTo(0, 13), g.fill()),
  ring: (g) => (g.beginPath(), g.arc(0, 0, 10, 0, 7), g.stroke(), g.beginPath(), g.arc(0, 0, 3, 0, 7), g.fill()),
  level0: (g) => g.fillRect(-9, 3, 18, 5),
  level1: (g) => [-2, 6].forEach((y) => g.fillRect(-9, y, 18, 5)),
  level2: (g) => [-7, 1, 9].forEach((y) => g.fillRect(-9, y - 2, 18, 4.5)),
  level3: (g) => [-9, -3, 3, 9].forEach((y) => g.fillRect(-9, y - 1, 18, 3.6)),
});
MORE_ICONS.push(brainIcons);

function brainIcons(about, over) {
  const b = about.brain;
  const out = [];
  for (const [theme, [shape, glyph, colour]] of Object.entries(b.themes)) out.push([`hazard_${theme}`, shape, glyph, colour, [255, 255, 255]], [`hazard_${theme}_over`, shape, glyph, over, [90, 96, 110]]);
  out.push(["hazard_other", "circle", "mark", [220, 220, 220], [255, 255, 255]], ["hazard_other_over", "circle", "mark", over, [90, 96, 110]]);
  for (const [severity, colour] of Object.entries(b.severities)) {
    out.push([`alert_raised_${severity}`, "ring", "alert_mark", colour], [`alert_unknown_${severity}`, "ring", "alert_ask", colour], [`alert_inhibited_${severity}`, "ring", "alert_bar", colour], [`alert_flapping_${severity}`, "ring", "alert_flap", colour]);
    out.push([`dropped_${severity}`, "hollow", "alert_out", colour]);
    for (const [state, shape] of Object.entries(b.states)) for (let level = 0; level < 4; level++) out.push([`incident_${state}_${level}_${severity}`, shape, "level" + level, state === "closed" ? over : colour]);
  }
  out.push(["alert_resolved", "ring", "alert_mark", over], ["channel_down", "hollow", "alert_out", [255, 96, 96]]);
  for (const [how, shape, glyph] of [["called", "round", "dot"], ["away", "chevron", "none"], ["there", "square", "hand"]]) out.push(["responder_" + how, shape, glyph, about.palette.vehicle.responder, [255, 255, 255]]);
  return out;
}
for (const [name, draw] of Object.entries({
  alert_mark: (g) => (g.fillRect(-3.5, -12, 7, 15), g.fillRect(-3.5, 7, 7, 6)),
  alert_ask: (g) => (g.beginPath(), g.arc(0, -4, 7, Math.PI, Math.PI / 2), g.lineTo(0, 6), g.stroke(), g.fillRect(-3, 10, 6, 5)),
  alert_bar: (g) => g.fillRect(-11, -3.5, 22, 7),
  alert_flap: (g) => (g.beginPath(), [[-11, 4], [-4, -6], [4, 6], [11, -4]].forEach(([x, y]) => g.lineTo(x, y)), g.stroke()),
  alert_out: (g) => (g.beginPath(), g.moveTo(-8, -8), g.lineTo(8, 8), g.moveTo(8, -8), g.lineTo(-8, 8), g.stroke()),
}))
  MORE_GLYPHS[name] = (g, colour) => {
    g.fillStyle = g.strokeStyle = `rgb(${colour.join()})`;
    g.lineWidth = 5;
    draw(g);
  };

const CHANNEL_COLOURS = [[80, 180, 255], [80, 220, 255], [255, 120, 80], [255, 150, 90], [255, 200, 80], [190, 150, 255], [120, 230, 160], [240, 140, 190]];

function makeBrainLayers(app, kit, view) {
  const { city, brain: f } = app;
  const { make, cached } = kit;
  const unit = city.meta.unit_deg;
  const place = (table, i) => [table.x[i] * unit, table.y[i] * unit];
  const tackle = makeTackle(app);
  app.tackle = tackle;
  const icons = (id, data, more) => make(id, { spec: "incidents", data, iconAtlas: view.icons.canvas, iconMapping: view.icons.mapping, getIcon: (d) => d.icon, getPosition: (d) => d.at, getSize: (d) => d.size, ...more });
  view.brainSpots = { brain_hazards: [], brain_alerts: [], brain_incidents: [], brain_responders: [], brain_dropped: [] };
  const theme = (table, i) => f.meta.themes[table.theme[i]];
  const severity = (k) => f.meta.severities[k];

  // Where sensors are and how far they see; on the ground, which is drawn only when the camera moves.
  const channelRows = Array.from(f.channels.kind, (_, i) => i);
  const far = channelRows.filter((i) => f.channel_kinds.reach[f.channels.kind[i]] >= 100);
  function coverage(t, zoom) {
    if (!app.on.brain_channels || !channelRows.length) return { key: "", layers: [] };
    const { last, down } = f.down(t);
    const size = zoom < 11 ? 1 : zoom < 13 ? 1.8 : 3.2;
    const colour = (i) => CHANNEL_COLOURS[f.channels.kind[i] % CHANNEL_COLOURS.length];
    const layers = [
      cached("brain_reach", last, () => make("brain_reach", { spec: "signals", data: far.filter((i) => !down.has(i)), getPosition: (i) => place(f.channels, i), radiusUnits: "meters", getRadius: (i) => f.channel_kinds.reach[f.channels.kind[i]], getFillColor: (i) => [...colour(i), 12] })),
      cached("brain_channels", last + "/" + size, () => make("brain_channels", { spec: "signals", data: channelRows.filter((i) => !down.has(i)), getPosition: (i) => place(f.channels, i), getRadius: size, getFillColor: (i) => [...colour(i), 190] })),
      cached("brain_down", last + "/" + size, () => icons("brain_down", [...down].map((i) => ({ at: place(f.channels, i), icon: "channel_down", size: 8 + 3 * size })))),
    ];
    return { key: last + "/" + size, layers };
  }

  function hazards(t) {
    const out = [];
    for (let i = 0; i < f.n.hazards && f.hazards.t[i] <= t; i++) {
      const open = f.open(f.hazards, i, t);
      if (!open && !app.showOver) continue;
      const size = Math.min(42, 25 + 4 * Math.log2(Math.max(1, f.amountAt(i, t) / Math.max(0.1, f.hazards.amount[i] / 10))));
      out.push({ id: "hazard-" + i, at: place(f.hazards, i), icon: `hazard_${theme(f.hazards, i)}` + (open ? "" : "_over"), size: open ? size : 18 });
    }
    return out;
  }
  function alerts(t) {
    const out = [];
    for (let i = 0; i < f.n.alerts && f.alerts.t[i] <= t; i++) {
      const state = f.meta.alert_states[f.alertState(i, t)];
      if (state === "resolved" && !app.showOver) continue;
      out.push({ id: "alert-" + i, at: place(f.alerts, i), icon: state === "resolved" ? "alert_resolved" : `alert_${state}_${severity(f.alerts.severity[i])}`, size: state === "resolved" ? 13 : 19 });
    }
    return out;
  }
  function dropped(t) {
    const out = [];
    for (let i = 0; i < f.dropped.t.length && f.dropped.t[i] <= t; i++)
      if (f.dropped.placed[i] && (app.showOver || t < f.dropped.t[i] + 1800)) out.push({ id: "dropped-" + i, at: place(f.dropped, i), icon: "dropped_" + severity(f.dropped.severity[i]), size: 17 });
    return out;
  }
  function incidents(t) {
    const out = [];
    for (let i = 0; i < f.n.incidents && f.incidents.t[i] <= t; i++) {
      const c = tackle.caseAt(i, t);
      if (!c.open && !app.showOver) continue;
      out.push({ id: f.words[f.incidents.name[i]], at: place(f.incidents, i), icon: `incident_${c.open ? c.state : "closed"}_${c.level}_${severity(c.severity)}`, size: c.open ? 27 : 18 });
    }
    return out;
  }
  const key = (data) => data.map((d) => d.id + d.icon + Math.round(d.size)).join();

  function layers(t) {
    const out = [];
    const put = (id, data, more) => {
      view.brainSpots[id] = data;
      if (data.length) out.push(cached(id, key(data), () => icons(id, data, more)));
    };
    put("brain_hazards", app.on.brain_hazards ? hazards(t) : []);
    put("brain_dropped", app.on.brain_dropped ? dropped(t) : [], { getPixelOffset: [0, 14] });
    put("brain_alerts", app.on.brain_alerts ? alerts(t) : [], { getPixelOffset: [0, 10] });
    put("brain_incidents", app.on.brain_incidents ? incidents(t) : [], { getPixelOffset: [0, -16] });
    const away = app.on.brain_responders ? tackle.respondersAt(t) : [];
    view.brainSpots.brain_responders = away.map((d) => ({ ...d, size: 22, icon: "responder_" + d.how, id: "responder-" + d.number }));
    if (away.length) out.push(icons("brain_responders", view.brainSpots.brain_responders, { getAngle: (d) => d.angle }));
    return out;
  }
  const SHIFT = { brain_dropped: 14, brain_alerts: 10, brain_incidents: -16 };
  // the id of what is drawn at a point: what lies on top first
  view.pickers.push((x, y, pixel) => {
    for (const id of ["brain_responders", "brain_incidents", "brain_alerts", "brain_dropped", "brain_hazards"]) {
      const found = nearestSpot(city, view.brainSpots[id], x, y, 12 * pixel, (SHIFT[id] || 0) * pixel);
      if (found) return found.id;
    }
    if (app.on.brain_channels && app.camera.zoom > 12.5) {
      let best = -1;
      let least = 6 * pixel;
      for (const i of channelRows) {
        const far = Math.hypot((f.channels.x[i] * unit - x) * city.mPerLon, (f.channels.y[i] * unit - y) * city.mPerLat);
        if (far < least) [least, best] = [far, i];
      }
      if (best >= 0) return "channel-" + best;
    }
    return null;
  });
  return { coverage, layers };
}

// Alerts and incidents as marks on the time line: incidents filled, by severity; alerts thin below them.
function brainTicks(app, g, w, span) {
  const { brain: f } = app;
  const colour = (k) => app.about.brain.severities[f.meta.severities[k]];
  f.alerts.t.forEach((t, i) => {
    g.fillStyle = rgb(colour(f.alerts.severity[i]), 0.7);
    g.fillRect((t / span) * w - 0.5, 25, 1.2, 6);
  });
  f.incidents.t.forEach((t, i) => {
    const x = (t / span) * w;
    g.fillStyle = rgb(colour(f.grades.severity[f.grades.first[i]]), 0.95);
    g.beginPath();
    for (const [dx, dy] of [[0, 13], [4, 21], [-4, 21]]) g.lineTo(x + dx, dy);
    g.closePath();
    g.fill();
  });
}

function brainMarks(app, t, reach) {
  const { brain: f, text } = app;
  const out = [];
  f.incidents.t.forEach((at, i) => Math.abs(at - t) < reach && out.push(`${f.words[f.incidents.name[i]]} ${app.find.themeName(f.incidents.theme[i], f.words[f.incidents.said[i]])}`));
  let alerts = 0;
  f.alerts.t.forEach((at) => (alerts += Math.abs(at - t) < reach ? 1 : 0));
  if (alerts) out.push(`${text.layer_brain_alerts}: ${alerts}`);
  return out;
}

function brainLegend(app) {
  const { text, brain: f, about } = app;
  const picture = (name, words) => el("span", { class: "key" }, app.view.icons.picture(name, 17), words);
  const swatch = (c) => el("i", { class: "swatch", style: { background: rgb(c) } });
  const block = (title, keys) => el("div", { class: "legend-block brain" }, el("span", { class: "name" }, title), el("div", { class: "keys" }, keys));
  const out = [];
  if (app.on.brain_incidents)
    out.push(
      block(text.legend_incident_state, f.meta.states.map((s) => picture(`incident_${s}_0_Moderate`, text["inc_" + s.replaceAll(" ", "_")]))),
      block(text.legend_incident_level, f.meta.levels.map((l, k) => picture(`incident_new_${k}_Moderate`, text["level_" + l]))),
    );
  if (app.on.brain_incidents || app.on.brain_alerts) out.push(block(text.legend_severity, f.meta.severities.map((s) => el("span", { class: "key" }, swatch(about.brain.severities[s]), text["severity_" + s]))));
  if (app.on.brain_alerts) out.push(block(text.layer_brain_alerts, ["raised", "unknown", "inhibited", "flapping"].map((s) => picture(`alert_${s}_Moderate`, text["alert_" + s]))));
  if (app.on.brain_dropped) out.push(block(text.layer_brain_dropped, [picture("dropped_Moderate", text.about_brain_dropped)]));
  if (app.on.brain_hazards && f.themesSeen.length) out.push(block(text.legend_hazard, f.themesSeen.map((k) => picture("hazard_" + k, app.find.themeName(f.meta.themes.indexOf(k), k)))));
  if (app.on.brain_responders) out.push(block(text.layer_brain_responders, ["called", "away", "there"].map((s) => picture("responder_" + s, text["responder_" + s]))));
  if (app.on.brain_channels) out.push(block(text.layer_brain_channels, [picture("channel_down", text.channel_silent), ...Array.from(f.channel_kinds.name, (w, k) => el("span", { class: "key" }, swatch(CHANNEL_COLOURS[k % CHANNEL_COLOURS.length]), channelKind(app, f.words[w])))]));
  return out;
}
const channelKind = (app, name) => app.text["channel_" + name] || name.replaceAll("_", " ");

// What the page tells of a hazard, an alert, one that was dropped, or a channel.
function makeBrain(app, tools) {
  const { brain: f, text, city } = app;
  const { row, goTo, clock, roadName, moment, event } = tools;
  const unit = city.meta.unit_deg;
  const words = (i) => f.words[i];
  const tables = { hazard: f.hazards, alert: f.alerts, dropped: f.dropped, channel: f.channels };
  const themeName = (k, said) => {
    const names = f.meta.theme_names[f.meta.themes[k]];
    return names ? names[app.lang === "zh" ? 1 : 0] : text["theme_" + said] || said;
  };
  const story = (items) => [el("h3", {}, text.story), ...items.filter(([t]) => t >= 0).sort((a, b) => a[0] - b[0]).map(([t, ...nodes]) => event(t, ...nodes))];
  const severityRow = (k) => row(text.severity, el("i", { class: "swatch", style: { background: rgb(app.about.brain.severities[f.meta.severities[k]]) } }), " " + text["severity_" + f.meta.severities[k]]);
  const placeLink = (name) => {
    const i = city.places.id.findIndex((n, k) => city.names[n] === name || city.names[city.places.name[k]] === name);
    return i < 0 ? name : goTo("place-" + i, tools.placeName(i));
  };
  const outcome = (word) => text["outcome_" + word.replaceAll(" ", "_")] || word;
  const hazardLink = (i) => goTo("hazard-" + i, `${themeName(f.hazards.theme[i], "")} ${clock(f.hazards.t[i])}`);

  function choiceOf(id) {
    const m = /^(hazard|alert|dropped|channel)-(\d+)$/.exec(id);
    if (!m) return null;
    const size = m[1] === "channel" ? f.channels.kind.length : tables[m[1]].t.length;
    return Number(m[2]) < size ? { id, kind: m[1], row: Number(m[2]) } : null;
  }
  const spotOf = (c) => (c.kind === "dropped" && !f.dropped.placed[c.row] ? null : [tables[c.kind].x[c.row] * unit, tables[c.kind].y[c.row] * unit]);

  function hazardPanel(i) {
    const h = f.hazards;
    const t = app.now;
    const over = h.end[i] >= 0 && t >= h.end[i];
    const about = [];
    f.alerts.hazard.forEach((v, k) => v === i && f.alerts.t[k] <= t && about.push([f.alerts.t[k], text.alert + " ", goTo("alert-" + k, words(f.alerts.rule[k]))]));
    f.covered.hazard.forEach((v, k) => v === i && f.alerts.hazard[f.covered.alert[k]] !== i && about.push([f.covered.t[k], text.alert + " ", goTo("alert-" + f.covered.alert[k], words(f.alerts.rule[f.covered.alert[k]]))]));
    f.incidents.hazard.forEach((v, k) => v === i && about.push([f.incidents.t[k], text.incident + " ", goTo(words(f.incidents.name[k]), words(f.incidents.name[k]))]));
    const grew = [];
    for (let k = f.grew.first[i]; k < f.grew.first[i + 1]; k++) grew.push([f.grew.t[k], text.hazard_grew + " " + figure(f.grew.amount[k] / 10)]);
    const harmed = [];
    for (let k = f.harmed.first[i]; k < f.harmed.first[i + 1]; k++) harmed.push([f.harmed.t[k], el("span", { class: "bad" }, `${text["harm_" + words(f.harmed.what[k])] || words(f.harmed.what[k])}: ${f.harmed.people[k]}`)]);
    return [
      el("h2", {}, `${themeName(h.theme[i], "")}`),
      el("div", { class: "kind" }, text.inc_truth + " · " + (text["hazard_" + words(h.kind[i])] || words(h.kind[i]).replaceAll("_", " "))),
      row(text.state, t < h.t[i] ? text.not_yet : over ? "● " + outcome(words(h.outcome[i])) : "▲ " + text.hazard_lasts),
      severityRow(h.severity[i]),
      h.place[i] ? row(text.place, placeLink(words(h.place[i]))) : null,
      h.road[i] >= 0 ? row(text.road, goTo("road-" + h.road[i], roadName(h.road[i]))) : null,
      row(text.hazard_size, figure(f.amountAt(i, t))),
      row(text.hazard_cause, words(h.cause[i]) === "chance" ? text.chance : words(h.cause[i])),
      row(text.hazard_view, h.view[i] < 0 ? "–" : h.view[i] ? h.view[i] + " " + text.channels_see : el("em", { class: "bad" }, "▲ " + text.nothing_sees)),
      row(text.hazard_sensed, h.sensed[i] >= 0 && h.sensed[i] <= t ? goTo("channel-" + h.channel[i], clock(h.sensed[i])) : "–"),
      ...story([[h.t[i], text.hazard_began], ...grew, ...harmed, [h.held[i], text.hazard_held], ...about, [h.end[i], outcome(words(h.outcome[i]))]]),
    ];
  }

  const aboutRow = (hazard) => row(text.alert_about, hazard >= 0 ? hazardLink(hazard) : el("em", { class: "bad" }, "▲ " + text.alert_false));
  function alertPanel(i) {
    const a = f.alerts;
    const t = app.now;
    const state = f.meta.alert_states[f.alertState(i, t)];
    const own = [];
    for (let k = f.updates.first[i]; k < f.updates.first[i + 1]; k++) own.push([f.updates.t[k], text["update_" + words(f.updates.what[k])] || words(f.updates.what[k])]);
    f.incidents.alert.forEach((v, k) => v === i && own.push([f.incidents.t[k], text.incident + " ", goTo(words(f.incidents.name[k]), words(f.incidents.name[k]))]));
    return [
      el("h2", {}, `${text.alert} ${words(a.rule[i])}` + (a.episode[i] > 1 ? " #" + a.episode[i] : "")),
      el("div", { class: "kind" }, text.perceived + " · " + themeName(a.theme[i], words(a.said[i]))),
      row(text.state, t < a.t[i] ? text.not_yet : state === "resolved" ? `● ${text.alert_resolved} (${text["ending_" + words(a.reason[i]).replaceAll(" ", "_")] || words(a.reason[i])})` : "▲ " + text["alert_" + state]),
      severityRow(a.severity[i]),
      row(text.alert_since, clock(a.since[i])),
      a.channel[i] >= 0 && a.channel[i] < f.channels.kind.length ? row(text.channel_one, goTo("channel-" + a.channel[i], channelKind(app, words(f.channel_kinds.name[f.channels.kind[a.channel[i]]])) + " " + a.channel[i])) : null,
      aboutRow(a.hazard[i]),
      el("div", { class: "kind" }, words(a.alert[i])),
      ...story([[a.since[i], text.alert_since], [a.t[i], text.alert_raised], ...own, [a.end[i], text.alert_resolved]]),
    ];
  }
  function droppedPanel(i) {
    const d = f.dropped;
    return [
      el("h2", {}, `${text.alert} ${words(d.rule[i])}`),
      el("div", { class: "kind" }, text.perceived + " · " + themeName(d.theme[i], words(d.said[i]))),
      row(text.state, app.now < d.t[i] ? text.not_yet : "✕ " + text.alert_dropped),
      row(text.reason, words(d.reason[i])),
      severityRow(d.severity[i]),
      row(text.alert_about, d.hazard[i] >= 0 ? hazardLink(d.hazard[i]) : text.alert_nothing),
      el("div", { class: "kind" }, words(d.alert[i])),
      ...story([[d.t[i], text.alert_dropped]]),
    ];
  }
  function channelPanel(i) {
    const kind = f.channels.kind[i];
    const { down } = f.down(app.now);
    const told = [];
    f.outages.channel.forEach((v, k) => v === i && told.push([f.outages.t[k], text[f.outages.down[k] ? "channel_fell" : "channel_back"]]));
    f.alerts.channel.forEach((v, k) => v === i && told.push([f.alerts.t[k], text.alert + " ", goTo("alert-" + k, words(f.alerts.rule[k]))]));
    return [
      el("h2", {}, `${channelKind(app, words(f.channel_kinds.name[kind]))} ${i}`),
      el("div", { class: "kind" }, text.channel_one),
      row(text.state, down.has(i) ? el("em", { class: "bad" }, "✕ " + text.channel_silent) : "● " + text.channel_works),
      f.channel_kinds.reach[kind] ? row(text.channel_reach, f.channel_kinds.reach[kind] + " m") : null,
      ...(told.length ? story(told) : []),
    ];
  }
  const panelOf = (c) => ({ hazard: hazardPanel, alert: alertPanel, dropped: droppedPanel, channel: channelPanel })[c.kind](c.row);
  function search(q, offer) {
    if (choiceOf(q)) offer(q, q, text[q.split("-")[0]] || "");
    if (q.length < 2) return;
    let n = 0;
    f.hazards.place.forEach((w, i) => {
      const name = `${themeName(f.hazards.theme[i], "")} ${words(w)}`;
      if (name.toLowerCase().includes(q) && n++ < 5) offer("hazard-" + i, `${name} ${clock(f.hazards.t[i])}`, text.inc_truth);
    });
  }
  return { choiceOf, spotOf, wayOf: () => ({ roads: [] }), panelOf, search, kinds: new Set(["hazard", "alert", "dropped", "channel"]), themeName, story, severityRow, hazardLink };
}
