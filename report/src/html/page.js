"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const page = document.getElementById("page");
  const SVG = "http://www.w3.org/2000/svg";
  const VERDICTS = ["failed", "cancelled", "passed", "skipped"];

  // Everything on the page is made here, from text nodes and attributes only.
  function add(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value);
    }
    for (const child of children.flat(Infinity)) {
      if (child === undefined || child === null || child === false) continue;
      node.append(child instanceof Node ? child : document.createTextNode(String(child)));
    }
    return node;
  }
  const h = (name, attributes, ...children) => add(document.createElement(name), attributes, children);
  const s = (name, attributes, ...children) => add(document.createElementNS(SVG, name), attributes, children);

  function human(us) {
    const ms = us / 1000;
    if (us < 1000) return us === 0 ? "0 ms" : us + " µs";
    if (ms < 1000) return (ms < 10 ? ms.toFixed(1) : Math.round(ms)) + " ms";
    const seconds = ms / 1000;
    if (seconds < 120) return seconds.toFixed(1) + " s";
    const minutes = Math.floor(seconds / 60);
    if (minutes < 120) return minutes + " min " + String(Math.floor(seconds % 60)).padStart(2, "0") + " s";
    return Math.floor(minutes / 60) + " h " + String(minutes % 60).padStart(2, "0") + " min";
  }
  // Marks of an axis are read beside each other: 0:40, 1:20, 2:00.
  function mark(us, step) {
    if (step < 1e6) return human(us);
    const seconds = Math.round(us / 1e6), two = (number) => String(number).padStart(2, "0");
    const minutes = Math.floor(seconds / 60);
    return minutes < 60 ? minutes + ":" + two(seconds % 60) : Math.floor(minutes / 60) + ":" + two(minutes % 60) + ":" + two(seconds % 60);
  }
  function bytes(count) {
    for (const unit of ["B", "kB", "MB", "GB"]) {
      if (count < 1000 || unit === "GB") return (count < 10 && unit !== "B" ? count.toFixed(1) : Math.round(count)) + " " + unit;
      count /= 1000;
    }
  }
  function table(heads, rows) {
    const number = heads.map((head) => head.startsWith("#"));
    return h("div", { class: "scroll" }, h("table", {},
      h("tr", {}, heads.map((head, i) => h("th", { class: number[i] && "number" }, head.replace("#", "")))),
      rows.map(({ cells, kind }) => h("tr", { class: kind },
        cells.map((cell, i) => h("td", { class: number[i] && "number" }, cell))))));
  }
  const facts = (pairs) => h("table", {}, pairs.map(([name, value]) =>
    h("tr", {}, h("td", { class: "key" }, name), h("td", {}, name === "repeat it" ? h("code", {}, value) : value))));
  const word = (verdict) => h("span", { class: "word " + verdict }, verdict);
  const tip = (text) => s("title", {}, text);

  // Drawings are as wide as there is room for, so that their text has the size of other text; another window, other drawings.
  const [EDGES, NARROWEST, WIDEST] = [76, 320, 1150];
  const room = () => Math.min(WIDEST, Math.max(NARROWEST, (document.documentElement.clientWidth || WIDEST + EDGES) - EDGES));
  let wide = room();
  const redraw = [];
  function drawing(draw) {
    const place = h("div", {}, draw());
    redraw.push(() => place.replaceChildren(...[draw()].flat(Infinity)));
    return place;
  }
  addEventListener("resize", () => {
    if (room() === wide) return;
    wide = room();
    for (const again of redraw) again();
  });

  // A time axis from 0 to `length`, the plot between x0 and x1.
  function axis(x0, x1, height, begin, length) {
    const steps = [1, 2, 5].flatMap((m) => [3, 4, 5, 6].map((e) => m * 10 ** e)).concat([1e7, 2e7, 3e7, 6e7, 1.2e8, 3e8, 6e8, 1.2e9, 1.8e9, 3.6e9, 7.2e9, 1.44e10, 4.32e10, 8.64e10]).sort((a, b) => a - b);
    const most = Math.max(2, Math.round((x1 - x0) / 130));
    const step = steps.find((step) => length / step <= most) || length || 1;
    const marks = [];
    for (let at = 0; at <= length; at += step) {
      const x = x0 + (x1 - x0) * (length ? at / length : 0);
      marks.push(s("line", { class: "grid", x1: x, x2: x, y1: 0, y2: height - 16 }));
      const late = x > x1 - 40;
      marks.push(s("text", { x: late ? x - 3 : x + 3, y: height - 4, "text-anchor": late && "end" }, mark(begin + at, step)));
    }
    return marks;
  }
  const triangle = (x, y, text) => s("path", { class: "fault", d: `M${x - 4} ${y - 6}h8l-4 7z` }, tip(text));

  // Lanes by worker; a click opens the test.
  function timeline(run, tests) {
    const workers = [...new Set(tests.map((test) => test.worker))].sort((a, b) => a - b);
    const begin = tests.reduce((least, test) => Math.min(least, test.begin), Infinity);
    const length = tests.reduce((most, test) => Math.max(most, test.begin + test.took), 0) - begin;
    const [x0, x1, lane] = [76, wide - 10, 30];
    const height = workers.length * lane + 22;
    const x = (at) => x0 + (x1 - x0) * (length ? (at - begin) / length : 0);
    return s("svg", { viewBox: `0 0 ${wide} ${height}`, role: "img", "aria-label": "timeline by worker", class: "timeline" },
      axis(x0, x1, height, 0, length),
      workers.map((worker, i) => s("text", { x: 0, y: i * lane + 23 }, "worker " + worker)),
      tests.map((test) => {
        const y = workers.indexOf(test.worker) * lane + 10;
        return [
          s("rect", { class: "span " + test.verdict, x: x(test.begin), y, rx: 2, width: Math.max(2, x(test.begin + test.took) - x(test.begin) - 1), height: lane - 12,
            onclick: () => { test.box.hidden = false; test.box.open = true; test.box.scrollIntoView(); } },
            tip(`${test.name}: ${test.verdict}, ${human(test.took)}`)),
          test.faults.map(([at, , what]) => triangle(x(at), y - 2, what)),
        ];
      }));
  }

  // Each call a dot: when it ended, how long it took (logarithmic).
  function strip(test) {
    const [x0, x1, height] = [76, wide - 10, 128];
    const begin = test.begin, length = Math.max(test.took, 1);
    const longest = test.calls.reduce((most, call) => Math.max(most, call[2]), 1000);
    const decades = Math.max(1, Math.log10(longest / 1000));
    const x = (at) => x0 + (x1 - x0) * Math.min(1, Math.max(0, (at - begin) / length));
    const y = (us) => height - 24 - (height - 34) * Math.max(0, Math.log10(Math.max(us, 1000) / 1000)) / decades;
    const lines = [];
    for (let us = 1000; us <= longest; us *= 10) {
      lines.push(s("line", { class: "grid", x1: x0, x2: x1, y1: y(us), y2: y(us) }), s("text", { x: 0, y: y(us) + 4 }, human(us)));
    }
    return [s("svg", { viewBox: `0 0 ${wide} ${height}`, role: "img", "aria-label": "latency of calls", class: "strip" },
      lines, axis(x0, x1, height, 0, length),
      test.calls.map(([step, end, took, method, path, status, , , attempt]) => [
        s("circle", { class: "call" + (status === 0 || status >= 400 ? " error" : ""), cx: x(end), cy: y(took), r: 2.6 },
          tip(`${method} ${path}: ${status || "no answer"}, ${human(took)}${step ? ", in " + step : ""}`)),
        attempt > 1 && s("circle", { class: "again", cx: x(end), cy: y(took), r: 5 }),
      ]),
      test.faults.map(([at, , what]) => triangle(x(at), 8, what))),
    h("div", { class: "legend" }, "● a call, by when it ended and how long it took; red: 400 or above, or no answer; ringed: asked again; ▼ a fault")];
  }

  // The operations of a test, a lane a server.
  function lanes(test) {
    const all = test.steps.flatMap((step) => step.operations.map((operation) => [step, ...operation])).filter((operation) => operation[1] !== "");
    const servers = [...new Set(all.map((operation) => operation[1]))].slice(0, 40);
    if (servers.length === 0) return [];
    const [x0, x1, lane] = [130, wide - 10, 18];
    const height = servers.length * lane + 20, length = Math.max(test.took, 1);
    const x = (at) => x0 + (x1 - x0) * Math.min(1, at / length);
    return [h("h3", {}, "Servers"), s("svg", { viewBox: `0 0 ${wide} ${height}`, role: "img", "aria-label": "operations by server" },
      axis(x0, x1, height, 0, length),
      servers.map((server, i) => s("text", { x: 0, y: i * lane + 13 }, server.slice(0, 20))),
      all.filter((operation) => servers.includes(operation[1])).map(([step, server, begin, took, refused]) =>
        s("rect", { class: refused ? "cancelled" : "passed", x: x(begin), y: servers.indexOf(server) * lane + 3, rx: 2, width: Math.max(2, x(begin + took) - x(begin) - 1), height: lane - 6 },
          tip(`${server}: ${step.name}, ${human(took)}${refused ? ", refused: " + refused : ""}`))))];
  }

  function body(test) {
    const parts = [];
    if (test.title && test.title !== test.name) parts.push(h("p", { class: "soft" }, test.title));
    const told = test.problems.length ? test.problems : test.reason ? [test.reason] : [];
    if (told.length) parts.push(h("div", { class: "problems" + (test.verdict === "failed" ? "" : " quiet") }, told.join("\n")));
    const pairs = [];
    if (test.repro) pairs.push(["repeat it", test.repro]);
    for (const [name, id] of test.follows) pairs.push(["follows", `${name} [id-${id}]`]);
    if (test.run) pairs.push(["run", test.run]);
    if (test.tags.length) pairs.push(["tags", test.tags.join(", ")]);
    if (test.audited) pairs.push(["leak audit", test.problems.some((line) => line.startsWith("LEAK: ")) ? "not as before, see above" : "nothing left behind"]);
    for (const kept of test.kept) pairs.push(["kept on purpose", kept]);
    for (const note of test.notes) pairs.push(["note", note]);
    for (const [at, step, what, struck] of test.faults) pairs.push(["▼ fault", `${human(Math.max(0, at - test.begin))}${step ? ", " + step : ""}: ${what}${struck ? " at " + struck : ""}`]);
    if (pairs.length) parts.push(facts(pairs));
    if (test.steps.length) {
      parts.push(h("h3", {}, "Steps"), table(["step", "result", "#n", "#p50", "#p95", "#makespan", "#requests"],
        test.steps.map((step) => ({ kind: step.verdict === "failed" && "failed", cells: [step.name, word(step.verdict), step.count || "", step.count ? human(step.p50) : "", step.count ? human(step.p95) : "",
          step.verdict === "skipped" ? "" : human(step.took), step.requests === null ? "" : step.requests] }))));
      const checks = test.steps.flatMap((step) => step.checks.map((check) => ({ kind: check[1] === "failed" && "failed", cells: [step.name, check[0], word(check[1]), check[2]] })));
      if (checks.length) parts.push(h("details", { class: "fold", open: test.verdict === "failed" && "" }, h("summary", {}, checks.length + " checks"), table(["step", "what", "result", "seen"], checks)));
    }
    parts.push(drawing(() => lanes(test)));
    if (test.calls.length) parts.push(h("h3", {}, "API calls"), drawing(() => strip(test)));
    if (test.classes.length) {
      const rows = [...test.classes].sort((a, b) => b[2] * b[5] - a[2] * a[5]);
      parts.push(table(["call", "#n", "#errors", "#again", "#p50", "#p95", "#bytes"], rows.map(([method, path, n, errors, again, p50, p95, size]) =>
        ({ kind: undefined, cells: [h("code", {}, method + " " + path), n, errors || "", again || "", human(p50), human(p95), bytes(size)] }))));
    }
    if (test.calls.length) {
      const fold = h("details", { class: "fold" }, h("summary", {}, `all ${test.calls.length} calls in order` + (test.omitted ? `, ${test.omitted} more not listed` : "")));
      fold.addEventListener("toggle", () => fold.append(table(["#at", "step", "call", "#status", "#took", "#sent", "#received", "#try"],
        test.calls.map(([step, end, took, method, path, status, sent, received, attempt]) => ({ kind: (status === 0 || status >= 400) && "failed",
          cells: [human(Math.max(0, end - took - test.begin)), step, h("code", {}, method + " " + path), status || "none", human(took), bytes(sent), bytes(received), attempt] })))), { once: true });
      parts.push(fold);
    }
    for (const [name, text] of test.attachments) parts.push(h("h3", {}, name), h("pre", {}, text));
    return h("div", { class: "body" }, parts);
  }

  function box(test) {
    const first = test.problems[0] || test.reason || "";
    const node = h("details", { class: "test " + test.verdict, "data-verdict": test.verdict },
      h("summary", {}, word(test.verdict), h("span", { class: "name" }, test.name, test.verdict !== "passed" && first && h("span", { class: "first" }, first)),
        h("span", { class: "number soft requests" }, test.classes.length ? test.classes.reduce((sum, row) => sum + row[2], 0) + " calls" : ""),
        h("span", { class: "number" }, test.verdict === "skipped" ? "" : human(test.took))));
    // What is not looked at is not built: a page of ten thousand tests opens at once.
    node.addEventListener("toggle", () => node.append(body(test)), { once: true });
    test.box = node;
    test.words = [test.name, test.title, test.verdict, test.reason || "", ...test.tags, ...test.problems, ...test.follows.flat(), "worker " + test.worker].join("\n").toLowerCase();
    return node;
  }

  // All durations in columns of equal width on a logarithmic scale.
  function histogram() {
    const durations = data.tests.flatMap((test) => test.calls.map((call) => call[2]));
    if (durations.length === 0) return [];
    const [x0, x1, height, count] = [0, wide, 92, 60];
    const place = (us) => Math.log10(Math.max(us, 100) / 100);
    const most = Math.max(1, durations.reduce((most, us) => Math.max(most, place(us)), 0));
    const columns = new Array(count).fill(0);
    for (const us of durations) columns[Math.min(count - 1, Math.floor(place(us) / most * count))] += 1;
    const top = columns.reduce((a, b) => Math.max(a, b), 1);
    const width = (x1 - x0) / count;
    const marks = [];
    for (let us = 100; place(us) < most; us *= 10) {
      const x = x0 + (x1 - x0) * place(us) / most;
      marks.push(s("line", { class: "grid", x1: x, x2: x, y1: 0, y2: height - 16 }), s("text", { x: x + 3, y: height - 4 }, human(us)));
    }
    return s("svg", { viewBox: `0 0 ${wide} ${height}`, role: "img", "aria-label": "how long calls took" }, marks,
      columns.map((n, i) => n > 0 && s("rect", { class: "column", x: x0 + i * width + 1, width: width - 2, y: height - 16 - (height - 22) * n / top, height: (height - 22) * n / top }, tip(n + " calls"))));
  }

  // The address holds what is shown: #v=failed,passed&q=words
  const search = h("input", { type: "search", placeholder: "filter by words: name, tag, tempest id, message …", "aria-label": "filter" });
  const chips = VERDICTS.filter((verdict) => data.counts[verdict] > 0).map((verdict) =>
    h("button", { type: "button", class: "chip " + verdict, "data-verdict": verdict, "aria-pressed": "true" }, h("b", {}, data.counts[verdict]), verdict));
  const none = h("div", { class: "card none" }, "No test is like that.");
  const shown = h("span", { class: "soft", id: "shown" });
  function wanted() {
    const parameters = new URLSearchParams(location.hash.slice(1));
    const verdicts = parameters.get("v");
    return { words: (parameters.get("q") || "").toLowerCase().split(/\s+/).filter(Boolean), text: parameters.get("q") || "", verdicts: verdicts === null ? VERDICTS : verdicts.split(",") };
  }
  function filter() {
    const { words, text, verdicts } = wanted();
    if (search.value !== text && document.activeElement !== search) search.value = text;
    for (const chip of chips) chip.setAttribute("aria-pressed", verdicts.includes(chip.dataset.verdict));
    let count = 0;
    for (const test of data.tests) {
      test.box.hidden = !(verdicts.includes(test.verdict) && words.every((word) => test.words.includes(word)));
      count += !test.box.hidden;
    }
    none.hidden = count > 0;
    shown.textContent = `${count} of ${data.tests.length} tests`;
  }
  function want(text, verdicts) {
    const parameters = new URLSearchParams();
    if (verdicts.length < VERDICTS.length) parameters.set("v", verdicts.join(","));
    if (text) parameters.set("q", text);
    const hash = parameters.toString();
    history.replaceState(null, "", hash ? "#" + hash : location.pathname + location.search);
    filter();
  }
  search.addEventListener("input", () => want(search.value, wanted().verdicts));
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      const { text, verdicts } = wanted(), verdict = chip.dataset.verdict;
      want(text, verdicts.includes(verdict) ? verdicts.filter((other) => other !== verdict) : VERDICTS.filter((other) => other === verdict || verdicts.includes(other)));
    });
  }
  addEventListener("hashchange", filter);

  const runs = new Map(data.runs.map((run, i) => [run.name, i]));
  const place = (test) => runs.get(test.run);
  const isVirtual = (run) => !run.facts.some(([name]) => name === "began");
  const order = [...data.tests].sort((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict) || place(a) - place(b) || a.begin - b.begin);
  const boxes = order.map(box);
  const [calls, p50, p90, p95, p99, most] = data.latency;
  page.append(
    h("h1", {}, VERDICTS.filter((verdict) => data.counts[verdict] > 0).map((verdict) => `${data.counts[verdict]} ${verdict}`).join(", ") || "No test"),
    h("div", { class: "soft" }, [human(data.took), data.findings ? (data.findings === 1 ? "1 thing not as it was" : `${data.findings} things not as they were`) : data.tests.some((test) => test.audited) && "nothing left behind", data.began && "began " + data.began,
      ...new Set(data.runs.flatMap((run, number) => run.facts.filter(([name]) => name === "seed" || (name === "commit" && number === 0) || name === "could not run").map(([name, value]) => `${name} ${value}`)))].filter(Boolean).join(" · "),
      calls > 0 && [" · ", h("button", { type: "button", class: "jump", onclick: () => document.getElementById("latency").scrollIntoView() }, `${calls} API calls, p95 ${human(p95)}`)]),
    ...data.runs.map((run) => [run, data.tests.filter((test) => test.run === run.name && test.verdict !== "skipped")]).filter(([, tests]) => tests.length)
      .map(([run, tests]) => h("section", { class: "card" }, h("h2", {}, run.name ? `Timeline of ${run.name}` : "Timeline", isVirtual(run) && h("span", { class: "soft" }, " in virtual time")), drawing(() => timeline(run, tests)), h("div", { class: "legend" }, "a bar is a test; ▼ a fault; a click opens the test"))),
  );
  page.append(h("div", { class: "bar" }, chips, search, shown), h("div", { id: "tests" }, boxes), none);
  if (calls > 0) {
    page.append(h("section", { class: "card", id: "latency" }, h("h2", {}, `Latency of ${calls} API calls`),
      h("div", { class: "percentiles" }, [["p50", p50], ["p90", p90], ["p95", p95], ["p99", p99], ["longest", most]].map(([name, us]) => h("div", {}, h("b", {}, human(us)), h("span", { class: "soft" }, name)))), drawing(histogram)));
  }
  page.append(...data.runs.map((run) => h("section", { class: "card" }, h("h2", {}, run.name || "Run", " ", word(run.verdict)), facts(run.facts))));
  if (data.notes.length) page.append(h("section", { class: "card" }, h("h2", {}, "Notes"), data.notes.map((note) => h("p", {}, note))));
  for (const [title, values] of [["Environment", data.environment], ["Configuration", data.configuration]]) {
    if (Object.keys(values).length) page.append(h("section", { class: "card" }, h("h2", {}, title), facts(Object.entries(values))));
  }
  for (const node of boxes.slice(0, 3)) node.open = node.dataset.verdict === "failed";
  filter();
})();
