// What is under the pointer, worked out from the data: the same on every machine, and no picture is drawn for it.

function makePick(app) {
  const { city } = app;
  const CELL = 0.004; // degrees
  const inside = (ring, x, y) => {
    let odd = false;
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [xi, yi] = ring[i];
      const [xj, yj] = ring[j];
      if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
    }
    return odd;
  };
  const withBox = (shapes) =>
    shapes.map((s) => {
      const xs = s.polygon[0].map((p) => p[0]);
      const ys = s.polygon[0].map((p) => p[1]);
      return { ...s, box: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] };
    });
  let index = null;
  function build() {
    const cells = new Map();
    const { roads } = city;
    for (let r = 0; r < roads.n; r++)
      for (let k = roads.offsets[r]; k + 1 < roads.offsets[r + 1]; k++) {
        const [x0, y0, x1, y1] = [roads.xy[2 * k], roads.xy[2 * k + 1], roads.xy[2 * k + 2], roads.xy[2 * k + 3]];
        for (let i = Math.floor(Math.min(x0, x1) / CELL); i <= Math.floor(Math.max(x0, x1) / CELL); i++)
          for (let j = Math.floor(Math.min(y0, y1) / CELL); j <= Math.floor(Math.max(y0, y1) / CELL); j++) {
            const key = i * 65536 + j;
            const list = cells.get(key);
            if (!list) cells.set(key, [r]);
            else if (list[list.length - 1] !== r) list.push(r);
          }
      }
    index = {
      cells,
      blocks: withBox(city.blocks.shapes),
      waters: withBox(city.waters.shapes),
      communities: withBox(city.communities.shapes),
    };
  }
  const within = (areas, x, y) =>
    areas.find((s) => x >= s.box[0] && x <= s.box[2] && y >= s.box[1] && y <= s.box[3] && inside(s.polygon[0], x, y) && !s.polygon.slice(1).some((hole) => inside(hole, x, y)));
  const metres = (x0, y0, x1, y1) => Math.hypot((x1 - x0) * city.mPerLon, (y1 - y0) * city.mPerLat);
  const nearest = (n, at, x, y, reach) => {
    let best = -1;
    let least = reach;
    for (let i = 0; i < n; i++) {
      const p = at(i);
      if (!p) continue;
      const d = metres(p[0], p[1], x, y);
      if (d < least) {
        least = d;
        best = i;
      }
    }
    return best;
  };

  // Distance in metres from a point to road r, on the side where its traffic runs.
  function toRoad(r, x, y) {
    const { roads } = city;
    let least = Infinity;
    for (let k = roads.offsets[r]; k + 1 < roads.offsets[r + 1]; k++) {
      const ax = (roads.xy[2 * k] - x) * city.mPerLon;
      const ay = (roads.xy[2 * k + 1] - y) * city.mPerLat;
      const bx = (roads.xy[2 * k + 2] - x) * city.mPerLon;
      const by = (roads.xy[2 * k + 3] - y) * city.mPerLat;
      const [dx, dy] = [bx - ax, by - ay];
      const size = dx * dx + dy * dy;
      const f = size ? Math.min(1, Math.max(0, -(ax * dx + ay * dy) / size)) : 0;
      const long = Math.sqrt(size) || 1;
      const side = roads.side[r] / long;
      least = Math.min(least, Math.hypot(ax + f * dx + side * dy, ay + f * dy - side * dx));
    }
    return least;
  }

  function roadAt(x, y, pixel) {
    let best = -1;
    let least = Infinity;
    const reach = 6 * pixel;
    for (let i = Math.floor(x / CELL) - 1; i <= Math.floor(x / CELL) + 1; i++)
      for (let j = Math.floor(y / CELL) - 1; j <= Math.floor(y / CELL) + 1; j++)
        for (const r of index.cells.get(i * 65536 + j) || []) {
          if (!app.view.roadShown(r)) continue;
          const d = toRoad(r, x, y);
          if (d < least && d < Math.max(reach, 1.6 * city.roads.lanes[r] + pixel)) {
            least = d;
            best = r;
          }
        }
    return best;
  }

  // The id of what is at a point of the screen, or null; `deep` also finds the community of an empty spot.
  return (px, py, deep) => {
    if (!index) build();
    const [lon, lat] = app.view.viewport().unproject([px, py]);
    const x = lon - city.centre[0];
    const y = lat - city.centre[1];
    const zoom = app.camera.zoom;
    const pixel = app.view.metresPerPixel(zoom);
    const on = app.on;
    if (on.incidents) {
      const now = app.happeningNow();
      const i = nearest(now.length, (k) => app.happeningSpot(now[k]), x, y, 15 * pixel);
      if (i >= 0) return "happening-" + now[i].index;
    }
    for (const find of app.view.pickers) {
      const found = find(x, y, pixel);
      if (found) return found;
    }
    if (app.fleet) {
      const { unitSpots } = app.view;
      const i = nearest(unitSpots.length, (k) => [unitSpots[k].x, unitSpots[k].y], x, y, 10 * pixel);
      if (i >= 0) return unitSpots[i].unit.id;
    }
    if (on.vehicles) {
      const { spots, shown, drawn } = app.view;
      let best = -1;
      let least = Math.max(6 * pixel, 5);
      for (let i = 0; i < drawn; i++) {
        const d = metres(spots[2 * i], spots[2 * i + 1], x, y);
        if (d < least) {
          least = d;
          best = i;
        }
      }
      if (best >= 0) return vehicleLabel(app.trips, app.about.kinds, shown[best]);
    }
    if (on.places) {
      const i = nearest(city.places.x.length, (k) => (app.view.placeShown(k) ? [city.places.x[k], city.places.y[k]] : null), x, y, 10 * pixel);
      if (i >= 0) return "place-" + i;
    }
    if (on.signals || on.junction_states) {
      const i = nearest(city.junctions.x.length, (k) => [city.junctions.x[k], city.junctions.y[k]], x, y, 7 * pixel);
      if (i >= 0) return "signal-" + i;
    }
    if (on.roads || on.volume || on.congestion) {
      const r = roadAt(x, y, pixel);
      if (r >= 0) return "road-" + r;
    }
    if (on.blocks && (deep || zoom > 11.5)) {
      const s = within(index.blocks, x, y);
      if (s) return "block-" + s.row;
    }
    if (on.waters) {
      const s = within(index.waters, x, y);
      if (s) return "water-" + s.row;
    }
    if (deep) {
      const s = within(index.communities, x, y);
      if (s) return "community-" + s.row;
    }
    return null;
  };
}
