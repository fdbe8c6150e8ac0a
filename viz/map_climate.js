// The business climate: monitoring points, and findings by where they are in find → assign → rectify → closed.

const CLIMATE_STATES = ["point", "found", "assigned", "late", "checked", "closed"];

function openClimate(f) {
  f.marks.first = firstRows(f.marks.finding, f.findings.name.length);
  // [state, mark of it] of finding i at t; null before anybody found it
  f.findingAt = (i, t) => {
    const n = upTo(f.marks.t, f.marks.first, i, t);
    let state = null;
    let mark = -1;
    let due = -1;
    for (let k = f.marks.first[i]; k < n; k++) {
      const what = f.marks.what[k];
      if (what === 0 && state) continue; // told again by somebody else
      if (f.marks.due[k] >= 0) due = f.marks.due[k];
      state = ["found", "assigned", "late", "assigned", "checked", "closed"][what];
      mark = k;
    }
    if (state === "assigned" && due >= 0 && due <= t) state = "late";
    return state && [state, mark];
  };
  return f;
}

Object.assign(MORE_GLYPHS, {
  eye: (g) => (g.beginPath(), g.ellipse(0, 0, 11, 6, 0, 0, 7), g.stroke(), g.beginPath(), g.arc(0, 0, 3.4, 0, 7), g.fill()),
  tick: (g) => (g.beginPath(), g.moveTo(-8, 0), g.lineTo(-2, 7), g.lineTo(9, -7), g.stroke()),
  mark: (g) => (g.fillRect(-2, -10, 4, 13), g.fillRect(-2, 6, 4, 4)),
});
const CLIMATE_GLYPHS = { point: "eye", found: "mark", assigned: "mark", late: "mark", checked: "eye", closed: "tick" };
MORE_ICONS.push((about) => (about.offices && about.offices.climate ? about.offices.climate.map(([state, shape, colour]) => ["climate_" + state, shape, CLIMATE_GLYPHS[state], colour]) : []));

function makeClimateLayers(app, kit, view) {
  const { city, offices: f } = app;
  const unit = city.meta.unit_deg;
  let spots = [];
  view.pickers.push((x, y, pixel) => (nearestSpot(city, spots, x, y, 12 * pixel, 0) || {}).id);
  const at = (table, i) => [table.x[i] * unit, table.y[i] * unit];
  return (t) => {
    spots = [];
    if (app.on.climate) {
      f.points.name.forEach((_, i) => spots.push({ id: "monitor-" + i, at: at(f.points, i), how: "point", size: 14 }));
      f.findings.name.forEach((_, i) => {
        const now = f.findingAt(i, t);
        const shown = now && (now[0] !== "closed" || app.chosen && app.chosen.id === "finding-" + i);
        if (shown) spots.push({ id: "finding-" + i, at: at(f.findings, i), how: now[0], size: now[0] === "late" ? 26 : 21 });
      });
    }
    if (!spots.length) return [];
    return [
      kit.cached("climate", spots.map((d) => d.id + d.how).join(), () =>
        kit.make("climate", { spec: "incidents", data: spots, iconAtlas: view.icons.canvas, iconMapping: view.icons.mapping, getIcon: (d) => "climate_" + d.how, getPosition: (d) => d.at, getSize: (d) => d.size }),
      ),
    ];
  };
}

function climateLegend(app) {
  const { text, offices: f } = app;
  if (!app.on.climate || !(f.points.name.length || f.findings.name.length)) return [];
  const keys = CLIMATE_STATES.map((state) => el("span", { class: "key" }, app.view.icons.picture("climate_" + state, 17), text["climate_" + state]));
  return [el("div", { class: "legend-block" }, el("span", { class: "name" }, text.layer_climate), el("div", { class: "keys" }, keys))];
}

function makeClimate(app, tools) {
  const { offices: f, text, city } = app;
  const { row, goTo, event, moment, wide } = tools;
  const unit = city.meta.unit_deg;
  const words = (i) => f.words[i];
  const kinds = new Set(["monitor", "finding", "climate"]);
  const tables = { monitor: f.points, finding: f.findings };
  const any = f.points.name.length + f.findings.name.length > 0;
  const issue = (i) => text["issue_" + words(f.findings.issue[i])] || words(f.findings.issue[i]);
  const placeOf = (table, i) => (table.place[i] >= 0 ? tools.placeName(table.place[i]) : "");
  const title = (i) => issue(i) + (placeOf(f.findings, i) ? " · " + placeOf(f.findings, i) : "");
  const who = (name) => (/^point-/.test(name) ? text.climate_point : /^supervisor-/.test(name) ? text.climate_supervisor : "") + " " + name.replace(/^(point|supervisor)-/, "");

  function choiceOf(id) {
    const m = /^(monitor|finding|climate)-(\d+)$/.exec(id);
    if (!m) return null;
    const n = Number(m[2]);
    const there = m[1] === "climate" ? n === 0 && any : n < tables[m[1]].name.length;
    return there ? { id, kind: m[1], row: n } : null;
  }
  const spotOf = (c) => (tables[c.kind] ? [tables[c.kind].x[c.row] * unit, tables[c.kind].y[c.row] * unit] : null);
  const stateWords = (now) => text["climate_" + now[0]];

  function findingPanel(c) {
    const i = c.row;
    const now = f.findingAt(i, app.now);
    const out = [el("h2", {}, issue(i)), el("div", { class: "kind" }, text.climate_finding + (placeOf(f.findings, i) ? " · " + placeOf(f.findings, i) : ""))];
    if (!now) return [...out, el("p", {}, text.climate_not_yet)];
    out.push(row(text.climate_state, el("b", { "data-climate": now[0] }, stateWords(now))));
    const mine = Array.from({ length: f.marks.first[i + 1] - f.marks.first[i] }, (_, k) => f.marks.first[i] + k).filter((k) => f.marks.t[k] <= app.now);
    const last = mine.filter((k) => f.marks.what[k] === 1).pop();
    if (last !== undefined) out.push(row(text.climate_office, words(f.marks.word[last])), row(text.climate_due, moment(f.marks.due[last])));
    const first = mine.find((k) => f.marks.what[k] === 0);
    if (first !== undefined) out.push(row(text.climate_truth, f.marks.real[first] ? text.climate_real : text.climate_false));
    const NAMES = ["climate_told", "climate_assigned", "climate_escalated", "climate_still_there", "climate_gone", "climate_closed"];
    out.push(el("h3", {}, text.story), ...mine.map((k) => event(f.marks.t[k], text[NAMES[f.marks.what[k]]], f.marks.what[k] === 0 ? ": " + who(words(f.marks.word[k])) : words(f.marks.word[k]) && f.marks.what[k] < 3 ? ": " + words(f.marks.word[k]) : "")));
    out.push(goTo("climate-0", text.climate_screen));
    return out;
  }
  function monitorPanel(c) {
    const i = c.row;
    const here = Array.from(f.findings.name.keys()).filter((k) => f.findings.place[k] === f.points.place[i] && f.findingAt(k, app.now));
    return [
      el("h2", {}, who(words(f.points.name[i]))),
      el("div", { class: "kind" }, placeOf(f.points, i)),
      row(text.climate_findings, figure(here.length)),
      ...here.map((k) => wide(goTo("finding-" + k, issue(k)), stateWords(f.findingAt(k, app.now)))),
      goTo("climate-0", text.climate_screen),
    ];
  }
  function climatePanel() {
    const now = Array.from(f.findings.name.keys(), (i) => [i, f.findingAt(i, app.now)]).filter(([, s]) => s);
    const count = (state) => now.filter(([, s]) => s[0] === state).length;
    now.sort((a, b) => CLIMATE_STATES.indexOf(a[1][0]) % 5 - (CLIMATE_STATES.indexOf(b[1][0]) % 5) || f.marks.t[b[1][1]] - f.marks.t[a[1][1]]);
    return [
      el("h2", {}, text.climate_screen),
      row(text.climate_points, figure(f.points.name.length)),
      ...CLIMATE_STATES.slice(1).map((s) => row(text["climate_" + s], el("b", { "data-climate-count": s }, figure(count(s))))),
      ...now.slice(0, 40).map(([i, s]) => wide(goTo("finding-" + i, title(i)), stateWords(s))),
    ];
  }
  const panelOf = (c) => ({ finding: findingPanel, monitor: monitorPanel, climate: climatePanel })[c.kind](c);
  function search(q, offer) {
    if (/^(finding|monitor)-\d+$/.test(q)) offer(q, q, text.climate_screen);
    for (let i = 0; i < f.findings.name.length; i++) if (q.length > 1 && title(i).toLowerCase().includes(q)) offer("finding-" + i, title(i), text.climate_finding);
  }
  return { choiceOf, spotOf, wayOf: () => ({ roads: [] }), panelOf, search, kinds, screens: any ? [["climate-0", text.climate_screen]] : [] };
}
