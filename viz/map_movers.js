// Vehicles: one mesh of all that the camera sees at this moment, and their trails where the machine is quick enough.

function makeMovers(app, kit, view) {
  const { about, city, trips } = app;
  const { make, mesh, metresPerPixel, pal } = kit;
  const kinds = about.kinds;
  const drawnApart = kinds.map((k) => Boolean(app.fleet) && app.fleet.meta.fleets.includes(k)); // see map_units.js
  const kindColours = kinds.map((k, i) => (drawnApart[i] ? null : pal.vehicle[k] || pal.vehicle.car));
  const kindRadius = kinds.map((k) => ({ bus: 1.75, freight: 1.35 })[k] || 1);
  const busKind = kinds.indexOf("bus");
  const kindLength = kinds.map((k) => ({ bus: 12, freight: 10 })[k] || 5);
  const spot = {};
  const slices = new Map();
  const active = new Int32Array(Math.max(1, trips.n));
  view.active = active;
  view.count = 0;
  const CORNERS = 6;
  // a hexagon from afar; near, a car seen from above with its nose in front
  const HEXAGON = [0, 1, 2, 3, 4, 5].map((k) => [Math.cos((k * Math.PI) / 3), Math.sin((k * Math.PI) / 3)]);
  const CAR = [[-1, -1], [-0.28, -1], [0, -0.5], [0, 0.5], [-0.28, 1], [-1, 1]];
  let room = 0;
  let xy, rgba, starts, indices;
  view.shown = new Int32Array(0); // the piece behind each drawn vehicle, and where it is
  view.spots = new Float32Array(0);
  view.drawn = 0;
  function makeRoom(n) {
    if (n <= room) return;
    room = Math.ceil(n * 1.3) + 256;
    xy = new Float32Array(2 * CORNERS * room);
    rgba = new Uint8Array(4 * CORNERS * room);
    starts = Uint32Array.from({ length: room + 1 }, (_, i) => i * CORNERS);
    indices = new Uint32Array(3 * (CORNERS - 2) * room);
    view.shown = new Int32Array(room);
    view.spots = new Float32Array(2 * room);
    for (let i = 0, at = 0; i < room; i++)
      for (let k = 1; k < CORNERS - 1; k++) {
        indices[at++] = i * CORNERS;
        indices[at++] = i * CORNERS + k;
        indices[at++] = i * CORNERS + k + 1;
      }
  }

  // What the camera sees, in degrees from the centre, with a margin.
  function seen() {
    const [w, s, e, n] = view.viewport().getBounds();
    const [mx, my] = [(e - w) * 0.06, (n - s) * 0.06];
    return [w - mx - city.centre[0], s - my - city.centre[1], e + mx - city.centre[0], n + my - city.centre[1]];
  }

  function movers(t, zoom, trailed) {
    const all = (view.count = underWay(trips, t, active));
    const near = zoom >= 15.2;
    const pixel = metresPerPixel(zoom);
    makeRoom(all);
    const alpha = app.on.congestion || app.on.volume ? 150 : 255; // let the roads speak
    const dot = (zoom < 10 ? 1.3 : zoom < 11.5 ? 1.65 : zoom < 13 ? 2.1 : 3) * (trailed ? 0.85 : 1) * pixel;
    const [west, south, east, north] = seen();
    let m = 0;
    for (let k = 0; k < all; k++) {
      const i = active[k];
      if (drawnApart[trips.kind[i]]) continue;
      locate(trips, i, t, spot);
      if (spot.x < west || spot.x > east || spot.y < south || spot.y > north) continue;
      const kind = trips.kind[i];
      const colour = kindColours[kind];
      view.shown[m] = i;
      view.spots[2 * m] = spot.x;
      view.spots[2 * m + 1] = spot.y;
      const length = Math.max(kindLength[kind], 1.5 * kindLength[kind] * pixel); // never a speck
      const half = Math.max(kind === busKind ? 1.3 : 1, 2 * pixel);
      const r = dot * kindRadius[kind];
      for (let c = 0; c < CORNERS; c++) {
        const at = CORNERS * m + c;
        let dx, dy;
        if (near) {
          const [a, b] = CAR[c];
          dx = a * length * spot.dx - b * half * spot.dy;
          dy = a * length * spot.dy + b * half * spot.dx;
        } else {
          dx = r * HEXAGON[c][0];
          dy = r * HEXAGON[c][1];
        }
        xy[2 * at] = spot.x + dx / city.mPerLon;
        xy[2 * at + 1] = spot.y + dy / city.mPerLat;
        rgba[4 * at] = colour[0];
        rgba[4 * at + 1] = colour[1];
        rgba[4 * at + 2] = colour[2];
        rgba[4 * at + 3] = alpha;
      }
      m++;
    }
    view.drawn = m;
    if (!m) return [];
    return [
      mesh(
        "movers",
        meshData(m, starts.subarray(0, m + 1), xy.subarray(0, 2 * CORNERS * m), indices.subarray(0, 3 * (CORNERS - 2) * m), rgba.subarray(0, 4 * CORNERS * m)),
      ),
    ];
  }

  function trails(t, zoom) {
    // about 34 px at 12 m/s, whatever the zoom
    const length = Math.min(SLICE_S, Math.max(4, (34 * metresPerPixel(zoom)) / 12));
    const width = zoom < 11 ? 1.1 : zoom < 13 ? 1.7 : 2.4;
    const first = Math.max(0, Math.floor((t - length) / SLICE_S));
    const last = Math.floor(t / SLICE_S);
    const out = [];
    for (let k = first; k <= last; k++) {
      let data = slices.get(k);
      if (!data) {
        data = slicePaths(trips, k * SLICE_S, (k + 1) * SLICE_S, kindColours);
        slices.set(k, data);
        if (slices.size > 16) slices.delete(slices.keys().next().value);
      }
      if (data.length)
        out.push(
          make("trails-" + k, {
            spec: "trails",
            data,
            _pathType: "open",
            positionFormat: "XY",
            currentTime: t,
            trailLength: length,
            getWidth: width,
            updateTriggers: { getWidth: width },
            opacity: zoom < 11 ? 0.55 : 0.75,
          }),
        );
    }
    return out;
  }

  return { movers, trails };
}
