// The ground of the picture: roads, waters, blocks, names, badges; also what is chosen and what holds now.

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

// what a unit's own shape tells while it lasts
const OWN_SHAPE = new Set(["halt", "broken", "takeover"]);

function makeGround(app, kit) {
  const { about, city, state } = app;
  const { make, mesh, cached, metresPerPixel, pal } = kit;
  const classes = city.meta.road_classes;
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
  const speedColour = (share) => ramp(pal.speed, (share - 0.15) / 0.75);
  const changeColour = (ratio) => ramp(pal.change, ratio / 2);

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
          const colour = (i) => [...changeColour((flow(i) + 2) / (state.mean(set.ids[i]) + 2)), flow(i) ? 225 : 0];
          return mesh("volume", ribbon(set, (i) => Math.min(8, 0.45 * Math.sqrt(flow(i))) * pixel, colour));
        }),
      );
    if (on.congestion)
      out.push(
        cached("congestion", step + "/" + quarter, () => {
          const set = usedSet();
          const colour = (i) => {
            const v = state.speed(set.ids[i], step);
            return Number.isNaN(v) ? [0, 0, 0, 0] : [...speedColour(v / city.roads.limit[set.ids[i]]), 235];
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
    if (on.fleet_places)
      out.push(
        cached("roles", [zoom < 12, zoom < 13].join(), () =>
          make("roles", {
            data: roles().filter((d) => d.role !== "stop" || zoom >= 13), // stops are many: near only
            iconAtlas: icons.canvas,
            iconMapping: icons.mapping,
            getIcon: (d) => "role_" + d.role,
            getSize: zoom < 12 ? 15 : 21,
            getPosition: (d) => d.at,
          }),
        ),
      );
    if (on.names && kit.letters()) {
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

  // Places that the fleets use: [role, where]; of several roles of one place the first is drawn.
  const roles = lazy(() => {
    const seen = new Set();
    const all = Object.entries(app.fleet.meta.roles).flatMap(([role, ids]) => ids.map((id) => [role, app.find.placeRow(id)]));
    return all.filter(([, i]) => i >= 0 && !seen.has(i) && seen.add(i)).map(([role, i]) => ({ role, at: [city.places.x[i], city.places.y[i]] }));
  });

  // Roads swept today, up to now.
  function swept(t, quarter) {
    if (!app.on.swept) return [];
    const s = app.fleet.swept;
    const last = s.t.length && s.t[0] <= t ? lastAtMost(s.t, t, 0, s.t.length) : -1;
    const midnight = Math.floor((t + about.begin_s) / 86400) * 86400 - about.begin_s;
    const which = new Set();
    for (let i = 0; i <= last; i++) if (s.t[i] >= midnight) which.add(s.road[i]);
    if (!which.size) return [];
    return [
      cached("swept", [last, midnight, quarter].join(), () => {
        const pixel = metresPerPixel(quarter / 4 + 0.125);
        return mesh("swept", ribbon(pathSet(city, [...which], { sided: true }), () => Math.max(2.5, 1.4 * pixel), () => [...pal.swept, 200]));
      }),
    ];
  }

  // What holds now: closed roads, badges of happenings.
  function happening(quarter) {
    const now = app.happeningNow();
    if (!app.on.incidents || !now.length) return [];
    const out = [];
    const key = now.map((h) => h.index + (h.over ? "x" : "")).join();
    const roads = now.filter((h) => h.roads && h.roads.length && h.kind !== "advice").flatMap((h) => h.roads.map((r) => [r, h]));
    if (roads.length)
      out.push(
        cached("closed", key + "/" + quarter, () => {
          const pixel = metresPerPixel(quarter / 4 + 0.125);
          const set = pathSet(city, roads.map(([r]) => r), { sided: true });
          const colour = (i) => (roads[i][1].over ? [150, 150, 160, 160] : [...(EVENT_COLOUR[roads[i][1].kind] || pal.alarm), 235]);
          return mesh("closed", ribbon(set, () => Math.max(4, 1.6 * pixel), colour));
        }),
      );
    const found = now.filter((h) => h.over || !OWN_SHAPE.has(h.kind)).map((h) => ({ h, at: app.happeningSpot(h) })).filter((d) => d.at);
    const [spots, moving] = [found.filter((d) => !d.h.unit), found.filter((d) => d.h.unit)];
    if (moving.length)
      out.push(
        make("incidents-units", {
          spec: "incidents",
          data: moving,
          iconAtlas: icons.canvas,
          iconMapping: icons.mapping,
          getIcon: (d) => "event_" + d.h.kind + (d.h.over ? "_over" : ""),
          getSize: 20,
          getPixelOffset: [0, -17],
          getPosition: (d) => d.at,
        }),
      );
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

  // The chosen thing: its way, and a ring around it; the road under the pointer.
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

  return {
    ground,
    swept,
    marks,
    happening,
    selection,
    icons,
    placeShown: (i) => placeZoom(placeKinds[city.places.kind[i]]) <= app.camera.zoom,
    roadShown: (r) => app.camera.zoom >= 10 || roadStyle(r)[1] >= 0.6,
  };
}
