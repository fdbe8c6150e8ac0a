// Junctions under control: states, delays, priority and coverage on the map; phases and delays of the chosen one.

function openJunctions(data) {
  const f = { meta: data.meta };
  for (const [name, columns] of Object.entries(data.meta.tables)) {
    f[name] = {};
    for (const [key, bySteps] of Object.entries(columns)) {
      const values = data.wideSigned(name + "." + key);
      if (bySteps) for (let i = 1; i < values.length; i++) values[i] += values[i - 1];
      f[name][key] = values;
    }
  }
  f.n = f.junctions.name.length;
  // first row of each junction in the tables that are sorted by it
  const firsts = (table) => {
    const out = new Int32Array(f.n + 1);
    for (const j of table.junction) out[j + 1]++;
    for (let j = 0; j < f.n; j++) out[j + 1] += out[j];
    return out;
  };
  for (const name of ["greens", "delays", "channel", "runs"]) f[name].first = firsts(f[name]);
  // last row of junction j in a table at or before t, or -1
  f.at = (table, j, t) => {
    const [a, b] = [table.first[j], table.first[j + 1]];
    if (a === b || table.t[a] > t) return -1;
    return lastAtMost(table.t, t, a, b);
  };
  f.phaseAt = (j, t) => f.at(f.greens, j, t);
  f.colour = (phase) => f.meta.colours[phase % f.meta.colours.length];
  f.bySignal = new Map(Array.from(f.junctions.signal, (s, j) => [s, j]));
  // end of the period that t lies in; the last one where t is beyond
  f.period = (table, j, t) => {
    for (let k = table.first[j]; k < table.first[j + 1]; k++) if (table.t[k] > t) return k;
    return table.first[j + 1] > table.first[j] ? table.first[j + 1] - 1 : -1;
  };
  // rows of the delays of the quarter of an hour that t lies in, of junction j
  f.approaches = (j, t) => {
    const k = f.period(f.delays, j, t);
    const out = [];
    if (k >= 0) for (let i = f.delays.first[j]; i < f.delays.first[j + 1]; i++) if (f.delays.t[i] === f.delays.t[k]) out.push(i);
    return out;
  };
  return f;
}

const DELAY_COLOUR = (s) => (s < 30 ? [60 + 6 * s, 176 + 0.5 * s, 140 - 2 * s] : [Math.min(255, 240), Math.max(48, 190 - 3 * (s - 30)), 80]);

// Mean queue of an approach: a bar of this width along the end of its road; who never waits has none.
const QUEUE_COLOUR = [255, 168, 56];
const QUEUE_PIXELS = (vehicles) => Math.min(24, 2 + 2 * vehicles);
const QUEUE_M = 60;

// The last metres of a road before the stop line, moved to its side of the street: points in degrees.
function roadEnd(city, r, metres) {
  const { roads } = city;
  const last = roads.offsets[r + 1] - 1;
  const out = [[roads.xy[2 * last], roads.xy[2 * last + 1]]];
  for (let k = last, left = metres; k > roads.offsets[r] && left > 0; k--) {
    const [dx, dy] = [roads.xy[2 * k - 2] - roads.xy[2 * k], roads.xy[2 * k - 1] - roads.xy[2 * k + 1]];
    const far = Math.hypot(dx * city.mPerLon, dy * city.mPerLat);
    const share = far > left ? left / far : 1;
    out.unshift([roads.xy[2 * k] + share * dx, roads.xy[2 * k + 1] + share * dy]);
    left -= far;
  }
  return out;
}

function queueSet(city, bars) {
  const set = lineSet(city, bars.map((b) => b.points));
  bars.forEach(({ road }, i) => {
    for (let k = 2 * set.starts[i]; k < 2 * set.starts[i + 1]; k++) set.xy[k] -= city.roads.side[road] * set.normal[k];
  });
  return set;
}

function makeJunctionLayers(app, kit) {
  const { city, junctions: f } = app;
  const { make, mesh, cached, metresPerPixel, pal } = kit;
  const unit = city.meta.unit_deg;
  const rows = Array.from({ length: f.n }, (_, j) => j);
  const at = (j) => (f.junctions.signal[j] >= 0 ? [city.junctions.x[f.junctions.signal[j]], city.junctions.y[f.junctions.signal[j]]] : [f.junctions.x[j] * unit, f.junctions.y[j] * unit]);
  f.spot = at;
  // the bars of queues at t, each so many metres of road long
  f.queued = (t) => rows.flatMap((j) => f.approaches(j, t)).filter((i) => f.delays.road[i] >= 0 && f.delays.queue[i] > 0);
  f.bars = (which, metres) => which.map((i) => ({ road: f.delays.road[i], pixels: QUEUE_PIXELS(f.delays.queue[i] / 100), points: roadEnd(city, f.delays.road[i], metres) }));
  return (t, zoom) => {
    const [below, above] = [[], []];
    const quarter = Math.floor(zoom * 4);
    if (app.on.junction_coverage && f.channel.t.length) {
      const now = rows.map((j) => f.period(f.channel, j, t));
      below.push(
        cached("junction_coverage", now.join(), () =>
          make("junction_coverage", {
            spec: "signals",
            data: rows.filter((j) => now[j] >= 0),
            getPosition: at,
            radiusUnits: "meters",
            getRadius: 300,
            getFillColor: (j) => [110, 200, 255, 14 + 70 * (f.channel.sent[now[j]] ? f.channel.heard[now[j]] / f.channel.sent[now[j]] : 0)],
          }),
        ),
      );
    }
    if (app.on.junction_delay) {
      const found = rows.flatMap((j) => f.approaches(j, t)).filter((i) => f.delays.road[i] >= 0);
      if (found.length)
        below.push(
          cached("junction_delay", [found[0], found.length, found[found.length - 1], quarter].join(), () => {
            const pixel = metresPerPixel(quarter / 4 + 0.125);
            const set = pathSet(city, found.map((i) => f.delays.road[i]), { sided: true });
            return mesh("junction_delay", ribbon(set, () => Math.max(4, 1.8 * pixel), (i) => [...DELAY_COLOUR(f.delays.late[found[i]] / 10), 230]), { spec: "closed" });
          }),
        );
    }
    if (app.on.junction_queue) {
      const found = f.queued(t);
      if (found.length)
        below.push(
          cached("junction_queue", [found[0], found.length, found[found.length - 1], quarter].join(), () => {
            const pixel = metresPerPixel(quarter / 4 + 0.125);
            const bars = f.bars(found, Math.max(QUEUE_M, 12 * pixel));
            return mesh("junction_queue", ribbon(queueSet(city, bars), (i) => (bars[i].pixels / 2) * pixel, () => [...QUEUE_COLOUR, 210]), { spec: "closed" });
          }),
        );
    }
    if (app.on.junction_states) {
      const now = rows.map((j) => f.phaseAt(j, t));
      const phases = now.map((k) => (k < 0 ? -1 : f.greens.phase[k]));
      const size = zoom < 12 ? 3 : zoom < 14 ? 5 : 8;
      above.push(
        cached("junction_states", phases.join() + "/" + size, () =>
          make("junction_states", { spec: "signals", data: [...rows], getPosition: at, getRadius: size, getFillColor: (j) => (phases[j] < 0 ? [120, 132, 156, 220] : [...f.colour(phases[j]), 245]) }),
        ),
      );
    }
    if (app.on.junction_priority && f.priority.t.length) {
      const last = lastAtMost(f.priority.t, t, 0, f.priority.t.length);
      const recent = new Map();
      for (let k = last; k >= 0 && f.priority.t[k] > t - 30; k--) if (f.priority.t[k] <= t && !recent.has(f.priority.junction[k])) recent.set(f.priority.junction[k], f.priority.what[k]);
      if (recent.size)
        above.push(
          make("junction_priority", {
            spec: "selected",
            data: [...recent],
            getPosition: ([j]) => at(j),
            getRadius: 15,
            getLineColor: ([, what]) => (what ? [...pal.select, 255] : [255, 214, 110, 255]),
          }),
        );
    }
    return { below, above };
  };
}

function junctionLegend(app) {
  const { text, junctions: f } = app;
  const swatch = (c) => el("i", { class: "swatch", style: { background: `rgb(${c.map(Math.round).join()})` } });
  const block = (title, keys) => el("div", { class: "legend-block" }, el("span", { class: "name" }, title), el("div", { class: "keys" }, keys));
  const out = [];
  const most = f.greens.phase.reduce((a, b) => Math.max(a, b), 0);
  if (app.on.junction_states)
    out.push(block(text.legend_phases, Array.from({ length: Math.min(most + 1, f.meta.colours.length) }, (_, k) => el("span", { class: "key" }, swatch(f.colour(k)), String(k + 1)))));
  if (app.on.junction_delay) out.push(block(text.legend_delay, [0, 30, 60].map((s) => el("span", { class: "key" }, swatch(DELAY_COLOUR(s)), s + " s"))));
  if (app.on.junction_queue)
    out.push(block(text.legend_queue_width, [1, 5, 10].map((n) => el("span", { class: "key" }, el("i", { class: "swatch", style: { background: `rgb(${QUEUE_COLOUR.join()})`, height: QUEUE_PIXELS(n) + "px" } }), String(n)))));
  return out;
}

// What the page tells of a signal: phase, who runs it, phases over time, delays by approach, priority, channel.
function makeJunctionPanel(app, tools) {
  const { text, junctions: f, about } = app;
  const { row, goTo, clock, roadName } = tools;
  const SPAN = 300;
  function strip(j, t) {
    const box = el("div", { class: "strip", role: "img", "aria-label": text.phases_over_time, style: { position: "relative", height: "26px", background: "rgba(255,255,255,.06)", "border-radius": "3px", overflow: "hidden" } });
    const [a, b] = [f.greens.first[j], f.greens.first[j + 1]];
    for (let k = Math.max(a, f.phaseAt(j, t - SPAN)); k >= a && k < b && f.greens.t[k] < t + SPAN; k++) {
      const from = Math.max(t - SPAN, f.greens.t[k]);
      const until = Math.min(t + SPAN, k + 1 < b ? f.greens.t[k + 1] : t + SPAN);
      if (until <= from) continue;
      const phase = f.greens.phase[k];
      const part = el("span", { title: `${text.phase} ${phase + 1}: ${clock(f.greens.t[k])}`, "data-phase": phase });
      const share = (s) => ((s - t + SPAN) / (2 * SPAN)) * 100 + "%";
      Object.assign(part.style, { position: "absolute", top: 0, bottom: 0, left: share(from), width: ((until - from) / (2 * SPAN)) * 100 + "%", background: `rgb(${f.colour(phase).join()})`, opacity: f.greens.t[k] > t ? 0.45 : 0.9, borderRight: "1px solid rgba(9,12,18,.8)" });
      box.append(part);
    }
    const now = el("i");
    Object.assign(now.style, { position: "absolute", left: "50%", top: 0, bottom: 0, width: "2px", background: "#fff" });
    box.append(now);
    return box;
  }
  function delays(j, t) {
    const k = f.period(f.delays, j, t);
    if (k < 0) return [];
    const out = [el("h3", {}, text.delays_by_approach), el("div", { class: "kind" }, text.quarter_hour + " " + clock(f.delays.t[k]))];
    const d = f.delays;
    for (const i of f.approaches(j, t).sort((x, y) => d.late[y] - d.late[x])) {
      const said = `${figure(d.late[i] / 10)} ${text.delay_per_vehicle} · ${figure(d.passed[i])} ${text.vehicles_passed}`;
      out.push(row(d.road[i] < 0 ? "" : goTo("road-" + d.road[i], roadName(d.road[i])), said), row(text.queue_mean, (d.queue[i] / 100).toFixed(2)));
    }
    return out;
  }
  function priority(j, t) {
    const out = [];
    for (let k = f.priority.t.length - 1; k >= 0 && out.length < 6; k--)
      if (f.priority.junction[k] === j && f.priority.t[k] <= t && f.priority.t[k] > t - 3600) {
        const at = f.priority.t[k];
        out.push(row(el("button", { type: "button", class: "link when", onclick: () => app.seek(at) }, clock(at)), text[f.priority.what[k] ? "priority_granted" : "priority_asked"]));
      }
    return out;
  }
  function channel(j, t) {
    const k = f.period(f.channel, j, t);
    if (k < 0) return [];
    const c = f.channel;
    const heard = c.sent[k] ? Math.round((100 * c.heard[k]) / c.sent[k]) + " % " + text.heard_share : "–";
    return [el("h3", {}, text.channel), row(text.channel_busy, figure(c.busy[k] / 10) + " %"), row("", c.stations[k] + " " + text.stations_near), row("", heard)];
  }
  return (signal) => {
    const j = f.bySignal.get(signal);
    if (j === undefined) return [];
    const t = app.now;
    const k = f.phaseAt(j, t);
    const run = f.at(f.runs, j, t);
    const by = f.meta.run_by[run < 0 ? 0 : f.runs.by[run]];
    return [
      el("div", { class: "kind exact" }, f.meta.words[f.junctions.name[j]]),
      row(text.grade, f.meta.grades[f.junctions.grade[j]]),
      row(text.run_by, text["run_" + by]),
      k >= 0 ? row(text.phase, `${f.greens.phase[k] + 1}, ${text.green_since} ${clock(f.greens.t[k])}`) : null,
      el("h3", {}, text.phases_over_time),
      strip(j, t),
      ...delays(j, t),
      ...priority(j, t),
      ...channel(j, t),
    ].filter(Boolean);
  };
}
