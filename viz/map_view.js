// The picture: deck.gl layers made from the pydeck specs, with the data of this moment attached.

const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i;
const SLOW_FRAME_MS = 90;

function makeView(app) {
  const { about, city, trips, state } = app;
  const pal = about.palette;
  const specs = new Map(about.specs.map((s) => [s.id, s]));
  const frame = { coordinateSystem: deck.COORDINATE_SYSTEM.LNGLAT_OFFSETS, coordinateOrigin: [...city.centre, 0] };
  const make = (id, props) => {
    const { "@@type": type, ...given } = specs.get(props.spec || id);
    const { spec, ...own } = props;
    return new deck[type]({ ...given, ...frame, ...own, id });
  };
  const kinds = about.kinds;
  const kindColours = kinds.map((k) => pal.vehicle[k] || pal.vehicle.car);
  const kindRadius = kinds.map((k) => ({ bus: 1.75, freight: 1.35 })[k] || 1);
  const busKind = kinds.indexOf("bus");
  const kindLength = kinds.map((k) => ({ bus: 12, freight: 10 })[k] || 5);
  const classes = city.meta.road_classes;
  const spot = {};

  const map = document.getElementById("map");
  const view = { software: false, measured: [], trailsSlow: false };
  let base = null;
  let deckgl = null;
  let frameAsked = false;
  const slices = new Map();

  // -- things that do not move ---------------------------------------------------------------------
  const roadStyle = (r) => about.road_width[classes[city.roads.kind[r]]] || [6, 0.4];
  const roadColour = (r) => pal.road[classes[city.roads.kind[r]]] || [60, 70, 90];
  const isSecond = (r) => {
    const other = city.roads.other[r];
    return other >= 0 && other < r && city.roads.other[other] === r;
  };
  const tiers = [[], [], []];
  for (let r = 0; r < city.roads.n; r++) tiers[roadStyle(r)[1] >= 1.5 ? 2 : roadStyle(r)[1] >= 0.6 ? 1 : 0].push(r);
  const lazy = (build) => {
    let value;
    return () => (value ??= build());
  };
  // seen from afar one line stands for both directions; near, each has its own
  const roadTiers = tiers.map((which) => ({
    far: lazy(() => pathSet(city, which.filter((r) => !isSecond(r)), { full: true })),
    near: lazy(() => pathSet(city, which, { full: true })),
  }));
  const usedSet = lazy(() => pathSet(city, Array.from(state.used), { sided: true }));
  const communityRings = lazy(() => ringSet(city, city.communities));
  const subdistrictRings = lazy(() => ringSet(city, city.subdistricts));
  const blockKinds = city.meta.block_kinds;
  const placeRows = Array.from(city.places.kind, (_, i) => i);
  const icons = makeIcons(about);
  const placeKinds = city.meta.place_kinds;
  const placeSize = (kind) => ({ bus_stop: 7, shop: 11, gate: 15, charging: 11, landmark: 24, hospital: 21, service_hall: 24 })[kind] || 17;
  const placeZoom = (kind) =>
    ({ bus_stop: 14.2, shop: 14.2, charging: 13.5, kindergarten: 13, clinic: 13, company_station: 12, service_point: 12, gate: 9 })[kind] ?? 11;
  const signals = Array.from(city.junctions.x, (_, i) => i);
  const characters = [...new Set(city.labels.name.concat(city.labels.name_en, ["0123456789 -·"]).join(""))].sort();

  const ramp = (stops, f) => {
    const x = Math.min(1, Math.max(0, f)) * (stops.length - 1);
    const i = Math.min(stops.length - 2, Math.floor(x));
    return [0, 1, 2].map((c) => Math.round(stops[i][c] + (x - i) * (stops[i + 1][c] - stops[i][c])));
  };
  view.speedColour = (share) => ramp(pal.speed, (share - 0.15) / 0.75);
  view.changeColour = (ratio) => ramp(pal.change, ratio / 2);
  view.step = (t) => Math.min(state.steps - 1, Math.max(0, Math.floor(t / about.step_s)));

  // cached layers: remade only when what they show has changed
  let cache = new Map();
  let kept = new Map(); // what this drawing uses: a layer that was switched off is gone for good
  const cached = (id, key, build) => {
    const old = cache.get(id);
    const entry = old && old.key === key ? old : { key, layer: build() };
    kept.set(id, entry);
    return entry.layer;
  };

  const mesh = (id, data, more = {}) => make(id, { data, _normalize: false, positionFormat: "XY", ...more });
  const metresPerPixel = (zoom) => (78271.5 * Math.cos((city.centre[1] * Math.PI) / 180)) / 2 ** zoom;

  // Layers below everything: they change with the zoom (in quarter steps, for the widths) and every five minutes.
  function ground(quarter, step) {
    const on = app.on;
    const zoom = quarter / 4;
    const pixel = metresPerPixel(zoom + 0.125);
    const out = [];
    const line = (set, width, colour) => ribbon(set, () => (width / 2) * pixel, () => colour);
    if (on.waters) out.push(cached("waters", "", () => make("waters", { data: city.waters.shapes, getPolygon: (d) => d.polygon })));
    if (on.blocks)
      out.push(
        cached("blocks", "", () =>
          make("blocks", {
            data: city.blocks.shapes,
            getPolygon: (d) => d.polygon,
            getFillColor: (d) => pal.block[blockKinds[city.blocks.kind[d.row]]] || [60, 60, 70],
          }),
        ),
      );
    if (on.outlines) {
      if (zoom >= 10.5)
        out.push(cached("communities", quarter, () => mesh("communities", line(communityRings(), 1, [130, 160, 205, 50]))));
      out.push(cached("subdistricts", quarter, () => mesh("subdistricts", line(subdistrictRings(), 1.5, [150, 190, 240, 125]))));
    }
    if (on.roads)
      roadTiers.forEach(({ far, near }, k) => {
        if (k === 0 && zoom < 10) return; // small streets only blur the whole city
        const close = zoom >= 13.5;
        const least = [0.55, 0.95, 1.7][k] * (close ? 0.5 : 1);
        out.push(
          cached("roads-" + k, quarter, () => {
            const set = (close ? near : far)();
            const width = (r) => (close ? 3.2 * city.roads.lanes[r] - 0.5 : roadStyle(r)[0]);
            return mesh("roads-" + k, ribbon(set, (i) => Math.max(width(set.ids[i]), least * pixel) / 2, (i) => roadColour(set.ids[i])), { spec: "roads" });
          }),
        );
      });
    if (on.volume)
      out.push(
        cached("volume", step + "/" + quarter, () => {
          const set = usedSet();
          const flow = (i) => state.entered(set.ids[i], step);
          const colour = (i) => [...view.changeColour((flow(i) + 2) / (state.mean(set.ids[i]) + 2)), flow(i) ? 225 : 0];
          return mesh("volume", ribbon(set, (i) => Math.min(8, 0.45 * Math.sqrt(flow(i))) * pixel, colour));
        }),
      );
    if (on.congestion)
      out.push(
        cached("congestion", step + "/" + quarter, () => {
          const set = usedSet();
          const colour = (i) => {
            const v = state.speed(set.ids[i], step);
            return Number.isNaN(v) ? [0, 0, 0, 0] : [...view.speedColour(v / city.roads.limit[set.ids[i]]), 235];
          };
          return mesh("congestion", ribbon(set, (i) => Math.max(1.2 * city.roads.lanes[set.ids[i]] + 0.5, 1.15 * pixel), colour));
        }),
      );
    return out;
  }

  function marks(zoomStep) {
    const on = app.on;
    const out = [];
    const zoom = zoomStep / 2;
    if (on.signals) {
      const size = zoom < 13 ? 2 : 3.4;
      out.push(
        cached("signals", size, () =>
          make("signals", { data: signals, getPosition: (i) => [city.junctions.x[i], city.junctions.y[i]], getRadius: size }),
        ),
      );
    }
    if (on.places) {
      const rows = placeRows.filter((i) => placeZoom(placeKinds[city.places.kind[i]]) <= zoom + 0.01);
      const scale = zoom < 12 ? 0.72 : zoom < 14 ? 0.88 : 1;
      out.push(
        cached("places", rows.length + "/" + scale, () =>
          make("places", {
            data: rows,
            iconAtlas: icons.canvas,
            iconMapping: icons.mapping,
            getIcon: (i) => placeKinds[city.places.kind[i]],
            getSize: (i) => placeSize(placeKinds[city.places.kind[i]]) * scale,
            getPosition: (i) => [city.places.x[i], city.places.y[i]],
          }),
        ),
      );
    }
    if (on.names && view.lettersReady) {
      out.push(
        cached("names", zoomStep, () => {
          const l = city.labels;
          const rows = Array.from(l.x.keys()).filter((i) => l.zoom[i] <= zoomStep);
          const style = (i) => about.label_styles[l.styles[l.style[i]]];
          return make("names", {
            data: rows,
            characterSet: characters,
            fontFamily: '"Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "Noto Sans SC", sans-serif',
            getText: (i) => app.label(l.name[i], l.name_en[i]),
            getPosition: (i) => [l.x[i], l.y[i]],
            getSize: (i) => style(i)[0],
            getAngle: (i) => l.angle[i],
            getColor: (i) => LABEL_COLOUR[l.styles[l.style[i]]] || [176, 188, 208, 235],
            getPixelOffset: (i) => (l.styles[l.style[i]].match(/landmark|place/) ? [0, 19] : [0, 0]),
          });
        }),
      );
    }
    return out;
  }

  // What holds now: closed roads, badges of happenings.
  function happening(quarter) {
    const now = app.happeningNow();
    if (!app.on.incidents || !now.length) return [];
    const out = [];
    const key = now.map((h) => h.index + (h.over ? "x" : "")).join();
    const roads = now.filter((h) => h.roads && h.kind !== "advice").flatMap((h) => h.roads.map((r) => [r, h]));
    if (roads.length)
      out.push(
        cached("closed", key + "/" + quarter, () => {
          const pixel = metresPerPixel(quarter / 4 + 0.125);
          const set = pathSet(city, roads.map(([r]) => r), { sided: true });
          const colour = (i) => (roads[i][1].over ? [150, 150, 160, 160] : [...(EVENT_COLOUR[roads[i][1].kind] || pal.alarm), 235]);
          return mesh("closed", ribbon(set, () => Math.max(4, 1.6 * pixel), colour));
        }),
      );
    const spots = now.map((h) => ({ h, at: app.happeningSpot(h) })).filter((d) => d.at);
    if (spots.length)
      out.push(
        cached("incidents", key, () =>
          make("incidents", {
            data: spots,
            iconAtlas: icons.canvas,
            iconMapping: icons.mapping,
            getIcon: (d) => "event_" + d.h.kind + (d.h.over ? "_over" : ""),
            getPosition: (d) => d.at,
          }),
        ),
      );
    return out;
  }

  // -- things that move -------------------------------------------------------------------------------
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

  function selection(t, quarter) {
    const out = [];
    const pixel = metresPerPixel(quarter / 4 + 0.125);
    const way = app.chosen && app.chosenWay();
    if (way && way.roads.length)
      out.push(
        cached("way", [app.chosen.id, way.roads.length, way.roads[0], quarter].join(), () =>
          mesh("way", ribbon(pathSet(city, way.roads, { sided: true }), () => Math.max(3, 1.5 * pixel), () => [...pal.select, 150])),
        ),
      );
    if (way && way.line)
      out.push(
        cached("way-line", app.chosen.id + quarter + way.line.length, () =>
          mesh("way-line", ribbon(lineSet(city, [way.line]), () => 0.9 * pixel, () => [...pal.select, 190]), { spec: "way" }),
        ),
      );
    if (app.pointed >= 0)
      out.push(
        cached("pointed", app.pointed + "/" + quarter, () =>
          mesh("pointed", ribbon(pathSet(city, [app.pointed], { sided: true }), () => Math.max(1.6 * city.roads.lanes[app.pointed], 1.6 * pixel), () => [...pal.select, 190]), { spec: "way" }),
        ),
      );
    const at = app.chosen && app.chosenSpot(t);
    if (at) out.push(make("selected", { data: [at], getPosition: (d) => d, updateTriggers: { getPosition: t } }));
    return out;
  }

  // -- drawing ------------------------------------------------------------------------------------------
  view.drawsTrails = () => {
    if (app.draw === "trails") return true;
    if (app.draw === "dots" || view.software || view.trailsSlow) return false;
    return view.count < 25000;
  };

  // Two pictures on top of each other: the ground is drawn again only when the camera or the five minutes change.
  let lastGround = "";
  function draw() {
    frameAsked = false;
    const t = app.now;
    const { zoom, longitude, latitude, pitch, bearing } = app.camera;
    const quarter = Math.floor(zoom * 4);
    const step = app.on.volume || app.on.congestion ? view.step(t) : 0;
    const moving = [];
    if (app.on.vehicles) {
      const trailed = view.drawsTrails() && zoom < 16;
      if (trailed) moving.push(...trails(t, zoom));
      moving.push(...movers(t, zoom, trailed));
    }
    const top = [...selection(t, quarter), ...moving, ...happening(quarter)];
    const below = [...ground(quarter, step), ...marks(Math.floor(zoom * 2))];
    [cache, kept] = [kept, new Map()];
    const key = [longitude, latitude, zoom, pitch, bearing, step, view.lettersReady, JSON.stringify(app.on)].join();
    if (key !== lastGround) base.setProps({ viewState: { ...app.camera }, layers: below });
    lastGround = key;
    deckgl.setProps({ viewState: { ...app.camera }, layers: top });
  }

  view.redraw = () => {
    if (frameAsked || !deckgl) return;
    frameAsked = true;
    requestAnimationFrame(draw);
  };
  // Drawing some hundred Chinese characters takes longer than all the rest: let the page be usable first.
  view.lettersReady = false;
  view.letters = () => {
    view.lettersReady = true;
    view.redraw();
  };
  view.countNow = () => (view.count = underWay(trips, app.now, active));

  view.start = () =>
    new Promise((ready, failed) => {
      let first = true;
      let last = 0;
      const common = { views: [new deck.MapView({ repeat: false })], viewState: { ...app.camera }, layers: [], parameters: { depthCompare: "always", depthWriteEnabled: false }, onError: (error) => failed(error) };
      base = new deck.Deck({
        ...common,
        parent: document.getElementById("ground"),
        controller: { doubleClickZoom: true, touchRotate: true, keyboard: false, inertia: 250, scrollZoom: { smooth: false, speed: 0.012 } },
        getCursor: ({ isDragging }) => (isDragging ? "grabbing" : app.pointedId ? "pointer" : "grab"),
        onViewStateChange: ({ viewState, interactionState }) => app.moved(viewState, interactionState),
      });
      deckgl = new deck.Deck({
        ...common,
        parent: document.getElementById("moving"),
        onDeviceInitialized: (device) => {
          view.software = SOFTWARE.test(device.info.renderer + " " + device.info.vendor) || device.info.gpuType === "cpu";
          if (view.software) for (const d of [base, deckgl]) d.setProps({ useDevicePixels: 1 });
        },
        onAfterRender: () => {
          const t = performance.now();
          if (app.playing && last) measure(t - last);
          last = t;
          app.painted(t);
          if (first) {
            first = false;
            ready();
          }
        },
      });
      draw();
    });

  function measure(ms) {
    if (ms > 5000) return;
    view.measured.push(ms);
    if (view.measured.length > 12) view.measured.shift();
    if (view.measured.length >= 8 && view.drawsTrails() && app.draw === "auto") {
      const middle = [...view.measured].sort((a, b) => a - b)[view.measured.length >> 1];
      if (middle > SLOW_FRAME_MS) {
        view.trailsSlow = true;
        view.measured.length = 0;
        app.drawChanged();
      }
    }
  }
  view.icons = icons;
  view.metresPerPixel = metresPerPixel;
  view.placeShown = (i) => placeZoom(placeKinds[city.places.kind[i]]) <= app.camera.zoom;
  view.roadShown = (r) => app.camera.zoom >= 10 || roadStyle(r)[1] >= 0.6;
  view.size = () => [map.clientWidth, map.clientHeight];
  view.viewport = () => new deck.WebMercatorViewport({ ...app.camera, width: map.clientWidth, height: map.clientHeight });
  return view;
}

const LABEL_COLOUR = {
  subdistrict: [214, 226, 246, 235],
  water: [112, 170, 214, 230],
  water_small: [92, 140, 180, 215],
  road_major: [158, 172, 200, 235],
  road: [132, 146, 174, 225],
  landmark: [246, 230, 190, 245],
  community: [140, 150, 170, 215],
  community_town: [172, 190, 218, 230],
  place: [206, 210, 220, 235],
  place_small: [168, 174, 190, 220],
};

