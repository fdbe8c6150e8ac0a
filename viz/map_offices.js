// Service offices with their queues, cases by where they are, and companies.

function openOffices(data) {
  const f = openTables(data);
  f.n = f.offices.name.length;
  for (const name of ["queues", "visits"]) f[name].first = firstRows(f[name].office, f.n);
  f.asked.first = firstRows(f.asked.case, f.cases.t.length);
  f.matched.first = firstRows(f.matched.policy, f.policies.name.length);
  // people waiting and windows serving at an office, at t
  f.queueAt = (i, t) => {
    const k = upTo(f.queues.t, f.queues.first, i, t) - 1;
    return k >= f.queues.first[i] ? [f.queues.waiting[k], f.queues.serving[k]] : [0, 0];
  };
  // where case i is at t: an index into groups, or −1 when it was not filed yet
  f.groupAt = (i, t) => {
    if (f.cases.t[i] > t) return -1;
    const has = (values) => values[i] >= 0 && values[i] <= t;
    if (has(f.cases.closed)) return 4;
    if (has(f.cases.given)) return 3;
    const k = upTo(f.asked.t, f.asked.first, i, t) - 1;
    if (k >= f.asked.first[i] && !f.asked.back[k]) return 2;
    return has(f.cases.accepted) ? 1 : 0;
  };
  openClimate(f);
  f.toldOf = new Map();
  f.told.company.forEach((v, k) => (f.toldOf.get(v) || f.toldOf.set(v, []).get(v)).push(k));
  return f;
}

Object.assign(MORE_GLYPHS, Object.fromEntries([0, 1, 2, 3].map((n) => ["queue" + n, (g) => Array.from({ length: n + 1 }, (_, i) => (g.beginPath(), g.arc(-10 + (20 * i) / 3, 0, 3.2, 0, 7), g.fill()))])));
MORE_ICONS.push((about) => (about.offices ? about.offices.colours.map((colour, n) => ["office_" + n, "hexagon", n ? "queue" + (n - 1) : "hall", colour, [255, 255, 255]]) : []));

function makeOfficeLayers(app, kit, view) {
  const { city, offices: f } = app;
  const unit = city.meta.unit_deg;
  let spots = [];
  const rows = Array.from({ length: f.n }, (_, i) => i).filter((i) => f.offices.place[i] >= 0);
  const fullness = (n) => (n === 0 ? 0 : n < 3 ? 1 : n < 8 ? 2 : n < 20 ? 3 : 4);
  view.pickers.push((x, y, pixel) => (nearestSpot(city, spots, x, y, 12 * pixel, 0) || {}).id);
  return (t) => {
    spots = app.on.offices ? rows.map((i) => ({ id: "office-" + i, at: [f.offices.x[i] * unit, f.offices.y[i] * unit], how: fullness(f.queueAt(i, t)[0]), size: f.words[f.offices.name[i]] === "hall" ? 30 : 23 })) : [];
    if (!spots.length) return [];
    return [
      kit.cached("offices", spots.map((d) => d.how).join(), () =>
        kit.make("offices", { spec: "incidents", data: spots, iconAtlas: view.icons.canvas, iconMapping: view.icons.mapping, getIcon: (d) => "office_" + d.how, getPosition: (d) => d.at, getSize: (d) => d.size }),
      ),
    ];
  };
}

function officeLegend(app) {
  const { text } = app;
  if (!app.on.offices) return [];
  return [el("div", { class: "legend-block" }, el("span", { class: "name" }, text.legend_queue), el("div", { class: "keys" }, ["0", "1–2", "3–7", "8–19", "20+"].map((words, n) => el("span", { class: "key" }, app.view.icons.picture("office_" + n, 17), words))))];
}

function makeOffices(app, tools) {
  const { offices: f, text, city, about } = app;
  const { row, goTo, minutes, event, money, wide } = tools;
  const unit = city.meta.unit_deg;
  const span = about.end_s - about.begin_s;
  const words = (i) => f.words[i];
  const step = Math.max(60, Math.round(span / 240 / 60) * 60);
  const steps = Math.floor(span / step) + 1;
  const name = (i) => (f.offices.place[i] >= 0 ? tools.placeName(f.offices.place[i]) : text["office_" + words(f.offices.name[i])] || words(f.offices.name[i]));
  const kinds = new Set(["office", "company", "services", "companies"]);

  function choiceOf(id) {
    const m = /^(office|company|services|companies)-(\d+)$/.exec(id);
    if (!m) return null;
    const n = Number(m[2]);
    const there = { office: n < f.n, company: f.toldOf.has(n), services: n === 0 && f.n > 0, companies: n === 0 && f.counted.t.length > 0 }[m[1]];
    return there ? { id, kind: m[1], row: n } : null;
  }
  const spotOf = (c) => (c.kind === "office" && f.offices.place[c.row] >= 0 ? [f.offices.x[c.row] * unit, f.offices.y[c.row] * unit] : null);

  const kept = new Map();
  function chart(key, title, parts, values, stacked = false) {
    if (!kept.has(key)) {
      const made = makeChart(app, app.panels, { name: title, unit: "count", step_s: step, parts, values, stacked, instant: true });
      kept.set(key, made);
    }
    const made = kept.get(key);
    requestAnimationFrame(() => (made.draw(), made.cursor()));
    return made.node;
  }
  const waitingOver = (i) => Array.from({ length: steps }, (_, k) => f.queueAt(i, k * step)[0]);

  function officePanel(c) {
    const i = c.row;
    const [waiting, serving] = f.queueAt(i, app.now);
    let visits = 0;
    let way = 0;
    for (let k = f.visits.first[i]; k < f.visits.first[i + 1] && f.visits.t[k] <= app.now; k++) {
      visits++;
      way += f.visits.way[k];
    }
    let filed = 0;
    f.cases.office.forEach((o, k) => (filed += o === i && f.cases.t[k] <= app.now ? 1 : 0));
    return [
      el("h2", {}, name(i)),
      el("div", { class: "kind" }, text.office_kind + " · " + words(f.offices.name[i])),
      row(text.waiting, el("b", { "data-waiting": waiting }, figure(waiting))),
      row(text.serving, figure(serving)),
      row(text.filed_here, figure(filed)),
      visits ? row(text.visits, figure(visits) + " · " + text.mean_way + " " + minutes(way / visits)) : null,
      f.queues.first[i + 1] > f.queues.first[i] ? chart("office-" + i, "people_waiting", ["waiting"], [waitingOver(i)]) : null,
      goTo("services-0", text.services_screen),
    ];
  }

  function servicesPanel() {
    const counts = f.meta.groups.map(() => 0);
    const states = new Map();
    let late = 0;
    for (let i = 0; i < f.cases.t.length; i++) {
      const g = f.groupAt(i, app.now);
      if (g < 0) continue;
      counts[g]++;
      if (g === 4) states.set(words(f.cases.state[i]), (states.get(words(f.cases.state[i])) || 0) + 1);
      if ((g === 1 || g === 2) && f.cases.due[i] >= 0 && f.cases.due[i] <= app.now) late++;
    }
    if (!f.over) {
      f.over = f.meta.groups.slice(0, 4).map(() => new Array(steps).fill(0));
      for (let i = 0; i < f.cases.t.length; i++)
        for (let k = Math.ceil(f.cases.t[i] / step); k < steps; k++) {
          const g = f.groupAt(i, k * step);
          if (g >= 4) break;
          if (g >= 0) f.over[g][k]++;
        }
    }
    const queues = Array.from({ length: f.n }, (_, i) => [i, ...f.queueAt(i, app.now)]).sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    return [
      el("h2", {}, text.services_screen),
      ...f.meta.groups.map((g, k) => row(text["case_" + g], el("b", { "data-group": g }, figure(counts[k])))),
      ...[...states].sort((a, b) => b[1] - a[1]).map(([s, n]) => row("· " + (text["case_state_" + s] || s), figure(n))),
      row(text.case_overdue, late ? el("em", { class: "bad" }, "▲ " + late) : "0"),
      f.cases.t.length ? chart("cases", "cases_open", f.meta.groups.slice(0, 4).map((g) => "case_" + g), f.over, true) : null,
      el("h3", {}, text.legend_queue),
      ...queues.map(([i, waiting, serving]) => wide(goTo("office-" + i, name(i)), figure(waiting) + " · " + serving + " " + text.windows)),
    ];
  }

  const STORY = ["founded", "stage", "closed", "ordered", "paid", "pay_failed", "visited", "loan"];
  const toldWords = (k) => [text["company_" + STORY[f.told.what[k]]] + (words(f.told.word[k]) ? ": " + (text["stage_" + words(f.told.word[k])] || words(f.told.word[k])) : ""), f.told.value[k] >= 0 && f.told.what[k] >= 3 ? " · " + money(f.told.value[k]) : ""];
  function companyPanel(c) {
    const mine = f.toldOf.get(c.row);
    return [el("h2", {}, c.id), el("div", { class: "kind" }, text.company), el("h3", {}, text.story), ...mine.map((k) => event(f.told.t[k], ...toldWords(k)))];
  }
  function companiesPanel() {
    const t = app.now;
    const last = f.counted.t.reduce((found, at, k) => (at <= t ? k : found), -1);
    const count = (what) => f.told.what.reduce((n, w, k) => n + (STORY[w] === what && f.told.t[k] <= t ? 1 : 0), 0);
    const sum = (what) => f.told.what.reduce((n, w, k) => n + (STORY[w] === what && f.told.t[k] <= t ? Math.max(0, f.told.value[k]) : 0), 0);
    const out = [el("h2", {}, text.companies_screen), row(text.company_founded, figure(count("founded"))), row(text.company_closed, figure(count("closed"))), row(text.company_paid, figure(count("paid")) + " · " + money(sum("paid")))];
    if (last >= 0) out.push(el("h3", {}, text.company_stages), ...["founded", "growing", "mature", "leaving"].map((s) => row(text["stage_" + s], figure(f.counted[s][last]))), row(text.jobs, figure(f.counted.jobs[last])));
    if (f.policies.name.length) out.push(el("h3", {}, text.policies));
    for (let i = 0; i < f.policies.name.length; i++) {
      const k = upTo(f.matched.t, f.matched.first, i, t) - 1;
      if (k >= f.matched.first[i]) out.push(wide(words(f.policies.name[i]), `${text.policy_fit} ${f.matched.fit[k]} · ${text.policy_ordered} ${f.matched.paid[k]} · ${text.policy_balance} ${money(f.matched.balance[k])}`));
    }
    const recent = Array.from(f.told.t.keys()).filter((k) => f.told.t[k] <= t && ["founded", "closed", "paid"].includes(STORY[f.told.what[k]]));
    recent.sort((a, b) => f.told.t[b] - f.told.t[a]);
    if (recent.length) out.push(el("h3", {}, text.story), ...recent.slice(0, 12).map((k) => event(f.told.t[k], goTo("company-" + f.told.company[k], "company-" + f.told.company[k]), " ", ...toldWords(k))));
    return out;
  }
  const panelOf = (c) => ({ office: officePanel, company: companyPanel, services: servicesPanel, companies: companiesPanel })[c.kind](c);
  function search(q, offer) {
    if (/^company-\d+$/.test(q)) offer(q, q, text.company);
    for (let i = 0; i < f.n; i++) if (f.offices.place[i] < 0 ? q.length > 2 && name(i).toLowerCase().includes(q) : words(f.offices.name[i]) === q) offer("office-" + i, name(i), text.office_kind);
  }
  const screens = [];
  if (f.n) screens.push(["services-0", text.services_screen]);
  if (f.counted.t.length) screens.push(["companies-0", text.companies_screen]);
  return { choiceOf, spotOf, wayOf: () => ({ roads: [] }), panelOf, search, kinds, screens };
}
