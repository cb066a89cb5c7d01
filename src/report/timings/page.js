"use strict";
const D = JSON.parse(document.getElementById("data").textContent);
const NS = "http://www.w3.org/2000/svg";
const el = (tag, attrs = {}, ...kids) => {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attrs)) k === "style" ? e.style.cssText = v : e.setAttribute(k, v);
  e.append(...kids);
  return e;
};
const svg = (tag, attrs = {}, text) => {
  const e = document.createElementNS(NS, tag);
  for (const [k, v] of Object.entries(attrs)) e.setAttribute(k, v);
  if (text !== undefined) e.textContent = text;
  return e;
};
const time = s => s < 0 ? "-" + time(-s) : s < 9.95 ? s.toFixed(s < 0.095 ? 2 : 1) + " s" : s < 59.5 ? Math.round(s) + " s"
  : s < 3600 ? Math.floor(Math.round(s) / 60) + " m " + String(Math.round(s) % 60).padStart(2, "0") + " s"
  : Math.floor(s / 3600) + " h " + String(Math.floor(s % 3600 / 60)).padStart(2, "0") + " m";
const many = (n, what) => n + " " + what + (n === 1 ? "" : "s");
const service = kind => kind.split("/")[0];
const T = Math.max(D.seconds, 1e-6);
const endOf = r => r.end ?? T;

// One colour per service, the one with the most steps first; from the ninth on they share the last.
const busy = {};
D.rows.forEach(r => busy[service(r.kind)] = (busy[service(r.kind)] || 0) + 1);
const services = Object.keys(busy).sort((a, b) => busy[b] - busy[a] || (a < b ? -1 : 1));
D.operations.forEach(o => services.includes(o.service) || services.push(o.service));
const colour = s => "var(--c" + Math.min(Math.max(services.indexOf(s), 0), 7) + ")";
const critical = new Set(D.path.map(l => l.row));

const main = document.getElementById("main"), tip = document.getElementById("tip");
function showTip(event, lines) {
  tip.replaceChildren(el("b", {}, lines[0]), ...lines.slice(1).filter(Boolean).map(l => el("div", {}, l)));
  tip.hidden = false;
  const w = tip.offsetWidth, h = tip.offsetHeight;
  tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - w - 8)) + "px";
  tip.style.top = (event.clientY + 18 + h > innerHeight ? Math.max(4, event.clientY - h - 10) : event.clientY + 18) + "px";
}
const hideTip = () => { tip.hidden = true; };

// Tiles
const calls = D.operations.reduce((n, o) => n + o.calls, 0);
const writes = D.operations.reduce((n, o) => n + (o.write ? o.calls : 0), 0);
const throttled = D.operations.reduce((n, o) => n + o.throttled, 0);
const failed = D.rows.filter(r => r.outcome === "failed").length;
const atWork = D.rows.reduce((n, r) => n + endOf(r) - r.start, 0);
const tile = (value, label, bad) => document.getElementById("tiles").append(
  el("div", { class: bad ? "tile bad" : "tile" }, el("b", {}, value), el("span", {}, label)));
tile(time(D.seconds), "run");
tile(time(D.expected), "longest path expected");
if (D.expected > 0) tile((D.seconds / D.expected).toFixed(2) + " ×", "run / longest path");
tile(String(D.rows.length), D.rows.length === D.steps ? "steps" : "steps of " + D.steps + " started");
tile((atWork / T).toFixed(1), "steps at once, mean");
tile(String(calls), `calls: ${calls - writes} reads, ${writes} writes`);
tile(String(throttled), "throttled", throttled > 0);
if (failed) tile(String(failed), "failed", true);
if (D.blocked.length) tile(String(D.blocked.length), "blocked", true);

const jump = el("nav", {}, ...[["#timeline", "Timeline"], ["#path", "Critical path"], ["#calls", "API calls"]].map(([to, t]) => el("a", { href: to }, t)));
document.querySelector("h1").after(jump);

// A scale of time that the charts share
const LEFT = 262, RIGHT = 14;
let width = 1300;
const x = t => LEFT + (width - LEFT - RIGHT) * Math.min(Math.max(t, 0), T) / T;
function ticks() {
  const rough = T / 11;
  const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
  const step = steps.find(s => s >= rough) || 28800;
  const out = [];
  for (let n = 0; n * step <= T * 1.0001; n++) out.push(n * step);
  return out;
}
function grid(s, top, bottom, labels) {
  for (const t of ticks()) {
    s.append(svg("line", { class: "grid", x1: x(t), x2: x(t), y1: top, y2: bottom }));
    if (labels) s.append(svg("text", { class: "dim", x: x(t), y: top - 4, "text-anchor": x(t) > width - 40 ? "end" : "middle" }, time(t).replace("0.00 s", "0")));
  }
}

// Concurrency
const chart = el("section");
function concurrency() {
  const H = 104, TOP = 6, BASE = H - 8, n = D.series.working.length;
  const both = D.series.working.map((w, i) => w + D.series.settling[i]);
  const most = Math.max(1, ...both, ...D.series.calls);
  const y = v => BASE - (BASE - TOP) * v / most;
  const at = i => x((i + 0.5) * T / n);
  const area = (top, low) => "M" + top.map((v, i) => at(i).toFixed(1) + " " + y(v).toFixed(1)).join("L") +
    "L" + low.map((v, i) => at(i).toFixed(1) + " " + y(v).toFixed(1)).reverse().join("L") + "Z";
  const s = svg("svg", { viewBox: `0 0 ${width} ${H}`, height: H });
  grid(s, TOP, BASE);
  for (const v of [0, most / 2, most]) s.append(svg("text", { class: "dim", x: LEFT - 8, y: y(v) + 4, "text-anchor": "end" }, v === 0 ? "0" : v >= 10 ? Math.round(v) : v.toFixed(1)));
  const zero = both.map(() => 0);
  s.append(svg("path", { d: area(both, D.series.working), fill: "var(--c0)", opacity: 0.28 }));
  s.append(svg("path", { d: area(D.series.working, zero), fill: "var(--c0)", opacity: 0.8 }));
  s.append(svg("polyline", { points: D.series.calls.map((v, i) => at(i).toFixed(1) + "," + y(v).toFixed(1)).join(" "), fill: "none", stroke: "var(--c1)", "stroke-width": 1.4 }));
  s.append(svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: BASE, y2: BASE }));
  const line = svg("line", { y1: TOP, y2: BASE, stroke: "var(--fg)", opacity: 0 });
  s.append(line);
  s.addEventListener("mousemove", e => {
    const box = s.getBoundingClientRect(), px = (e.clientX - box.left) * width / box.width;
    const i = Math.floor((px - LEFT) / (width - LEFT - RIGHT) * n);
    if (i < 0 || i >= n) { hideTip(); line.setAttribute("opacity", 0); return; }
    line.setAttribute("x1", at(i)); line.setAttribute("x2", at(i)); line.setAttribute("opacity", 0.5);
    showTip(e, ["at " + time((i + 0.5) * T / n), "steps at work: " + D.series.working[i].toFixed(1), "steps settling: " + D.series.settling[i].toFixed(1), "calls in flight: " + D.series.calls[i].toFixed(1)]);
  });
  s.addEventListener("mouseleave", () => { hideTip(); line.setAttribute("opacity", 0); });
  const key = (style, text) => el("span", { class: "key" }, el("i", { style }), text);
  chart.replaceChildren(el("div", { class: "bar" }, el("h2", {}, "At once"),
    key("background:var(--c0);opacity:.8", "steps at work"), key("background:var(--c0);opacity:.28", "steps settling in AWS"), key("background:var(--c1);height:3px", "calls in flight")), s);
}

// Gantt
const gantt = el("section", { id: "timeline" });
let order = "start", only = "all";
const text = (s, most) => s.length > most ? s.slice(0, most - 1) + "…" : s;
function timeline() {
  let rows = D.rows.map((r, i) => i);
  if (only === "critical") rows = rows.filter(i => critical.has(i));
  if (only === "trouble") rows = rows.filter(i => D.rows[i].outcome !== "done" || D.rows[i].held);
  const key = { start: r => r.start, length: r => -(endOf(r) - r.start), service: r => services.indexOf(service(r.kind)) };
  rows.sort((a, b) => key[order](D.rows[a]) - key[order](D.rows[b]) || D.rows[a].start - D.rows[b].start || a - b);
  const RH = rows.length > 40 ? 14 : 19, H = rows.length * RH + 4;
  const axis = svg("svg", { viewBox: `0 0 ${width} 18`, height: 18 });
  grid(axis, 15, 18, true);
  const s = svg("svg", { viewBox: `0 0 ${width} ${H}`, height: H });
  rows.forEach((i, n) => {
    const r = D.rows[i], crit = critical.has(i), y = n * RH, c = colour(service(r.kind));
    const g = svg("g", { class: crit ? "row crit" : "row", "data-step": r.step });
    g.append(svg("rect", { class: "back", x: 0, y, width, height: RH, fill: n % 2 ? "var(--stripe)" : "transparent" }));
    g.append(svg("text", { x: 2, y: y + RH / 2 + 3.6 }, text(r.step, crit ? 38 : 41)));
    const turn = Math.min(r.settling ?? endOf(r), endOf(r)), h = RH - 5;
    const x0 = x(r.start), x1 = x(turn), x2 = Math.max(x(endOf(r)), x0 + 2);
    g.append(svg("rect", { x: x0, y: y + 2.5, width: Math.max(x1 - x0, r.settling == null ? 2 : 1), height: h, rx: 1.5, fill: r.outcome === "failed" ? "var(--mark)" : c }));
    if (x2 > x1) g.append(svg("rect", { x: x1, y: y + 2.5, width: x2 - x1, height: h, rx: 1.5, fill: r.outcome === "failed" ? "var(--mark)" : c, opacity: 0.38 }));
    if (crit) g.append(svg("rect", { x: x0 - 1, y: y + 1.5, width: x2 - x0 + 2, height: h + 2, rx: 2, fill: "none", stroke: "var(--fg)", "stroke-width": 1.4 }));
    const label = time(endOf(r) - r.start) + (r.outcome === "done" ? "" : " " + r.outcome);
    if (x2 + 62 < width) g.append(svg("text", { class: r.outcome === "done" ? "dim" : "bad", x: x2 + 5, y: y + RH / 2 + 3.6 }, label));
    else if (x2 - x0 > 60) g.append(svg("text", { x: x2 - 5, y: y + RH / 2 + 3.6, "text-anchor": "end" }, label));
    g.addEventListener("mousemove", e => showTip(e, [r.step, r.kind + ", " + r.verb,
      `${time(r.start)} to ${time(endOf(r))}: ${time(endOf(r) - r.start)} (typically ${time(r.expected)})`,
      r.settling != null && `calls ${time(turn - r.start)}, settling ${time(endOf(r) - turn)}`,
      r.known != null && r.known < endOf(r) - 0.001 && `its id was known after ${time(r.known - r.start)}`,
      r.held > 0 && `refused ${many(r.held, "time")} because something held it`,
      crit && "on the critical path", r.needs.length && "waited for: " + text(r.needs.join(", "), 220), r.outcome !== "done" && r.outcome + ": " + text(r.why, 300)]));
    g.addEventListener("mouseenter", () => s.querySelectorAll(".row").forEach(o => o.classList.toggle("on", r.needs.includes(o.dataset.step))));
    s.append(g);
  });
  // The grid lies over the stripes and under the pointer.
  const lines = svg("g", { opacity: 0.55, "pointer-events": "none" });
  grid(lines, 0, H);
  s.append(lines);
  s.addEventListener("mouseleave", () => { hideTip(); s.querySelectorAll(".on").forEach(o => o.classList.remove("on")); });
  const select = (value, options, set) => {
    const e = el("select", {}, ...options.map(([v, t]) => el("option", v === value ? { value: v, selected: "" } : { value: v }, t)));
    e.addEventListener("change", () => { set(e.value); timeline(); });
    return e;
  };
  const show = [["all", `all ${D.rows.length} steps`], ["critical", `critical path (${critical.size})`], ["trouble", "failed or held"]];
  gantt.replaceChildren(el("div", { class: "bar" }, el("h2", {}, "Timeline"),
    select(only, show, v => only = v), el("label", {}, "by ", select(order, [["start", "start"], ["length", "length"], ["service", "service"]], v => order = v)),
    ...services.filter(s => busy[s]).map(s => el("span", { class: "key" }, el("i", { style: `background:${colour(s)}` }), s)),
    el("span", { class: "key" }, el("i", { style: "background:var(--dim);opacity:.4" }), "pale: settling"),
    el("span", { class: "key" }, el("i", { style: "border:1.5px solid var(--fg)" }), "critical path")),
    el("div", { class: "axis" }, axis), s);
}

// Critical path and calls
const cell = (value, name) => el("td", name ? { class: name } : {}, value);
const head = (...names) => el("tr", {}, ...names.map(([n, c]) => el("th", c ? { class: c } : {}, n)));
function path() {
  const table = el("table", {}, head(["step"], ["seconds", "n"], ["share", "n"], [""]));
  for (const l of D.path) {
    const r = D.rows[l.row], own = l.to - l.from, wait = l.start - l.from;
    const name = cell(r.step, "wide");
    name.title = r.step + " (" + r.kind + ")" + (wait > 0.05 ? ", waited " + time(wait) + " for a place" : "");
    table.append(el("tr", {}, name, cell(time(own), "n"), cell((100 * own / T).toFixed(1) + " %", "n"),
      el("td", { class: "share" }, el("i", { style: `width:${Math.max(0, 100 * own / T)}%;background:${colour(service(r.kind))}` }))));
  }
  if (D.path.length) table.append(el("tr", { class: "sum" }, cell(many(D.path.length, "step")), cell(time(D.path.at(-1).to - D.path[0].from), "n"), cell((100 * (D.path.at(-1).to - D.path[0].from) / T).toFixed(1) + " %", "n"), cell("")));
  return el("section", { id: "path" }, el("div", { class: "bar" }, el("h2", {}, "Critical path"), "what each link added to the run"), table);
}
function callTable() {
  const table = el("table", {}, head(["operation"], ["calls", "n"], ["throttled", "n"], ["errors", "n"], ["mean", "n"], ["slowest", "n"]));
  const names = [...new Set(D.operations.map(o => o.service))];
  for (const name of names) {
    const of = D.operations.filter(o => o.service === name), sum = k => of.reduce((n, o) => n + o[k], 0);
    const line = (label, o, sums) => el("tr", sums ? { class: "sum" } : {}, label, cell(String(o.calls), "n"), cell(o.throttled || "", o.throttled ? "n mark" : "n"),
      cell(o.errors || "", o.errors ? "n mark" : "n"), cell(time(o.seconds / Math.max(o.calls, 1)), "n"), cell(time(o.slowest), "n"));
    const total = { calls: sum("calls"), throttled: sum("throttled"), errors: sum("errors"), seconds: sum("seconds"), slowest: Math.max(...of.map(o => o.slowest)) };
    const label = el("td", {}, el("span", { class: "key" }, el("i", { style: `background:${colour(name)}` }), name));
    table.append(line(label, total, true));
    of.forEach(o => table.append(line(cell("\u2003" + o.operation + (o.write ? " (write)" : ""), "wide"), o)));
  }
  return el("section", { id: "calls", class: "scroll" }, el("div", { class: "bar" }, el("h2", {}, "API calls"), "errors include throttled ones"), table);
}

main.append(chart, gantt, el("div", { class: "two" }, path(), callTable()));
if (D.blocked.length) main.append(el("section", {}, el("h2", {}, "Blocked"), el("p", {}, D.blocked.map(([s, by]) => s + " (by " + by + ")").join(", "))));
function draw() {
  width = Math.max(700, main.clientWidth - 40);
  concurrency();
  timeline();
}
draw();
addEventListener("resize", draw);
