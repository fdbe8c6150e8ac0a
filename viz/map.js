// The page: opens the data, keeps the state (moment, speed, camera, layers, choice), and lets time run.

const raw = (id) => document.getElementById(id);

async function main() {
  const marks = { start: performance.now() };
  const mark = (name) => (marks[name] = Math.round(performance.now()));
  const zh = document.documentElement.lang === "zh-CN"; // the words of the page are still packed
  if (typeof DecompressionStream === "undefined")
    throw new Error(zh ? "此浏览器版本过旧，无法解压地图。" : "This browser is too old to unpack the map.");
  const library = gunzip(takeData("library")).text();
  const [cityData, tripData, stateData] = await Promise.all(["city", "trips", "state"].map(openData));
  const unitData = raw("data-units") ? await openData("units") : null; // a run without fleets has none
  const junctionData = raw("data-junctions") ? await openData("junctions") : null; // nor has one without signals under control
  const brainData = raw("data-brain") ? await openData("brain") : null; // nor one without a city brain
  const [officeData, siteData, communityData] = await Promise.all(["offices", "sites", "community"].map((name) => (raw("data-" + name) ? openData(name) : null)));
  mark("unpacked");
  const about = cityData.meta.about;
  const text = about.text;
  raw("cover-text").textContent = text.loading;
  const script = document.createElement("script");
  script.textContent = await library;
  document.head.append(script);
  mark("library");
  const renderer = rendererName();
  if (!renderer) throw new Error(text.no_webgl);
  if (!window.deck) throw new Error(text.failed);
  const city = openCity(cityData);
  const app = { about, text, city, renderer, lang: about.lang };
  app.trips = openTrips(tripData, city);
  app.tasks = openTasks(stateData);
  app.state = openState(stateData, city);
  app.fleet = unitData && openUnits(unitData, app.trips, about.kinds);
  app.junctions = junctionData && openJunctions(junctionData);
  app.brain = brainData && openBrain(brainData);
  app.offices = officeData && openOffices(officeData);
  app.sites = siteData && openSites(siteData);
  app.community = communityData && openCommunity(communityData);
  mark("decoded");
  setUp(app);
  mark("set");
  await app.view.start();
  mark("drawn");
  document.body.classList.remove("loading");
  app.panels.drawTicks();
  app.panels.drawCharts();
  app.refresh();
  mark("ready");
  app.marks = marks;
  window.__map = app;
  window.__ready = true;
  setTimeout(app.view.letters, 30);
}

function setUp(app) {
  const { about, text, city } = app;
  const span = about.end_s - about.begin_s;
  const [west, south, east, north] = city.meta.extent;
  app.label = (name, name_en) => (app.lang === "zh" || !name_en || name_en === name ? name || name_en : name ? name + " " + name_en : name_en);
  app.now = Math.min(span, about.open_s || 0);
  app.speed = 30;
  app.direction = 1;
  app.playing = false;
  app.following = false;
  app.draw = "auto";
  app.showOver = false;
  app.chosen = null;
  app.on = Object.fromEntries(Object.entries(about.switches).map(([id, [, first]]) => [id, first]));
  app.happenings = about.happenings.map((h, index) => ({ ...h, index, t0: h.t0 - about.begin_s, t1: h.t1 === undefined ? undefined : h.t1 - about.begin_s, fleet: h.unit && h.unit.split("-")[0] }));
  const seen = (codes, all) => all.filter((_, i) => codes.includes(i));
  app.kindsSeen = seen(app.trips.kind, about.kinds).filter((k) => !app.fleet || !app.fleet.meta.fleets.includes(k));
  app.placeKindsSeen = seen(city.places.kind, city.meta.place_kinds);
  app.blockKindsSeen = seen(city.blocks.kind, city.meta.block_kinds);

  // -- camera ---------------------------------------------------------------------------------------------
  app.whole = () => {
    const small = window.innerWidth < 720;
    const w = window.innerWidth - (small ? 24 : 620);
    const h = window.innerHeight - (small ? 330 : 190);
    const worldX = ((east - west) / 360) * 512;
    const merc = (lat) => (512 / (2 * Math.PI)) * Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360));
    const zoom = Math.log2(Math.min(Math.max(120, w) / worldX, Math.max(120, h) / (merc(north) - merc(south))));
    return { longitude: (west + east) / 2, latitude: (south + north) / 2, zoom: Math.min(16, zoom), pitch: 0, bearing: 0, minZoom: Math.max(3, zoom - 2), maxZoom: 19.5, maxPitch: 70 };
  };
  app.camera = app.whole();
  let flight = null;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  app.fly = (target, ms = 700) => {
    const from = { ...app.camera };
    if (calm || ms === 0) {
      app.camera = { ...from, ...target };
      flight = null;
      app.changed();
      return app.view.redraw();
    }
    flight = { from, to: { ...from, ...target }, at: performance.now(), ms };
    wake();
  };
  app.home = () => {
    app.following = false;
    app.fly(app.whole());
    app.refreshChosen(true);
  };
  app.moved = (viewState, how) => {
    const { longitude, latitude, zoom, pitch, bearing } = viewState;
    app.camera = { ...app.camera, longitude, latitude, zoom, pitch, bearing };
    if (how && (how.isDragging || how.isPanning)) {
      flight = null;
      if (app.following && how.isPanning) {
        app.following = false;
        app.refreshChosen(true);
      }
    }
    app.point(null);
    app.changed();
    app.view.redraw();
  };

  // -- time -------------------------------------------------------------------------------------------------
  let lastTick = 0;
  let awake = false;
  const wake = () => {
    if (awake) return;
    awake = true;
    lastTick = performance.now();
    requestAnimationFrame(tick);
  };
  function tick(at) {
    const passed = Math.min(1000, Math.max(0, at - lastTick)) / 1000;
    lastTick = at;
    if (app.playing) {
      app.now = Math.min(span, Math.max(0, app.now + passed * app.speed * app.direction));
      if (app.now === (app.direction > 0 ? span : 0)) app.play(false);
      app.refresh();
    }
    if (flight) {
      const f = Math.min(1, (at - flight.at) / flight.ms);
      const ease = f * f * (3 - 2 * f);
      for (const key of ["longitude", "latitude", "zoom", "pitch", "bearing"]) app.camera[key] = flight.from[key] + ease * (flight.to[key] - flight.from[key]);
      app.camera = { ...app.camera };
      if (f === 1) flight = null;
      app.changed();
    }
    if (app.following) app.centre();
    app.view.redraw();
    if (app.playing || flight) requestAnimationFrame(tick);
    else awake = false;
  }
  app.centre = () => {
    const at = app.chosen && app.find.spotOf(app.chosen, app.now);
    if (!at || flight) return;
    app.camera = { ...app.camera, longitude: city.centre[0] + at[0], latitude: city.centre[1] + at[1] };
  };
  app.play = (on) => {
    if (on && app.now === (app.direction > 0 ? span : 0)) app.now = app.direction > 0 ? 0 : span;
    app.playing = on;
    app.panels.controls();
    app.changed();
    wake();
  };
  app.turn = () => {
    app.direction = -app.direction;
    app.panels.controls();
    app.play(true);
  };
  app.setSpeed = (speed) => {
    app.speed = speed;
    app.panels.controls();
    app.changed();
  };
  app.nudgeSpeed = (by) => app.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.findIndex((s) => s >= app.speed) + by))]);
  app.seek = (t, dragging = false) => {
    app.now = Math.min(span, Math.max(0, t));
    if (!dragging && app.playing) app.play(false);
    app.soughtAt = performance.now();
    app.refresh();
    if (app.following) app.centre();
    app.changed();
    app.view.redraw();
  };
  app.painted = (at) => {
    if (app.soughtAt) app.seekToPaint = at - app.soughtAt;
    app.soughtAt = 0;
  };

  // -- layers -------------------------------------------------------------------------------------------------
  app.setLayer = (id, on) => {
    app.on[id] = on;
    app.panels.switches();
    app.panels.happening();
    app.changed();
    app.view.redraw();
  };
  app.setDraw = (how) => {
    app.draw = how;
    if (how === "trails") app.view.trailsSlow = false;
    app.drawChanged();
    app.changed();
    app.view.redraw();
  };
  app.drawChanged = () => app.panels.switches();
  app.setOver = (on) => {
    app.showOver = on;
    app.panels.happening();
    app.changed();
    app.view.redraw();
  };

  // -- what happened --------------------------------------------------------------------------------------------
  const weight = (h) => (h.over ? 10 : 0) + ["closed", "weather", "event", "lane_closed", "demand", "speed_limit", "advice", "depot", "charger", "permit", "broken", "found", "violation", "takeover", "link", "halt"].indexOf(h.kind);
  app.happeningNow = () =>
    app.happenings
      .filter((h) => !h.fleet || app.on["fleet_" + h.fleet])
      .filter((h) => h.t0 <= app.now && (h.t1 === undefined ? app.now < h.t0 + 900 || !MOMENTS.has(h.kind) : app.now < h.t1 || app.showOver))
      .map((h) => ({ ...h, over: h.t1 !== undefined && app.now >= h.t1 }))
      .sort((a, b) => weight(a) - weight(b) || a.t0 - b.t0);
  app.happeningSpot = (h) => {
    if (h.unit) return app.find.spotOf(app.find.choiceOf(h.unit), h.over ? h.t1 : app.now);
    if (h.roads && h.roads.length) return app.find.spotOf({ kind: "road", row: h.roads[h.roads.length >> 1] }, app.now);
    if (h.place) {
      const i = city.places.id.findIndex((n, k) => city.names[n] === h.place || city.names[city.places.name[k]] === h.place);
      return i < 0 ? null : [city.places.x[i], city.places.y[i]];
    }
    return null;
  };
  app.happeningText = (h) => {
    const words = [text["event_" + h.kind] || h.kind];
    if (h.kind === "weather") words.push(text["weather_" + h.what] || h.what, h.value ? figure(h.value) + " mm/h" : "");
    if (h.kind === "speed_limit") words.push(Math.round(h.value) + " km/h");
    if (h.kind === "demand") words.push(h.what || "", "× " + figure(h.value));
    if (h.kind === "event") words.push(h.place || "", figure(h.value) + " " + text.people);
    if (h.roads && h.roads.length) words.push(app.find.roadName(h.roads[0]));
    if (h.kind === "advice") words.push(figure(h.value) + " " + text.followed);
    if (h.unit) words.push(h.unit, h.what || "");
    if (h.kind === "depot" || h.kind === "charger") words.push(app.find.placeNamed(h.place));
    if (h.kind === "charger") words.push(h.value + " " + text.chargers_left);
    if (h.kind === "permit") words.push(h.what);
    if (h.cause && !/[_[]/.test(h.cause)) words.push("(" + h.cause + ")");
    if (h.t1 !== undefined) words.push(text.until + " " + app.panels.hms(h.t1, false));
    return words.filter(Boolean).join(" ");
  };
  app.goHappening = (h) => app.choose("happening-" + h.index, true);

  // -- choice -----------------------------------------------------------------------------------------------------
  app.choose = (id, go = false) => {
    const choice = id ? app.find.choiceOf(id) : null;
    if (id && !choice) return app.panels.toast(text.search_none + ": " + id);
    app.chosen = choice;
    const mover = Boolean(choice) && MOVERS.has(choice.kind);
    app.following = mover && go;
    if (choice && go) {
      // somebody who is not there yet is shown at the moment of setting out
      if (choice.kind === "vehicle" && choice.last > choice.first && app.find.pieceAt(choice, app.now) < 0) {
        const begin = app.trips.begins[choice.first];
        if (app.now < begin || app.now > app.trips.ends[choice.last - 1]) app.seek(Math.ceil(begin) + 1);
      }
      const at = app.find.spotOf(choice, app.now);
      const zoom = { vehicle: 15, resident: 14.5, road: 14, place: 15, signal: 16, community: 13.5, subdistrict: 11.5, water: 12, block: 15, happening: 14, unit: 15, order: 14.5, booking: 14.5, responder: 14.5, hazard: 14.5, alert: 14.5, dropped: 14.5, incident: 14, channel: 15.5, project: 14, office: 14.5 }[choice.kind];
      if (at) app.fly({ longitude: city.centre[0] + at[0], latitude: city.centre[1] + at[1], zoom: Math.max(mover ? app.camera.zoom : 0, zoom) });
    }
    app.refreshChosen(true);
    app.changed();
    app.view.redraw();
    return undefined;
  };
  app.follow = (on) => {
    app.following = on && Boolean(app.chosen);
    if (app.following) app.centre();
    app.refreshChosen(true);
    app.view.redraw();
  };
  app.chosenWay = () => app.find.wayOf(app.chosen);
  app.chosenSpot = (t) => {
    const drawn = app.chosen.kind === "unit" && app.view.unitSpots.find((d) => d.unit === app.chosen.unit);
    return drawn ? [drawn.x, drawn.y] : spotOfChosen(t);
  };
  const spotOfChosen = (t) => (MOVERS.has(app.chosen.kind) || SPOTS.has(app.chosen.kind) ? app.find.spotOf(app.chosen, t) : null);
  let chosenAt = 0;
  let chosenLater = 0;
  app.refreshChosen = (force = false) => {
    const at = performance.now();
    if (!force && !app.chosen) return;
    clearTimeout(chosenLater);
    if (!force && at - chosenAt < 200) {
      chosenLater = setTimeout(() => app.refreshChosen(), 200 - (at - chosenAt)); // the last moment of a drag is told too
      return;
    }
    chosenAt = at;
    const open = [...document.querySelectorAll("#chosen details")].map((d) => d.open);
    app.panels.chosen(app.chosen ? app.find.panelOf(app.chosen).filter(Boolean) : null);
    if (!force) [...document.querySelectorAll("#chosen details")].forEach((d, i) => i < open.length && (d.open = open[i]));
  };
  app.pointed = -1; // the road under the pointer
  app.pointedId = null;
  app.point = (id, x, y) => {
    const road = id && id.startsWith("road-") ? Number(id.slice(5)) : -1;
    if (road !== app.pointed) {
      app.pointed = road;
      app.view.redraw();
    }
    app.pointedId = id;
    app.panels.tip(id && app.find.tipOf(id), x, y);
  };
  const map = $("map");
  let held = null;
  let moved = 0;
  let asked = null;
  map.addEventListener("pointerdown", (e) => {
    held = [e.clientX, e.clientY];
    moved = 0;
    app.point(null);
  });
  map.addEventListener("pointermove", (e) => {
    if (held) moved = Math.max(moved, Math.hypot(e.clientX - held[0], e.clientY - held[1]));
    if (e.buttons || e.pointerType === "touch") return;
    if (!asked) requestAnimationFrame(() => {
      app.point(asked && app.pick(asked[0], asked[1]), ...(asked || []));
      asked = null;
    });
    asked = [e.clientX, e.clientY];
  });
  map.addEventListener("pointerleave", () => {
    asked = null;
    app.point(null);
  });
  map.addEventListener("click", (e) => {
    held = null;
    if (moved < 5) app.choose(app.pick(e.clientX, e.clientY, true));
  });
  app.refresh = () => {
    app.panels.clock();
    app.panels.happening();
    app.refreshChosen();
  };

  addAddress(app, span);
  addKeys(app, span);
  let resizing = 0;
  window.addEventListener("resize", () => {
    clearTimeout(resizing);
    resizing = setTimeout(() => {
      app.panels.drawTicks();
      app.panels.drawCharts();
      app.panels.clock();
      app.view.redraw();
    }, 120);
  });

  app.panels = makePanels(app);
  app.view = makeView(app);
  app.find = makeFind(app);
  app.locate = (piece, t) => {
    const spot = {};
    locate(app.trips, piece, t, spot);
    return spot;
  };
  app.locateUnit = (id, t) => {
    const out = {};
    locateUnit(app.fleet, app.trips, app.fleet.byId.get(id), t, out);
    return out;
  };
  app.pick = makePick(app);
  app.restore(location.hash);
  app.panels.switches();
  app.panels.controls();
  app.refreshChosen(true);
  if (window.innerWidth < 720) document.body.classList.add("hide-layers", "hide-figures");
}

const MOVERS = new Set(["vehicle", "resident", "unit", "order", "booking", "responder"]);
const SPOTS = new Set(["place", "signal", "happening", "hazard", "alert", "dropped", "incident", "channel", "project", "office"]); // ringed where they are
const MOMENTS = new Set(["advice", "demand"]);

main().catch((error) => {
  document.body.classList.add("broken");
  raw("cover-text").textContent = String((error && error.message) || error);
  window.__failed = String((error && error.stack) || error);
  console.error(error);
});
