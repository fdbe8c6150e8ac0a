// Finding, choosing and explaining things: by name or number, by pointing, by address.

function makeFind(app) {
  const { about, text, city, trips, tasks, state } = app;
  const names = city.names;
  const meta = city.meta;
  const label = (table, i) => app.label(names[table.name[i]], names[table.name_en[i]]);
  const clock = (t) => (Number.isFinite(t) ? app.panels.hms(t, true) : "–");
  const km = (m) => (m >= 950 ? (m / 1000).toFixed(1) + " km" : Math.round(m) + " m");
  const minutes = (s) => (Math.abs(s) < 90 ? Math.round(s) + " s" : Math.round(s / 60) + " min");
  const spot = {};
  let crossing = null; // junctions, if somebody ran the signals
  let own = null; // units, orders and bookings, if the run has fleets
  const more = []; // what other systems of the city have to tell, if they are in the run
  const moreOf = (c) => more.find((m) => m.kinds.has(c.kind));

  // -- names of things ----------------------------------------------------------------------------------
  const roadName = (r) => label(city.roads, r) || text.unnamed + " " + (text["class_" + meta.road_classes[city.roads.kind[r]]] || text.road);
  const placeName = (i) => label(city.places, i) || text["place_" + meta.place_kinds[city.places.kind[i]]];
  const blockShapes = new Map(city.blocks.shapes.map((s) => [s.row, s]));
  const communityName = (k) => (k > 0 ? label(city.communities, k - 1) : "");
  function blockName(row) {
    if (row >= 0) {
      const kind = text["block_" + meta.block_kinds[city.blocks.kind[row]]] || "";
      return [communityName(city.blocks.community[row]), kind].filter(Boolean).join(" · ") || text.block + " " + row;
    }
    const gate = city.gates[-row - 2];
    return gate === undefined ? text.outside : text.outside + " (" + placeName(gate) + ")";
  }
  function blockSpot(row) {
    if (row >= 0) return blockShapes.has(row) ? shapeCentre(blockShapes.get(row)) : null;
    const gate = city.gates[-row - 2];
    return gate === undefined ? null : [city.places.x[gate], city.places.y[gate]];
  }
  const middle = (r) => {
    pointOn(city, r, city.roads.length[r] / 2, spot);
    return [spot.x, spot.y];
  };

  // -- choosing -------------------------------------------------------------------------------------------
  // A choice has an id (in the address), a kind, and what belongs to it.
  function choiceOf(id) {
    const m = /^([a-z]+)-(.+)$/.exec(id || "");
    if (!m) return null;
    const [, kind, rest] = m;
    for (const system of more) {
      const found = system.choiceOf(id);
      if (found) return found;
    }
    if (own) {
      const found = own.choiceOf(id);
      if (found || app.fleet.meta.fleets.includes(kind)) return found;
    }
    const code = about.kinds.indexOf(kind);
    if (code >= 0) {
      const [entity, occurrence] = rest.split("-").map(Number);
      if (!Number.isInteger(entity)) return null;
      if (Number.isInteger(occurrence)) {
        const [first, last] = piecesOf(trips, code, entity, occurrence);
        return first < last || about.thinning.one_in > 1 ? { id, kind: "vehicle", code, entity, occurrence, first, last } : null;
      }
      return null;
    }
    const row = Number(rest);
    if (kind === "resident") {
      const [first, last] = tasksOf(tasks, row);
      return first < last ? { id, kind, resident: row, first, last } : null;
    }
    const sizes = { road: city.roads.n, place: city.places.x.length, block: city.blocks.kind.length, community: city.communities.name.length, subdistrict: city.subdistricts.name.length, water: city.waters.name.length, signal: city.junctions.x.length, happening: app.happenings.length };
    return kind in sizes && Number.isInteger(row) && row >= 0 && row < sizes[kind] ? { id, kind, row } : null;
  }

  // Where it is at t, as degrees from the centre, or null.
  function spotOf(c, t) {
    if (own && own.kinds.has(c.kind)) return own.spotOf(c, t);
    if (moreOf(c)) return moreOf(c).spotOf(c, t);
    if (c.kind === "vehicle") {
      const i = pieceAt(c, t);
      if (i < 0) return null;
      locate(trips, i, t, spot);
      return [spot.x, spot.y];
    }
    if (c.kind === "resident") {
      const at = whereIs(c, t);
      if (at.vehicle) return spotOf(at.vehicle, t) || blockSpot(at.from);
      if (at.from === undefined) return blockSpot(at.block);
      const [a, b] = [blockSpot(at.from), blockSpot(at.to)];
      return a && b ? [a[0] + at.share * (b[0] - a[0]), a[1] + at.share * (b[1] - a[1])] : a || b;
    }
    if (c.kind === "road") return middle(c.row);
    if (c.kind === "place") return [city.places.x[c.row], city.places.y[c.row]];
    if (c.kind === "signal") return [city.junctions.x[c.row], city.junctions.y[c.row]];
    if (c.kind === "happening") {
      const h = app.happenings[c.row];
      return app.happeningSpot({ ...h, over: h.t1 !== undefined && t >= h.t1 });
    }
    const table = { block: city.blocks, community: city.communities, subdistrict: city.subdistricts, water: city.waters }[c.kind];
    const shape = table.shapes.find((s) => s.row === c.row);
    return shape ? shapeCentre(shape) : null;
  }
  function pieceAt(c, t) {
    for (let i = c.first; i < c.last; i++) if (trips.begins[i] <= t && trips.ends[i] >= t) return i;
    return -1;
  }
  // A resident at t: { block } when somewhere, else { from, to, share, vehicle, task }.
  function whereIs(c, t) {
    let last = -1;
    for (let k = c.first; k < c.last; k++) if (tasks.t[k] <= t) last = k;
    if (last < 0) return { block: tasks.origin[c.first], task: -1 };
    const status = tasks.status[last];
    const end = status ? tasks.t[last] + tasks.duration[last] : Infinity;
    if (t > end || status === 2) return { block: status === 2 ? tasks.origin[last] : tasks.destination[last], task: last };
    const vehicle = tasks.mode[last] === about.modes.indexOf("car") ? choiceOf(`car-${c.resident}-${tasks.trip[last]}`) : null;
    const length = status ? tasks.duration[last] : tasks.expected[last] || 600;
    return { from: tasks.origin[last], to: tasks.destination[last], share: Math.min(1, (t - tasks.t[last]) / Math.max(1, length)), vehicle, task: last };
  }
  // The way to draw for a choice: roads, or a straight line where the way is not known.
  function wayOf(c) {
    if (own && own.kinds.has(c.kind)) return own.wayOf(c);
    if (moreOf(c)) return moreOf(c).wayOf(c);
    if (c.kind === "road") return { roads: [c.row] };
    if (c.kind === "happening") return { roads: [] };
    if (c.kind === "vehicle") {
      const roads = [];
      for (let j = trips.roadOff[c.first]; j < (c.last > c.first ? trips.roadOff[c.last] : 0); j++) roads.push(trips.roads[j]);
      return { roads };
    }
    if (c.kind === "resident") {
      const at = whereIs(c, app.now);
      if (at.vehicle) return wayOf(at.vehicle);
      if (at.from !== undefined) {
        const [a, b] = [blockSpot(at.from), blockSpot(at.to)];
        return { roads: [], line: a && b ? [a, b] : null };
      }
    }
    const table = { block: city.blocks, community: city.communities, subdistrict: city.subdistricts }[c.kind];
    const shape = table && table.shapes.find((s) => s.row === c.row);
    return shape ? { roads: [], line: shape.polygon[0] } : { roads: [] };
  }

  // -- explaining -----------------------------------------------------------------------------------------
  const row = (key, ...value) => el("div", { class: "fact" }, el("span", {}, key), el("b", {}, ...value));
  const wide = (key, ...value) => { // a long name before a short figure
    const node = row(key, ...value);
    node.classList.add("wide");
    return node;
  };
  const goTo = (id, words) => el("button", { type: "button", class: "link", onclick: () => app.choose(id, true) }, words);

  function roadFacts(r) {
    const step = app.view.step(app.now);
    const v = state.speed(r, step);
    const limit = city.roads.limit[r];
    const lanes = city.roads.lanes[r];
    return [
      el("div", { class: "kind" }, text["class_" + meta.road_classes[city.roads.kind[r]]] || text.road),
      row(text.limit, Math.round(limit * 3.6) + " km/h"),
      row(text.length, km(city.roads.length[r]) + " · " + lanes + " " + (lanes === 1 ? text.lane : text.lanes)),
      row(text.volume, figure(state.entered(r, step))),
      row(text.speed_now, Number.isNaN(v) ? text.no_one : Math.round(v * 3.6) + " km/h · " + Math.round((100 * v) / limit) + " % " + text.of_limit),
    ];
  }

  function taskFacts(k) {
    const done = tasks.status[k] === 1;
    const end = tasks.t[k] + tasks.duration[k];
    const late = end - tasks.due[k];
    const delay = tasks.duration[k] - tasks.expected[k];
    return [
      row(text.task, text["purpose_" + about.purposes[tasks.purpose[k]]] + text.comma + text["mode_" + about.modes[tasks.mode[k]]]),
      row(text.from, tasks.origin[k] >= 0 ? goTo("block-" + tasks.origin[k], blockName(tasks.origin[k])) : blockName(tasks.origin[k])),
      row(text.to, tasks.destination[k] >= 0 ? goTo("block-" + tasks.destination[k], blockName(tasks.destination[k])) : blockName(tasks.destination[k])),
      row(text.planned, clock(tasks.planned[k]), tasks.t[k] > tasks.planned[k] + 59 ? ` → ${clock(tasks.t[k])}` : ""),
      row(text.due, Number.isNaN(tasks.due[k]) ? text.no_fixed_time : clock(tasks.due[k])),
      done && app.now >= end ? row(text.arrived, clock(end), Number.isNaN(tasks.due[k]) ? "" : lateness(late)) : null,
      done && app.now >= end ? row(text.delay, minutes(Math.max(0, delay)) + ` (${text.expected} ${minutes(tasks.expected[k])})`) : row(text.expected, minutes(tasks.expected[k])),
    ];
  }
  const lateness = (s) => el("em", { class: s > 60 ? "bad" : "good" }, (s > 60 ? " ▲ " : " ● ") + (s > 60 ? minutes(s) + " " + text.late : s < -60 ? minutes(-s) + " " + text.early : text.on_time));

  function vehicleState(c, t) {
    const i = pieceAt(c, t);
    const task = c.code === about.kinds.indexOf("car") ? taskOf(c) : -1;
    if (i >= 0) {
      locate(trips, i, t, spot);
      const standing = spot.v < 0.3;
      return { i, task, mark: standing ? "■" : "▶", words: standing ? text.state_standing : text.state_driving, road: spot.road, speed: spot.v, way: spot.s };
    }
    if (c.first === c.last) return { i, task, mark: "–", words: text.thinned_out };
    if (t < trips.begins[c.first]) {
      const waiting = task >= 0 && tasks.t[task] <= t;
      return { i, task, mark: waiting ? "◆" : "○", words: waiting ? text.state_waiting : text.state_before };
    }
    const done = task >= 0 ? tasks.status[task] === 1 : true;
    return { i, task, mark: "●", words: done ? text.state_done : text.state_gone };
  }
  function taskOf(c) {
    const [first, last] = tasksOf(tasks, c.entity);
    for (let k = first; k < last; k++) if (tasks.trip[k] === c.occurrence) return k;
    return -1;
  }

  const followChip = () =>
    el("button", { type: "button", class: "chip", "aria-pressed": String(app.following), onclick: () => app.follow(!app.following) }, app.following ? text.following : text.follow + " (F)");
  const rolesRow = (i) => {
    const roles = own ? own.rolesOf(names[city.places.id[i]]) : [];
    return roles.length > 0 && row(text.role, roles.join(text.comma));
  };
  const placeNamed = (id) => {
    const i = own ? own.placeRow(id) : -1;
    return i < 0 ? id : placeName(i);
  };
  function panelOf(c) {
    if (own && own.kinds.has(c.kind)) return [...own.panelOf(c), followChip()];
    if (moreOf(c)) return [...moreOf(c).panelOf(c), c.kind === "responder" && followChip()];
    const title = (words, kind, how) => [el("h2", { class: how }, words), kind && el("div", { class: "kind" }, kind)];
    const follow = followChip;
    if (c.kind === "vehicle") {
      const s = vehicleState(c, app.now);
      const whole = c.last > c.first ? trips.way[trips.pointOff[c.last] - 1] : 0;
      return [
        ...title(c.id, text["one_" + about.kinds[c.code]]),
        row(text.state, s.mark + " " + s.words),
        s.road !== undefined && row(text.on, goTo("road-" + s.road, roadName(s.road))),
        s.speed !== undefined && row(text.speed, Math.round(s.speed * 3.6) + " km/h"),
        s.way !== undefined && row(text.progress, km(s.way) + " / " + km(whole)),
        ...(s.task >= 0 ? [row(text.who, goTo("resident-" + c.entity, text.resident + " " + c.entity)), ...taskFacts(s.task)] : c.last > c.first ? [row(text.entered, clock(trips.begins[c.first])), row(text.left, clock(trips.ends[c.last - 1]))] : []),
        follow(),
      ];
    }
    if (c.kind === "resident") {
      const at = whereIs(c, app.now);
      const travelling = at.from !== undefined;
      return [
        ...title(text.resident + " " + c.resident),
        row(text.state, travelling ? "▶ " + text.state_travelling + text.comma + text["mode_" + about.modes[tasks.mode[at.task]]] : "● " + text.state_at + " " + blockName(at.block)),
        at.vehicle && row(text.vehicle, goTo(at.vehicle.id, at.vehicle.id)),
        el("h3", {}, text.trips),
        ...Array.from({ length: c.last - c.first }, (_, n) => c.first + n).map((k) =>
          el(
            "details",
            { class: k === at.task && travelling ? "now" : "", open: k === at.task || c.last - c.first === 1 },
            el("summary", {}, clock(tasks.t[k]).slice(0, 5) + " " + text["purpose_" + about.purposes[tasks.purpose[k]]] + text.comma + text["mode_" + about.modes[tasks.mode[k]]], el("button", { type: "button", class: "link", title: clock(tasks.t[k]), onclick: (e) => (e.preventDefault(), app.seek(tasks.t[k])) }, "→ " + clock(tasks.t[k]).slice(0, 5))),
            ...taskFacts(k).slice(1).filter(Boolean),
            tasks.status[k] === 2 ? row(text.state, text.state_refused) : null,
          ),
        ),
        follow(),
      ];
    }
    if (c.kind === "road") {
      const other = city.roads.other[c.row];
      return [...title(roadName(c.row)), ...roadFacts(c.row), other >= 0 && goTo("road-" + other, text.opposite)];
    }
    if (c.kind === "place") return [...title(placeName(c.row), text["place_" + meta.place_kinds[city.places.kind[c.row]]]), rolesRow(c.row), city.places.community[c.row] > 0 && row(text.community, goTo("community-" + (city.places.community[c.row] - 1), communityName(city.places.community[c.row])))];
    if (c.kind === "signal") return [...title(text.signal), ...(crossing ? crossing(c.row) : [])];
    if (c.kind === "water") return title(label(city.waters, c.row) || text.water, text.water);
    if (c.kind === "happening") {
      const h = app.happenings[c.row];
      return [...title(app.happeningText(h)), row(text.since, clock(h.t0)), h.unit && row(text.unit, goTo(h.unit, h.unit)), h.case && row(text.case, h.case), h.since !== undefined && row(text.found_since, clock(h.since - about.begin_s)), (h.kind === "violation" || h.kind === "found") && row(text.state, h.kind === "found" ? text.by_platform : text.truth), h.t1 !== undefined && row(text.until, clock(h.t1)), ...(h.roads || []).slice(0, 8).map((r) => row(text.road, goTo("road-" + r, roadName(r))))];
    }
    if (c.kind === "subdistrict") return [...title(label(city.subdistricts, c.row), text.subdistrict), row(text.residents, figure(city.subdistricts.residents[c.row]))];
    if (c.kind === "community") {
      const up = city.communities.subdistrict[c.row];
      return [
        ...title(label(city.communities, c.row), text["community_" + names[city.communities.kind[c.row]]] || text.community),
        row(text.residents, figure(city.communities.residents[c.row])),
        up > 0 && row(text.subdistrict, goTo("subdistrict-" + (up - 1), label(city.subdistricts, up - 1))),
      ];
    }
    const b = city.blocks;
    const k = b.community[c.row];
    return [
      ...title(text["block_" + meta.block_kinds[b.kind[c.row]]] || text.block, text.block + " " + c.row, "word"),
      k > 0 && row(text.community, goTo("community-" + (k - 1), communityName(k))),
      ...["residents", "jobs", "shops", "pupils", "storeys"].filter((key) => b[key][c.row] > 0).map((key) => row(text[key], figure(b[key][c.row]))),
    ];
  }

  function tipOf(id) {
    const c = choiceOf(id);
    if (!c) return null;
    if (own && own.kinds.has(c.kind)) return own.tipOf(c);
    if (c.kind === "road") return [el("b", {}, roadName(c.row)), ...roadFacts(c.row)];
    return panelOf(c).filter((n) => n && n.nodeType && !n.matches("button")).slice(0, 8);
  }

  // -- search ---------------------------------------------------------------------------------------------
  const entries = [];
  const add = (id, words, kind, rank) => words && entries.push({ id, words, kind, rank, low: words.toLowerCase() });
  const seen = new Set();
  city.places.kind.forEach((k, i) => {
    const kind = meta.place_kinds[k];
    add("place-" + i, names[city.places.name[i]] || names[city.places.name_en[i]] ? both(city.places, i) : "", text["place_" + kind], kind === "bus_stop" ? 3 : 0);
  });
  for (let r = 0; r < city.roads.n; r++) {
    const name = city.roads.name[r];
    if (!name || seen.has(name)) continue;
    seen.add(name);
    add("road-" + longest(name), both(city.roads, r), text.road, 1);
  }
  city.communities.name.forEach((_, i) => add("community-" + i, both(city.communities, i), text.community, 1));
  city.subdistricts.name.forEach((_, i) => add("subdistrict-" + i, both(city.subdistricts, i), text.subdistrict, 0));
  city.waters.name.forEach((_, i) => add("water-" + i, both(city.waters, i), text.water, 1));
  function both(table, i) {
    const [a, b] = [names[table.name[i]], names[table.name_en[i]]];
    return a && b && a !== b ? a + " " + b : a || b;
  }
  function longest(name) {
    let best = -1;
    for (let r = 0; r < city.roads.n; r++) if (city.roads.name[r] === name && (best < 0 || city.roads.length[r] > city.roads.length[best])) best = r;
    return best;
  }
  // A word for a kind, such as "resident" or "告警", finds the first few of it.
  function fewOf(q, offer) {
    for (const kind of ["resident", ...more.flatMap((system) => [...system.kinds])]) {
      const word = text[{ channel: "channel_one", early: "early_order" }[kind] || kind];
      if (word && kind !== "community" && (kind.startsWith(q) || word.toLowerCase().startsWith(q)))
        for (let n = 0, found = 0; n < 3000 && found < 5; n++) if (offer(kind + "-" + n, `${word} ${n}`, word)) found++;
    }
  }
  function search(query) {
    const q = query.trim().toLowerCase();
    if (!q) return [];
    const out = [];
    const offer = (id, words, kind) => choiceOf(id) && out.push({ id, words, kind });
    if (own) own.search(q, offer);
    for (const system of more) system.search(q, offer);
    const number = /^(?:resident\s*|居民\s*)?(\d+)$/.exec(q);
    if (number) offer("resident-" + number[1], text.resident + " " + number[1], text.resident);
    if (q.length > (/^[a-z]/.test(q) ? 2 : 1)) fewOf(q, offer);
    const vehicle = /^([a-z]+)-(\d+)(?:-(\d+))?$/.exec(q);
    if (vehicle && about.kinds.includes(vehicle[1]) && !(own && app.fleet.meta.fleets.includes(vehicle[1]))) {
      const code = about.kinds.indexOf(vehicle[1]);
      if (vehicle[3] !== undefined) offer(q, q, text["one_" + vehicle[1]]);
      else
        for (let i = piecesOf(trips, code, Number(vehicle[2]), 0)[0], last = ""; i < trips.n && trips.kind[i] === code && trips.entity[i] === Number(vehicle[2]) && out.length < 12; i++) {
          const id = vehicleLabel(trips, about.kinds, i);
          if (id !== last) offer(id, id, text["one_" + vehicle[1]]);
          last = id;
        }
    }
    const score = (e) => {
      const at = e.low.indexOf(q);
      return at < 0 ? -1 : e.rank * 2 + (at === 0 || e.low[at - 1] === " " ? 0 : 3) + e.low.length / 100;
    };
    const hits = entries.map((e) => [score(e), e]).filter(([s]) => s >= 0);
    hits.sort((a, b) => a[0] - b[0]);
    return out.concat(hits.slice(0, 12).map(([, e]) => e)).slice(0, 12);
  }

  const box = $("find-box");
  const list = $("find-list");
  let results = [];
  let marked = -1;
  box.placeholder = app.fleet ? text.search_fleets : text.search;
  box.setAttribute("aria-label", box.placeholder);
  function show() {
    results = search(box.value);
    marked = results.length ? 0 : -1;
    const open = box.value.trim() !== "";
    list.hidden = !open;
    box.setAttribute("aria-expanded", String(open));
    list.replaceChildren(
      ...(results.length
        ? results.map((e, i) => el("li", { role: "option", id: "hit-" + i, "aria-selected": String(i === marked), onpointerdown: (ev) => (ev.preventDefault(), take(i)) }, el("span", {}, e.words), el("small", {}, e.kind)))
        : [el("li", { class: "none" }, text.search_none)]),
    );
  }
  function mark(i) {
    marked = (i + results.length) % results.length;
    [...list.children].forEach((li, k) => li.setAttribute("aria-selected", String(k === marked)));
    box.setAttribute("aria-activedescendant", "hit-" + marked);
    list.children[marked].scrollIntoView({ block: "nearest" });
  }
  function take(i) {
    const hit = results[i];
    if (!hit) return;
    box.value = hit.words;
    list.hidden = true;
    box.setAttribute("aria-expanded", "false");
    box.blur();
    app.choose(hit.id, true);
  }
  box.addEventListener("input", show);
  box.addEventListener("focus", () => (box.select(), show()));
  box.addEventListener("blur", () => (list.hidden = true));
  box.addEventListener("keydown", (e) => {
    if (e.key === "ArrowDown" && results.length) mark(marked + 1);
    else if (e.key === "ArrowUp" && results.length) mark(marked - 1);
    else if (e.key === "Enter") take(marked);
    else if (e.key === "Escape") box.blur();
    else return e.stopPropagation();
    e.preventDefault();
    e.stopPropagation();
  });
  if (app.junctions) crossing = makeJunctionPanel(app, { row, goTo, clock, roadName });
  if (app.fleet) own = makeFleet(app, { row, goTo, clock, km, minutes, roadName, placeName, blockName, blockSpot, lateness });
  const words = {};
  const money = (cny) => (app.lang !== "zh" ? figure(cny / 1e6) + " million CNY" : cny >= 1e8 ? figure(cny / 1e8) + " 亿元" : figure(cny / 1e4) + " 万元");
  const moment = (t) => el("button", { type: "button", class: "link when", title: clock(t), "data-t": t, onclick: () => app.seek(t) }, clock(t));
  const event = (t, ...nodes) => el("div", { class: "event" + (t > app.now ? " later" : "") }, moment(t), el("span", {}, ...nodes));
  const tools = { row, goTo, clock, km, minutes, roadName, placeName, moment, event, money, wide };
  if (app.brain) {
    const brain = makeBrain(app, tools);
    more.push(makeIncidents(app, tools, brain), brain);
    words.themeName = brain.themeName;
  }
  if (app.offices) more.push(makeOffices(app, tools), makeClimate(app, tools));
  if (app.sites) more.push(makeSites(app, tools));
  if (app.community) more.push(makeCommunity(app, tools));
  words.screens = more.flatMap((system) => system.screens || []);
  const placeRow = (id) => (own ? own.placeRow(id) : -1);
  return { ...words, placeNamed, placeRow, choiceOf, spotOf, wayOf, panelOf, tipOf, roadName, placeName, search, pieceAt, whereIs };
}
