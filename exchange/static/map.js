// Comfort only: the picture that the server draws does without this file. Once the map is in view, Leaflet takes the
// picture's place: one moves in it, and sees apart what the picture had to merge. A point still leads to its place in
// the list, which holds all that is known of it.

const figure = document.querySelector(".map");
const frame = figure.querySelector(".map-frame");
const told = figure.dataset;
const places = [...document.querySelectorAll(".map-places > li")].map((item) => ({
  id: item.id,
  number: item.dataset.number,
  label: item.dataset.label,
  at: [Number(item.dataset.latitude), Number(item.dataset.longitude)],
}));

// Who pays by the megabyte, and says so, keeps the picture.
if (!navigator.connection?.saveData) {
  new IntersectionObserver((seen, observer) => {
    if (!seen.some((each) => each.isIntersecting)) return;
    observer.disconnect();
    load().then(show, () => {}); // what doesn't come isn't waited for: the picture stays
  }).observe(frame);
}

function load() {
  return Promise.all([
    added("link", { rel: "stylesheet", href: told.style }),
    added("script", { src: told.script }),
    new Promise((resolve) => leaving(resolve)),
  ]);
}

function added(tag, values) {
  return new Promise((onload, onerror) => {
    document.head.append(Object.assign(document.createElement(tag), values, { onload, onerror }));
  });
}

// Nothing is replaced under somebody's keys.
function leaving(then) {
  if (!frame.contains(document.activeElement)) return then();
  frame.addEventListener("focusout", () => setTimeout(leaving, 0, then), { once: true });
}

function show() {
  const L = window.L;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const room = Object.assign(document.createElement("div"), { className: "map-live" });
  room.setAttribute("role", "region");
  room.setAttribute("aria-label", told.label);
  frame.append(room);
  figure.classList.add("is-live");
  const map = L.map(room, {
    attributionControl: false, // the page says whom we thank
    zoomControl: false, // ours are buttons with words, under the map: they hide no point
    zoomSnap: told.tiles ? 1 : 0, // tiles are drawn for whole zooms
    maxZoom: 19,
    dragging: !matchMedia("(pointer: coarse)").matches, // one finger moves the page, two the map
    scrollWheelZoom: false,
    zoomAnimation: false, // what is pressed while one runs would be lost
    inertia: !still,
  });
  const whole = L.latLngBounds([position(0, 1000), position(1000, 0)]);
  map.fitBounds(whole);
  map.setMinZoom(map.getZoom());
  map.setMaxBounds(whole.pad(0.5));
  if (told.tiles) {
    L.tileLayer(told.tiles, { maxZoom: 19, referrerPolicy: "strict-origin-when-cross-origin" }).addTo(map);
  }
  const rings = outline();
  if (rings.length) {
    L.polygon(rings, { className: "map-outline", interactive: false, fillOpacity: told.tiles ? 0 : 1 }).addTo(map);
  }
  wheelOnceInside(map);
  const points = L.layerGroup().addTo(map);
  map.on("zoomend", () => draw(map, points));
  draw(map, points);
  const moves = figure.querySelector(".map-moves");
  moves.hidden = false;
  const nearer = () => map.zoomIn();
  const farther = () => map.zoomOut();
  const back = () => map.fitBounds(whole);
  [nearer, farther, back].forEach((move, n) => moves.querySelectorAll("button")[n].addEventListener("click", move));
}

// Where the spot of the picture is on the earth: see Frame in exchange/bookings/geography.py.
function position(x, y) {
  const latitude = Number(told.latitude);
  const shortening = Math.cos((latitude * Math.PI) / 180);
  return [latitude + (500 - y) / told.scale, Number(told.longitude) + (x - 500) / (told.scale * shortening)];
}

function outline() {
  const rings = figure.querySelector("path").getAttribute("d").split("Z").filter(Boolean);
  return rings.map((ring) => ring.slice(1).split(" ").map((spot) => position(...spot.split(",").map(Number))));
}

// The wheel scrolls the page, until somebody is in the map for good.
function wheelOnceInside(map) {
  map.on("focus click", () => map.scrollWheelZoom.enable());
  map.on("blur mouseout", () => map.scrollWheelZoom.disable());
}

function draw(map, points) {
  const L = window.L;
  const held = document.activeElement?.closest(".map-pin")?.dataset.of.split(" ");
  points.clearLayers();
  for (const point of merged(map)) {
    const pin = pinOf(map, point);
    const icon = L.divIcon({ className: "", iconSize: [0, 0], html: pin });
    L.marker(map.unproject(point.spot), { icon, keyboard: false, interactive: false }).addTo(points);
    if (held && point.of.some((place) => place.number === held[0])) pin.focus({ preventScroll: true });
  }
}

function pinOf(map, { of }) {
  const pin = Object.assign(document.createElement("a"), { href: `#${of[0].id}`, className: "map-pin", draggable: false });
  pin.dataset.of = of.map((place) => place.number).join(" ");
  window.L.DomEvent.disableClickPropagation(pin);
  if (of.length === 1) {
    pin.textContent = of[0].number;
    pin.title = of[0].label;
    pin.setAttribute("aria-label", of[0].label);
    return pin;
  }
  pin.classList.add("several");
  pin.textContent = told.several.replace("#", of.length);
  const around = window.L.latLngBounds(of.map((place) => place.at));
  if (map.getBoundsZoom(around) <= map.getZoom() || map.getZoom() >= map.getMaxZoom()) {
    pin.setAttribute("aria-label", [pin.textContent, ...of.map((place) => place.label)].join(", "));
    return pin; // no nearer: to the list
  }
  pin.setAttribute("aria-label", told.nearer.replace("#", of.length));
  pin.addEventListener("click", (event) => {
    event.preventDefault();
    map.fitBounds(around.pad(0.1), { padding: [48, 48] });
  });
  return pin;
}

// As exchange/bookings/geography.py merges them, in the pixels of this zoom and the letters of this screen.
function merged(map) {
  const letter = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const [height, alone, several] = [2.5 * letter, 2.5 * letter, 5.75 * letter];
  const spots = new Map(places.map((place) => [place, map.project(place.at)]));
  const point = (of, spot) => ({ of, spot, width: of.length > 1 ? several : alone });
  const touch = (one, other) =>
    Math.abs(one.spot.x - other.spot.x) < (one.width + other.width) / 2 &&
    Math.abs(one.spot.y - other.spot.y) < height;
  const points = [];
  for (const place of places) {
    let added = point([place], spots.get(place));
    for (let near; (near = points.findIndex((each) => touch(each, added))) >= 0; ) {
      const [met] = points.splice(near, 1);
      added = point([...met.of, ...added.of], met.spot);
    }
    points.push(added);
  }
  points.forEach((each, n) => {
    const sum = each.of.reduce((all, place) => all.add(spots.get(place)), window.L.point(0, 0));
    const middle = point(each.of, sum.divideBy(each.of.length));
    if (!points.some((other) => other !== each && touch(middle, other))) points[n] = middle;
  });
  return points;
}
