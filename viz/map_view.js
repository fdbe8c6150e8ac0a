// The picture: deck.gl layers made from the pydeck specs, with the data of this moment attached.

const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i;
const SLOW_FRAME_MS = 90;

function makeView(app) {
  const { about, city, trips, state } = app;
  const pal = about.palette;
  const specs = new Map(about.specs.map((s) => [s.id, s]));
  const base = { coordinateSystem: deck.COORDINATE_SYSTEM.LNGLAT_OFFSETS, coordinateOrigin: [...city.centre, 0] };
  const make = (id, props) => {
    const { "@@type": type, ...given } = specs.get(props.spec || id);
    const { spec, ...own } = props;
    return new deck[type]({ ...given, ...base, ...own, id });
  };
  const kinds = about.kinds;
  const kindColours = kinds.map((k) => pal.vehicle[k] || pal.vehicle.car);
  const kindRadius = kinds.map((k) => ({ bus: 1.75, freight: 1.35 })[k] || 1);
  const kindLength = kinds.map((k) => ({ bus: 12, freight: 10 })[k] || 5);
  const classes = city.meta.road_classes;
  const spot = {};

  const map = document.getElementById("map");
  const view = { software: false, measured: [], trailsSlow: false };
  let deckgl = null;
  let frameAsked = false;
  const slices = new Map();

  // -- things that do not move ---------------------------------------------------------------------
  const pathData = (which) => {
    let size = 0;
    for (const r of which) size += city.roads.offsets[r + 1] - city.roads.offsets[r];
    const xy = new Float32Array(size * 2);
    const starts = new Uint32Array(which.length + 1);
    let at = 0;
    which.forEach((r, i) => {
      starts[i] = at;
      const a = city.roads.offsets[r];
      const b = city.roads.offsets[r + 1];
      xy.set(city.roads.xy.subarray(2 * a, 2 * b), 2 * at);
      at += b - a;
    });
    starts[which.length] = at;
    return { length: which.length, startIndices: starts, attributes: { getPath: { value: xy, size: 2 } }, roads: which };
  };
  // the same, but each direction on its own side of the road
  const sideData = (which) => {
    const data = pathData(which);
    const xy = data.attributes.getPath.value;
    for (let i = 0; i < which.length; i++) {
      const side = city.roads.side[which[i]];
      if (!side) continue;
      const a = data.startIndices[i];
      const b = data.startIndices[i + 1];
      const old = xy.slice(2 * a, 2 * b);
      for (let k = 0; k < b - a; k++) {
        const p = Math.max(0, k - 1);
        const q = Math.min(b - a - 1, k + 1);
        const mx = (old[2 * q] - old[2 * p]) * city.mPerLon;
        const my = (old[2 * q + 1] - old[2 * p + 1]) * city.mPerLat;
        const size = Math.hypot(mx, my) || 1;
        xy[2 * (a + k)] += (side * my) / size / city.mPerLon;
        xy[2 * (a + k) + 1] -= (side * mx) / size / city.mPerLat;
      }
    }
    return data;
  };
  const roadStyle = (r) => about.road_width[classes[city.roads.kind[r]]] || [6, 0.4];
  const isSecond = (r) => {
    const other = city.roads.other[r];
    return other >= 0 && other < r && city.roads.other[other] === r;
  };
  // roads as drawn: to the middle of the junctions at their ends
  const fullData = (which) => {
    const { roads, nodes } = city;
    let size = 0;
    for (const r of which) size += roads.offsets[r + 1] - roads.offsets[r] + 2;
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
      if (Math.hypot(dx, dy) < 60) put(nodes.x[node - 1], nodes.y[node - 1]);
    };
    which.forEach((r, i) => {
      starts[i] = at;
      toNode(roads.from[r], roads.offsets[r]);
      for (let k = roads.offsets[r]; k < roads.offsets[r + 1]; k++) put(roads.xy[2 * k], roads.xy[2 * k + 1]);
      toNode(roads.to[r], roads.offsets[r + 1] - 1);
    });
    starts[which.length] = at;
    return { length: which.length, startIndices: starts, attributes: { getPath: { value: xy.slice(0, 2 * at), size: 2 } }, roads: which };
  };
  const tiers = [[], [], []];
  for (let r = 0; r < city.roads.n; r++) {
    const least = roadStyle(r)[1];
    tiers[least >= 1.5 ? 2 : least >= 0.6 ? 1 : 0].push(r);
  }
  const lazy = (build) => {
    let value;
    return () => (value ??= build());
  };
  // seen from afar one line stands for both directions; near, each has its own
  const roadTiers = tiers.map((which, k) => ({
    far: lazy(() => fullData(which.filter((r) => !isSecond(r)))),
    near: lazy(() => fullData(which)),
    least: [0.5, 0.9, 1.6][k],
  }));
  const usedData = sideData(Array.from(state.used));
  const blockKinds = city.meta.block_kinds;
  const outline = (areas) => areas.shapes.flatMap((s) => s.polygon.map((path) => ({ path, row: s.row })));
  const communityLines = outline(city.communities);
  const subdistrictLines = outline(city.subdistricts);
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
  const cache = new Map();
  const cached = (id, key, build) => {
    const old = cache.get(id);
    if (old && old.key === key) return old.layer;
    const layer = build();
    cache.set(id, { key, layer });
    return layer;
  };

  function still(zoomStep, step) {
    const on = app.on;
    const out = [];
    const pick = true;
    if (on.waters)
      out.push(cached("waters", "", () => make("waters", { data: city.waters.shapes, getPolygon: (d) => d.polygon, pickable: pick })));
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
      if (zoomStep >= 21)
        out.push(cached("communities", "", () => make("communities", { data: communityLines, getPath: (d) => d.path })));
      out.push(cached("subdistricts", "", () => make("subdistricts", { data: subdistrictLines, getPath: (d) => d.path })));
    }
    if (on.roads)
      roadTiers.forEach(({ far, near, least }, k) => {
        if (k === 0 && zoomStep < 20) return; // small streets only blur the whole city
        const close = zoomStep >= 27;
        out.push(
          cached("roads-" + k, close, () => {
            const data = (close ? near : far)();
            return make("roads-" + k, {
              spec: "roads",
              data,
              _pathType: "open",
              positionFormat: "XY",
              widthMinPixels: close ? least / 2 : least,
              getColor: (_, { index }) => pal.road[classes[city.roads.kind[data.roads[index]]]] || [60, 70, 90],
              getWidth: (_, { index }) => (close ? 3.2 * city.roads.lanes[data.roads[index]] - 0.5 : roadStyle(data.roads[index])[0]),
              updateTriggers: { getWidth: close, getColor: close },
            });
          }),
        );
      });
    if (on.volume)
      out.push(
        cached("volume", step, () =>
          make("volume", {
            data: usedData,
            _pathType: "open",
            positionFormat: "XY",
            widthUnits: "pixels",
            widthMinPixels: 0,
            getColor: (_, { index }) => {
              const r = usedData.roads[index];
              const v = state.entered(r, step);
              return v ? [...view.changeColour((v + 2) / (state.mean(r) + 2)), 225] : [0, 0, 0, 0];
            },
            getWidth: (_, { index }) => Math.min(16, 0.9 * Math.sqrt(state.entered(usedData.roads[index], step))),
            updateTriggers: { getColor: step, getWidth: step },
          }),
        ),
      );
    if (on.congestion)
      out.push(
        cached("congestion", step, () =>
          make("congestion", {
            data: usedData,
            _pathType: "open",
            positionFormat: "XY",
            widthMinPixels: 2.2,
            getColor: (_, { index }) => {
              const r = usedData.roads[index];
              const v = state.speed(r, step);
              return Number.isNaN(v) ? [0, 0, 0, 0] : [...view.speedColour(v / city.roads.limit[r]), 235];
            },
            getWidth: (_, { index }) => 2.4 * city.roads.lanes[usedData.roads[index]] + 1,
            updateTriggers: { getColor: step },
          }),
        ),
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
    const now = app.happeningNow();
    if (on.incidents && now.length) {
      const key = now.map((h) => h.index).join();
      const roads = now.filter((h) => h.roads && h.kind !== "advice").flatMap((h) => h.roads);
      const over = new Set(now.filter((h) => h.over).flatMap((h) => h.roads || []));
      if (roads.length)
        out.push(
          cached("closed", key, () => {
            const data = sideData(roads);
            return make("closed", {
              data,
              _pathType: "open",
              positionFormat: "XY",
              getColor: (_, { index }) => (over.has(roads[index]) ? [150, 150, 160, 160] : [...pal.alarm, 235]),
            });
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
    }
    if (on.names) {
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

  // -- things that move -------------------------------------------------------------------------------
  const active = new Int32Array(Math.max(1, trips.n));
  view.active = active;
  view.count = 0;
  let xy = new Float32Array(0);
  let rgba = new Uint8Array(0);
  let radius = new Float32Array(0);
  let ends = new Float32Array(0);

  const metresPerPixel = (zoom) => (78271.5 * Math.cos((city.centre[1] * Math.PI) / 180)) / 2 ** zoom;

  function movers(t, zoom, trailed) {
    const m = (view.count = underWay(trips, t, active));
    const near = zoom >= 15.2;
    const perPixel = metresPerPixel(zoom);
    if (xy.length < 2 * m) {
      const size = Math.ceil(m * 1.3) + 64;
      [xy, ends, radius, rgba] = [new Float32Array(2 * size), new Float32Array(2 * size), new Float32Array(size), new Uint8Array(4 * size)];
    }
    const alpha = app.on.congestion || app.on.volume ? 150 : 255; // let the roads speak
    const base = zoom < 10 ? 1.25 : zoom < 11.5 ? 1.6 : zoom < 13 ? 2.1 : 3;
    for (let k = 0; k < m; k++) {
      const i = active[k];
      locate(trips, i, t, spot);
      const kind = trips.kind[i];
      const colour = kindColours[kind];
      xy[2 * k] = spot.x;
      xy[2 * k + 1] = spot.y;
      if (near) {
        const length = Math.max(kindLength[kind], 1.4 * kindLength[kind] * perPixel); // never a speck
        ends[2 * k] = spot.x - (spot.dx * length) / city.mPerLon;
        ends[2 * k + 1] = spot.y - (spot.dy * length) / city.mPerLat;
      }
      radius[k] = base * kindRadius[kind] * (trailed ? 0.85 : 1);
      rgba[4 * k] = colour[0];
      rgba[4 * k + 1] = colour[1];
      rgba[4 * k + 2] = colour[2];
      rgba[4 * k + 3] = alpha;
    }
    const colour = { value: rgba.subarray(0, 4 * m), size: 4, normalized: true };
    const place = { value: xy.subarray(0, 2 * m), size: 2 };
    if (near)
      return [
        make("bodies", {
          data: {
            length: m,
            attributes: { getSourcePosition: { value: ends.subarray(0, 2 * m), size: 2 }, getTargetPosition: place, getColor: colour },
          },
          positionFormat: "XY",
        }),
      ];
    return [
      make("dots", {
        data: { length: m, attributes: { getPosition: place, getFillColor: colour, getRadius: { value: radius.subarray(0, m), size: 1 } } },
        positionFormat: "XY",
      }),
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

  function selection(t) {
    const out = [];
    const chosen = app.chosen;
    if (!chosen) return out;
    const way = app.chosenWay();
    if (way && way.roads.length)
      out.push(
        cached("way", chosen.id, () => make("way", { data: sideData(way.roads), _pathType: "open", positionFormat: "XY" })),
      );
    if (way && way.line)
      out.push(make("way-line", { spec: "way", data: [way.line], getPath: (d) => d, widthMinPixels: 1.5, getWidth: 2 }));
    const at = app.chosenSpot(t);
    if (at) out.push(make("selected", { data: [at], getPosition: (d) => d, updateTriggers: { getPosition: t } }));
    return out;
  }

  // -- drawing ------------------------------------------------------------------------------------------
  view.drawsTrails = () => {
    if (app.draw === "trails") return true;
    if (app.draw === "dots" || view.software || view.trailsSlow) return false;
    return view.count < 25000;
  };

  function draw() {
    frameAsked = false;
    const t = app.now;
    const zoom = app.camera.zoom;
    const zoomStep = Math.floor(zoom * 2);
    const moving = [];
    if (app.on.vehicles) {
      const trailed = view.drawsTrails() && zoom < 16;
      if (trailed) moving.push(...trails(t, zoom));
      moving.push(...movers(t, zoom, trailed));
    }
    deckgl.setProps({
      viewState: { ...app.camera },
      layers: [...still(zoomStep, view.step(t)), ...selection(t), ...moving, ...marks(zoomStep)],
    });
  }

  view.redraw = () => {
    if (frameAsked || !deckgl) return;
    frameAsked = true;
    requestAnimationFrame(draw);
  };
  view.countNow = () => (view.count = underWay(trips, app.now, active));

  view.start = () =>
    new Promise((ready, failed) => {
      let first = true;
      let last = 0;
      deckgl = new deck.Deck({
        parent: map,
        views: [new deck.MapView({ repeat: false })],
        viewState: { ...app.camera },
        controller: { doubleClickZoom: true, touchRotate: true, keyboard: false, inertia: 250, scrollZoom: { smooth: false, speed: 0.012 } },
        useDevicePixels: true,
        pickingRadius: 5,
        getCursor: ({ isDragging, isHovering }) => (isDragging ? "grabbing" : isHovering ? "pointer" : "grab"),
        layers: [],
        onDeviceInitialized: (device) => {
          view.software = SOFTWARE.test(device.info.renderer + " " + device.info.vendor) || device.info.gpuType === "cpu";
          if (view.software) deckgl.setProps({ useDevicePixels: 1 });
        },
        onError: (error) => failed(error),
        onViewStateChange: ({ viewState, interactionState }) => app.moved(viewState, interactionState),
        onHover: (info, event) => app.hovered(info, event),
        onClick: (info) => app.clicked(info),
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
      frameAsked = false;
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
  const columns = 8;
  const canvas = document.createElement("canvas");
  canvas.width = columns * cell;
  canvas.height = 2 ** Math.ceil(Math.log2(Math.ceil(entries.length / columns) * cell));
  const g = canvas.getContext("2d");
  const mapping = {};
  entries.forEach(([name, shape, glyph, colour], i) => {
    const x = (i % columns) * cell;
    const y = Math.floor(i / columns) * cell;
    mapping[name] = { x, y, width: cell, height: cell };
    g.save();
    g.translate(x + cell / 2, y + cell / 2);
    drawBadge(g, shape, glyph, colour);
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

function polygonPath(g, n, r, turn) {
  g.beginPath();
  for (let i = 0; i < n; i++) {
    const a = turn + (2 * Math.PI * i) / n;
    g.lineTo(r * Math.cos(a), r * Math.sin(a));
  }
  g.closePath();
}

function drawBadge(g, shape, glyph, colour) {
  const up = -Math.PI / 2;
  const r = 25;
  const outline = {
    circle: () => (g.beginPath(), g.arc(0, 0, r - 2, 0, 7)),
    round: () => (g.beginPath(), g.arc(0, 0, r - 4, 0, 7)),
    round_bar: () => (g.beginPath(), g.arc(0, 0, r, 0, 7)),
    ring: () => (g.beginPath(), g.arc(0, 0, r - 2, 0, 7)),
    square: () => (g.beginPath(), g.roundRect(-r + 4, -r + 4, 2 * r - 8, 2 * r - 8, 9)),
    triangle: () => polygonPath(g, 3, r + 5, up),
    diamond: () => polygonPath(g, 4, r + 2, up),
    pentagon: () => polygonPath(g, 5, r + 1, up),
    hexagon: () => polygonPath(g, 6, r + 1, up),
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
  g.fillStyle = `rgb(${colour.join()})`;
  if (shape === "ring") {
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
    crane: () => (g.fillRect(-3, -8, 5, 22), g.fillRect(-12, -8, 26, 4.5), g.fillRect(9, -8, 3, 11)),
  };
  (glyphs[glyph] || glyphs.none)();
}
