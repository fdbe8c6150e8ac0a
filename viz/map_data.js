// Containers to columns: base64 → gzip → header and streams of variable-length integers (see viz/pack.py).

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const raw = atob(text);
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
}

function gunzip(bytes) {
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));
}

function takeData(name) {
  const element = document.getElementById("data-" + name);
  const text = element.textContent;
  element.remove(); // megabytes that nobody needs twice
  return bytesOf(text);
}

async function openData(name) {
  const raw = new Uint8Array(await gunzip(takeData(name)).arrayBuffer());
  const size = raw[0] | (raw[1] << 8) | (raw[2] << 16) | (raw[3] << 24);
  const header = JSON.parse(new TextDecoder().decode(raw.subarray(4, 4 + size)));
  const body = raw.subarray(4 + size);
  const stream = (key) => {
    const at = header.streams[key];
    return at ? body.subarray(at[0], at[0] + at[1]) : new Uint8Array(0);
  };
  return {
    meta: header.meta,
    ints: (key) => varints(stream(key), Int32Array),
    numbers: (key) => varints(stream(key), Float64Array),
    signed: (key) => unzigzag(varints(stream(key), Float64Array)),
    wide: (key) => wides(stream(key)),
    wideSigned: (key) => unzigzag(wides(stream(key))),
  };
}

function varints(bytes, Kind) {
  let n = 0;
  for (let i = 0; i < bytes.length; i++) n += bytes[i] < 128 ? 1 : 0;
  const out = new Kind(n);
  for (let i = 0, k = 0; i < bytes.length; k++) {
    let b = bytes[i++];
    let value = b & 127;
    for (let scale = 128; b > 127; scale *= 128) {
      b = bytes[i++];
      value += (b & 127) * scale;
    }
    out[k] = value;
  }
  return out;
}

// count, all low bytes, then the rest
function wides(bytes) {
  let head = 0;
  let n = 0;
  for (let scale = 1; ; scale *= 128) {
    const b = bytes[head++];
    if (b === undefined) return new Float64Array(0);
    n += (b & 127) * scale;
    if (b < 128) break;
  }
  const out = varints(bytes.subarray(head + n), Float64Array);
  for (let i = 0; i < n; i++) out[i] = out[i] * 256 + bytes[head + i];
  return out;
}

function unzigzag(values) {
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    values[i] = v % 2 ? -(v + 1) / 2 : v / 2;
  }
  return values;
}

function runningSum(values) {
  for (let i = 1; i < values.length; i++) values[i] += values[i - 1];
  return values;
}

function offsetsOf(counts) {
  const out = new Uint32Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) out[i + 1] = out[i] + counts[i];
  return out;
}

// Last index i in [lo, hi) with values[i] <= x, or lo.
function lastAtMost(values, x, lo, hi) {
  while (hi - lo > 1) {
    const mid = (lo + hi) >> 1;
    if (values[mid] <= x) lo = mid;
    else hi = mid;
  }
  return lo;
}

// Tables of a container (see viz/fleet.py, Tables): name → { column → values }.
function openTables(data) {
  const f = { meta: data.meta, words: data.meta.words };
  for (const [name, columns] of Object.entries(data.meta.tables)) {
    f[name] = {};
    for (const [key, bySteps] of Object.entries(columns)) {
      const values = data.wideSigned(name + "." + key);
      f[name][key] = bySteps ? runningSum(values) : values;
    }
  }
  return f;
}

// First row of each owner in a table that is sorted by it.
function firstRows(owner, n) {
  const out = new Int32Array(n + 1);
  for (const i of owner) out[i + 1]++;
  for (let i = 0; i < n; i++) out[i + 1] += out[i];
  return out;
}

// Rows [a, b) of owner i at or before t, as the index after the last of them.
const upTo = (t, first, i, now) => {
  let k = first[i];
  while (k < first[i + 1] && t[k] <= now) k++;
  return k;
};

// The nearest of drawn things within reach of a point, or null; ``shift``: how many metres further down they are drawn.
function nearestSpot(city, spots, x, y, reach, shift) {
  let best = null;
  let least = reach;
  for (const d of spots) {
    const far = Math.hypot((d.at[0] - x) * city.mPerLon, (d.at[1] - y) * city.mPerLat - shift);
    if (far < least) [least, best] = [far, d];
  }
  return best;
}

// -- the city ---------------------------------------------------------------------------------------

function lineCoordinates(data, key, unit) {
  // steps within a line; a line's first vertex is a step from the first vertex of the line before
  const counts = data.ints(key + ".vertices");
  const offsets = offsetsOf(counts);
  const xs = data.wideSigned(key + ".x");
  const ys = data.wideSigned(key + ".y");
  const xy = new Float32Array(xs.length * 2);
  let headX = 0;
  let headY = 0;
  for (let i = 0; i < counts.length; i++) {
    let x = headX;
    let y = headY;
    for (let k = offsets[i]; k < offsets[i + 1]; k++) {
      x += xs[k];
      y += ys[k];
      if (k === offsets[i]) {
        headX = x;
        headY = y;
      }
      xy[2 * k] = x * unit;
      xy[2 * k + 1] = y * unit;
    }
  }
  return { offsets, xy };
}

function areaObjects(data, key, unit) {
  const lines = lineCoordinates(data, key, unit);
  const rings = data.ints(key + ".rings");
  const rows = data.ints(key + ".row");
  const out = [];
  let line = 0;
  for (let i = 0; i < rings.length; i++) {
    const polygon = [];
    for (let r = 0; r < rings[i]; r++, line++) {
      const ring = [];
      for (let k = lines.offsets[line]; k < lines.offsets[line + 1]; k++) ring.push([lines.xy[2 * k], lines.xy[2 * k + 1]]);
      polygon.push(ring);
    }
    out.push({ polygon, row: rows[i] });
  }
  return out;
}

function openCity(data) {
  const meta = data.meta.city;
  const unit = meta.unit_deg;
  const names = meta.names;
  const named = (key) => ({ name: data.ints(key + ".name"), name_en: data.ints(key + ".name_en") });
  const road = lineCoordinates(data, "road", unit);
  const n = road.offsets.length - 1;
  const mPerLat = 111195;
  const mPerLon = mPerLat * Math.cos((meta.centre[1] * Math.PI) / 180);
  const along = new Float32Array(road.xy.length / 2); // metres from the road's beginning, vertex by vertex
  for (let i = 0; i < n; i++)
    for (let k = road.offsets[i] + 1; k < road.offsets[i + 1]; k++)
      along[k] =
        along[k - 1] +
        Math.hypot((road.xy[2 * k] - road.xy[2 * k - 2]) * mPerLon, (road.xy[2 * k + 1] - road.xy[2 * k - 1]) * mPerLat);
  const tenth = (values) => Float32Array.from(values, (v) => v / 10);
  const place = (values) => Float32Array.from(runningSum(values), (v) => v * unit);
  const city = {
    meta,
    names,
    nodes: { x: place(data.wideSigned("node.x")), y: place(data.wideSigned("node.y")) },
    centre: meta.centre,
    mPerLat,
    mPerLon,
    roads: {
      n,
      offsets: road.offsets,
      xy: road.xy,
      along,
      ...named("road"),
      from: runningSum(data.wideSigned("road.from")),
      to: runningSum(data.wideSigned("road.to")),
      kind: data.ints("road.class"),
      limit: tenth(data.ints("road.speed_dm_s")),
      lanes: data.ints("road.lanes"),
      length: tenth(data.wide("road.length_dm")),
      side: tenth(data.ints("road.side_dm")),
      other: Int32Array.from(data.wideSigned("road.other"), (v, i) => (v ? i + v : -1)),
    },
    waters: { shapes: areaObjects(data, "water", unit), ...named("water") },
    blocks: { shapes: areaObjects(data, "block", unit), kind: data.ints("block.kind"), community: data.ints("block.community") },
    communities: { shapes: areaObjects(data, "community", unit), ...named("community") },
    subdistricts: { shapes: areaObjects(data, "subdistrict", unit), ...named("subdistrict") },
    places: { ...named("place"), kind: data.ints("place.kind"), id: data.ints("place.id"), community: data.ints("place.community") },
    junctions: {},
    labels: {
      style: data.ints("label.style"),
      angle: data.signed("label.angle"),
      zoom: data.ints("label.zoom2"),
      ...data.meta.about.label,
    },
  };
  for (const key of ["residents", "jobs", "shops", "pupils", "storeys"]) city.blocks[key] = data.ints("block." + key);
  city.communities.residents = data.ints("community.residents");
  city.communities.subdistrict = data.ints("community.subdistrict");
  city.communities.kind = data.ints("community.kind");
  city.subdistricts.residents = data.ints("subdistrict.residents");
  for (const [key, target] of [["place", city.places], ["junction", city.junctions], ["label", city.labels]]) {
    target.x = Float32Array.from(data.signed(key + ".x"), (v) => v * unit);
    target.y = Float32Array.from(data.signed(key + ".y"), (v) => v * unit);
  }
  city.gates = [];
  city.places.kind.forEach((k, i) => meta.place_kinds[k] === "gate" && city.gates.push(i));
  return city;
}

function shapeCentre(shape) {
  let x = 0;
  let y = 0;
  const ring = shape.polygon[0];
  for (const p of ring) {
    x += p[0];
    y += p[1];
  }
  return [x / ring.length, y / ring.length];
}
