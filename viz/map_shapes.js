// Shapes for the picture: lines as meshes of their own width, badges drawn on a canvas.
// One mesh per layer instead of one instance per piece of line: where the processor has to draw, it is many times quicker.

// Paths of roads with, at every vertex, the way to the left per metre (in degrees): xy ± half width × normal is a ribbon.
function pathSet(city, which, { full = false, sided = false } = {}) {
  const { roads, nodes } = city;
  let size = 0;
  for (const r of which) size += roads.offsets[r + 1] - roads.offsets[r] + (full ? 2 : 0);
  const xy = new Float32Array(size * 2);
  const starts = new Uint32Array(which.length + 1);
  let at = 0;
  const put = (x, y) => {
    xy[2 * at] = x;
    xy[2 * at + 1] = y;
    at++;
  };
  const toNode = (node, k) => {
    if (!node) return;
    const dx = (nodes.x[node - 1] - roads.xy[2 * k]) * city.mPerLon;
    const dy = (nodes.y[node - 1] - roads.xy[2 * k + 1]) * city.mPerLat;
    const far = Math.hypot(dx, dy);
    if (far > 0.5 && far < 60) put(nodes.x[node - 1], nodes.y[node - 1]);
  };
  which.forEach((r, i) => {
    starts[i] = at;
    if (full) toNode(roads.from[r], roads.offsets[r]);
    for (let k = roads.offsets[r]; k < roads.offsets[r + 1]; k++) put(roads.xy[2 * k], roads.xy[2 * k + 1]);
    if (full) toNode(roads.to[r], roads.offsets[r + 1] - 1);
  });
  starts[which.length] = at;
  const set = withNormals(city, xy.subarray(0, 2 * at), starts);
  set.ids = which;
  if (sided)
    which.forEach((r, i) => {
      for (let k = starts[i]; k < starts[i + 1]; k++) {
        set.xy[2 * k] -= roads.side[r] * set.normal[2 * k];
        set.xy[2 * k + 1] -= roads.side[r] * set.normal[2 * k + 1];
      }
    });
  return set;
}

function withNormals(city, xy, starts) {
  const normal = new Float32Array(xy.length);
  for (let i = 0; i + 1 < starts.length; i++)
    for (let k = starts[i]; k < starts[i + 1]; k++) {
      const p = k > starts[i] ? k - 1 : k;
      const q = k + 1 < starts[i + 1] ? k + 1 : k;
      const unit = (a, b) => {
        const mx = (xy[2 * b] - xy[2 * a]) * city.mPerLon;
        const my = (xy[2 * b + 1] - xy[2 * a + 1]) * city.mPerLat;
        const size = Math.hypot(mx, my);
        return size ? [mx / size, my / size] : null;
      };
      const one = unit(p, k) || unit(k, q) || [1, 0];
      const two = unit(k, q) || one;
      let [mx, my] = [one[0] + two[0], one[1] + two[1]];
      const size = Math.hypot(mx, my);
      if (size < 0.5) [mx, my] = two; // a hairpin: no mitre
      else {
        // the mitre keeps the width; at sharp bends it is cut short
        const stretch = Math.min(1.6, 2 / size) / size;
        mx *= stretch;
        my *= stretch;
      }
      normal[2 * k] = -my / city.mPerLon;
      normal[2 * k + 1] = mx / city.mPerLat;
    }
  return { xy, starts, normal, ids: null, n: starts.length - 1 };
}

// A set of paths as one mesh: half widths in metres and colours by path.
function ribbon(set, halfOf, colourOf) {
  const points = set.starts[set.n];
  const xy = new Float32Array(4 * points);
  const rgba = new Uint8Array(8 * points);
  const starts = new Uint32Array(set.n + 1);
  const indices = new Uint32Array(6 * Math.max(0, points - set.n));
  let at = 0;
  for (let i = 0; i < set.n; i++) {
    const half = halfOf(i);
    const c = colourOf(i);
    const alpha = c.length > 3 ? c[3] : 255;
    starts[i] = 2 * set.starts[i];
    for (let k = set.starts[i]; k < set.starts[i + 1]; k++) {
      const dx = half * set.normal[2 * k];
      const dy = half * set.normal[2 * k + 1];
      xy[4 * k] = set.xy[2 * k] + dx;
      xy[4 * k + 1] = set.xy[2 * k + 1] + dy;
      xy[4 * k + 2] = set.xy[2 * k] - dx;
      xy[4 * k + 3] = set.xy[2 * k + 1] - dy;
      for (let v = 8 * k; v < 8 * k + 8; v += 4) {
        rgba[v] = c[0];
        rgba[v + 1] = c[1];
        rgba[v + 2] = c[2];
        rgba[v + 3] = alpha;
      }
      if (k + 1 < set.starts[i + 1]) {
        const v = 2 * k;
        indices[at] = v;
        indices[at + 1] = indices[at + 3] = v + 1;
        indices[at + 2] = indices[at + 5] = v + 2;
        indices[at + 4] = v + 3;
        at += 6;
      }
    }
  }
  starts[set.n] = 2 * points;
  return meshData(set.n, starts, xy, indices, rgba);
}

function meshData(length, startIndices, xy, indices, rgba) {
  return {
    length,
    startIndices,
    attributes: {
      getPolygon: { value: xy, size: 2 },
      indices: { value: indices, size: 1 },
      getFillColor: { value: rgba, size: 4, normalized: true },
    },
  };
}

// Rings of areas as paths (outlines).
function ringSet(city, areas) {
  const rings = areas.shapes.flatMap((s) => s.polygon);
  return lineSet(city, rings);
}

function lineSet(city, lines) {
  const starts = new Uint32Array(lines.length + 1);
  lines.forEach((ring, i) => (starts[i + 1] = starts[i] + ring.length));
  const xy = new Float32Array(2 * starts[lines.length]);
  lines.forEach((ring, i) => ring.forEach((p, k) => xy.set(p, 2 * (starts[i] + k))));
  return withNormals(city, xy, starts);
}

// Badges and glyphs of systems of the city that not every run has; their own scripts add them.
const MORE_ICONS = [];
const MORE_GLYPHS = {};

// Badges: shape by kind, glyph inside; drawn here so that no picture has to be loaded.
function makeIcons(about) {
  const cell = 64;
  const entries = Object.entries(about.icons).map(([name, [shape, glyph, colour]]) => [name, shape, glyph, colour]);
  const alarm = about.palette.alarm;
  const over = [128, 134, 148];
  for (const [kind, shape, glyph, colour] of [
    ["closed", "round_bar", "bar", alarm],
    ["lane_closed", "triangle", "bar", [255, 150, 80]],
    ["speed_limit", "ring", "none", [255, 196, 90]],
    ["weather", "drop", "none", [120, 190, 255]],
    ["demand", "diamond", "bars", [200, 170, 255]],
    ["event", "diamond", "star", [255, 214, 120]],
    ["advice", "arrow", "none", [120, 230, 200]],
  ])
    entries.push(["event_" + kind, shape, glyph, colour], ["event_" + kind + "_over", shape, glyph, over]);
  entries.push(...fleetIcons(about, over), ...MORE_ICONS.flatMap((icons) => icons(about, over)));
  const columns = 8;
  const canvas = document.createElement("canvas");
  canvas.width = columns * cell;
  canvas.height = 2 ** Math.ceil(Math.log2(Math.ceil(entries.length / columns) * cell));
  const g = canvas.getContext("2d");
  const mapping = {};
  entries.forEach(([name, shape, glyph, colour, edge], i) => {
    const x = (i % columns) * cell;
    const y = Math.floor(i / columns) * cell;
    mapping[name] = { x, y, width: cell, height: cell };
    g.save();
    g.translate(x + cell / 2, y + cell / 2);
    drawBadge(g, shape, glyph, colour, edge);
    g.restore();
  });
  const picture = (name, size) => {
    const small = document.createElement("canvas");
    const ratio = Math.min(2, window.devicePixelRatio || 1) * 1.5;
    small.width = small.height = Math.round(size * ratio);
    small.style.width = small.style.height = size + "px";
    const m = mapping[name];
    if (m) small.getContext("2d").drawImage(canvas, m.x, m.y, cell, cell, 0, 0, small.width, small.height);
    return small;
  };
  return { canvas, mapping, picture };
}

// Units: colour by fleet, shape (and edge) by state; places of fleets by role; happenings of fleets.
function fleetIcons(about, over) {
  if (!about.unit_shapes) return [];
  const out = [];
  for (const [state, [shape, glyph]] of Object.entries(about.unit_shapes)) {
    const edge = ["halted", "broken", "charging", "manual"].includes(state) ? about.palette.state[state] : null;
    for (const fleet of ["shuttle", "robot", "sweeper", "courier"]) out.push([`unit_${fleet}_${state}`, shape, glyph, about.palette.vehicle[fleet], edge]);
    out.push(["unit_any_" + state, shape, glyph, [206, 212, 224], edge]);
  }
  for (const [role, [shape, glyph, colour]] of Object.entries(about.role_icons)) out.push(["role_" + role, shape, glyph, colour]);
  for (const [kind, shape, glyph] of FLEET_EVENTS) out.push(["event_" + kind, shape, glyph, EVENT_COLOUR[kind]], [`event_${kind}_over`, shape, glyph, over]);
  return out;
}

// kind → shape and glyph of its badge: a violation in truth and one that was found look different
const FLEET_EVENTS = [
  ["broken", "triangle", "cross_out"],
  ["link", "ring", "cross_out"],
  ["halt", "octagon", "bar"],
  ["takeover", "diamond", "hand"],
  ["violation", "triangle", "mark"],
  ["found", "shield", "mark"],
  ["depot", "square", "bar"],
  ["charger", "square", "bolt"],
  ["permit", "hexagon", "bar"],
];

function polygonPath(g, n, r, turn) {
  g.beginPath();
  for (let i = 0; i < n; i++) {
    const a = turn + (2 * Math.PI * i) / n;
    g.lineTo(r * Math.cos(a), r * Math.sin(a));
  }
  g.closePath();
}

function drawBadge(g, shape, glyph, colour, edge = null) {
  const up = -Math.PI / 2;
  const r = 25;
  const outline = {
    circle: () => (g.beginPath(), g.arc(0, 0, r - 2, 0, 7)),
    round: () => (g.beginPath(), g.arc(0, 0, r - 4, 0, 7)),
    round_bar: () => (g.beginPath(), g.arc(0, 0, r, 0, 7)),
    ring: () => (g.beginPath(), g.arc(0, 0, r - 2, 0, 7)),
    hollow: () => polygonPath(g, 4, r + 2, up),
    square: () => (g.beginPath(), g.roundRect(-r + 4, -r + 4, 2 * r - 8, 2 * r - 8, 9)),
    triangle: () => polygonPath(g, 3, r + 5, up),
    diamond: () => polygonPath(g, 4, r + 2, up),
    pentagon: () => polygonPath(g, 5, r + 1, up),
    hexagon: () => polygonPath(g, 6, r + 1, up),
    octagon: () => polygonPath(g, 8, r + 1, Math.PI / 8),
    chevron: () => {
      g.beginPath();
      for (const [x, y] of [[26, 0], [-20, 22], [-9, 0], [-20, -22]]) g.lineTo(x, y);
      g.closePath();
    },
    shield: () => {
      g.beginPath();
      g.moveTo(-20, -20);
      g.quadraticCurveTo(-8, -20, 0, -26);
      g.quadraticCurveTo(8, -20, 20, -20);
      g.quadraticCurveTo(22, 12, 0, 26);
      g.quadraticCurveTo(-22, 12, -20, -20);
      g.closePath();
    },
    drop: () => {
      g.beginPath();
      g.moveTo(0, -27);
      g.bezierCurveTo(8, -12, 20, -2, 20, 8);
      g.arc(0, 8, 20, 0, Math.PI);
      g.bezierCurveTo(-20, -2, -8, -12, 0, -27);
      g.closePath();
    },
    arrow: () => {
      g.beginPath();
      for (const [x, y] of [[-24, -9], [2, -9], [2, -22], [26, 0], [2, 22], [2, 9], [-24, 9]]) g.lineTo(x, y);
      g.closePath();
    },
    cross: () => {
      g.beginPath();
      for (const [x, y] of [[-9, -24], [9, -24], [9, -9], [24, -9], [24, 9], [9, 9], [9, 24], [-9, 24], [-9, 9], [-24, 9], [-24, -9], [-9, -9]])
        g.lineTo(x, y);
      g.closePath();
    },
  }[shape];
  outline();
  g.lineJoin = "round";
  g.lineWidth = 7;
  g.strokeStyle = "rgba(9,12,18,.9)";
  g.stroke();
  if (edge) {
    g.lineWidth = 6;
    g.strokeStyle = `rgb(${edge.join()})`;
    g.stroke();
  }
  g.fillStyle = `rgb(${colour.join()})`;
  if (shape === "ring" || shape === "hollow") {
    g.fillStyle = "rgb(14,18,26)";
    g.fill();
    g.lineWidth = 7;
    g.strokeStyle = `rgb(${colour.join()})`;
    g.stroke();
  } else g.fill();
  g.fillStyle = g.strokeStyle = "rgba(12,15,22,.88)";
  g.lineWidth = 4;
  const glyphs = {
    none: () => {},
    cross: () => {},
    dot: () => (g.beginPath(), g.arc(0, 2, 6, 0, 7), g.fill()),
    bar: () => g.fillRect(-14, -4, 28, 8),
    bars: () => [[-11, 2, 10], [-3, -5, 17], [5, -11, 23]].forEach(([x, y, h]) => g.fillRect(x, y, 6, h)),
    star: () => {
      g.beginPath();
      for (let i = 0; i < 10; i++) {
        const a = up + (Math.PI * i) / 5;
        g.lineTo((i % 2 ? 5.5 : 13) * Math.cos(a), (i % 2 ? 5.5 : 13) * Math.sin(a));
      }
      g.fill();
    },
    flame: () => {
      g.beginPath();
      g.moveTo(1, -12);
      g.bezierCurveTo(12, 0, 12, 12, 0, 14);
      g.bezierCurveTo(-12, 12, -9, 2, -4, -1);
      g.bezierCurveTo(-3, 3, 3, 0, 1, -12);
      g.fill();
    },
    book: () => (g.fillRect(-13, -7, 12, 17), g.fillRect(1, -7, 12, 17)),
    hall: () => {
      g.beginPath();
      g.moveTo(-14, -5);
      g.lineTo(0, -14);
      g.lineTo(14, -5);
      g.fill();
      [-11, -3, 5].forEach((x) => g.fillRect(x, -3, 6, 12));
      g.fillRect(-14, 10, 28, 4);
    },
    box: () => (g.strokeRect(-11, -9, 22, 19), g.fillRect(-3, -9, 6, 9)),
    factory: () => {
      g.beginPath();
      for (const [x, y] of [[-13, 11], [-13, -2], [-5, -8], [-5, -2], [3, -8], [3, -2], [8, -2], [8, -13], [13, -13], [13, 11]]) g.lineTo(x, y);
      g.fill();
    },
    bus: () => (g.fillRect(-12, -10, 24, 18), g.beginPath(), g.arc(-6, 10, 3.5, 0, 7), g.arc(6, 10, 3.5, 0, 7), g.fill()),
    bolt: () => {
      g.beginPath();
      for (const [x, y] of [[3, -13], [-9, 3], [-1, 3], [-3, 13], [9, -3], [1, -3]]) g.lineTo(x, y);
      g.fill();
    },
    bag: () => (g.fillRect(-10, -4, 20, 15), g.beginPath(), g.arc(0, -4, 6, Math.PI, 0), g.stroke()),
    tree: () => (g.beginPath(), g.arc(0, -4, 10, 0, 7), g.fill(), g.fillRect(-2.5, 4, 5, 10)),
    house: () => {
      g.beginPath();
      for (const [x, y] of [[-14, 0], [0, -13], [14, 0], [9, 0], [9, 11], [-9, 11], [-9, 0]]) g.lineTo(x, y);
      g.fill();
    },
    cross_out: () => {
      g.lineWidth = 6;
      g.beginPath();
      for (const [x, y] of [[8, 10], [8, -6]]) {
        g.moveTo(-8, 4 - y);
        g.lineTo(x, y);
      }
      g.stroke();
    },
    mark: () => (g.fillRect(-3, -10, 6, 13), g.fillRect(-3, 6, 6, 6)),
    hand: () => (g.fillRect(-8, 0, 16, 11), [-8, -3.5, 1, 5.5].forEach((x) => g.fillRect(x, -11, 3, 12))),
    crane: () => (g.fillRect(-3, -8, 5, 22), g.fillRect(-12, -8, 26, 4.5), g.fillRect(9, -8, 3, 11)),
  };
  (glyphs[glyph] || MORE_GLYPHS[glyph] || glyphs.none)(g, colour);
}
