// The address of the page holds moment, choice, layers and camera, so that a link restores the view; and the keys.

function addAddress(app, span) {
  const { about, city, text } = app;
  app.address = () => {
    const c = app.camera;
    const view = [c.longitude.toFixed(5), c.latitude.toFixed(5), c.zoom.toFixed(2), Math.round(c.pitch), Math.round(c.bearing)].join(",");
    const layers = Object.keys(app.on).filter((k) => app.on[k]);
    const t = Math.floor(app.now + about.begin_s);
    const clock = [Math.floor(t / 3600), Math.floor(t / 60) % 60, t % 60].map((v) => String(v).padStart(2, "0")).join(":");
    const parts = ["t=" + clock];
    if (app.chosen) parts.push("id=" + encodeURIComponent(app.chosen.id));
    parts.push("v=" + view, "l=" + layers.join(","));
    if (app.speed !== 30) parts.push("x=" + app.speed);
    if (app.draw !== "auto") parts.push("d=" + app.draw);
    if (app.showOver) parts.push("over=1");
    if (app.following) parts.push("follow=1");
    return "#" + parts.join("&");
  };
  let written = "";
  let writing = 0;
  app.changed = () => {
    if (writing) return;
    writing = setTimeout(() => {
      writing = 0;
      written = app.address();
      try {
        history.replaceState(null, "", written);
      } catch {
        /* some browsers allow few changes a second: the next one will do */
      }
    }, 400);
  };
  app.restore = (hash) => {
    const asked = new URLSearchParams(hash.replace(/^#/, ""));
    const clock = /^(\d{1,3}):(\d{2})(?::(\d{2}))?$/.exec(asked.get("t") || "");
    const seconds = clock ? clock[1] * 3600 + clock[2] * 60 + Number(clock[3] || 0) : Number.parseFloat(asked.get("t"));
    if (Number.isFinite(seconds)) app.now = Math.min(span, Math.max(0, seconds - about.begin_s));
    const v = (asked.get("v") || "").split(",").map(Number);
    const sane = v.length === 5 && v.every(Number.isFinite) && Math.abs(v[0]) <= 180 && Math.abs(v[1]) <= 85;
    if (sane) app.camera = { ...app.camera, longitude: v[0], latitude: v[1], zoom: Math.min(19.5, Math.max(app.camera.minZoom, v[2])), pitch: Math.min(70, Math.max(0, v[3])), bearing: v[4] % 360 };
    if (asked.has("l")) {
      const layers = asked.get("l").split(",");
      for (const id of Object.keys(app.on)) app.on[id] = layers.includes(id);
    }
    const speed = Number(asked.get("x"));
    if (SPEEDS.includes(speed)) app.speed = speed;
    if (["trails", "dots", "auto"].includes(asked.get("d"))) app.draw = asked.get("d");
    app.showOver = asked.get("over") === "1";
    app.chosen = asked.has("id") ? app.find.choiceOf(asked.get("id")) : null;
    app.following = asked.get("follow") === "1" && Boolean(app.chosen);
    if (app.chosen && !sane) {
      const at = app.find.spotOf(app.chosen, app.now);
      if (at) app.camera = { ...app.camera, longitude: city.centre[0] + at[0], latitude: city.centre[1] + at[1], zoom: 14.5 };
    }
  };
  window.addEventListener("hashchange", () => {
    if (location.hash === written) return;
    app.restore(location.hash);
    app.panels.switches();
    app.panels.controls();
    app.refreshChosen(true);
    app.refresh();
    app.view.redraw();
  });
  app.copyLink = () => {
    const address = location.href.replace(/#.*$/, "") + app.address();
    const done = () => app.panels.toast(text.link_copied);
    const byHand = () => {
      const area = el("textarea", { value: address, class: "off" });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      done();
    };
    if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(address).then(done, byHand);
    else byHand();
  };
}

function addKeys(app, span) {
  window.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || $("help").open) return;
    const typing = e.target.matches && e.target.matches("input[type=search], select, textarea");
    if (typing) return;
    const onButton = e.target.matches && e.target.matches("button, input[type=checkbox], summary");
    const step = e.shiftKey ? 60 : 1;
    const keys = {
      " ": () => app.play(!app.playing),
      ArrowLeft: () => app.seek(Math.ceil(app.now - 1e-6) - step),
      ArrowRight: () => app.seek(Math.floor(app.now + 1e-6) + step),
      ArrowUp: () => app.nudgeSpeed(1),
      ArrowDown: () => app.nudgeSpeed(-1),
      Home: () => app.seek(0),
      End: () => app.seek(span),
      r: () => app.turn(),
      f: () => app.follow(!app.following),
      "/": () => $("find-box").focus(),
      "?": () => app.panels.help(),
      0: () => app.home(),
      Escape: () => app.choose(null),
    };
    const act = keys[e.key.length === 1 ? e.key.toLowerCase() : e.key];
    if (!act || (e.key === " " && onButton)) return;
    e.preventDefault();
    act();
  });
}
