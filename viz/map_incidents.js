// Incidents, responders and the screens of command: what holds at a moment, and where the time of an incident went.

// What the desk knows of incidents and where responders are, at t.
function makeTackle(app) {
  const { brain: f, city, trips, about } = app;
  const unit = city.meta.unit_deg;
  const spot = {};
  // An incident at t: as scenarios/incident_views.py tells it.
  function caseAt(i, t) {
    const said = upTo(f.states.t, f.states.first, i, t) - 1;
    let lastSaid = f.incidents.t[i];
    for (let k = f.states.first[i]; k <= said; k++) if (f.states.said[k] === 1) lastSaid = f.states.t[k];
    let closed = 0;
    let closedAt = -1;
    for (let k = f.ends.first[i]; k < f.ends.first[i + 1] && f.ends.t[k] <= t; k++) {
      closed += f.ends.closed[k];
      if (f.ends.closed[k] > 0) closedAt = f.ends.t[k];
    }
    const up = upTo(f.levels.t, f.levels.first, i, t) - 1;
    let ranOut = false;
    for (let k = f.levels.first[i]; k <= up; k++) ranOut ||= Boolean(f.levels.overdue[k]) && f.levels.t[k] >= lastSaid;
    const clock = upTo(f.clocks.t, f.clocks.first, i, t) - 1;
    const due = clock >= f.clocks.first[i] ? f.clocks.due[clock] : null;
    const grade = upTo(f.grades.t, f.grades.first, i, t) - 1;
    return {
      i,
      exists: f.incidents.t[i] <= t,
      open: f.incidents.t[i] <= t && closed <= 0,
      closedAt,
      state: f.meta.states[said >= f.states.first[i] ? f.states.state[said] : 0],
      level: up >= f.levels.first[i] ? f.levels.level[up] : 0,
      area: up >= f.levels.first[i] ? f.words[f.levels.area[up]] : "",
      severity: f.grades.severity[Math.max(grade, f.grades.first[i])],
      due,
      overdue: ranOut || (due !== null && due <= t),
    };
  }
  // The screen of a department (−1: all) at t.
  function view(department, t) {
    const cases = [];
    const out = { open: 0, overdue: 0, byLevel: f.meta.levels.map(() => 0), bySeverity: f.meta.severities.map(() => 0), byTheme: new Map(), created: 0, closed: 0, createdHour: 0, closedHour: 0, cases };
    for (let i = 0; i < f.n.incidents && f.incidents.t[i] <= t; i++) {
      if (department >= 0 && f.incidents.department[i] !== department) continue;
      out.created++;
      if (f.incidents.t[i] > t - 3600) out.createdHour++;
      for (let k = f.ends.first[i]; k < f.ends.first[i + 1] && f.ends.t[k] <= t; k++)
        if (f.ends.closed[k] > 0) {
          out.closed++;
          if (f.ends.t[k] > t - 3600) out.closedHour++;
        }
      const c = caseAt(i, t);
      if (!c.open) continue;
      cases.push(c);
      out.open++;
      if (c.overdue) out.overdue++;
      out.byLevel[c.level]++;
      out.bySeverity[c.severity]++;
      out.byTheme.set(f.incidents.theme[i], (out.byTheme.get(f.incidents.theme[i]) || 0) + 1);
    }
    return out;
  }

  // -- responders: where they are ------------------------------------------------------------------------
  const pieces = new Map(); // vehicle → its pieces
  const piecesOfVehicle = (name) => {
    if (!pieces.has(name)) {
      const m = /^([a-z]+)-(\d+)-(\d+)$/.exec(name);
      pieces.set(name, m ? piecesOf(trips, about.kinds.indexOf(m[1]), Number(m[2]), Number(m[3])) : [0, 0]);
    }
    return pieces.get(name);
  };
  function start(number, t) {
    let at = null;
    for (const k of f.freeOf.get(number) || []) if (f.free.t[k] <= t) at = [f.free.x[k] * unit, f.free.y[k] * unit];
    const r = f.responderRow.get(number);
    return at || (r === undefined ? null : [f.responders.x[r] * unit, f.responders.y[r] * unit]);
  }
  const goal = (k) => [f.incidents.x[f.tickets.incident[k]] * unit, f.incidents.y[f.tickets.incident[k]] * unit];
  // The ticket that a responder is on at t, or −1; how: called, away, there.
  function ticketAt(number, t) {
    const mine = f.ticketsOf.get(number) || [];
    for (let j = mine.length - 1; j >= 0; j--) {
      const k = mine[j];
      if (f.tickets.t[k] <= t) return f.tickets.over[k] < 0 || t < f.tickets.over[k] ? k : -1;
    }
    return -1;
  }
  const howAt = (k, t) => (f.tickets.there[k] >= 0 && f.tickets.there[k] <= t ? "there" : f.tickets.out[k] >= 0 && f.tickets.out[k] <= t ? "away" : "called");
  function along(k, t) {
    const number = f.tickets.number[k];
    const how = howAt(k, t);
    if (how === "there") return { at: goal(k), angle: 0 };
    const from = start(number, f.tickets.t[k]);
    if (how === "called" || !from) return { at: from, angle: 0 };
    const name = f.words[f.tickets.vehicle[k]];
    if (name) {
      const [a, b] = piecesOfVehicle(name);
      for (let i = a; i < b; i++)
        if (trips.begins[i] <= t && t <= trips.ends[i]) {
          locate(trips, i, t, spot);
          return { at: [spot.x, spot.y], angle: (Math.atan2(spot.dy, spot.dx) * 180) / Math.PI + app.camera.bearing, piece: i };
        }
    }
    const to = goal(k);
    const end = f.tickets.there[k] >= 0 ? f.tickets.there[k] : f.tickets.out[k] + Math.max(1, f.tickets.expected[k]);
    const share = Math.min(1, (t - f.tickets.out[k]) / Math.max(1, end - f.tickets.out[k]));
    return { at: [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])], angle: (Math.atan2((to[1] - from[1]) * city.mPerLat, (to[0] - from[0]) * city.mPerLon) * 180) / Math.PI + app.camera.bearing };
  }
  function respondersAt(t) {
    const out = [];
    for (const number of f.ticketsOf.keys()) {
      const k = ticketAt(number, t);
      if (k < 0) continue;
      const { at, angle } = along(k, t);
      if (at) out.push({ number, k, how: howAt(k, t), at, angle });
    }
    return out;
  }
  function spotOf(number, t) {
    const k = ticketAt(number, t);
    return k >= 0 ? along(k, t).at : start(number, t);
  }
  return { caseAt, view, respondersAt, ticketAt, howAt, along, spotOf, start, goal };
}

// Panels: an incident, a responder, the command view and those of the departments.
function makeIncidents(app, tools, brain) {
  const { brain: f, text, city, tackle, about } = app;
  const { row, goTo, clock, km, minutes, moment, wide } = tools;
  const { themeName, severityRow, hazardLink } = brain;
  const unit = city.meta.unit_deg;
  const words = (i) => f.words[i];
  const key = (word) => String(word).replaceAll(" ", "_").replaceAll("-", "_");
  const exact = (s) => (s < 60 ? s + " s" : s < 3600 ? Math.floor(s / 60) + " min " + String(s % 60).padStart(2, "0") + " s" : Math.floor(s / 3600) + " h " + String(Math.floor(s / 60) % 60).padStart(2, "0") + " min " + String(s % 60).padStart(2, "0") + " s");
  const viewName = (k) => (k === 0 ? text.view_command : text["dept_" + key(f.meta.departments[k - 1])]);
  const responderKind = (number) => text["kind_" + key(f.meta.responder_kinds[f.responders.kind[f.responderRow.get(number)]])] || "";

  function choiceOf(id) {
    if (f.byName.has(id)) return { id, kind: "incident", row: f.byName.get(id) };
    const m = /^(view|responder)-(\d+)$/.exec(id);
    if (!m) return null;
    const n = Number(m[2]);
    if (m[1] === "view") return n <= f.meta.departments.length ? { id, kind: "view", row: n } : null;
    return f.responderRow.has(n) ? { id, kind: "responder", row: n } : null;
  }
  function spotOf(c, t) {
    if (c.kind === "incident") return [f.incidents.x[c.row] * unit, f.incidents.y[c.row] * unit];
    return c.kind === "responder" ? tackle.spotOf(c.row, t) : null;
  }
  function wayOf(c) {
    if (c.kind !== "responder") return { roads: [] };
    const k = tackle.ticketAt(c.row, app.now);
    if (k < 0 || tackle.howAt(k, app.now) !== "away") return { roads: [] };
    const { piece } = tackle.along(k, app.now);
    if (piece === undefined) return { roads: [], line: [tackle.start(c.row, f.tickets.t[k]), tackle.goal(k)] };
    const { trips } = app;
    return { roads: Array.from(trips.roads.subarray(trips.roadOff[piece], trips.roadOff[piece + 1])) };
  }

  // Where the time went up to now: parts add up to it to the second, "unexplained" included.
  function account(i, t) {
    const now = Math.floor(t);
    const began = f.incidents.began[i];
    const until = Math.min(now, f.incidents.ended[i]);
    const sums = new Map();
    for (let k = f.parts.first[i]; k < f.parts.first[i + 1]; k++) {
      const seconds = Math.min(f.parts.until[k], until) - f.parts.from[k];
      if (seconds <= 0) continue;
      const name = f.meta.parts[f.parts.part[k]];
      const part = sums.get(name) || { name, t: f.parts.from[k], seconds: 0, who: new Set() };
      part.seconds += seconds;
      if (words(f.parts.who[k])) part.who.add(words(f.parts.who[k]));
      sums.set(name, part);
    }
    if (!sums.has("unexplained")) sums.set("unexplained", { name: "unexplained", t: began, seconds: 0, who: new Set() });
    const total = Math.max(0, until - began);
    const line = (part) =>
      el(
        "div",
        { class: "part" + (part.name === "unexplained" && !part.seconds ? " later" : ""), "data-part": part.name, "data-seconds": part.seconds },
        el("span", {}, moment(part.t), " ", text["part_" + key(part.name)] || part.name, ...[...part.who].slice(0, 2).flatMap((w) => [" ", choiceOf(w) ? goTo(w, w) : w])),
        el("b", {}, exact(part.seconds), el("small", { class: "share" }, total ? " " + Math.round((100 * part.seconds) / total) + " %" : "")),
      );
    const ended = f.incidents.closed[i] && now >= f.incidents.ended[i];
    const late = tackle.caseAt(i, Math.min(t, f.incidents.ended[i] - 1)).overdue;
    return el(
      "div",
      { class: "account", "data-total": total },
      el("h3", {}, late ? text.why_incident_late : text.where_time),
      el("div", { class: "kind" }, (f.incidents.hazard[i] >= 0 ? text.from_hazard : text.from_seen) + " " + clock(began) + " → " + (ended ? text.inc_closed + " " + clock(f.incidents.ended[i]) : text.inc_so_far)),
      ...[...sums.values()].map(line),
      el("div", { class: "part sum" }, el("span", {}, text.sum_parts), el("b", {}, exact(total))),
    );
  }

  const STORY_WORDS = (k) => {
    const what = f.meta.story[f.story.what[k]];
    const word = words(f.story.word[k]);
    const number = f.story.unit[k];
    const said = { escalated: () => word.split(" · ").map((w, n) => (n === 0 ? text["level_" + w] || w : w)).join(" · "), assigned: () => text["task_" + key(word)] || word, created: () => text["source_" + key(word)] || word, merged: () => text["source_" + key(word)] || word, closed: () => text["close_" + key(word)] || word }[what];
    const nodes = [text["story_" + key(what)] || what];
    if (word) nodes.push(": " + (said ? said() : word));
    if (number >= 0) nodes.push(" · ", goTo("responder-" + number, "responder-" + number));
    return nodes;
  };

  function incidentPanel(c) {
    const i = c.row;
    const t = app.now;
    const now = tackle.caseAt(i, t);
    const hazard = f.incidents.hazard[i];
    const hazardOver = hazard >= 0 && f.hazards.end[hazard] >= 0 && f.hazards.end[hazard] <= t;
    const helpers = tackle.respondersAt(t).filter((d) => f.tickets.incident[d.k] === i);
    const items = [];
    for (let k = f.story.first[i]; k < f.story.first[i + 1]; k++) items.push([f.story.t[k], ...STORY_WORDS(k)]);
    if (hazard >= 0) {
      items.push([f.hazards.t[hazard], el("em", { class: "truth" }, text.inc_truth + ": "), text.hazard_began]);
      if (f.hazards.end[hazard] >= 0) items.push([f.hazards.end[hazard], el("em", { class: "truth" }, text.inc_truth + ": "), text.hazard_ended]);
    }
    const state = !now.exists ? text.not_yet : now.open ? text["inc_" + key(now.state)] : text.inc_closed;
    return [
      el("h2", {}, `${c.id} · ${themeName(f.incidents.theme[i], words(f.incidents.said[i]))}`),
      el("div", { class: "kind" }, text.incident + " · " + viewName(f.incidents.department[i] + 1)),
      row(text.state, now.exists ? app.view.icons.picture(`incident_${now.open ? now.state : "closed"}_${now.level}_${f.meta.severities[now.severity]}`, 16) : "", " " + state),
      severityRow(now.severity),
      row(text.level, text["level_" + f.meta.levels[now.level]] + (now.area ? " · " + now.area : "")),
      now.open && now.due !== null ? row(text.inc_due, clock(now.due), now.overdue ? el("em", { class: "bad" }, " ▲ " + text.overdue) : "") : null,
      row(text.inc_truth, hazard >= 0 ? hazardLink(hazard) : el("em", {}, text.truth_unknown), hazard >= 0 ? " · " + (hazardOver ? text.hazard_over : text.hazard_lasts) : ""),
      now.exists && !now.open && hazard >= 0 && !hazardOver ? row("", el("em", { class: "bad" }, "▲ " + text.closed_not_fixed)) : null,
      f.incidents.alert[i] >= 0 ? row(text.alert, goTo("alert-" + f.incidents.alert[i], words(f.alerts.rule[f.incidents.alert[i]]))) : row(text.source, text["source_" + key(words(f.incidents.source[i]))] || words(f.incidents.source[i])),
      ...helpers.map((d) => row(text.responder, goTo("responder-" + d.number, "responder-" + d.number), " " + text["responder_" + d.how])),
      account(i, t),
      ...brain.story(items),
    ];
  }

  function responderPanel(c) {
    const t = app.now;
    const number = c.row;
    const r = f.responderRow.get(number);
    const k = tackle.ticketAt(number, t);
    const how = k < 0 ? "free" : tackle.howAt(k, t);
    const link = (i) => goTo(words(f.incidents.name[i]), words(f.incidents.name[i]));
    const items = [];
    for (const j of f.ticketsOf.get(number) || []) {
      const at = f.tickets;
      items.push([at.t[j], text.story_assigned + " ", link(at.incident[j]), ": " + (text["task_" + key(words(at.task[j]))] || words(at.task[j]))]);
      if (at.out[j] >= 0) items.push([at.out[j], text["story_set_out"] + (at.metres[j] >= 0 ? ", " + km(at.metres[j]) : "") + (at.expected[j] >= 0 ? `, ${text.expected} ${minutes(at.expected[j])}` : "")]);
      if (at.there[j] >= 0) items.push([at.there[j], text.story_arrived]);
      if (at.over[j] >= 0) items.push([at.over[j], text["how_" + words(at.how[j])] || words(at.how[j])]);
    }
    for (const j of f.freeOf.get(number) || []) items.push([f.free.t[j], text.responder_free]);
    const vehicle = k >= 0 && words(f.tickets.vehicle[k]);
    return [
      el("h2", {}, c.id),
      el("div", { class: "kind" }, responderKind(number) + " · " + text["level_" + f.meta.levels[f.responders.level[r]]] + " · " + words(f.responders.area[r])),
      row(text.state, app.view.icons.picture("responder_" + (k < 0 ? "called" : how), 15), " " + text["responder_" + how]),
      k >= 0 ? row(text.incident, link(f.tickets.incident[k]), " · " + (text["task_" + key(words(f.tickets.task[k]))] || words(f.tickets.task[k]))) : null,
      k >= 0 && how === "away" && f.tickets.expected[k] >= 0 ? row(text.expected_there, clock(f.tickets.out[k] + f.tickets.expected[k]), t > f.tickets.out[k] + f.tickets.expected[k] ? el("em", { class: "bad" }, " ▲ " + exact(Math.floor(t - f.tickets.out[k] - f.tickets.expected[k])) + " " + text.late_so_far) : "") : null,
      vehicle ? row(text.vehicle, app.find.choiceOf(vehicle) ? goTo(vehicle, vehicle) : vehicle) : null,
      ...brain.story(items),
    ];
  }

  let kept = { row: -1 };
  function openChart(k) {
    if (kept.row === k) return kept.chart;
    const span = about.end_s - about.begin_s;
    const step = Math.max(60, Math.round(span / 240 / 60) * 60);
    const change = new Array(Math.floor(span / step) + 2).fill(0);
    for (let i = 0; i < f.n.incidents; i++) {
      if (k > 0 && f.incidents.department[i] !== k - 1) continue;
      change[Math.ceil(f.incidents.t[i] / step)]++;
      for (let j = f.ends.first[i]; j < f.ends.first[i + 1]; j++) change[Math.min(change.length - 1, Math.ceil(f.ends.t[j] / step))] -= f.ends.closed[j];
    }
    const chart = makeChart(app, app.panels, { name: "open_incidents", unit: "count", step_s: step, parts: ["open_incidents"], values: [runningSum(change).slice(0, -1)], stacked: false, instant: true });
    kept = { row: k, chart };
    requestAnimationFrame(() => chart.draw());
    return chart;
  }
  function viewPanel(c) {
    const t = app.now;
    const v = tackle.view(c.row - 1, t);
    const trend = v.createdHour - v.closedHour;
    const chart = openChart(c.row);
    requestAnimationFrame(chart.cursor);
    const cases = [...v.cases].sort((a, b) => b.overdue - a.overdue || b.severity - a.severity || a.i - b.i);
    const out = [
      el("h2", {}, viewName(c.row)),
      el("div", { class: "kind" }, text.view_kind),
      row(text.view_open, el("b", { "data-view-open": v.open }, figure(v.open))),
      row(text.view_overdue, v.overdue ? el("em", { class: "bad" }, "▲ " + v.overdue) : "0"),
      row(text.view_trend, (trend > 0 ? "▲ +" : trend < 0 ? "▼ " : "● ") + trend, ` (+${v.createdHour} −${v.closedHour})`),
      row(text.view_day, `${v.created} / ${v.closed}`),
      el("h3", {}, text.level),
      ...f.meta.levels.map((l, k) => row(text["level_" + l], figure(v.byLevel[k]))),
      el("h3", {}, text.severity),
      ...f.meta.severities.map((s, k) => (v.bySeverity[k] ? row(text["severity_" + s], figure(v.bySeverity[k])) : null)),
      chart.node,
    ];
    if (c.row === 0) {
      out.push(el("h3", {}, text.view_departments));
      f.meta.departments.forEach((_, k) => {
        const own = tackle.view(k, t);
        out.push(wide(goTo("view-" + (k + 1), viewName(k + 1)), figure(own.open) + (own.overdue ? " " : ""), own.overdue ? el("em", { class: "bad" }, "▲ " + own.overdue) : ""));
      });
    }
    if (cases.length) out.push(el("h3", {}, text.view_open));
    for (const o of cases.slice(0, 14)) out.push(wide(goTo(words(f.incidents.name[o.i]), words(f.incidents.name[o.i]) + " " + themeName(f.incidents.theme[o.i], words(f.incidents.said[o.i]))), text["inc_" + key(o.state)], o.overdue ? el("em", { class: "bad" }, " ▲") : ""));
    if (cases.length > 14) out.push(row("", "+ " + (cases.length - 14)));
    return out;
  }

  const panelOf = (c) => ({ incident: incidentPanel, responder: responderPanel, view: viewPanel })[c.kind](c);
  function search(q, offer) {
    let n = 0;
    for (const [name, i] of f.byName) if (name === q || ((q.length > 3 ? name.startsWith(q) || text.incident.toLowerCase().startsWith(q) : q.length > 1 && text.incident === q) && n++ < 6)) offer(name, name + " " + themeName(f.incidents.theme[i], words(f.incidents.said[i])), text.incident);
    if (/^responder-\d+$/.test(q)) offer(q, q, text.responder);
    for (let k = 0; k <= f.meta.departments.length; k++) if (viewName(k).toLowerCase().includes(q)) offer("view-" + k, viewName(k), text.screens);
  }
  return { choiceOf, spotOf, wayOf, panelOf, search, kinds: new Set(["incident", "responder", "view"]), screens: Array.from({ length: f.meta.departments.length + 1 }, (_, k) => ["view-" + k, viewName(k)]) };
}
