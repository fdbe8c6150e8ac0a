// What the page tells of a unit, an order or a booking: state, task, day, and why it was late.

function makeFleet(app, tools) {
  const { fleet: f, text, trips, city, about } = app;
  const { row, goTo, clock, km, minutes, roadName, blockName, lateness } = tools;
  const spot = {};
  const words = (i) => f.words[i];
  const placeRow = (id) => city.places.id.findIndex((n) => city.names[n] === id);
  const placeLink = (id) => {
    const i = placeRow(id);
    return i < 0 ? id : goTo("place-" + i, tools.placeName(i));
  };
  const exact = (s) => {
    const size = Math.abs(s);
    const sign = s < 0 ? "−" : "";
    return sign + (size < 60 ? size + " s" : Math.floor(size / 60) + " min " + String(size % 60).padStart(2, "0") + " s");
  };
  const moment = (t) => el("button", { type: "button", class: "link when", title: clock(t), "data-t": t, onclick: () => app.seek(t) }, clock(t));
  const past = (node) => {
    for (const link of node.querySelectorAll(".event [data-t]")) link.closest(".event").classList.toggle("later", Number(link.dataset.t) > app.now);
    return node;
  };
  const unitAt = (row) => f.list[row];

  // -- choosing -------------------------------------------------------------------------------------------
  function choiceOf(id) {
    const unit = f.byId.get(id);
    if (unit) return { id, kind: "unit", unit };
    const m = /^(order|booking)-(\d+)$/.exec(id);
    if (!m) return null;
    const k = (m[1] === "order" ? f.orderRow : f.bookingRow)(Number(m[2]));
    return k < 0 ? null : { id, kind: m[1], k };
  }
  const here = (unit, t) => {
    locateUnit(f, trips, unit, t, spot);
    return [spot.x, spot.y];
  };
  const placeSpot = (id) => {
    const i = placeRow(id);
    return i < 0 ? null : [city.places.x[i], city.places.y[i]];
  };
  // [unit, from, until] that carries an order or booking at t
  function carrier(c, t) {
    if (c.kind === "booking") {
      const b = f.bookings;
      return b.boarded[c.k] >= 0 && b.boarded[c.k] <= t && t < b.end[c.k] ? unitAt(b.unit[c.k]) : null;
    }
    for (let j = f.stayOff[c.k]; j < f.stayOff[c.k + 1]; j++) if (f.stays.on[j] <= t && t < f.stays.off[j]) return unitAt(f.stays.unit[j]);
    return null;
  }
  function spotOf(c, t) {
    if (c.kind === "unit") return here(c.unit, t);
    const unit = carrier(c, t);
    if (unit) return here(unit, t);
    if (c.kind === "booking") return placeSpot(words(t < f.bookings.end[c.k] ? f.bookings.place[c.k] : f.bookings.to_place[c.k])) || tools.blockSpot(f.bookings.origin[c.k]);
    const o = f.orders;
    const ended = t >= o.end[c.k] && f.meta.order_states[o.status[c.k]] === "delivered";
    if (!ended && f.stayOff[c.k] < f.stayOff[c.k + 1]) return placeSpot(words(f.stays.place[f.stayOff[c.k]]));
    return tools.blockSpot(o.block[c.k]);
  }
  function wayOf(c) {
    const unit = c.kind === "unit" ? c.unit : carrier(c, app.now);
    if (!unit) return { roads: [] };
    locateUnit(f, trips, unit, app.now, spot);
    if (spot.piece < 0) return { roads: [] };
    return { roads: Array.from(trips.roads.subarray(trips.roadOff[spot.piece], trips.roadOff[spot.piece + 1])) };
  }

  // -- why ------------------------------------------------------------------------------------------------
  // Parts and their sum; `less`: [name, seconds] that was allowed; the rest is the lateness. `end`: when it is known.
  const partOf = (j) => ({ label: f.meta.labels[f.parts.label[j]], why: words(f.parts.word[j]), t: f.parts.t[j], seconds: f.parts.seconds[j] });
  function account(title, rows, end, less, about = null) {
    const total = rows.reduce((sum, p) => sum + p.seconds, 0);
    const line = (cls, a, b) => el("div", { class: "part " + cls + (end > app.now ? " later" : "") }, a, el("b", {}, b));
    const late = less ? total - less[1] : total;
    return el(
      "div",
      { class: "account" },
      el("h3", {}, title),
      about && el("div", { class: "kind" }, about),
      ...rows.map((p) => line("", el("span", {}, moment(p.t), " ", text["part_" + p.label] + (p.why ? ": " + p.why : "")), exact(p.seconds))),
      less && line("sum", text.sum_parts, exact(total)),
      less && line("", el("span", {}, "− " + less[0]), exact(less[1])),
      line("sum", el("span", {}, text.lateness, lateness(late)), exact(late)),
    );
  }

  // Of a leg under way that is late already: the same account as that of viz/account.py, up to now.
  function soFar(unit, leg, t) {
    const [from, until] = [f.legs.t[leg], Math.floor(t)];
    const sums = new Map();
    let driven = 0;
    for (let k = changeAt(f, unit, from); k < unit.changes[1] && f.changes.t[k] < until; k++) {
      const begin = Math.max(from, f.changes.t[k]);
      const end = k + 1 < unit.changes[1] ? Math.min(until, f.changes.t[k + 1]) : until;
      const state = f.meta.states[f.changes.state[k]];
      const label = { parked: "stand", driving: "", manual: "" }[state] ?? state;
      if (end <= begin) continue;
      if (!label) driven += end - begin;
      else {
        const why = words(f.changes.cause[k]);
        const part = sums.get(label + why) || { label, why, t: begin, seconds: 0 };
        part.seconds += end - begin;
        sums.set(label + why, part);
      }
    }
    const rest = driven - f.legs.planned[leg];
    const parts = [...sums.values()];
    if (rest) parts.unshift({ label: rest > 0 ? "slower" : "faster", why: "", t: from, seconds: rest });
    return parts;
  }

  // -- a unit ---------------------------------------------------------------------------------------------
  const loadWords = (unit, load) => `${figure(load)} / ${figure(unit.capacity)} ${text["load_" + unit.fleet]}`;
  let kept = { id: null };
  function keep(unit) {
    if (kept.id === unit.id) return kept;
    const [a, b] = unit.changes;
    const span = about.end_s - about.begin_s;
    const step = Math.max(60, Math.round(span / 240));
    const battery = Array.from({ length: Math.floor(span / step) + 1 }, (_, i) => {
      const t = i * step;
      const k = lastAtMost(f.changes.t, t, a, b);
      const n = Math.min(k + 1, b - 1);
      const long = f.changes.t[n] - f.changes.t[k];
      const share = long > 0 ? Math.min(1, Math.max(0, (t - f.changes.t[k]) / long)) : 0;
      return (f.changes.battery[k] + share * (f.changes.battery[n] - f.changes.battery[k])) / 10;
    });
    const chart = makeChart(app, app.panels, { name: "battery", unit: "percent", step_s: step, parts: ["battery"], values: [battery], stacked: false, instant: true, high: 100 });
    const errands = errandsOf(unit);
    const folded = (title, lines) => el("details", { class: "day" }, el("summary", {}, title), ...lines);
    kept = {
      id: unit.id,
      chart,
      day: folded(text.its_day, dayOf(unit)),
      errands: errands.length > 0 && folded((unit.fleet === "shuttle" ? text.its_passengers : text.its_orders) + " (" + errands.length + ")", errands),
    };
    requestAnimationFrame(() => chart.draw());
    return kept;
  }

  // Its orders (placed, due, delivered) or passengers (promised, boarded, off), each with its lateness.
  function errandsOf(unit) {
    return (f.staysOf.get(unit.row) || []).map(([on, off, id]) => {
      const { kind, k } = choiceOf(id);
      const [o, b] = [f.orders, f.bookings];
      const times =
        kind === "order"
          ? [`${text.placed} ${clock(o.placed[k])}`, `${text.due} ${clock(o.due[k])}`]
          : [`${text.promised} ${clock(b.pickup[k])}`, `${text.due} ${clock(b.arrive[k])}`];
      const done = kind === "order" ? f.meta.order_states[o.status[k]] === "delivered" && off === o.end[k] : f.meta.booking_states[b.status[k]] === "served";
      const end = done ? [text[kind === "order" ? "delivered" : "alighting"] + " " + clock(off), lateness(off - (kind === "order" ? o.due[k] : b.arrive[k]))] : [text.not_done];
      return el("div", { class: "event" }, moment(on), el("span", {}, goTo(id, id), " · " + [...times, end[0]].join(" · "), end[1] || ""));
    });
  }

  function dayOf(unit) {
    const out = [];
    for (let k = unit.legs[0]; k < unit.legs[1]; k++) {
      const end = f.legs.end[k];
      const task = words(f.legs.task[k]);
      out.push([f.legs.t[k], el("span", {}, `▶ ${task} → `, goTo("road-" + f.legs.road[k], roadName(f.legs.road[k])), `, ${km(f.legs.metres[k])}`)]);
      if (end >= 0 && f.legs.arrived[k]) out.push([end, el("span", {}, "● " + text.leg_arrived, lateness(f.legs.late[k]))]);
    }
    for (let j = unit.marks[0]; j < unit.marks[1]; ) {
      const [t, what] = [f.marks.t[j], f.marks.what[j]];
      const refs = [];
      const first = j;
      for (; j < unit.marks[1] && f.marks.t[j] === t && f.marks.what[j] === what && (j === first || f.marks.word[j] === f.marks.word[first]); j++) refs.push(f.marks.ref[j]);
      out.push([t, markWords(f.meta.marks[what], refs, words(f.marks.word[first]), f.marks.value[first])]);
    }
    out.sort((a, b) => a[0] - b[0]);
    return out.map(([t, node]) => el("div", { class: "event" }, moment(t), node));
  }
  const AT_PLACE = new Set(["loaded", "returned", "transferred", "boarded", "alighted", "stopped", "charged", "tipped", "filled"]);
  const BAD = new Set(["failed", "halted", "broke", "link_lost", "violation", "found", "ordered_stop", "refused", "reserve", "missed_signal"]);
  function markWords(what, refs, word, value) {
    const kind = what === "boarded" || what === "alighted" ? "booking" : what === "swept" ? "road" : "order";
    const links = refs.filter((r) => r >= 0).map((r) => goTo(kind + "-" + r, kind === "road" ? roadName(r) : kind + "-" + r));
    const where = AT_PLACE.has(what) ? word && placeLink(word) : word;
    const more = { charged: minutes(value), resumed: minutes(value), stopped: minutes(value), failed: minutes(value), boarded: lateness(value), alighted: lateness(value), delivered: lateness(value), repaired: minutes(value), assisted: minutes(value) }[what];
    const node = el("span", { class: BAD.has(what) ? "bad" : "" }, text["mark_" + what] || what);
    for (const part of [...links, where, more]) if (part) node.append(" · ", part);
    return node;
  }

  function legAt(unit, t) {
    const k = lastAtMost(f.legs.t, t, unit.legs[0], unit.legs[1]);
    return unit.legs[0] < unit.legs[1] && f.legs.t[k] <= t ? k : -1;
  }

  function unitPanel(c) {
    const { unit } = c;
    const t = app.now;
    locateUnit(f, trips, unit, t, spot);
    const { change: k, road, state, v, moving } = spot;
    const own = keep(unit);
    const cause = words(f.changes.cause[k]);
    const leg = legAt(unit, t);
    const under = leg >= 0 && (f.legs.end[leg] < 0 || f.legs.end[leg] > t);
    const out = [
      el("h2", {}, unit.id),
      el("div", { class: "kind" }, text["one_" + unit.fleet] + (unit.model === unit.fleet || !unit.model ? "" : " · " + unit.model)),
      row(text.state, app.view.icons.picture(`unit_${unit.fleet}_${state}`, 15), " " + text["unit_state_" + state] + (cause ? ": " + cause : "")),
      row(text.on, goTo("road-" + road, roadName(road)), moving ? " · " + Math.round(v * 3.6) + " km/h" : ""),
      row(text.load, loadWords(unit, f.changes.load[k])),
    ];
    if (under) {
      const there = f.legs.t[leg] + f.legs.planned[leg];
      out.push(row(text.task, words(f.legs.task[leg]) + " → ", goTo("road-" + f.legs.road[leg], roadName(f.legs.road[leg]))), row(text.expected_there, clock(there), t > there ? el("em", { class: "bad" }, " ▲ " + exact(Math.floor(t) - there) + " " + text.late_so_far) : ""));
      if (t > there) out.push(past(account(text.why_late, soFar(unit, leg, t), t, null, text.so_far)));
    } else out.push(row(text.task, text.nothing_now));
    const aboard = (f.staysOf.get(unit.row) || []).filter(([on, off]) => on <= t && t < off);
    if (aboard.length) {
      out.push(el("h3", {}, text.aboard_now));
      for (const [, , id] of aboard.slice(0, 12)) {
        const item = choiceOf(id);
        const due = item.kind === "order" ? f.orders.due[item.k] : f.bookings.arrive[item.k];
        out.push(row(goTo(id, id), text.due + " " + clock(due), t > due ? el("em", { class: "bad" }, " ▲ " + exact(Math.floor(t - due))) : ""));
      }
      if (aboard.length > 12) out.push(row("", "+ " + (aboard.length - 12)));
    }
    // the last leg that has ended by now
    let last = leg;
    while (last >= unit.legs[0] && !(f.legs.arrived[last] && f.legs.end[last] <= t)) last--;
    if (last >= unit.legs[0] && last >= 0) {
      const which = `${words(f.legs.task[last])}, ${clock(f.legs.t[last])}–${clock(f.legs.end[last])}, ${text.planned_leg} ${exact(f.legs.planned[last])}`;
      out.push(past(account(text.why_leg, f.legParts(last).map(partOf), f.legs.end[last], null, which)));
    }
    requestAnimationFrame(own.chart.cursor); // once it has a width
    out.push(own.chart.node, own.errands && past(own.errands), past(own.day));
    return out;
  }

  // -- an order, a booking --------------------------------------------------------------------------------
  function story(items) {
    return [el("h3", {}, text.story), ...items.filter(Boolean).sort((a, b) => a[0] - b[0]).map(([t, ...nodes]) => past(el("div", {}, el("div", { class: "event" }, moment(t), el("span", {}, ...nodes)))))];
  }
  const unitLink = (i) => (i >= 0 ? goTo(unitAt(i).id, unitAt(i).id) : "–");

  function orderPanel(c) {
    const o = f.orders;
    const { k } = c;
    const t = app.now;
    const status = f.meta.order_states[o.status[k]];
    const ended = t >= o.end[k];
    const state = t < o.placed[k] ? text.not_yet : ended ? text["status_" + status] : carrier(c, t) ? text.status_aboard : t < o.ready[k] ? text.status_placed : text.status_waiting;
    const late = o.end[k] - o.due[k];
    const items = [
      [o.placed[k], text.placed],
      [o.ready[k], text.ready],
      [o.end[k], text["status_" + status], o.word[k] ? ": " + words(o.word[k]) : "", status === "delivered" ? lateness(late) : ""],
    ];
    for (let j = f.stayOff[k]; j < f.stayOff[k + 1]; j++) {
      items.push([f.stays.on[j], text.mark_loaded + " ", unitLink(f.stays.unit[j]), " · ", placeLink(words(f.stays.place[j]))]);
      if (f.stays.off[j] < o.end[k]) items.push([f.stays.off[j], text.mark_returned]);
    }
    for (let j = f.failOff[k]; j < f.failOff[k + 1]; j++) items.push([f.fails.t[j], el("span", { class: "bad" }, text.mark_failed), ": " + words(f.fails.word[j]) + " · ", unitLink(f.fails.unit[j])]);
    const parts = f.orderParts(k);
    return [
      el("h2", {}, c.id),
      el("div", { class: "kind" }, text.order),
      row(text.state, state),
      row(text.customer, o.customer[k] >= 0 ? goTo("resident-" + o.customer[k], text.resident + " " + o.customer[k]) : text.a_shop),
      row(text.to, goTo("block-" + o.block[k], blockName(o.block[k]))),
      row(text.size, figure(o.size[k]) + " l"),
      row(text.placed, clock(o.placed[k])),
      row(text.promised, o.promised[k] >= 0 ? clock(o.promised[k]) : "–"),
      row(text.due, clock(o.due[k])),
      ended && status === "delivered" ? row(text.delivered, clock(o.end[k]), lateness(late)) : null,
      row(text.unit, unitLink(o.unit[k])),
      ...(parts.length ? [past(account(status === "delivered" && late > 0 ? text.why_late : text.where_time, parts.map(partOf), o.end[k], [text.allowed, o.due[k] - o.placed[k]]))] : []),
      ...story(items),
    ];
  }

  function bookingPanel(c) {
    const b = f.bookings;
    const { k } = c;
    const t = app.now;
    const status = f.meta.booking_states[b.status[k]];
    const ended = t >= b.end[k];
    const state = t < b.made[k] ? text.not_yet : ended ? text["status_" + status] : carrier(c, t) ? text.status_riding : b.pickup[k] >= 0 ? text.status_accepted : text.status_asked;
    const served = status === "served";
    const items = [
      [b.made[k], text.made],
      b.boarded[k] >= 0 && [b.boarded[k], text.mark_boarded + " ", unitLink(b.unit[k]), " · ", placeLink(words(b.place[k])), lateness(b.boarded[k] - b.pickup[k])],
      [b.end[k], served ? text.mark_alighted + " " : text["status_" + status], served ? placeLink(words(b.to_place[k])) : b.word[k] ? ": " + words(b.word[k]) : "", served ? lateness(b.end[k] - b.arrive[k]) : ""],
    ];
    return [
      el("h2", {}, c.id),
      el("div", { class: "kind" }, text.booking),
      row(text.state, state),
      row(text.who, goTo("resident-" + b.resident[k], text.resident + " " + b.resident[k]), b.party[k] > 1 ? " + " + (b.party[k] - 1) : ""),
      row(text.wanted, clock(b.wanted[k])),
      b.place[k] ? row(text.from, placeLink(words(b.place[k]))) : null,
      b.to_place[k] ? row(text.to, placeLink(words(b.to_place[k]))) : null,
      b.pickup[k] >= 0 ? row(text.promised, clock(b.pickup[k]) + " → " + clock(b.arrive[k])) : null,
      row(text.unit, unitLink(b.unit[k])),
      ...(served ? [past(account(b.end[k] > b.arrive[k] ? text.why_late : text.where_time, f.bookingParts(k).map(partOf), b.end[k], [text.allowed_ride, b.arrive[k] - b.pickup[k]]))] : []),
      ...story(items),
    ];
  }

  const panelOf = (c) => ({ unit: unitPanel, order: orderPanel, booking: bookingPanel })[c.kind](c);
  function tipOf(c) {
    if (c.kind !== "unit") return panelOf(c).slice(0, 6);
    locateUnit(f, trips, c.unit, app.now, spot);
    const k = spot.change;
    const cause = words(f.changes.cause[k]);
    return [el("h2", {}, c.id), row(text.state, text["unit_state_" + spot.state] + (cause ? ": " + cause : "")), row(text.load, loadWords(c.unit, f.changes.load[k])), row(text.battery, Math.round(f.changes.battery[k] / 10) + " %")];
  }
  // Units by the beginning of their name; orders and bookings by the beginning of their number.
  function search(q, offer) {
    const m = /^(order|booking)[-\s]*(\d+)$/.exec(q);
    const number = /^\d{4,}$/.test(q) ? q : null;
    for (const [kind, column, title] of [["order", f.orders.order, text.order], ["booking", f.bookings.booking, text.booking]]) {
      const wanted = m ? m[1] === kind && m[2] : number;
      if (!wanted) continue;
      let n = 0;
      for (const value of column) if (String(value).startsWith(wanted) && n++ < 6) offer(kind + "-" + value, kind + "-" + value, title);
    }
    const fits = f.list.filter((u) => u.id === q).concat(f.list.filter((u) => u.id !== q && u.id.startsWith(q)));
    for (const u of fits.slice(0, 12)) offer(u.id, u.id, text["one_" + u.fleet]);
  }
  const rolesOf = (id) => Object.entries(f.meta.roles).filter(([, ids]) => ids.includes(id)).map(([role]) => text["role_" + role]);
  return { choiceOf, spotOf, wayOf, panelOf, tipOf, search, rolesOf, placeRow, kinds: new Set(["unit", "order", "booking"]) };
}
