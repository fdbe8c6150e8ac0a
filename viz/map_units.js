// Units of fleets: each is one mover through the whole run, on its leg's vehicle while it drives, else where it stands.

const UNIT_BASE = 100000;

function openUnits(data, trips, kinds) {
  const meta = data.meta;
  const table = (name) =>
    Object.fromEntries(Object.entries(meta.tables[name]).map(([key, bySteps]) => [key, bySteps ? runningSum(data.wideSigned(name + "." + key)) : data.wideSigned(name + "." + key)]));
  const f = { meta, words: meta.words };
  for (const name of Object.keys(meta.tables)) f[name] = table(name);
  const cut = (counts) => offsetsOf(Int32Array.from(counts));
  const [changes, legs, marks] = [cut(f.units.changes), cut(f.units.legs), cut(f.day.marks)];
  f.list = Array.from(f.units.number, (number, i) => {
    const fleet = meta.fleets[f.units.fleet[i]];
    return {
      row: i,
      id: fleet + "-" + number,
      fleet,
      number,
      model: f.words[f.units.model[i]],
      capacity: f.units.capacity[i],
      changes: [changes[i], changes[i + 1]],
      legs: [legs[i], legs[i + 1]],
      marks: [marks[i], marks[i + 1]],
      pieces: [],
    };
  });
  f.byId = new Map(f.list.map((u) => [u.id, u]));
  f.codes = meta.fleets.map((fleet) => kinds.indexOf(fleet));
  const name = (i) => kinds[trips.kind[i]] + "-" + (trips.entity[i] % UNIT_BASE);
  for (let i = 0; i < trips.n; i++) {
    const unit = f.codes.includes(trips.kind[i]) && f.byId.get(name(i));
    if (unit) unit.pieces.push(i);
  }
  for (const u of f.list) u.pieces.sort((a, b) => trips.begins[a] - trips.begins[b]);
  // every leg, then every order, then every booking has its own stretch of the one table of parts
  const whole = cut([...f.legs.parts, ...f.orders.parts, ...f.bookings.parts]);
  const [nLegs, nOrders] = [f.legs.t.length, f.orders.order.length];
  const partsAt = (k) => Array.from({ length: whole[k + 1] - whole[k] }, (_, j) => whole[k] + j);
  f.legParts = (k) => partsAt(k);
  f.orderParts = (k) => partsAt(nLegs + k);
  f.bookingParts = (k) => partsAt(nLegs + nOrders + k);
  f.stayOff = cut(f.orders.stays);
  f.failOff = cut(f.orders.fails);
  f.staysOf = new Map(); // unit → its orders' stays and its bookings' rides: [on, off, id]
  const stay = (unit, on, off, id) => {
    if (unit < 0) return;
    if (!f.staysOf.has(unit)) f.staysOf.set(unit, []);
    f.staysOf.get(unit).push([on, off, id]);
  };
  f.orders.order.forEach((number, k) => {
    for (let j = f.stayOff[k]; j < f.stayOff[k + 1]; j++) stay(f.stays.unit[j], f.stays.on[j], f.stays.off[j], "order-" + number);
  });
  f.bookings.booking.forEach((number, k) => f.bookings.boarded[k] >= 0 && stay(f.bookings.unit[k], f.bookings.boarded[k], f.bookings.end[k], "booking-" + number));
  for (const list of f.staysOf.values()) list.sort((a, b) => a[0] - b[0]);
  // row of an order or booking by its number
  const rowOf = (column) => {
    const at = new Map(Array.from(column, (number, k) => [number, k]));
    return (number) => at.get(number) ?? -1;
  };
  f.orderRow = rowOf(f.orders.order);
  f.bookingRow = rowOf(f.bookings.booking);
  return f;
}

// Index of what changed last for a unit at t.
function changeAt(f, unit, t) {
  return lastAtMost(f.changes.t, t, unit.changes[0], unit.changes[1]);
}

// Everything about a unit at t, into out: state, change, x, y, dx, dy, road, pos, moving, piece.
function locateUnit(f, trips, unit, t, out) {
  const k = changeAt(f, unit, t);
  out.change = k;
  out.state = f.meta.states[f.changes.state[k]] || "parked";
  out.moving = false;
  out.piece = -1;
  if (out.state === "driving" || out.state === "manual") {
    let i = -1;
    for (let lo = 0, hi = unit.pieces.length; lo < hi; ) {
      const mid = (lo + hi) >> 1;
      if (trips.begins[unit.pieces[mid]] <= t) {
        i = unit.pieces[mid];
        lo = mid + 1;
      } else hi = mid;
    }
    if (i >= 0 && (trips.ends[i] >= t || trips.ends[i] > f.changes.t[k])) {
      out.moving = trips.ends[i] >= t;
      out.piece = out.moving ? i : -1;
      return locate(trips, i, Math.min(t, trips.ends[i]), out);
    }
  }
  out.road = f.changes.road[k];
  out.pos = Math.min(f.changes.pos[k] / 10, trips.city.roads.length[out.road]);
  out.v = 0;
  return pointOn(trips.city, out.road, out.pos, out);
}

// The layer of all units, and where each was drawn (for pointing at them).
function makeUnits(app, kit, view) {
  const { fleet: f, trips, city } = app;
  const { make, metresPerPixel } = kit;
  const spot = {};
  const COLUMNS = 6;
  view.unitSpots = [];
  return (t, zoom) => {
    const pixel = metresPerPixel(zoom);
    const size = zoom < 11 ? 13 : zoom < 13 ? 17 : 23;
    const small = Math.round(size * 0.72);
    const taken = new Map();
    const drawn = [];
    for (const unit of f.list) {
      if (!app.on["fleet_" + unit.fleet]) continue;
      locateUnit(f, trips, unit, t, spot);
      const d = { unit, x: spot.x, y: spot.y, state: spot.state, size: spot.state === "parked" ? small : size, angle: 0 };
      if (spot.state === "driving") d.angle = (Math.atan2(spot.dy, spot.dx) * 180) / Math.PI + app.camera.bearing;
      if (!spot.moving) {
        // those that stand at one place are drawn side by side, right of the lane
        const key = spot.road + "/" + Math.round(spot.pos / 20);
        const n = taken.get(key) || 0;
        taken.set(key, n + 1);
        const along = (n % COLUMNS) * small * pixel;
        const aside = (0.55 + Math.floor(n / COLUMNS)) * small * pixel;
        d.x += (along * spot.dx + aside * spot.dy) / city.mPerLon;
        d.y += (along * spot.dy - aside * spot.dx) / city.mPerLat;
      }
      drawn.push(d);
    }
    view.unitSpots = drawn;
    if (!drawn.length) return [];
    return [
      make("units", {
        data: drawn,
        iconAtlas: view.icons.canvas,
        iconMapping: view.icons.mapping,
        getIcon: (d) => "unit_" + d.unit.fleet + "_" + d.state,
        getSize: (d) => d.size,
        getAngle: (d) => d.angle,
        getPosition: (d) => [d.x, d.y],
      }),
    ];
  };
}
