// The picture: deck.gl layers made from the pydeck specs, with the data of this moment attached.
// Two pictures lie on top of each other: the ground, drawn again only when the camera moves, and all that moves.

const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i;
const SLOW_FRAME_MS = 90;

// What draws here: "" without WebGL 2, else the name of the graphics card or of the software that stands in for one.
function rendererName() {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return "";
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER)) || "unknown";
  const lose = gl.getExtension("WEBGL_lose_context");
  if (lose) lose.loseContext();
  return name;
}

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
  const mesh = (id, data, more = {}) => make(id, { data, _normalize: false, positionFormat: "XY", ...more });
  const metresPerPixel = (zoom) => (78271.5 * Math.cos((city.centre[1] * Math.PI) / 180)) / 2 ** zoom;

  // cached layers: remade only when what they show has changed
  let cache = new Map();
  let kept = new Map(); // what this drawing uses: a layer that was switched off is gone for good
  const cached = (id, key, build) => {
    const old = cache.get(id);
    const entry = old && old.key === key ? old : { key, layer: build() };
    kept.set(id, entry);
    return entry.layer;
  };

  const map = document.getElementById("map");
  const view = { software: SOFTWARE.test(app.renderer), measured: [], trailsSlow: false, lettersReady: false, pickers: [] };
  const kit = { make, mesh, cached, metresPerPixel, pal, letters: () => view.lettersReady };
  const { ground, marks, happening, selection, swept, icons, placeShown, roadShown } = makeGround(app, kit);
  view.icons = icons;
  const { movers, trails } = makeMovers(app, kit, view);
  const units = app.fleet ? makeUnits(app, kit, view) : () => [];
  const brain = app.brain ? makeBrainLayers(app, kit, view) : { coverage: () => ({ key: "", layers: [] }), layers: () => [] };
  const systems = [app.community && makeCommunityLayers(app, kit, view), app.sites && makeSiteLayers(app, kit, view), app.offices && makeOfficeLayers(app, kit, view), app.offices && makeClimateLayers(app, kit, view)].filter(Boolean);
  const crossings = app.junctions ? makeJunctionLayers(app, kit) : () => ({ below: [], above: [] });
  let base = null;
  let deckgl = null;
  let frameAsked = false;
  view.step = (t) => Math.min(state.steps - 1, Math.max(0, Math.floor(t / about.step_s)));

  // -- drawing ------------------------------------------------------------------------------------------
  view.drawsTrails = () => {
    if (app.draw === "trails") return true;
    if (app.draw === "dots" || view.software || view.trailsSlow) return false;
    return view.count < 25000;
  };

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
    const fleets = units(t, zoom); // before the selection, which rings a unit where it is drawn
    const signals = crossings(t, zoom);
    const coverage = brain.coverage(t, zoom);
    const top = [...swept(t, quarter), ...signals.below, ...selection(t, quarter), ...moving, ...signals.above, ...fleets, ...systems.flatMap((system) => system(t, zoom)), ...happening(quarter), ...brain.layers(t)];
    const below = [...ground(quarter, step), ...coverage.layers, ...marks(Math.floor(zoom * 2))];
    [cache, kept] = [kept, new Map()];
    const key = [longitude, latitude, zoom, pitch, bearing, step, coverage.key, view.lettersReady, JSON.stringify(app.on)].join();
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
  view.letters = () => {
    view.lettersReady = true;
    view.redraw();
  };
  view.countNow = () => (view.count = underWay(trips, app.now, active));

  view.start = () =>
    new Promise((ready, failed) => {
      const waiting = new Set(["ground", "moving"]);
      const drawn = (which) => waiting.delete(which) && waiting.size === 0 && ready();
      let last = 0;
      const common = {
        views: [new deck.MapView({ repeat: false })],
        viewState: { ...app.camera },
        layers: [],
        useDevicePixels: view.software ? 1 : true,
        parameters: { depthCompare: "always", depthWriteEnabled: false }, // painted in order, also when tilted
        onError: (error) => failed(error),
      };
      base = new deck.Deck({
        ...common,
        parent: document.getElementById("ground"),
        controller: { doubleClickZoom: true, touchRotate: true, keyboard: false, inertia: 250, scrollZoom: { smooth: false, speed: 0.012 } },
        getCursor: ({ isDragging }) => (isDragging ? "grabbing" : app.pointedId ? "pointer" : "grab"),
        onViewStateChange: ({ viewState, interactionState }) => app.moved(viewState, interactionState),
        onAfterRender: () => drawn("ground"),
      });
      deckgl = new deck.Deck({
        ...common,
        parent: document.getElementById("moving"),
        onAfterRender: () => {
          const t = performance.now();
          if (app.playing && last) measure(t - last);
          last = t;
          app.painted(t);
          drawn("moving");
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
  view.metresPerPixel = metresPerPixel;
  view.placeShown = placeShown;
  view.roadShown = roadShown;
  view.viewport = () => new deck.WebMercatorViewport({ ...app.camera, width: map.clientWidth, height: map.clientHeight });
  return view;
}
