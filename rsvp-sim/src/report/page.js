"use strict";
// Draws the run that stands beside this script. Nothing is fetched and nothing is kept.
const run = JSON.parse(document.getElementById("run").textContent);
const $ = id => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const MOST_LANES = 24, MOST_ROWS = 600, MOST_CHARTS = 24;
const ROW = 22, LEFT = 84;

function make(parent, name, attributes, text) {
  const svg = parent.namespaceURI === SVG || name === "svg";
  const element = svg ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent.appendChild(element);
  return element;
}

function rate(bps) {
  for (const [unit, size] of [["Gbit/s", 1e9], ["Mbit/s", 1e6], ["kbit/s", 1e3]]) {
    if (bps >= size) return `${+(bps / size).toFixed(3)}${unit}`;
  }
  return `${bps}bit/s`;
}

// A name as it has room: of a long one its beginning and its end. Wide characters take two places.
function short(name, most) {
  const all = [...name], wide = c => c.codePointAt(0) >= 0x1100 ? 2 : 1;
  if (all.reduce((sum, c) => sum + wide(c), 0) <= most) return name;
  const start = [], end = [];
  for (let room = most - 1, n = 0; ; n++) {
    const c = n % 2 ? all[all.length - 1 - end.length] : all[start.length];
    room -= wide(c);
    if (room < 0) return `${start.join("")}…${end.reverse().join("")}`;
    (n % 2 ? end : start).push(c);
  }
}

// A text in a picture that shows all of the name to who points at it.
function named(parent, attributes, name, most) {
  const text = make(parent, "text", attributes, short(name, most));
  if (text.textContent !== name) make(text, "title", {}, name);
  return text;
}

// What is in rows has names for its fields here.
run.nodes = run.nodes.map(([name, kind, x, y, applications]) => ({ name, kind, x, y, applications }));
run.links = run.links.map(([name, lan, ends, bps, reservable, properties, at, came, lost, longest]) => (
  { name, lan: !!lan, ends, rate: bps, reservable, properties: run.properties[properties], at, came, lost, longest }));
const messages = run.messages.map(m => ({
  order: m[0], at: m[1], delay: m[2], from: m[3], to: m[4], link: m[5], kind: run.texts[m[6]], text: run.texts[m[7]],
  lost: !!(m[8] & 1), refresh: !!(m[8] & 2), forwarded: !!(m[8] & 4), octets: m[9], detail: m[10], missed: m[11] || [],
}));
const upstream = new Set(["Resv", "ResvTear", "PathErr"]);
const colour = m => m.lost ? "lost" : upstream.has(m.kind) ? "up" : "down";
const directions = new Map();
const words = places => places.map(n => run.reserving[n]).join("; ");
for (const [from, link, reservable, bps, by, peak, peakBy, peakAt, points] of run.reservations) {
  const use = { from, link, reservable, reserved: bps, by: words(by), peak, peakBy: words(peakBy), peakAt };
  directions.set(`${from}/${link}`, { use, points });
}

let now = run.duration, chosen = null, picked = null, timer = null;

function reserved(direction) {
  if (now >= run.duration) return direction.use.reserved;
  let bps = 0;
  for (const [at, value] of direction.points) { if (at > now) break; bps = value; }
  return bps;
}

function middle(link) {
  if (link.at) return link.at;
  const ends = link.ends.map(end => run.nodes[end]);
  return [(ends[0].x + ends[1].x) / 2, (ends[0].y + ends[1].y) / 2];
}

function head() {
  const { totals } = run;
  $("name").textContent = run.scenario;
  $("about").textContent = run.description;
  $("facts").textContent = `seed ${run.seed}, ${run.family}, ${run.duration} s, ${totals.nodes} nodes, ${totals.links} links; ` +
    `${totals.messages} messages, ${totals.refreshes} of them refreshes, ${totals.lost} lost; ${totals.events} events` +
    (run.lab_speed ? `; by real daemons, ${run.lab_speed} times as fast` : "");
  if (run.left_out.length) $("left-out").textContent = `Left out of this page: ${run.left_out.join("; ")}.`;
  $("dropped").hidden = !run.discards.length;
  for (const each of run.discards) make($("discards"), "li", {}, `${each.node} dropped ${each.count} (${each.reason})`);
  for (const each of run.expectations) {
    const kind = each.skipped ? "skipped" : each.held ? "held" : "failed";
    const title = each.about || each.expected;
    make($("expectations"), "li", { class: kind },
      each.skipped ? `${title}: ${each.skipped}` : each.held ? title : `${title}: expected ${each.expected}; ${each.seen}`);
  }
  if (run.fault) make($("expectations"), "li", { class: "failed" }, `the run was cut short ${run.fault}`);
  if (!run.expectations.length && !run.fault) make($("expectations"), "li", {}, "nothing was expected");
}

const used = new Map();
let flights;
function topology() {
  const svg = $("topology");
  svg.setAttribute("width", run.size[0]);
  svg.setAttribute("height", run.size[1] + 20);
  run.links.forEach((link, n) => {
    const to = middle(link);
    for (const end of link.ends) {
      const from = run.nodes[end];
      const line = { x1: from.x, y1: from.y, x2: to[0], y2: to[1] };
      make(svg, "line", { ...line, class: "link" });
      // What a node has reserved on its outgoing side is drawn at that side.
      const direction = directions.get(`${end}/${n}`);
      if (direction) used.set(direction, make(svg, "line", { ...line, class: "used" }));
    }
    if (link.lan) make(svg, "circle", { cx: to[0], cy: to[1], r: 5, class: "lan" });
    const label = make(svg, "text", { x: to[0], y: to[1] - 7, class: "dim", "text-anchor": "middle" },
      run.links.length > 60 ? "" : (link.lan ? `${short(link.name, 14)} ` : "") + rate(link.rate));
    make(label, "title", {}, `${link.name}: ${rate(link.rate)}, ${rate(link.reservable)} reservable, ${link.properties}`);
  });
  flights = make(svg, "g", {});
  run.nodes.forEach((node, n) => {
    const shape = node.kind === "host"
      ? make(svg, "rect", { x: node.x - 16, y: node.y - 12, width: 32, height: 24, rx: 4 })
      : make(svg, "circle", { cx: node.x, cy: node.y, r: 14 });
    shape.setAttribute("class", `node ${node.kind}`);
    shape.dataset.node = n;
    make(shape, "title", {}, `${node.name} (${node.kind})${node.applications.length ? ": " + node.applications.join(", ") : ""}`);
    shape.addEventListener("click", () => { chosen = chosen === n ? null : n; ladder(); });
    named(svg, { x: node.x, y: node.y + 27, class: "name" }, node.name, 17);
  });
}

function play(at) {
  for (const [direction, line] of used) {
    const share = reserved(direction) / Math.max(1, direction.use.reservable);
    line.setAttribute("stroke-width", share > 0 ? 2 + 8 * Math.min(1, share) : 0);
  }
  flights.replaceChildren();
  // A message is on its way for milliseconds: it is shown for as long as one sees it.
  const seen = Math.max(run.duration / 200, 0.02);
  for (const m of messages) {
    if (m.at > at) break;
    if (m.at + seen < at) continue;
    const from = run.nodes[m.from], [x, y] = middle(run.links[m.link]), part = Math.min(1, (at - m.at) / seen);
    for (const n of m.to.filter(n => !m.missed.includes(n))) {
      // By the middle of its link, which may be one of several between the same nodes.
      const to = run.nodes[n], [a, b, way] = part < .5 ? [from, { x, y }, 2 * part] : [{ x, y }, to, 2 * part - 1];
      make(flights, "circle", { cx: a.x + (b.x - a.x) * way, cy: a.y + (b.y - a.y) * way, r: 5, class: colour(m) });
    }
  }
}

// The lanes: all nodes, or those with most to say, or a node and whom it talks to.
function lanes() {
  let shown = run.nodes.map((_, n) => n);
  const count = new Array(run.nodes.length).fill(0);
  for (const m of messages) if (chosen === null || m.from === chosen || m.to.includes(chosen)) { count[m.from]++; m.to.forEach(n => count[n]++); }
  if (chosen !== null) shown = shown.filter(n => n === chosen || count[n]);
  if (shown.length > MOST_LANES) {
    const busiest = new Set([...shown].sort((a, b) => (b === chosen) - (a === chosen) || count[b] - count[a] || a - b).slice(0, MOST_LANES));
    shown = shown.filter(n => busiest.has(n));
  }
  return shown;
}

// Where some refreshes are left out, those that are counted are not all.
const allRefreshes = messages.filter(m => m.refresh).length === run.totals.refreshes;
// The rows that are drawn, and which of all they are.
let folded = [], first = 0, rowsInAll = 0;
function rows(shown) {
  const lane = new Set(shown), all = $("refreshes").checked;
  const list = [];
  for (const m of messages) {
    if (!lane.has(m.from) || (m.to.length && !m.to.some(n => lane.has(n)))) continue;
    if (chosen !== null && m.from !== chosen && !m.to.includes(chosen)) continue;
    list.push({ order: m.order, at: m.at, message: m });
  }
  for (const [order, at, text] of run.notes) list.push({ order, at, note: text });
  for (const [order, at, who, node, text] of run.events) if (lane.has(node)) list.push({ order, at, node, text: `${who}: ${text}` });
  list.sort((a, b) => a.order - b.order);
  if (all) return list;
  const out = [];
  for (const row of list) {
    if (!row.message?.refresh || row.message.lost) { out.push(row); continue; }
    const last = out[out.length - 1];
    if (last?.fold) { last.fold++; last.at = row.at; } else out.push({ order: row.order, at: row.at, fold: 1 });
  }
  return out;
}

function ladder() {
  for (const shape of document.querySelectorAll("#topology .node")) shape.classList.toggle("chosen", +shape.dataset.node === chosen);
  $("all-nodes").hidden = chosen === null;
  const shown = lanes(), list = rows(shown);
  // Lanes are as near each other as names allow, so that there is room for what messages say.
  const LANE = Math.max(60, Math.min(120, 440 / shown.length));
  const svg = $("ladder"), x = n => LEFT + LANE * (shown.indexOf(n) + .5), width = LEFT + LANE * shown.length + 470;
  svg.replaceChildren();
  // The rows around the time of the slider, where there are more than a browser draws at once.
  first = 0;
  rowsInAll = list.length;
  if (list.length > MOST_ROWS) {
    const at = list.findIndex(row => row.at > now);
    first = Math.max(0, Math.min(list.length - MOST_ROWS, (at < 0 ? list.length : at) - MOST_ROWS / 2));
  }
  folded = list.slice(first, first + MOST_ROWS);
  $("ladder-said").textContent = `${folded.length} of ${list.length} rows, ${shown.length} of ${run.totals.nodes} nodes` +
    (shown.length < run.nodes.length && chosen === null ? "; these have most to say, and a click on a node above shows what it sends and gets" : "");
  svg.setAttribute("width", width);
  svg.setAttribute("height", 40 + ROW * folded.length);
  for (const n of shown) {
    make(svg, "line", { x1: x(n), x2: x(n), y1: 26, y2: 34 + ROW * folded.length, class: "lane" });
    named(svg, { x: x(n), y: 18, class: "name" }, run.nodes[n].name, Math.floor(LANE / 7.8));
  }
  folded.forEach((row, n) => {
    const y = 40 + ROW * n + 8, group = make(svg, "g", { class: row.at > now ? "row later" : "row" });
    row.group = group;
    make(group, "rect", { x: 0, y: y - ROW / 2, width, height: ROW });
    make(group, "text", { x: 6, y: y + 4, class: "dim" }, row.at.toFixed(3));
    const about = LEFT + LANE * shown.length + 10;
    if (row.fold) {
      make(group, "text", { x: about, y: y + 4, class: "dim" },
        `${allRefreshes ? "" : "at least "}${row.fold} refresh${row.fold > 1 ? "es" : ""}, unchanged`);
    } else if (row.message) {
      const m = row.message;
      for (const to of m.to.filter(n => shown.includes(n))) {
        const end = x(to), side = end > x(m.from) ? -8 : 8, kind = m.missed.includes(to) ? "lost" : colour(m);
        make(group, "line", { x1: x(m.from), x2: end, y1: y, y2: y, class: kind });
        make(group, "path", { d: `M${end} ${y} l${side} -4 v8 z`, class: kind });
      }
      const others = m.to.filter(n => !shown.includes(n)).length;
      make(group, "text", { x: about, y: y + 4 }, m.text + (loss(m) && ` (${loss(m)})`) + (others ? ` (also to ${others} without a lane)` : ""));
      group.addEventListener("click", () => show(group, m));
    } else if (row.note) {
      make(group, "text", { x: about, y: y + 4 }, `— ${row.note}`);
    } else {
      make(group, "circle", { cx: x(row.node), cy: y, r: 5, class: "event" });
      make(group, "text", { x: about, y: y + 4 }, row.text);
    }
  });
}

// Keeps the row of the time in sight, and draws others when it comes to the end of those that are drawn.
function follow() {
  const last = folded.length - 1;
  if (last < 0) return;
  const before = first > 0 && folded[0].at > now, behind = first + folded.length < rowsInAll && folded[last].at <= now;
  if (before || behind) ladder();
  const at = folded.findIndex(row => row.at > now), box = $("ladder-box");
  box.scrollTop = 40 + ROW * (at < 0 ? folded.length : at) - box.clientHeight / 2;
}

// Whether a message was lost, or to whom of several.
function loss(m) {
  if (m.lost) return "lost";
  return m.missed.length ? `lost to ${m.missed.map(n => run.nodes[n].name).join(", ")}` : "";
}

function show(group, m) {
  picked?.classList.remove("picked");
  picked = group;
  group.classList.add("picked");
  const to = m.to.map(n => run.nodes[n].name).join(", ") || "nobody";
  $("detail").textContent = `${m.at.toFixed(6)} s  ${run.nodes[m.from].name} to ${to} by ${run.links[m.link].name}\n${m.kind}, ${m.octets} octets, ` +
    `${(m.delay * 1e3).toFixed(3)} ms${loss(m) && `, ${loss(m)}`}${m.refresh ? ", a refresh" : ""}\n\n` +
    (m.detail === null ? "Its fields are left out of this page." : run.details[m.detail]);
}

function reservations() {
  const box = $("reservations");
  box.replaceChildren();
  if (!directions.size) make(box, "p", {}, "none at any time");
  for (const direction of directions.values()) {
    const { use } = direction, bps = reserved(direction), link = run.links[use.link];
    const to = link.ends.filter(end => end !== use.from).map(end => run.nodes[end].name).join(", ");
    const line = make(box, "div", { class: "use", "data-bps": bps, "data-from": run.nodes[use.from].name, "data-link": link.name,
      title: `most: ${rate(use.peak)} at ${use.peakAt.toFixed(3)} s: ${use.peakBy}` });
    make(line, "span", {}, `${run.nodes[use.from].name} → ${to}`);
    make(make(line, "span", { class: "bar" }), "i", { style: `width:${Math.min(100, 100 * bps / Math.max(1, use.reservable))}%` });
    make(line, "span", {}, `${rate(bps)} of ${rate(use.reservable)}`);
    // Which reservations stand is known of the end; an equal sum at another time may be of others.
    make(line, "span", { class: "by" }, now >= run.duration ? use.by : "");
  }
}

const cursors = [];
function charts() {
  // Figures are those of all messages; what is drawn is of those that are here, and of many some from all of the run.
  const per = run.links.map(() => ({ delays: [], lost: [] })), some = list => list.filter((_, k) => k % Math.ceil(list.length / 400) === 0);
  for (const m of messages) (m.lost ? per[m.link].lost : per[m.link].delays).push(m);
  const order = run.links.map((_, n) => n).filter(n => run.links[n].came + run.links[n].lost);
  order.sort((a, b) => run.links[b].came + run.links[b].lost - run.links[a].came - run.links[a].lost || a - b);
  $("charts-said").textContent = "Of each link: what is reserved (line), how long each message was on its way (dots, the longest at the top) and which were lost (bars)" +
    (order.length > MOST_CHARTS ? `; the ${MOST_CHARTS} busiest of ${order.length} links` : "");
  for (const n of order.slice(0, MOST_CHARTS)) {
    const link = run.links[n], width = 330, height = 90;
    const svg = make(make($("charts"), "div", { class: "chart" }), "svg", { width, height: height + 22 });
    const x = at => 2 + (width - 4) * at / run.duration, longest = Math.max(1e-9, link.longest);
    const title = make(svg, "text", { x: 2, y: 12 }, `${short(link.name, 24)}: up to ${(longest * 1e3).toFixed(2)} ms, ${link.lost} lost`);
    make(title, "title", {}, link.name);
    for (const end of link.ends) {
      const direction = directions.get(`${end}/${n}`);
      if (!direction) continue;
      const y = bps => 20 + height * (1 - Math.min(1, bps / Math.max(1, link.reservable)));
      let d = `M${x(0)} ${y(0)}`;
      for (const [at, bps] of direction.points) d += `H${x(at)}V${y(bps)}`;
      make(svg, "path", { class: "step", d: `${d}H${x(run.duration)}` });
    }
    for (const m of some(per[n].delays)) make(svg, "circle", { class: "delay", r: 1.5, cx: x(m.at), cy: 20 + height * (1 - .96 * m.delay / longest) });
    for (const m of some(per[n].lost)) make(svg, "line", { class: "gone", x1: x(m.at), x2: x(m.at), y1: 20, y2: 20 + height });
    cursors.push([make(svg, "line", { class: "cursor", y1: 18, y2: 20 + height }), x]);
  }
}

function traffic() {
  $("data").hidden = !run.traffic.length;
  if (!run.traffic.length) return;
  const head = make($("traffic"), "tr", {}), ms = seconds => (seconds * 1e3).toFixed(3);
  for (const cell of ["traffic", "to", "sent", "came", "lost", "beyond what is reserved", "median ms", "99 % ms", "worst ms"]) make(head, "th", {}, cell);
  for (const t of run.traffic) {
    const row = make($("traffic"), "tr", { class: "flow" });
    const delays = t.delivered ? [ms(t.delay_median_s), ms(t.delay_99_s), ms(t.delay_s)] : ["", "", ""];
    for (const cell of [t.traffic, t.to, t.sent, t.delivered, t.lost, t.excess, ...delays]) make(row, "td", {}, cell);
  }
  const all = run.totals.packets;
  if (run.traffic.reduce((sum, t) => sum + t.sent, 0) < all[0]) {
    const row = make($("traffic"), "tr", {});
    for (const cell of ["all, with those left out", "", all[0], all[1], all[2]]) make(row, "td", {}, cell);
  }
  for (const [from, link, lost, worst, classes] of run.loads.charts) {
    const width = 330, height = 90, x = at => 2 + (width - 4) * at / run.duration, longest = Math.max(1e-9, worst), lines = Object.entries(classes);
    const svg = make(make($("loads"), "div", { class: "chart" }), "svg", { width, height: height + 22 });
    const who = [run.nodes[from].name, run.links[link].name];
    const title = make(svg, "text", { x: 2, y: 12 }, `${short(who[0], 10)} by ${short(who[1], 13)}: up to ${(worst * 1e3).toFixed(2)} ms, ${lost} lost`);
    make(title, "title", {}, who.join(" by "));
    const most = Math.max(1, ...lines.flatMap(([, points]) => points).map(point => point[1]));
    for (const [kind, points] of lines) {
      for (const [at, lost] of points) if (lost) make(svg, "line", { class: `loss ${kind}`, x1: x(at), x2: x(at), y1: 20 + height, y2: 20 + height * (1 - .5 * lost / most) });
      const d = points.map(([at, , delay], n) => `${n ? "L" : "M"}${x(at).toFixed(1)} ${(20 + height * (1 - .96 * delay / longest)).toFixed(1)}`);
      make(svg, "path", { class: `line ${kind}`, d: d.join("") });
    }
    cursors.push([make(svg, "line", { class: "cursor", y1: 18, y2: 20 + height }), x]);
  }
  const { more, more_lost: moreLost } = run.loads;
  if (more) make($("loads"), "p", { class: "said" }, `and ${more} more directions of links, ${moreLost} lost there`);
}

function events() {
  for (const [, at, who, node, text] of run.events.slice(0, 2000)) {
    const row = make($("events"), "tr", {});
    row.at = at;
    for (const cell of [`${at.toFixed(3)} s`, who, run.nodes[node].name, text]) make(row, "td", {}, cell);
  }
  const more = run.totals.events - Math.min(2000, run.events.length);
  if (more) make(make($("events"), "tr", {}), "td", { colspan: 4 }, `and ${more} more`);
  else if (!run.events.length) make(make($("events"), "tr", {}), "td", {}, "none");
}

function set(at, whole) {
  now = at;
  $("now").textContent = `${at.toFixed(3)} s`;
  play(at);
  reservations();
  for (const [line, x] of cursors) { line.setAttribute("x1", x(at)); line.setAttribute("x2", x(at)); }
  for (const row of $("events").rows) row.classList.toggle("later", row.at > at);
  if (whole) { ladder(); return; }
  follow();
  for (const row of folded) row.group.classList.toggle("later", row.at > at);
}

$("time").addEventListener("input", () => set(run.duration * $("time").value / 1000, true));
$("refreshes").addEventListener("change", ladder);
$("all-nodes").addEventListener("click", () => { chosen = null; ladder(); });
$("play").addEventListener("click", () => {
  if (timer) { clearInterval(timer); timer = null; $("play").textContent = "Play"; return; }
  if (+$("time").value >= 1000) $("time").value = 0;
  $("play").textContent = "Stop";
  timer = setInterval(() => {
    $("time").value = +$("time").value + +$("speed").value;
    set(run.duration * $("time").value / 1000, false);
    if (+$("time").value >= 1000) { clearInterval(timer); timer = null; $("play").textContent = "Play"; }
  }, 50);
});

head();
topology();
charts();
traffic();
events();
set(run.duration, true);
