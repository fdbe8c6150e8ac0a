// The community platform: residents' reports and answers, neighbour points, grades of communities, early work orders.

function openCommunity(data) {
  const f = openTables(data);
  f.n = { reports: f.reports.t.length, orders: f.orders.t.length, communities: f.communities.name.length };
  for (const name of ["answers", "told"]) f[name].first = firstRows(f[name].report, f.n.reports);
  f.scenes.first = firstRows(f.scenes.community, f.n.communities);
  const states = f.meta.states;
  const stateOf = f.meta.answers.map((a) => f.meta.state_of[a]);
  const last = (i, t) => {
    const k = upTo(f.answers.t, f.answers.first, i, t) - 1;
    return k >= f.answers.first[i] ? k : -1;
  };
  f.answerAt = (i, t) => last(i, t);
  // state of report i at t, a word of states; a duplicate stays one, whatever is answered
  f.repeats = (i, t) => {
    for (let k = f.answers.first[i]; k < f.answers.first[i + 1] && f.answers.t[k] <= t; k++) if (f.answers.original[k] >= 0) return f.answers.original[k];
    return -1;
  };
  f.closed = (i, t) => {
    const k = last(i, t);
    return k >= 0 && ["fixed", "rejected"].includes(stateOf[f.answers.answer[k]]);
  };
  f.stateAt = (i, t) => {
    const k = last(i, t);
    if (k < 0) return "waiting";
    const state = stateOf[f.answers.answer[k]];
    return f.repeats(i, t) >= 0 ? "duplicate" : state;
  };
  f.orderState = (i, t) => {
    const over = f.orders.end[i] >= 0 && f.orders.end[i] <= t;
    if (!over) return "open";
    return f.orders.redundant[i] || ["nothing there", "false alarm"].includes(f.words[f.orders.outcome[i]]) ? "useless" : "found";
  };
  // the ledger: entries of a community up to t
  f.bookedOf = new Map();
  f.booked.community.forEach((c, k) => (f.bookedOf.get(c) || f.bookedOf.set(c, []).get(c)).push(k));
  f.pointsOf = new Map();
  f.booked.report.forEach((r, k) => r >= 0 && (f.pointsOf.get(r) || f.pointsOf.set(r, []).get(r)).push(k));
  f.ledger = (c, t) => {
    const out = { earned: 0, spent: 0, balance: 0, entries: 0, rules: f.meta.rules.map(() => 0) };
    for (const k of c === null ? f.booked.t.keys() : f.bookedOf.get(c) || []) {
      if (f.booked.t[k] > t) continue;
      const p = f.booked.points[k];
      out.entries++;
      out.rules[f.booked.rule[k]] += p;
      if (p > 0) out.earned += p;
      else out.spent -= p;
    }
    out.balance = out.earned - out.spent;
    return out;
  };
  f.count = (t, c = null) => {
    const out = { all: 0, nothing: 0, states: Object.fromEntries(states.map((s) => [s, 0])) };
    for (let i = 0; i < f.n.reports; i++) {
      if (f.reports.t[i] > t || (c !== null && f.reports.community[i] !== c)) continue;
      out.all++;
      out.nothing += f.reports.nothing[i] && f.meta.sources[f.reports.source[i]] === "snap" ? 1 : 0;
      out.states[f.stateAt(i, t)]++;
    }
    return out;
  };
  f.byReport = new Map(Array.from(f.reports.name, (w, i) => [f.words[w], i]));
  f.byOrder = new Map(Array.from(f.orders.name, (w, i) => [f.words[w], i]));
  f.repeatedBy = new Map();
  f.answers.original.forEach((o, k) => {
    if (o < 0) return;
    const found = f.repeatedBy.get(o) || f.repeatedBy.set(o, new Map()).get(o);
    if (!found.has(f.answers.report[k])) found.set(f.answers.report[k], f.answers.t[k]);
  });
  return f;
}

Object.assign(MORE_GLYPHS, {
  src_snap: (g) => (g.fillRect(-10, -6, 20, 14), g.fillRect(-4, -10, 8, 5), (g.globalCompositeOperation = "destination-out"), g.beginPath(), g.arc(0, 1, 4, 0, 7), g.fill(), (g.globalCompositeOperation = "source-over")),
  src_hotline: (g) => (g.beginPath(), g.arc(0, 12, 13, 1.25 * Math.PI, 1.75 * Math.PI), g.stroke(), g.fillRect(-12, 0, 7, 7), g.fillRect(5, 0, 7, 7)),
  src_device: (g) => (g.beginPath(), g.arc(0, 4, 3.5, 0, 7), g.fill(), [8, 13].forEach((r) => (g.beginPath(), g.arc(0, 4, r, 1.25 * Math.PI, 1.75 * Math.PI), g.stroke()))),
  why_signals: (g) => [-7, 0, 7].forEach((x) => (g.beginPath(), g.arc(x, 0, 2.8, 0, 7), g.fill())),
  why_reading: (g) => (g.beginPath(), [[-11, 5], [-4, 3], [1, -9], [5, 5], [11, 3]].forEach(([x, y]) => g.lineTo(x, y)), g.stroke()),
  why_neighbour: (g) => (g.beginPath(), g.arc(-5, 0, 4, 0, 7), g.fill(), g.beginPath(), g.arc(6, 0, 4, 0, 7), g.stroke()),
});
for (const n of [0, 1, 2]) MORE_GLYPHS["grade" + n] = (g) => Array.from({ length: n + 1 }, (_, i) => g.fillRect(-9 + 7 * i, 7 - 6 * (i + 1), 5, 6 * (i + 1)));

MORE_ICONS.push((about) => {
  const c = about.community;
  if (!c) return [];
  const out = [];
  for (const [state, [shape, colour]] of Object.entries(c.reports))
    for (const source of ["snap", "hotline", "device"]) out.push([`report_${state}_${source}`, shape, "src_" + source, colour], [`report_${state}_${source}_false`, shape, "src_" + source, colour, [255, 70, 80]]);
  for (const [state, [shape, colour]] of Object.entries(c.orders)) for (const why of ["signals", "reading", "neighbour"]) out.push([`order_${state}_${why}`, shape, state === "useless" ? "alert_out" in MORE_GLYPHS ? "alert_out" : "bar" : "why_" + why, colour, [255, 255, 255]]);
  c.grades.forEach((colour, n) => out.push(["community_" + n, "hexagon", "grade" + n, colour]));
  return out;
});

function makeCommunityLayers(app, kit, view) {
  const { city, community: f } = app;
  const unit = city.meta.unit_deg;
  const place = (table, i) => [table.x[i] * unit, table.y[i] * unit];
  const at = { reports: Array.from({ length: f.n.reports }, (_, i) => place(f.reports, i)), orders: Array.from({ length: f.n.orders }, (_, i) => place(f.orders, i)), communities: Array.from({ length: f.n.communities }, (_, i) => place(f.communities, i)) };
  let spots = [];
  view.communitySpots = () => spots;
  view.pickers.push((x, y, pixel) => (nearestSpot(city, spots, x, y, 12 * pixel, 0) || {}).id);
  function grades(small) {
    if (!app.on.community_grades) return [];
    const out = [];
    for (let i = 0; i < f.n.communities; i++) if (f.communities.grade[i] >= 0) out.push({ id: "community-" + i, at: at.communities[i], icon: "community_" + f.communities.grade[i], size: [12, 17, 25][f.communities.grade[i]] * small });
    return out;
  }
  function reports(t, small) {
    if (!app.on.community_reports) return [];
    const out = [];
    for (let i = 0; i < f.n.reports && f.reports.t[i] <= t; i++) {
      const closed = f.closed(i, t);
      if (closed && !app.showOver) continue;
      const state = f.stateAt(i, t);
      out.push({ id: "report-" + i, at: at.reports[i], icon: `report_${state}_${f.meta.sources[f.reports.source[i]]}${f.reports.nothing[i] ? "_false" : ""}`, size: (closed ? 15 : state === "duplicate" ? 17 : 22) * small });
    }
    return out;
  }
  function orders(t, small) {
    if (!app.on.community_orders) return [];
    const out = [];
    for (let i = 0; i < f.n.orders && f.orders.t[i] <= t; i++) {
      const state = f.orderState(i, t);
      if (state !== "open" && !app.showOver) continue;
      out.push({ id: "early-" + i, at: at.orders[i], icon: `order_${state}_${f.meta.whys[f.orders.why[i]]}`, size: (state === "open" ? 27 : 18) * small });
    }
    return out;
  }
  const layer = (id, data, key) => (data.length ? [kit.cached(id, key, () => kit.make(id, { spec: "incidents", data, iconAtlas: view.icons.canvas, iconMapping: view.icons.mapping, getIcon: (d) => d.icon, getPosition: (d) => d.at, getSize: (d) => d.size }))] : []);
  return (t, zoom) => {
    const small = zoom < 12 ? 0.75 : 1;
    const parts = [grades(zoom < 11.5 ? 0.6 : zoom < 13 ? 0.85 : 1), reports(t, small), orders(t, small)];
    spots = parts.flat();
    return ["community_grades", "community_reports", "community_orders"].flatMap((id, k) => layer(id, parts[k], parts[k].map((d) => d.id + d.icon + d.size).join()));
  };
}

function communityLegend(app) {
  const { text, community: f } = app;
  const picture = (name, words) => el("span", { class: "key" }, app.view.icons.picture(name, 17), words);
  const block = (title, keys) => el("div", { class: "legend-block" }, el("span", { class: "name" }, title), el("div", { class: "keys" }, keys));
  const out = [];
  if (app.on.community_reports)
    out.push(
      block(text.legend_reports, f.meta.states.map((s) => picture(`report_${s}_snap`, text["report_state_" + s]))),
      block(text.legend_report_sources, [...f.meta.sources.map((s) => picture("report_accepted_" + s, text["report_source_" + s])), picture("report_waiting_snap_false", text.reports_abuse)]),
    );
  if (app.on.community_orders)
    out.push(
      block(text.legend_orders, ["open", "found", "useless"].map((s) => picture(`order_${s}_signals`, text["order_state_" + s]))),
      block(text.legend_order_whys, f.meta.whys.map((w) => picture("order_open_" + w, text["why_" + w]))),
    );
  if (app.on.community_grades) out.push(block(text.legend_grades, f.meta.grades.map((g, k) => picture("community_" + k, text["grade_" + g]))));
  return out;
}

function makeCommunity(app, tools) {
  const { community: f, text, city } = app;
  const { row, goTo, event, wide } = tools;
  const unit = city.meta.unit_deg;
  const words = (i) => f.words[i];
  const key = (word) => String(word).replaceAll(" ", "_");
  const themeName = (k) => f.meta.theme_names[f.meta.themes[k]][app.lang === "zh" ? 1 : 0];
  const nameOf = (c) => (c < 0 ? "–" : app.label(words(f.communities.name[c]), words(f.communities.name_en[c])));
  const link = (id, label) => (app.find.choiceOf(id) ? goTo(id, label) : label);
  const gradeName = (c) => (f.communities.grade[c] < 0 ? text.grade_none : text["grade_" + f.meta.grades[f.communities.grade[c]]]);
  const hazard = (h) => link("hazard-" + h, text.report_truth + " → hazard-" + h);

  function choiceOf(id) {
    const m = /^(report|early|community|platform)-(\d+)$/.exec(id);
    if (m) {
      const n = Number(m[2]);
      const there = { report: n < f.n.reports, early: n < f.n.orders, community: n < f.n.communities, platform: n === 0 }[m[1]];
      return there ? { id, kind: m[1], row: n } : null;
    }
    if (f.byReport.has(id)) return { id: "report-" + f.byReport.get(id), kind: "report", row: f.byReport.get(id) };
    if (f.byOrder.has(id)) return { id: "early-" + f.byOrder.get(id), kind: "early", row: f.byOrder.get(id) };
    return null;
  }
  const tables = { report: f.reports, early: f.orders, community: f.communities };
  const spotOf = (c) => (tables[c.kind] ? [tables[c.kind].x[c.row] * unit, tables[c.kind].y[c.row] * unit] : null);

  function reportPanel(c) {
    const i = c.row;
    const t = app.now;
    const r = f.reports;
    const state = f.stateAt(i, t);
    const source = f.meta.sources[r.source[i]];
    const k = f.answerAt(i, t);
    const original = f.repeats(i, t);
    const others = [...(f.repeatedBy.get(i) || [])].filter(([, at]) => at <= t).map(([other]) => other);
    const points = (f.pointsOf.get(i) || []).filter((b) => f.booked.t[b] <= t).reduce((n, b) => n + f.booked.points[b], 0);
    const story = [[r.t[i], text.report_made + " · " + text["report_source_" + source]]];
    for (let a = f.answers.first[i]; a < f.answers.first[i + 1]; a++) story.push([f.answers.t[a], text.report_answer + ": " + text["answer_" + key(f.meta.answers[f.answers.answer[a]])]]);
    for (let a = f.told.first[i]; a < f.told.first[i + 1]; a++) story.push([f.told.t[a], (f.told.what[a] ? text.report_looked : text.report_reviewed) + ": " + (text["verdict_" + key(words(f.told.word[a]))] || words(f.told.word[a]))]);
    story.sort((a, b) => a[0] - b[0]);
    const incident = words(r.incident[i]);
    return [
      el("h2", {}, text.report + " · " + themeName(r.theme[i])),
      el("div", { class: "kind" }, text["report_source_" + source] + " · " + words(r.name[i])),
      row(text.state, app.view.icons.picture(`report_${state}_${source}${r.nothing[i] ? "_false" : ""}`, 16), " ", el("span", { "data-state": state }, text["report_state_" + state])),
      k >= 0 ? row(text.report_answer, text["answer_" + key(f.meta.answers[f.answers.answer[k]])]) : null,
      original >= 0 ? row(text.report_repeats, goTo("report-" + original, "report-" + original)) : null,
      others.length ? row(text.report_repeated, ...others.slice(0, 6).flatMap((o) => [goTo("report-" + o, "report-" + o), " "]), others.length > 6 ? "+ " + (others.length - 6) : "") : null,
      row(text.report_truth, r.nothing[i] ? el("em", { class: "bad", "data-nothing": 1 }, "▲ " + text.report_nothing) : hazard(r.hazard[i])),
      !r.nothing[i] && r.off[i] > 0 ? row(text.report_off, r.off[i] + " m", r.off[i] >= 200 ? el("em", { class: "bad" }, " ▲ " + text.report_wrong_place) : "") : null,
      incident ? row(text.incident || "", link(incident, incident)) : null,
      r.account[i] >= 0 ? row(text.report_account, String(r.account[i])) : null,
      points ? row(text.report_points, figure(points)) : null,
      r.community[i] >= 0 ? row(text.community_kind, goTo("community-" + r.community[i], nameOf(r.community[i]))) : null,
      el("h3", {}, text.story),
      ...story.map(([at, said]) => event(at, said)),
    ];
  }

  function orderPanel(c) {
    const i = c.row;
    const t = app.now;
    const o = f.orders;
    const state = f.orderState(i, t);
    const why = f.meta.whys[o.why[i]];
    const incident = words(o.incident[i]);
    const out = [[o.t[i], text.order_opened]];
    if (o.end[i] >= 0) out.push([o.end[i], text.order_ended + ": " + (text["outcome_" + key(words(o.outcome[i]))] || words(o.outcome[i]))]);
    return [
      el("h2", {}, text.early_order + " · " + themeName(o.theme[i])),
      el("div", { class: "kind" }, words(o.name[i])),
      row(text.state, app.view.icons.picture(`order_${state}_${why}`, 16), " ", el("span", { "data-state": state }, text["order_state_" + state])),
      row(text.early_why, text["why_" + why]),
      o.signals[i] ? row(text.early_signals, figure(o.signals[i])) : null,
      row(text.early_chance, (o.chance[i] / 10).toFixed(0) + " %"),
      row(text.report_truth, o.hazard[i] >= 0 ? hazard(o.hazard[i]) : o.redundant[i] ? text.order_redundant : text.report_nothing),
      incident ? row(text.incident || "", link(incident, incident)) : null,
      o.community[i] >= 0 ? row(text.community_kind, goTo("community-" + o.community[i], nameOf(o.community[i]))) : null,
      el("h3", {}, text.story),
      ...out.map(([at, said]) => event(at, said)),
    ];
  }

  function ledgerRows(l) {
    return [
      el("h3", {}, text.ledger),
      row(text.ledger_earned, el("b", { "data-earned": l.earned }, figure(l.earned))),
      row(text.ledger_spent, el("b", { "data-spent": l.spent }, figure(l.spent))),
      row(text.ledger_balance, el("b", { "data-balance": l.balance }, figure(l.balance))),
      ...f.meta.rules.map((r, k) => (l.rules[k] ? row("· " + text["rule_" + r], (l.rules[k] > 0 ? "+" : "−") + figure(Math.abs(l.rules[k]))) : null)),
    ];
  }
  function countRows(n) {
    return [...f.meta.states.map((s) => (n.states[s] ? row("· " + text["report_state_" + s], el("b", { "data-reports": s }, figure(n.states[s]))) : null)), n.nothing ? row("· " + text.reports_abuse, el("em", { class: "bad" }, "▲ " + n.nothing)) : null];
  }
  function orderCount(t, c = null) {
    const out = { all: 0, open: 0, found: 0, useless: 0 };
    for (let i = 0; i < f.n.orders; i++)
      if (f.orders.t[i] <= t && (c === null || f.orders.community[i] === c)) {
        out.all++;
        out[f.orderState(i, t)]++;
      }
    return out;
  }
  const orderRows = (n) => ["open", "found", "useless"].map((s) => (n[s] ? row("· " + text["order_state_" + s], figure(n[s])) : null));

  function communityPanel(c) {
    const i = c.row;
    const t = app.now;
    const n = f.count(t, i);
    const orders = orderCount(t, i);
    const recent = [];
    for (let k = f.n.reports - 1; k >= 0 && recent.length < 8; k--) if (f.reports.community[k] === i && f.reports.t[k] <= t) recent.push(k);
    const scenes = [];
    for (let k = f.scenes.first[i]; k < f.scenes.first[i + 1]; k++)
      scenes.push(wide(text["scene_" + words(f.scenes.scene[k])] || words(f.scenes.scene[k]), `${figure(f.scenes.devices[k])} ${text.community_devices}` + (words(f.scenes.cause[k]).startsWith("copy") ? " · " + text.community_copied : "")));
    const grade = f.communities.grade[i];
    return [
      el("h2", {}, nameOf(i)),
      el("div", { class: "kind" }, text.community_kind + " · " + gradeName(i)),
      row(text.community_grade, grade >= 0 ? app.view.icons.picture("community_" + grade, 16) : "", " " + gradeName(i)),
      row(text.community_residents, figure(f.communities.residents[i])),
      ...ledgerRows(f.ledger(i, t)),
      el("h3", {}, text.reports_here),
      row(text.reports_all, el("b", { "data-all": n.all }, figure(n.all))),
      ...countRows(n),
      orders.all ? row(text.orders_here, figure(orders.all)) : null,
      ...orderRows(orders),
      ...recent.map((k) => event(f.reports.t[k], goTo("report-" + k, themeName(f.reports.theme[k])), " · " + text["report_state_" + f.stateAt(k, t)])),
      ...(scenes.length ? [el("h3", {}, text.community_scenes), ...scenes] : []),
    ];
  }

  function platformPanel() {
    const t = app.now;
    const n = f.count(t);
    const orders = orderCount(t);
    const best = [...f.bookedOf.keys()].filter((c) => c >= 0).map((c) => [c, f.ledger(c, t)]).filter(([, l]) => l.entries).sort((a, b) => b[1].balance - a[1].balance || a[0] - b[0]);
    return [
      el("h2", {}, text.platform_screen),
      row(text.registered, figure(f.meta.accounts)),
      row(text.reports_all, el("b", { "data-all": n.all }, figure(n.all))),
      ...countRows(n),
      row(text.early_order, el("b", { "data-orders": orders.all }, figure(orders.all))),
      ...orderRows(orders),
      ...ledgerRows(f.ledger(null, t)),
      el("h3", {}, text.community_grade),
      ...f.meta.grades.map((g, k) => row(text["grade_" + g], figure(f.communities.grade.reduce((sum, v) => sum + (v === k), 0)))),
      ...(best.length ? [el("h3", {}, text.most_points)] : []),
      ...best.slice(0, 10).map(([c, l]) => wide(goTo("community-" + c, nameOf(c)), `+${l.earned} −${l.spent} = ${l.balance}`)),
    ];
  }
  const panelOf = (c) => ({ report: reportPanel, early: orderPanel, community: communityPanel, platform: platformPanel })[c.kind](c);
  function search(q, offer) {
    let n = 0;
    for (const [name, i] of f.byReport) if (name === q || (q.length > 4 && name.startsWith(q) && n++ < 6)) offer("report-" + i, name, text.report);
    for (const [name, i] of f.byOrder) if (name === q) offer("early-" + i, name, text.early_order);
    n = 0;
    for (let i = 0; i < f.n.communities; i++) if (q.length > 1 && nameOf(i).toLowerCase().includes(q) && n++ < 6) offer("community-" + i, nameOf(i), text.community_kind);
  }
  return { choiceOf, spotOf, wayOf: () => ({ roads: [] }), panelOf, search, kinds: new Set(["report", "early", "community", "platform"]), screens: [["platform-0", text.platform_screen]] };
}
