/* The desk: one key an answer. A form that is done waits in the queue until the server has it;
   the form in hand is kept on this computer after every key. */
(function () {
  "use strict";
  var TO = "/desk/entries", PAUSE = 3e4, BAND = 140;
  var queue = window.sipasQueue, one = function (q, from) { return (from || document).querySelector(q); };
  var all = function (q, from) { return [].slice.call((from || document).querySelectorAll(q)); };
  var line = one("#line"), sheet = one("#sheet");
  if (!queue || !line) return;
  var words = JSON.parse(line.dataset.words), by = +line.dataset.by, fault = "", asking, said = "";

  function fill(text, facts) { return text.replace(/\{(\w+)\}/g, function (_, name) { return facts[name]; }); }
  function put(node, text) { if (node && node.textContent !== text) node.textContent = text; }
  function make(tag, text, kind) {
    var node = document.createElement(tag);
    if (text) node.textContent = text;
    if (kind) node.className = kind;
    return node;
  }
  function printed(serial) { return serial.slice(0, -4) + " " + serial.slice(-4); }
  function mine(record) { return record.to === TO && record.by === by; }

  /* what waits, and why */
  function news(now) {
    fault = now.fault;
    if (fault === "login") renew();
    Object.keys(now.done || {}).forEach(function (id) { if (sheet) arrived(id, now.done[id]); });
    queue.held().then(function (held) {
      var desk = held.filter(function (r) { return r.to === TO; }), n = desk.filter(mine).length, text = "", kind;
      if (n) {
        kind = fault === "login" ? "login" : fault === "offline" ? "down" : fault === "busy" ? "busy" : "";
        text = kind ? fill(words[kind], { n: n }) : said;
        if (now.volatile) text += " " + words.volatile;
      } else if (desk.length) text = fill(words.others, { n: desk.length });
      else text = said;
      put(line, text);
      line.hidden = !text;
      line.classList.toggle("bad", !!kind);
      if (kind === "login") {
        var link = make("a", words.signin);
        link.href = "/login?next=" + encodeURIComponent(location.pathname + location.search);
        line.appendChild(document.createTextNode(" "));
        line.appendChild(link);
      }
      put(one("#n-unsent"), String(n));
      if (sheet) spurned();
    });
  }
  /* a new login, perhaps in another tab, has another token */
  function renew() {
    clearTimeout(asking);
    asking = setTimeout(ask, 15e3);
  }
  function ask() {
    clearTimeout(asking);
    if (fault !== "login") return;
    fetch("/desk/token", { redirect: "manual", cache: "no-store", credentials: "same-origin" }).then(function (answer) {
      if (!answer.ok) throw new Error(answer.status);
      return answer.json();
    }).then(function (who) {
      if (who.by !== by) throw new Error("somebody else");
      queue.sign(who);
    }).catch(renew);
  }
  window.addEventListener("beforeunload", function (e) { /* without a network this page cannot be opened again */
    if (fault === "offline") { e.preventDefault(); e.returnValue = ""; }
  });
  window.addEventListener("focus", ask);
  document.addEventListener("visibilitychange", function () { if (!document.hidden) ask(); });
  queue.listen(news);
  queue.sign({ by: by, token: line.dataset.csrf });
  if (!sheet) queue.spurned().then(function (held) { /* they lie beside the forms of their lot */
    var ours = held.filter(mine).map(function (r) { return printed(r.serial); });
    if (ours.length) said = fill(words.beside_lot, { n: ours.length, serials: ours.slice(0, 5).join(", ") });
  }).then(queue.state).then(news);
  else queue.state().then(news);
  if (!sheet) return;

  /* ---- the forms of this page ---- */

  var facts = sheet.dataset, forms = {}, form = null, at = 0, undone = [], doubts = [], ended = false, resent = {};
  var pick = one("#pick"), serial = one("#serial"), end = one("#end"), save = one("#save"), away = "";
  var counted = { n: +facts.today, ms: +facts.ms };
  JSON.parse(facts.forms).forEach(function (f) { forms[f.serial] = f; });
  var rows = all("tr[data-name]", sheet).map(function (tr, n) {
    return {
      tr: tr, n: n, name: tr.dataset.name, kind: tr.dataset.kind, codes: (tr.dataset.codes || "").split(" ").filter(Boolean).map(Number),
      other: tr.dataset.other || "", controls: all("input,textarea", tr), block: tr.closest("table")
    };
  });
  var by_name = {};
  rows.forEach(function (row) { by_name[row.name] = row; });
  function written(row) { return row.kind === "text" || row.kind === "number"; }
  function holds(value, code) { return Array.isArray(value) ? value.indexOf(code) >= 0 : value === code; }
  function asked(row) { /* the text beside "Khác" only where that is marked */
    if (!row.other) return true;
    var cut = row.other.lastIndexOf(":");
    return holds(form.fields[row.other.slice(0, cut)], +row.other.slice(cut + 1));
  }
  function known(value) { return value !== undefined; }

  /* the form in hand survives a reload, a lost network and the end of the session */
  function place(of) { return "sipas.desk." + by + "." + facts.wave + "." + of; }
  function keep() {
    try { localStorage.setItem(place(form.serial), JSON.stringify(form)); } catch (e) { /* the page still holds it */ }
  }
  function kept(of) {
    try { return JSON.parse(localStorage.getItem(place(of))); } catch (e) { return null; }
  }
  function forget(of) { try { localStorage.removeItem(place(of)); } catch (e) { /* nothing kept */ } }

  function open(of, fields) {
    var draft = !fields && kept(of);
    form = draft || {
      serial: of, id: queue.id(), fields: fields || {}, at: 0, reasons: {}, keys: 0, ms: 0, started_at: new Date().toISOString()
    };
    form.beat = 0;
    undone = [];
    said = draft ? fill(words.restored, { serial: printed(of) }) : "";
    rows.forEach(paint);
    pick.hidden = true;
    sheet.hidden = false;
    one("#beside").hidden = false;
    put(one("#head"), fill(words.form, { serial: printed(of) }));
    document.title = fill(words.form, { serial: printed(of) }) + " – SIPAS";
    put(one("#round"), words[forms[of] && forms[of].status] || "");
    put(one("#now-form"), one("#head").textContent + " · " + one("#round").textContent);
    one("#all").hidden = true;
    leave_end();
    go(Math.min(form.at, rows.length - 1));
    queue.state().then(news);
  }
  function close() { /* back to the question for the next number */
    form = null;
    sheet.hidden = true;
    pick.hidden = false;
    put(one("#head"), one("#head").dataset.lot);
    document.title = one("#head").dataset.lot + " – SIPAS";
    put(one("#round"), "");
    one("#now").hidden = true;
    one("#all").hidden = false;
    serial.value = "";
    listed();
    window.scrollTo(0, 0);
    serial.focus();
  }

  /* drawing */
  function paint(row) {
    var value = form.fields[row.name];
    row.controls.forEach(function (c) {
      if (/radio|checkbox/.test(c.type)) c.checked = known(value) && (holds(value, +c.value) || value === +c.value);
      else c.value = known(value) ? value : "";
    });
    row.tr.classList.toggle("off", !asked(row));
  }
  function go(n) {
    var row = rows[n], control;
    leave_end();
    at = form.at = n;
    keep();
    control = row.controls.filter(function (c) { return c.checked; })[0] || row.controls[0];
    control.focus({ preventScroll: true });
    if (written(row)) control.setSelectionRange(control.value.length, control.value.length);
    var box = row.tr.getBoundingClientRect();
    if (box.top < BAND || box.bottom > window.innerHeight - BAND) row.tr.scrollIntoView({ block: "center" });
    beside(row);
  }
  function legend(row) {
    if (row.legend) return row.legend;
    var head = one("thead", row.block);
    row.legend = head ? all("th[id]", head).map(function (th) { return [one("kbd", th).textContent, one(".sr", th).textContent.trim()]; }) :
      all("label", row.tr).map(function (l) { var k = one("kbd", l).textContent; return [k, l.textContent.trim().slice(k.length).trim()]; });
    return row.legend;
  }
  function beside(row) {
    var list = one("#now-keys"), how = row.kind === "several" ? words.choose : row.other ? words.beside : row.kind === "text" ? words.write : row.kind === "number" ? words.number : "";
    one("#now").hidden = false;
    put(one("#now-head"), fill(words.at, { name: row.tr.dataset.called }));
    put(one("#now-text"), how);
    one("#now-text").hidden = !how;
    list.textContent = "";
    legend(row).forEach(function (pair) {
      if (pair[0] === "9" || pair[0] === "0") return;
      list.appendChild(make("dt", pair[1]));
      list.appendChild(make("dd")).appendChild(make("kbd", pair[0]));
    });
    progress();
  }
  function progress() {
    var open = rows.filter(function (r) { return asked(r) && r.kind !== "text"; });
    put(one("#now-done"), fill(words.progress, { n: open.filter(function (r) { return known(form.fields[r.name]); }).length, of: open.length }));
  }
  function complain(text) {
    put(one("#now-done"), text);
    one("#now-done").classList.toggle("wrong", !!text);
    if (text) setTimeout(function () { if (form) { one("#now-done").classList.remove("wrong"); progress(); } }, 2500);
  }

  /* answering */
  function set(row, value, quiet) {
    if (!quiet) undone.push([row.n, form.fields[row.name]]);
    if (known(value)) form.fields[row.name] = value; else delete form.fields[row.name];
    paint(row);
    rows.forEach(function (r) { if (r.other.indexOf(row.name + ":") === 0) paint(r); });
    keep();
  }
  function next(from) {
    for (var n = from + 1; n < rows.length; n++) if (asked(rows[n])) return go(n);
    finish();
  }
  function back(from) {
    for (var n = from - 1; n >= 0; n--) if (asked(rows[n])) return go(n);
  }
  function gap(from) {
    var order = rows.slice(from + 1).concat(rows.slice(0, from + 1));
    return order.filter(function (r) { return r.kind !== "text" && asked(r) && !known(form.fields[r.name]); })[0];
  }
  function table(step) {
    var blocks = all("table.sheet", sheet), n = blocks.indexOf(rows[at].block);
    var goal = blocks[Math.max(0, Math.min(blocks.length - 1, n + step))];
    go(rows.filter(function (r) { return r.block === goal; })[0].n);
  }
  function read(row) { /* what stands in a written field */
    var text = row.controls[0].value.trim(), number;
    if (row.kind === "text") return text.normalize("NFC");
    if (!text) return "";
    number = /^-?[0-9]{1,9}$/.test(text) ? +text : undefined;
    return number;
  }
  function digit(row, key) {
    var n = +key, value = form.fields[row.name], code = row.codes[n - 1];
    if (row.kind === "several") {
      if (n === 9) { set(row, []); return next(row.n); }
      if (n === 0) return set(row, value === 0 ? undefined : 0);
      if (!code) return complain(fill(words.none, { key: key }));
      value = Array.isArray(value) ? value.slice() : [];
      if (holds(value, code)) value.splice(value.indexOf(code), 1); else value.push(code);
      return set(row, value.sort());
    }
    if (n !== 9 && n !== 0 && !code) return complain(fill(words.none, { key: key }));
    set(row, n === 9 || n === 0 ? n : code);
    next(row.n);
  }

  /* the end: gaps, what is unlikely, and the one key that stores the form */
  function leave_end() { ended = false; end.classList.remove("here"); }
  function unlikely() { /* as forms/paper.py; a test compares both */
    var found = [], scored = rows.filter(function (r) { return "scored" in r.tr.dataset; }), levels = {}, n = 0, blank = 0;
    scored.forEach(function (r) {
      var value = form.fields[r.name];
      if (value === 9) blank += 1;
      else if (value) { levels[value] = 1; n += 1; }
    });
    if (n >= 10 && Object.keys(levels).length === 1) found.push({ name: scored[0].name, code: "alike", n: n });
    if (scored.length && blank > scored.length / 2) found.push({ name: scored[0].name, code: "blank", n: blank, of: scored.length });
    rows.forEach(function (r) {
      var value = form.fields[r.name], d = r.tr.dataset;
      if (d.when && known(value) && value !== "" && (r.kind === "number" || value !== 9 && value !== 0) && !(Array.isArray(value) && !value.length) &&
        !d.any.split(" ").some(function (c) { return holds(form.fields[d.when], +c); })) found.push({ name: r.name, code: "skipped", number: r.tr.dataset.called });
      if (r.kind === "number" && known(value) && value !== "" && ((d.least && value < +d.least) || (d.most && value > +d.most))) {
        found.push({ name: r.name, code: "range", number: r.tr.dataset.called, minimum: d.least, maximum: d.most });
      }
    });
    return found;
  }
  function finish() {
    var row = gap(rows.length - 1), values, area = one("#doubts"), summary = one("#summary");
    if (row) {
      go(row.n);
      return complain(fill(words.gaps, { n: rows.filter(function (r) { return r.kind !== "text" && asked(r) && !known(form.fields[r.name]); }).length }));
    }
    values = rows.filter(function (r) { return r.kind !== "text" && asked(r); }).map(function (r) {
      var value = form.fields[r.name];
      return r.kind === "number" && value !== "" ? 1 : value; /* a number 9 or 0 is a number */
    });
    ended = true;
    end.classList.add("here");
    one("#now").hidden = true;
    summary.hidden = false;
    put(summary, fill(words.whole, {
      of: values.length, blank: values.filter(function (v) { return v === 9 || v === "" || (Array.isArray(v) && !v.length); }).length,
      invalid: values.filter(function (v) { return v === 0; }).length
    }));
    doubts = unlikely().filter(function (d) { return !form.reasons[d.name + ":" + d.code]; });
    area.textContent = "";
    save.hidden = !!doubts.length;
    if (doubts.length) doubt(area, doubts[0]); else save.focus({ preventScroll: true });
    end.scrollIntoView({ block: "center" });
  }
  function doubt(area, about) {
    var list = make("ol", "", "reasons"), own;
    area.appendChild(make("p", fill(words[about.code], about), "lead"));
    area.appendChild(make("p", words.why));
    ["as_paper", "hard_to_read", "explained"].forEach(function (reason, n) {
      var item = list.appendChild(make("li")), button = item.appendChild(make("button", "", "btn plain"));
      button.type = "button";
      button.appendChild(make("kbd", String(n + 1)));
      button.appendChild(document.createTextNode(" " + words[reason]));
      button.onclick = function () { overrule(about, reason); };
    });
    own = list.appendChild(make("li")).appendChild(make("label", ""));
    own.appendChild(make("kbd", "4"));
    own.appendChild(document.createTextNode(" " + words.own + " "));
    own.appendChild(make("input", "", "say")).maxLength = 200;
    area.appendChild(list);
    one("button", list).focus({ preventScroll: true });
  }
  function overrule(about, reason) {
    form.reasons[about.name + ":" + about.code] = reason;
    keep();
    finish();
  }
  function store() {
    var overrides = unlikely().map(function (d) { return { name: d.name, code: d.code, reason: form.reasons[d.name + ":" + d.code] || "" }; });
    var fields = {}, done = form, f = forms[form.serial];
    rows.forEach(function (r) { fields[r.name] = r.kind === "text" ? (asked(r) && form.fields[r.name]) || "" : form.fields[r.name]; });
    if (f) { f.was = f.status; f.status = "queued"; f.entry = done.id; }
    counted.n += 1;
    counted.ms += done.ms;
    put(one("#n-last"), fill(words.took, { seconds: Math.round(done.ms / 1000), keys: done.keys }));
    said = fill(words.held, { serial: printed(done.serial) });
    close(); /* at once: the next number may be scanned while the disk still writes */
    queue.add({
      id: done.id, to: TO, by: by, serial: done.serial, wave: facts.wave, questionnaire: facts.questionnaire, fields: fields,
      overrides: overrides, started_at: done.started_at, submitted_at: new Date().toISOString(), keys: done.keys, active_ms: Math.round(done.ms)
    }).then(function () {
      forget(done.serial);
      queue.state().then(news);
    });
  }

  /* keys */
  function count(e) {
    var now = e.timeStamp;
    if (form.beat) form.ms += Math.min(now - form.beat, PAUSE);
    form.beat = now;
    form.keys += 1;
  }
  document.addEventListener("keydown", function (e) {
    if (!form || e.ctrlKey || e.metaKey || e.altKey || e.isComposing || e.keyCode === 229 || /^(Tab|Shift|CapsLock|NumLock)$/.test(e.key)) return;
    if (!sheet.contains(e.target) && e.target !== document.body) return; /* a link, a button beside */
    var key = /^Numpad[0-9]$/.test(e.code) ? e.code.slice(6) : /^[0-9]$/.test(e.key) ? e.key : e.key;
    if (e.repeat && /^[0-9]$|^Enter$/.test(key)) return e.preventDefault(); /* a key held down answers once */
    count(e);
    if (key === "Escape") { keep(); e.preventDefault(); said = ""; return close(); }
    if (ended ? at_end(key, e) : written(rows[at]) ? at_text(rows[at], key, e) : at_row(rows[at], key)) e.preventDefault();
  });
  function at_row(row, key) {
    if (/^[0-9]$/.test(key)) digit(row, key);
    else if (key === "Enter") {
      if (row.kind === "several" && !known(form.fields[row.name])) set(row, []);
      if (known(form.fields[row.name])) next(row.n); else complain(fill(words.gaps, { n: 1 }));
    } else if (key === "ArrowLeft" || key === "ArrowUp") back(row.n);
    else if (key === "ArrowRight" || key === "ArrowDown") next(row.n);
    else if (key === "Backspace") undo();
    else if (key === "Home") go(0);
    else if (key === "End") { var hole = gap(row.n); if (hole) go(hole.n); else finish(); }
    else if (key === "PageDown") table(1);
    else if (key === "PageUp") table(-1);
    else return key === " " ? false : /^.$/.test(key) && (complain(fill(words.none, { key: key })), true);
    return true;
  }
  function at_text(row, key, e) {
    var empty = !e.target.value, value, following;
    if (row.other && empty && /^[0-9]$/.test(key)) { /* nothing is written there: the key answers what comes next */
      set(row, "");
      following = rows.slice(row.n + 1).filter(asked)[0];
      if (following && !written(following)) { at = following.n; digit(following, key); return true; }
    }
    if (key === "Enter" && !e.shiftKey || key === "ArrowDown") {
      value = read(row);
      if (!known(value)) { complain(words.number); return true; }
      set(row, value);
      next(row.n);
    } else if (key === "ArrowUp" || (empty && (key === "ArrowLeft" || key === "Backspace"))) back(row.n);
    else return false;
    return true;
  }
  function at_end(key, e) {
    var own = one("#doubts .say");
    if (e.target === own && key === "Enter") { if (own.value.trim()) overrule(doubts[0], own.value.trim()); return true; }
    if (e.target === own && !/^Arrow(Up)$/.test(key)) return false;
    if (key === "ArrowLeft" || key === "ArrowUp" || key === "Backspace") go(doubts.length ? by_name[doubts[0].name].n : rows.length - 1);
    else if (key === "Home") go(0);
    else if (doubts.length && /^[1-3]$/.test(key)) overrule(doubts[0], ["as_paper", "hard_to_read", "explained"][key - 1]);
    else if (doubts.length && key === "4") own.focus();
    else if (key === "Enter" && !doubts.length) store();
    else return /^[0-9]$/.test(key);
    return true;
  }
  function undo() {
    var last = undone.pop();
    if (!last) return back(at);
    set(rows[last[0]], last[1], true);
    go(last[0]);
  }

  /* the mouse and assistive tools use the same boxes */
  sheet.addEventListener("focusin", function (e) {
    var tr = e.target.closest("tr[data-name]"), row = tr && by_name[tr.dataset.name];
    if (!form || !row || (row.n === at && !ended)) return;
    leave_end();
    at = form.at = row.n;
    beside(row);
  });
  sheet.addEventListener("change", function (e) {
    var tr = e.target.closest("tr[data-name]"), row = tr && by_name[tr.dataset.name], chosen;
    if (!form || !row) return;
    if (written(row)) { var value = read(row); if (known(value)) set(row, value); return; }
    chosen = row.controls.filter(function (c) { return c.checked; }).map(function (c) { return +c.value; });
    if (row.kind === "several") set(row, e.target.value === "0" && e.target.checked ? 0 : chosen.filter(Boolean));
    else set(row, chosen[0]);
    progress();
  });
  sheet.addEventListener("input", function (e) {
    var tr = e.target.closest("tr[data-name]"), row = tr && by_name[tr.dataset.name];
    if (form && row && row.kind === "text") { form.fields[row.name] = e.target.value; keep(); }
  });
  sheet.addEventListener("submit", function (e) {
    e.preventDefault();
    if (form && !ended) finish(); else if (form && !doubts.length) store();
  });

  /* the next number: scanned, typed whole, or its last four digits within the lot */
  function sound(digits) { /* Luhn, as survey/serials.py */
    var total = digits.split("").reverse().reduce(function (sum, d, n) {
      var v = n % 2 ? 2 * d : +d;
      return sum + (v > 9 ? v - 9 : v);
    }, 0);
    return total % 10 === 0;
  }
  function find(text) { /* a serial number, or what is wrong with the text */
    var code = /^S1\/[0-9]+\/([0-9]+)\//i.exec(text.trim()), digits = code ? code[1] : text.replace(/[\s.\u2011\u00a0-]/g, ""), near;
    if (!/^[0-9]+$/.test(digits)) return { wrong: words.unknown };
    if (digits.length >= 8) return sound(digits) ? { serial: digits } : { wrong: words.luhn };
    near = digits.length < 4 ? [] : Object.keys(forms).filter(function (s) { return s.slice(-digits.length) === digits; });
    return near.length === 1 ? { serial: near[0] } : { wrong: words.unknown };
  }
  function wrong(text) {
    var box = one("#serial-wrong");
    put(box, text);
    box.hidden = !text;
    if (text) serial.select();
  }
  pick.addEventListener("submit", function (e) {
    var found = find(serial.value), f = found.serial && forms[found.serial], facts = { serial: found.serial && printed(found.serial) };
    e.preventDefault();
    if (/^L[0-9]+$/i.test(serial.value.trim())) return visit("/desk/lot/" + serial.value.trim());
    if (found.wrong) return wrong(found.wrong);
    if (!f) {
      if (away === found.serial) return visit("/desk/form/" + found.serial);
      away = found.serial;
      return wrong(fill(words.away, facts));
    }
    if (f.status !== "first" && f.status !== "second") return wrong(fill(words[f.status === "queued" ? "held" : f.status], facts));
    wrong("");
    open(found.serial);
  });
  function visit(path) { /* without a network this page must not be left */
    fetch(path, { redirect: "manual", credentials: "same-origin" }).then(function () { location.assign(path); }, function () { wrong(words.offline); });
  }

  /* the list under the sheet */
  function listed() {
    var n = 0, of = 0;
    Object.keys(forms).forEach(function (s) {
      var f = forms[s], tr = one('tr[data-serial="' + s + '"]'), draft = kept(s), cell = tr && one("[data-status]", tr);
      of += 1;
      if (/^(queued|stored|mine|done)$/.test(f.status)) n += 1;
      if (!cell) return;
      if (f.status === "queued" || f.status === "stored") put(cell, words[f.status]);
      else if (draft && /^(first|second)$/.test(f.status)) {
        put(cell, fill(words.draft, { n: Object.keys(draft.fields).length, of: rows.length }));
      }
      if (f.status === "queued" || f.status === "stored") one("th", tr).textContent = printed(s); /* no link any more */
      if (f.said) put(one("[data-state]", tr), f.said);
    });
    put(one("#n-lot"), n + "/" + of);
    put(one("#n-today"), fill(words.n, { n: counted.n }));
    put(one("#n-pace"), counted.ms ? fill(words.rate, { n: Math.round(counted.n * 3.6e6 / counted.ms) }) : "–");
  }
  function arrived(id, answer) {
    if (resent[id] && answer.state) {
      delete resent[id];
      queue.drop(id).then(function () { queue.state().then(news); });
    }
    Object.keys(forms).forEach(function (s) {
      var f = forms[s];
      if (f.entry !== id) return;
      if (answer.state) {
        f.status = "stored";
        f.said = answer.said;
        if (!form || said) said = fill(words.saved, { serial: printed(s) });
      } else { /* refused: it lies beside, with the reason */
        f.status = f.was;
        said = "";
      }
      f.entry = null;
      if (!form) listed();
    });
  }
  function spurned() {
    queue.spurned().then(function (held) {
      var box = one("#spurned"), list = one("ul", box), ours = held.filter(mine);
      box.hidden = !ours.length;
      var shown = ours.map(function (r) { return r.id + r.reason.refused_at; }).join();
      if (list.dataset.shown === shown) return;
      list.dataset.shown = shown;
      list.textContent = "";
      ours.forEach(function (record) {
        var item = list.appendChild(make("li")), again = make("button", words.reopen, "link"), drop = make("button", words.drop, "link");
        var send = make("button", words.resend, "link");
        var title = record.reason.title || record.reason.code || "";
        item.appendChild(make("p", title.indexOf(printed(record.serial)) < 0 ? fill(words.refused, { serial: printed(record.serial), title: title }) : title));
        if (record.reason.detail) item.appendChild(make("p", record.reason.detail, "small soft"));
        again.type = drop.type = send.type = "button";
        send.onclick = function () { /* as it is: the wave is open again, the form was recorded as collected */
          var f = forms[record.serial], same = JSON.parse(JSON.stringify(record));
          delete same.reason;
          if (f && /^(first|second)$/.test(f.status)) { f.was = f.status; f.status = "queued"; f.entry = same.id; }
          resent[same.id] = 1; /* it stays here until the server has it */
          queue.add(same);
        };
        again.onclick = function () {
          queue.drop(record.id).then(function () { open(record.serial, record.fields); keep(); });
        };
        drop.onclick = function () {
          if (drop.dataset.sure) return queue.drop(record.id).then(function () { queue.state().then(news); });
          drop.dataset.sure = 1;
          put(drop, words.sure);
        };
        item.appendChild(again);
        item.appendChild(send);
        item.appendChild(drop);
      });
    });
  }

  queue.held().then(function (held) {
    held.filter(mine).forEach(function (record) {
      var f = forms[record.serial];
      if (f) { f.was = f.status; f.status = "queued"; f.entry = record.id; }
    });
    Object.keys(forms).forEach(function (s) { if (/^(mine|done)$/.test(forms[s].status)) forget(s); });
    one("#beside").hidden = false;
    var now = forms[facts.current];
    listed();
    if (now && /^(first|second)$/.test(now.status) && !document.querySelector("#errors")) open(facts.current); else close();
  });
})();
