// Draws the maps carried by this page, lists their objects and answers the keyboard. Words of the data enter the page
// as text only.
"use strict";
(() => {
  const maps = JSON.parse(document.getElementById("cartes").textContent);
  const at = (id) => document.getElementById(id);
  const french = new Intl.NumberFormat("fr-FR", { maximumFractionDigits: 2 });
  // A part too small for two decimals is said small, never nil.
  const number = (value) => value !== 0 && Math.abs(value) < 0.005 ? (value > 0 ? "< 0,01" : "> −0,01") : french.format(value);
  // A cell as a number, whether it came as one or in French words; NaN for other words.
  const worth = (value) => typeof value === "number" ? value
    : Number(value.replace(/[\u202f\u00a0]|^[<>] /g, "").replace("−", "-").replace(",", ".") || NaN);
  const plain = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  const made = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  let map, view, drawing, items, twice, chosen, hidden;

  // ---- what is listed ----

  const points = (coordinates) =>
    typeof coordinates[0] === "number" ? [coordinates] : coordinates.flatMap(points);

  function bounds(geometry) {
    const all = geometry.type === "GeometryCollection"
      ? geometry.geometries.flatMap((part) => points(part.coordinates)) : points(geometry.coordinates);
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (const [x, y] of all) {
      box[0] = Math.min(box[0], x); box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x); box[3] = Math.max(box[3], y);
    }
    return box;
  }

  function listed() {
    const found = [];
    for (const layer of map.layers.filter((one) => one.listed)) {
      for (const part of layer.parts) {
        for (const row of part.data.features || part.data) {
          const told = row.properties || row;
          if (told.titre === undefined || told.id === undefined) continue;
          const geometry = row.geometry || { type: "Point", coordinates: row.position };
          found.push({ layer, geometry, id: told.id, title: told.titre, text: told.texte || "" });
        }
      }
    }
    return found;
  }

  // ---- drawing ----

  function accessor(value) {
    if (typeof value !== "string" || !value.startsWith("@@=")) return value;
    const path = value.slice(3).split(".");
    return (row) => path.reduce((inner, name) => inner[name], row);
  }

  function shown() {
    const layers = [];
    for (const layer of map.layers) {
      if (hidden.has(layer.name)) continue;
      for (const { "@@type": type, ...given } of layer.parts) {
        const properties = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, accessor(value)]));
        layers.push(new deck[type](properties));
      }
    }
    if (chosen && !hidden.has(chosen.layer.name)) {
      layers.push(new deck.GeoJsonLayer({
        id: "objet-choisi", data: [{ type: "Feature", geometry: chosen.geometry, properties: {} }],
        filled: false, stroked: true, getLineColor: [11, 83, 148], getLineWidth: 5, lineWidthUnits: "pixels",
        getPointRadius: 16, pointRadiusUnits: "pixels", pickable: false,
      }));
    }
    return layers;
  }

  function draw() {
    if (!drawing) return;
    drawing.setProps({ layers: shown(), viewState: view });
    scale();
  }

  function start() {
    if (drawing || !map.layers.length) return;
    try {
      if (!document.createElement("canvas").getContext("webgl2")) throw new Error("webgl2");
      // The class of #dessin makes it hear the keys, not the canvas within: one stop of the Tab key, with a name.
      drawing = new deck.Deck({
        parent: at("dessin"), views: new deck.MapView({ repeat: false }), controller: { keyboard: true },
        viewState: view, layers: [], pickingRadius: 4, getCursor: ({ isHovering }) => (isHovering ? "pointer" : "grab"),
        onViewStateChange: ({ viewState }) => { view = viewState; draw(); },
        onHover: hover, onClick: ({ object }) => object && choose(found(object)),
        onAfterRender: () => { document.body.dataset.peint = "oui"; },
      });
    } catch (error) {
      at("rien").textContent = "Ce navigateur ne dessine pas la carte (WebGL absent) : la liste et le tableau la remplacent.";
      at("rien").hidden = false;
    }
  }

  const found = (object) => {
    const told = object.properties || object;
    return items.find((item) => item.id === told.id && item.title === told.titre);
  };

  function hover({ object, x, y }) {
    const told = object && (object.properties || object);
    const bubble = at("bulle");
    bubble.hidden = !(told && told.titre);
    if (bubble.hidden) return;
    bubble.replaceChildren(made("strong", { textContent: told.titre }), `\n${told.texte || ""}`);
    bubble.style.left = `${Math.min(x + 12, Math.max(0, at("plan").clientWidth - bubble.offsetWidth - 4))}px`;
    bubble.style.top = `${Math.min(y + 12, Math.max(0, at("plan").clientHeight - bubble.offsetHeight - 4))}px`;
  }

  function scale() {
    // A pixel of the Mercator view covers fewer metres on the ground as the latitude rises.
    const metres = (40075016.686 * Math.cos((view.latitude * Math.PI) / 180)) / (512 * 2 ** view.zoom);
    const power = 10 ** Math.floor(Math.log10(metres * 140));
    const length = [5, 2, 1].map((digit) => digit * power).find((one) => one <= metres * 140);
    at("echelle").style.width = `${length / metres}px`;
    at("echelle").textContent = length >= 1000 ? `${french.format(length / 1000)} km` : `${french.format(length)} m`;
  }

  function fit(box) {
    const { clientWidth: width, clientHeight: height } = at("plan");
    const [west, south, east, north] = box;
    const y = (lat) => Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / (2 * Math.PI);
    const share = Math.min(
      width / (512 * Math.max((east - west) / 360, 1e-7)), height / (512 * Math.max(y(north) - y(south), 1e-7)));
    view = { ...view, longitude: (west + east) / 2, latitude: (south + north) / 2,
      zoom: Math.min(Math.log2(0.9 * share), 17) };
  }

  // ---- choosing ----

  function choose(item, moved = false) {
    chosen = item || null;
    at("choisi").replaceChildren();
    if (chosen) at("choisi").append(made("strong", { textContent: chosen.title }), `\n${chosen.text}`);
    for (const button of at("liste").querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(items[Number(button.dataset.place)] === chosen));
    }
    if (chosen && moved) {
      const [west, south, east, north] = bounds(chosen.geometry);
      if (west === east && south === north) {
        view = { ...view, longitude: west, latitude: south, zoom: Math.max(view.zoom, 15) };
      } else fit([west, south, east, north]);
    }
    draw();
  }

  function list() {
    const asked = plain(at("recherche").value.trim());
    const kept = items.map((item, place) => [item, place])
      .filter(([item]) => !hidden.has(item.layer.name) && plain(`${item.title} ${item.text} ${item.id}`).includes(asked));
    at("compte").textContent = `${kept.length} objet${kept.length > 1 ? "s" : ""} sur ${items.length}`;
    at("liste").replaceChildren(...kept.map(([item, place]) => {
      const mark = twice.has(`${item.layer.name}\n${item.title}`) ? `${item.layer.title}, ${item.id}` : item.layer.title;
      const button = made("button", { type: "button" }, item.title, " ", made("small", { textContent: mark }));
      button.dataset.place = place;
      button.setAttribute("aria-pressed", String(item === chosen));
      button.addEventListener("click", () => choose(item, true));
      return made("li", {}, button);
    }));
  }

  function switches() {
    at("couches").replaceChildren(...map.layers.filter((layer) => layer.optional || layer.legend.includes("<li")).map((layer) => {
      const group = made("div", {});
      if (layer.optional) {
        const box = made("input", { type: "checkbox", checked: true, name: layer.name });
        box.addEventListener("change", () => {
          if (box.checked) hidden.delete(layer.name); else hidden.add(layer.name);
          list();
          draw();
        });
        group.append(made("label", {}, box, " ", layer.title));
      }
      const legend = made("div", {});
      legend.innerHTML = layer.legend; // written by the toolkit, every word escaped
      if (layer.optional) for (const head of legend.querySelectorAll("li > div:first-child:not(:only-child)")) {
        if (head.textContent === layer.title) head.remove();
      }
      group.append(legend);
      return group;
    }));
  }

  // ---- tables ----

  function table(given, title) {
    const body = made("tbody", {});
    const cell = (value) => made("td", {
      className: value === null || Number.isNaN(worth(value)) ? "" : "nombre",
      textContent: value === null ? "—" : typeof value === "number" ? number(value) : value,
    });
    const fill = (rows) => body.replaceChildren(...rows.map((row) => made("tr", {}, ...row.map(cell))));
    const heads = given.columns.map((name, place) => {
      const button = made("button", { type: "button", textContent: name });
      const head = made("th", { scope: "col" }, button);
      button.addEventListener("click", () => {
        const rising = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach((one) => one.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", rising ? "ascending" : "descending");
        const order = ([a], [b]) => {
          const gap = worth(a) - worth(b);
          return Number.isNaN(gap) ? String(a).localeCompare(String(b), "fr", { numeric: true }) : gap;
        };
        const said = (row) => row[place] !== null && row[place] !== "—";
        const known = given.rows.filter(said).map((row) => [row[place], row]).sort(order);
        if (!rising) known.reverse();
        fill([...known.map(([, row]) => row), ...given.rows.filter((row) => !said(row))]);
      });
      return head;
    });
    fill(given.rows);
    return made("div", { className: "rouleau", tabIndex: 0, role: "region", ariaLabel: title },
      made("table", {}, made("caption", { textContent: title }), made("thead", {}, made("tr", {}, ...heads)), body));
  }

  // ---- one map ----

  function open(place) {
    map = maps[place];
    view = { ...map.view, maxZoom: 20, minZoom: 7 };
    hidden = new Set();
    chosen = null;
    items = listed();
    const names = items.map((item) => `${item.layer.name}\n${item.title}`);
    twice = new Set(names.filter((name, place) => names.indexOf(name) !== place));
    at("titre").textContent = map.title;
    at("rien").textContent = map.nothing;
    at("rien").hidden = !map.nothing;
    at("vue").hidden = !map.layers.length;
    at("description").textContent = map.description;
    at("sources").textContent = map.credits.length ? `Contours : ${map.credits.join(" · ")}` : "";
    at("dessin").setAttribute("aria-label", map.title);
    at("sans-lieu").hidden = !map.unplaced.rows.length;
    at("sans-lieu").querySelector("div").replaceChildren(table(map.unplaced, `${map.unplaced.rows.length} sans lieu connu`));
    at("tableau").replaceChildren(table(map.table, map.title));
    at("recherche").value = "";
    at("choisi").replaceChildren();
    switches();
    list();
    start();
    overview();
  }

  function overview() {
    if (!map.layers.length) return;
    view = { ...view, ...map.view };
    // The view was made for a frame of 760 by 560 pixels.
    const { clientWidth: width, clientHeight: height } = at("plan");
    view.zoom = map.view.zoom + Math.log2(Math.min(width / 760, height / 560));
    draw();
  }

  const zoom = (step) => { view = { ...view, zoom: Math.min(20, Math.max(7, view.zoom + step)) }; draw(); };

  at("carte").append(...maps.map((one, place) => made("option", { value: place, textContent: one.title })));
  at("choix").hidden = maps.length < 2;
  at("carte").addEventListener("change", () => { location.hash = `carte-${Number(at("carte").value) + 1}`; });
  addEventListener("hashchange", () => go());
  at("recherche").addEventListener("input", list);
  at("plus").addEventListener("click", () => zoom(1));
  at("moins").addEventListener("click", () => zoom(-1));
  at("tout").addEventListener("click", overview);
  addEventListener("keydown", (event) => { if (event.key === "Escape") choose(null); });

  function go() {
    const asked = Number((location.hash.match(/^#carte-(\d+)$/) || [])[1]) - 1;
    const place = asked >= 0 && asked < maps.length ? asked : 0;
    at("carte").value = String(place);
    open(place);
  }
  go();
})();
