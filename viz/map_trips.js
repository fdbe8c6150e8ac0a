// Where every vehicle is at any moment: lists of roads and breakpoints (see viz/encode.py), looked up by bisection.

const KIND_SIZE = 1e12;
const SLICE_S = 120;

function openTrips(data, city) {
  const meta = data.meta;
  const n = meta.pieces;
  const unit = meta.time_unit_s;
  const wayUnit = meta.way_unit_m;
  const entity = runningSum(data.signed("entity"));
  const nRoads = data.ints("n_roads");
  const roadOff = offsetsOf(nRoads);
  const next = data.signed("next");
  const nextOff = offsetsOf(data.ints("n_next"));
  const gap = data.ints("next_gap_m");
  const turn = data.ints("turn");
  const first = data.wide("first_road");
  const roads = city.roads.n < 65536 ? new Uint16Array(meta.roads) : new Uint32Array(meta.roads);
  const start = new Float32Array(meta.roads); // metres from the piece's beginning to the road's
  const length = city.roads.length;
  for (let i = 0, k = 0; i < n; i++) {
    let road = first[i];
    let s = 0;
    for (let j = roadOff[i]; j < roadOff[i + 1]; j++) {
      if (j > roadOff[i]) {
        const pair = nextOff[road] + turn[k++];
        s += length[road] + gap[pair];
        road += next[pair];
      }
      roads[j] = road;
      start[j] = s;
    }
  }
  const pointOff = offsetsOf(data.ints("n_points"));
  const time = new Float32Array(meta.points);
  const way = new Float32Array(meta.points);
  const [t0, ds] = [data.wide("t0"), data.wide("ds")];
  const [s0, dt] = [data.ints("s0"), data.ints("dt")];
  const begins = new Float32Array(n);
  const ends = new Float32Array(n);
  for (let i = 0, k = 0; i < n; i++) {
    let t = t0[i];
    let s = s0[i];
    for (let j = pointOff[i]; j < pointOff[i + 1]; j++) {
      if (j > pointOff[i]) {
        t += dt[k];
        s += ds[k++];
      }
      time[j] = t * unit;
      way[j] = s * wayUnit;
    }
    begins[i] = t0[i] * unit;
    ends[i] = t * unit;
  }
  const kind = Uint8Array.from(data.ints("kind"), (v) => v - 1);
  return { n, kind, entity, occurrence: data.ints("occurrence"), roadOff, roads, start, pointOff, time, way, begins, ends, city };
}

// Indices of the pieces under way at t (seconds from the beginning), into `out`; returns how many.
function underWay(trips, t, out) {
  const { begins, ends, n } = trips;
  let m = 0;
  for (let i = 0; i < n; i++) if (begins[i] <= t && ends[i] >= t) out[m++] = i;
  return m;
}

// Way and speed of piece i at t.
function wayAt(trips, i, t, out) {
  const { pointOff, time, way } = trips;
  const lo = pointOff[i];
  const hi = pointOff[i + 1];
  const k = Math.min(lastAtMost(time, t, lo, hi), hi - 2);
  if (hi - lo < 2) {
    out.s = way[lo];
    out.v = 0;
    return;
  }
  const span = time[k + 1] - time[k];
  const f = Math.min(1, Math.max(0, (t - time[k]) / span));
  out.s = way[k] + f * (way[k + 1] - way[k]);
  out.v = (way[k + 1] - way[k]) / span;
}

// Point on road `r`, `pos` metres along it, on its right-hand side: x, y in degrees from the centre, dx, dy its direction in metres.
function pointOn(city, r, pos, out) {
  const { offsets, xy, along, length, side } = city.roads;
  const lo = offsets[r];
  const hi = offsets[r + 1];
  const d = (pos / length[r]) * along[hi - 1];
  const k = hi - lo > 2 ? Math.min(lastAtMost(along, d, lo, hi), hi - 2) : lo;
  const span = along[k + 1] - along[k];
  const f = span > 0 ? Math.min(1, Math.max(0, (d - along[k]) / span)) : 0;
  const x0 = xy[2 * k];
  const y0 = xy[2 * k + 1];
  const dx = xy[2 * k + 2] - x0;
  const dy = xy[2 * k + 3] - y0;
  const mx = dx * city.mPerLon;
  const my = dy * city.mPerLat;
  const size = Math.hypot(mx, my) || 1;
  out.dx = mx / size;
  out.dy = my / size;
  out.x = x0 + f * dx + (side[r] * out.dy) / city.mPerLon;
  out.y = y0 + f * dy - (side[r] * out.dx) / city.mPerLat;
}

// Everything about piece i at t, into out: s, v, road, pos, x, y, dx, dy.
function locate(trips, i, t, out) {
  wayAt(trips, i, t, out);
  const j = lastAtMost(trips.start, out.s, trips.roadOff[i], trips.roadOff[i + 1]);
  const length = trips.city.roads.length[trips.roads[j]];
  out.road = trips.roads[j];
  out.pos = Math.min(out.s - trips.start[j], length);
  pointOn(trips.city, out.road, out.pos, out);
  const beyond = out.s - trips.start[j] - length;
  if (beyond > 0 && j + 1 < trips.roadOff[i + 1]) across(trips, j, beyond, length, out);
}

// Between two roads: on a bow over the junction, from the end of road j towards the beginning of the next.
function across(trips, j, beyond, length, out) {
  const city = trips.city;
  const gap = trips.start[j + 1] - trips.start[j] - length;
  if (!(gap > 0.5)) return;
  const f = Math.min(1, beyond / gap);
  const { x, y, dx, dy } = out;
  pointOn(city, trips.roads[j + 1], 0, out);
  const half = gap / 2;
  const cx = (x + (dx * half) / city.mPerLon + out.x - (out.dx * half) / city.mPerLon) / 2;
  const cy = (y + (dy * half) / city.mPerLat + out.y - (out.dy * half) / city.mPerLat) / 2;
  const [a, b, c] = [(1 - f) * (1 - f), 2 * f * (1 - f), f * f];
  out.x = a * x + b * cx + c * out.x;
  out.y = a * y + b * cy + c * out.y;
  const [hx, hy] = [(1 - f) * dx + f * out.dx, (1 - f) * dy + f * out.dy];
  const size = Math.hypot(hx, hy) || 1;
  out.dx = hx / size;
  out.dy = hy / size;
}

// Paths with times of all pieces between two moments, as binary attributes of a TripsLayer.
function slicePaths(trips, from, until, colours) {
  const { begins, ends, pointOff, time, way, roadOff, roads, start, city } = trips;
  const starts = [];
  let size = 4096;
  let xy = new Float32Array(2 * size);
  let ts = new Float32Array(size);
  let rgba = new Uint8Array(4 * size);
  let m = 0;
  const spot = {};
  const whole = city.roads;
  for (let i = 0; i < trips.n; i++) {
    if (begins[i] >= until || ends[i] <= from || ends[i] === begins[i]) continue;
    const a = Math.max(from, begins[i]);
    const b = Math.min(until, ends[i]);
    wayAt(trips, i, a, spot);
    const sa = spot.s;
    wayAt(trips, i, b, spot);
    const sb = spot.s;
    if (sb - sa < 0.5) continue;
    const colour = colours[trips.kind[i]];
    if (!colour) continue;
    const put = (x, y, t) => {
      if (m === size) {
        size *= 2;
        const grow = (old, Kind, k) => {
          const big = new Kind(k * size);
          big.set(old);
          return big;
        };
        xy = grow(xy, Float32Array, 2);
        ts = grow(ts, Float32Array, 1);
        rgba = grow(rgba, Uint8Array, 4);
      }
      xy[2 * m] = x;
      xy[2 * m + 1] = y;
      ts[m] = t;
      rgba[4 * m] = colour[0];
      rgba[4 * m + 1] = colour[1];
      rgba[4 * m + 2] = colour[2];
      rgba[4 * m + 3] = 255;
      m++;
    };
    starts.push(m);
    let p = Math.min(lastAtMost(time, a, pointOff[i], pointOff[i + 1]), pointOff[i + 1] - 2);
    const timeOf = (s) => {
      while (p < pointOff[i + 1] - 2 && (way[p + 1] < s || time[p + 1] < a)) p++;
      const span = way[p + 1] - way[p];
      const t = span > 0 ? time[p] + ((s - way[p]) / span) * (time[p + 1] - time[p]) : time[p];
      return Math.min(b, Math.max(a, t));
    };
    let j = lastAtMost(start, sa, roadOff[i], roadOff[i + 1]);
    const last = lastAtMost(start, sb, roadOff[i], roadOff[i + 1]);
    for (; j <= last; j++) {
      const r = roads[j];
      const from_m = Math.max(0, sa - start[j]);
      const to_m = Math.min(whole.length[r], sb - start[j]);
      pointOn(city, r, from_m, spot);
      put(spot.x, spot.y, timeOf(start[j] + from_m));
      const scale = whole.length[r] / (whole.along[whole.offsets[r + 1] - 1] || 1);
      for (let k = whole.offsets[r] + 1; k < whole.offsets[r + 1] - 1; k++) {
        const pos = whole.along[k] * scale;
        if (pos <= from_m || pos >= to_m) continue;
        pointOn(city, r, pos, spot);
        put(spot.x, spot.y, timeOf(start[j] + pos));
      }
      pointOn(city, r, to_m, spot);
      put(spot.x, spot.y, timeOf(start[j] + to_m));
    }
  }
  starts.push(m);
  return {
    length: starts.length - 1,
    startIndices: Uint32Array.from(starts),
    attributes: {
      getPath: { value: xy.subarray(0, 2 * m), size: 2 },
      getTimestamps: { value: ts.subarray(0, m), size: 1 },
      getColor: { value: rgba.subarray(0, 4 * m), size: 4, normalized: true },
    },
  };
}

function vehicleLabel(trips, kinds, i) {
  return kinds[trips.kind[i]] + "-" + trips.entity[i] + "-" + trips.occurrence[i];
}

// Pieces of one vehicle (sorted by number, so by kind, entity, occurrence): [first, last + 1).
function piecesOf(trips, kind, entity, occurrence) {
  const key = (i) => trips.kind[i] * KIND_SIZE + trips.entity[i] * 1000 + trips.occurrence[i];
  const want = kind * KIND_SIZE + entity * 1000 + occurrence;
  let lo = 0;
  let hi = trips.n;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (key(mid) < want) lo = mid + 1;
    else hi = mid;
  }
  let end = lo;
  while (end < trips.n && key(end) === want) end++;
  return [lo, end];
}

// -- residents' trips, and the state of the roads -----------------------------------------------------

function openTasks(data) {
  const resident = runningSum(data.numbers("resident"));
  const n = resident.length;
  const how = data.ints("how");
  const from = data.wide("origin");
  const to = data.wide("destination");
  const origin = new Int32Array(n);
  const destination = new Int32Array(n);
  const t = data.wideSigned("t");
  const planned = data.signed("planned");
  const minute = data.wide("due_min");
  const due = data.numbers("due_s");
  const expected = data.wide("expected");
  const duration = data.wideSigned("duration");
  const whole = (z) => (z % 2 ? -(z + 1) / 2 : z / 2);
  for (let i = 0; i < n; i++) {
    origin[i] = from[i] === 0 ? destination[i - 1] : whole(from[i] - 1);
    destination[i] = to[i] === 0 ? origin[i - 1] : whole(to[i] - 1);
    planned[i] = t[i] - planned[i];
    due[i] = minute[i] === 0 ? NaN : whole(minute[i] - 1) * 60 + due[i];
    duration[i] += expected[i];
  }
  const [mode, purpose] = [how.map((v) => v >> 4), how.map((v) => v & 15)];
  return { n, resident, trip: data.ints("trip"), mode, purpose, origin, destination, t, planned, due, expected, status: data.ints("status"), duration };
}

function tasksOf(tasks, resident) {
  let lo = 0;
  let hi = tasks.n;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (tasks.resident[mid] < resident) lo = mid + 1;
    else hi = mid;
  }
  let end = lo;
  while (end < tasks.n && tasks.resident[end] === resident) end++;
  return [lo, end];
}

function openState(data, city) {
  const steps = data.meta.steps;
  const used = runningSum(data.ints("state.road"));
  const entered = data.ints("state.entered");
  const speed = data.ints("state.speed");
  const row = new Int32Array(city.roads.n).fill(-1);
  const mean = new Float32Array(used.length);
  used.forEach((r, k) => {
    row[r] = k;
    for (let i = 0; i < steps; i++) mean[k] += entered[k * steps + i] / steps;
  });
  return {
    steps,
    used,
    mean: (r) => (row[r] < 0 ? 0 : mean[row[r]]),
    entered: (r, step) => (row[r] < 0 ? 0 : entered[row[r] * steps + step]),
    // m/s, NaN where nobody drove
    speed: (r, step) => {
      const code = row[r] < 0 ? 0 : speed[row[r] * steps + step];
      return code ? (code - 1) / 2 : NaN;
    },
  };
}
