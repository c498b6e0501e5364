/* Answers without a receipt: kept on this device, sent until the server has given one. */
(function () {
  "use strict";
  var API = "/api/v1/responses", DESK = "/desk/entries", STORES = ["unsent", "refused", "lease"];
  var FINAL = [404, 409, 410, 413, 422]; /* can never be stored: moved to "refused", not dropped */
  var FIRST = 5e3, LONGEST = 3e5, PATIENCE = 3e4, LEASE = 6e4;
  var opened, running, again, timer, asked, fault = "", fails = 0, wait = 0, barred = 0, listeners = [], me = id() || String(Math.random());
  var bearer; /* who may send what names an address of its own: {by, token} of a staff session */
  var spare = read("unsent"), spurned = read("refused"); /* where there is no IndexedDB, or no room */
  var wire = self.BroadcastChannel && new BroadcastChannel("sipas");

  function id() {
    var c = self.crypto, hex = "";
    if (c && c.randomUUID) return c.randomUUID();
    if (!c || !c.getRandomValues) return "";
    [].forEach.call(c.getRandomValues(new Uint8Array(16)), function (byte, n) {
      if (n === 6) byte = byte & 15 | 64;
      if (n === 8) byte = byte & 63 | 128;
      hex += (/^(4|6|8|10)$/.test(n) ? "-" : "") + (byte + 256).toString(16).slice(1);
    });
    return hex;
  }
  function copy(from) { return JSON.parse(JSON.stringify(from)); }
  function values(held) { return Object.keys(held).map(function (key) { return held[key]; }); }
  function read(name) {
    try { return JSON.parse(sessionStorage.getItem("sipas." + name)) || {}; } catch (e) { return {}; }
  }
  function mirror() {
    try {
      sessionStorage.setItem("sipas.unsent", JSON.stringify(spare));
      sessionStorage.setItem("sipas.refused", JSON.stringify(spurned));
    } catch (e) { /* the page itself still holds them */ }
  }

  function open() {
    return opened || (opened = new Promise(function (ok, no) {
      var request = indexedDB.open("sipas", 1), lost = function () { opened = null; };
      setTimeout(no, 5e3);
      request.onupgradeneeded = function () {
        STORES.forEach(function (name) { request.result.createObjectStore(name, { keyPath: "id" }); });
      };
      request.onerror = request.onblocked = no;
      request.onsuccess = function () {
        var db = request.result;
        db.onclose = lost;
        db.onversionchange = function () { db.close(); lost(); };
        ok(db);
      };
    }));
  }
  function within(mode, work) { /* what "work" says, once it is on the disk */
    return open().then(function (db) {
      return new Promise(function (ok, no) {
        var tx = db.transaction(STORES, mode, { durability: "strict" }), said = { value: undefined };
        tx.oncomplete = function () { ok(said.value); };
        tx.onabort = tx.onerror = function () { no(tx.error); };
        work(tx, said);
      });
    }).catch(function (fault) { opened = null; throw fault; });
  }
  function all(name) {
    var mine = values(name === "unsent" ? spare : spurned);
    return within("readonly", function (tx, said) {
      tx.objectStore(name).getAll().onsuccess = function (e) { said.value = e.target.result; };
    }).catch(function () { return []; }).then(function (held) {
      return held.concat(mine).sort(function (a, b) { return a.kept_at < b.kept_at ? -1 : 1; });
    });
  }

  function add(record) {
    var kept = copy(record);
    kept.kept_at = new Date().toISOString();
    /* a clock set right meanwhile: what began after its end would be refused */
    if (Date.parse(kept.started_at) > Date.parse(kept.submitted_at)) delete kept.started_at;
    return within("readwrite", function (tx) { tx.objectStore("unsent").put(kept); }).catch(function () {
      spare[kept.id] = kept;
      mirror();
    }).then(function () {
      if (!asked && navigator.storage && navigator.storage.persist) {
        asked = true;
        navigator.storage.persist().catch(function () {});
      }
      say({});
      flush();
      later();
    });
  }
  function later() { /* where the browser can: sent even when every tab is closed */
    if (!self.document || !navigator.serviceWorker || !self.SyncManager) return;
    navigator.serviceWorker.ready.then(function (ready) { return ready.sync.register("sipas"); }).catch(function () {});
  }
  function settle(record, reason, done) { /* only what was sent leaves; written anew meanwhile, it stays */
    var refused = reason && copy(record);
    if (reason) refused.reason = reason;
    var spared = spare[record.id];
    return (spared ? Promise.resolve() : within("readwrite", function (tx) {
      var unsent = tx.objectStore("unsent");
      unsent.get(record.id).onsuccess = function (e) {
        if (e.target.result && e.target.result.kept_at !== record.kept_at) return;
        unsent.delete(record.id);
        if (refused) tx.objectStore("refused").put(refused);
      };
    })).then(function () {
      if (spared) {
        delete spare[record.id];
        if (refused) spurned[record.id] = refused;
        mirror();
      }
      var news = {};
      news[record.id] = reason || done;
      fails = wait = 0;
      fault = "";
      say(news);
      if (wire) wire.postMessage(news);
      return true;
    });
  }

  function drop(id) { /* a refused one that its person has seen to */
    delete spurned[id];
    mirror();
    return within("readwrite", function (tx) { tx.objectStore("refused").delete(id); }).catch(function () {});
  }

  function send(record) { /* whether the next one should be tried */
    var body = copy(record), stop = self.AbortController && new AbortController(), late, to = record.to;
    var headers = { "Content-Type": "application/json", Accept: "application/json" };
    if (to && bearer === null) fault = "login";
    if (to && !(bearer && bearer.by === record.by)) return Promise.resolve(true); /* it waits for its person */
    if (to) headers["X-CSRFToken"] = bearer.token;
    delete body.to;
    delete body.kept_at;
    delete body.reason;
    return Promise.race([
      fetch(to || API, {
        method: "POST", body: JSON.stringify(body), credentials: "same-origin", cache: "no-store",
        headers: headers, redirect: to ? "manual" : "follow",
        signal: stop ? stop.signal : undefined
      }).then(function (answer) { return answer.text().then(function (text) { return [answer, text]; }); }),
      new Promise(function (_, no) { late = setTimeout(function () { if (stop) stop.abort(); no(); }, PATIENCE); })
    ]).then(function (pair) {
      clearTimeout(late);
      var status = pair[0].status, said = {};
      try { said = JSON.parse(pair[1]) || {}; } catch (e) { /* not ours: a proxy, a portal */ }
      if ((status === 200 || status === 201) && (said.receipt || to) && said.id === record.id) return settle(record, null, said);
      if (status === 422 && record.contact && said.faults && said.faults.every(function (one) { return one.item === "contact"; })) {
        delete record.contact; /* answers are not lost for a telephone number */
        return send(record);
      }
      if (to && (!status || status === 400 || status === 401)) { /* the session has ended: nothing is lost by that */
        fault = "login";
        bearer = null;
        return true;
      }
      if ((FINAL.indexOf(status) >= 0 || to && status === 403) && (said.code || status === 413)) {
        return settle(record, { status: status, code: said.code, title: said.title, detail: said.detail, faults: said.faults, refused_at: new Date().toISOString() });
      }
      fault = "busy";
      wait = Math.min(LONGEST, 1e3 * (+pair[0].headers.get("Retry-After") || 0));
      return status !== 503 && status !== 429;
    }, function () { clearTimeout(late); fault = "offline"; return false; });
  }
  function round() {
    return all("unsent").then(function (records) {
      return records.reduce(function (before, record) {
        return before.then(function (on) { return on && send(record); });
      }, Promise.resolve(true));
    });
  }

  /* One tab sends at a time, out of courtesy: the ids keep each answer single whoever sends it. */
  function alone(work) {
    if (barred > 60) return work(); /* a tab that sleeps with the lock in its hand */
    if (navigator.locks) {
      return navigator.locks.request("sipas", { ifAvailable: true }, function (lock) { return lock ? work() : null; });
    }
    return within("readwrite", function (tx, said) {
      var leases = tx.objectStore("lease");
      leases.get("flush").onsuccess = function (e) {
        var held = e.target.result, left = held ? held.until - Date.now() : 0;
        said.value = !(held && held.by !== me && left > 0 && left <= LEASE);
        if (said.value) leases.put({ id: "flush", by: me, until: Date.now() + LEASE });
      };
    }).catch(function () { return true; }).then(function (mine) {
      if (!mine) return null;
      var free = function () { return within("readwrite", function (tx) { tx.objectStore("lease").delete("flush"); }).catch(function () {}); };
      return work().then(function (on) { return free().then(function () { return on; }); }, free);
    });
  }
  function flush() {
    if (running) { again = true; return running; }
    clearTimeout(timer);
    running = alone(round).catch(function () { return false; }).then(function (on) {
      running = null;
      if (again) { again = false; return flush(); }
      barred = on === null ? barred + 1 : 0;
      if (on !== null) fails += 1;
      return state({}).then(function (now) {
        clearTimeout(timer);
        if (!now.unsent) { fails = wait = 0; return; }
        var pause = on === null ? 1e3 : Math.max(wait, Math.min(LONGEST, FIRST * Math.pow(2, fails - 1)));
        timer = setTimeout(flush, pause * (0.75 + Math.random() / 2));
        listeners.forEach(function (fn) { fn(now); });
      });
    });
    return running;
  }

  function state(done) {
    return Promise.all([all("unsent"), all("refused")]).then(function (held) {
      return {
        unsent: held[0].length, refused: held[1].length, done: done, fault: fault,
        oldest_at: held[0].length ? held[0][0].kept_at : null,
        volatile: values(spare).length + values(spurned).length
      };
    });
  }
  function say(done) {
    return state(done).then(function (now) { listeners.forEach(function (fn) { fn(now); }); });
  }
  function rescue() {
    return Promise.all([all("unsent"), all("refused")]).then(function (held) {
      return new Blob([JSON.stringify({
        sipas: "rescue/1",
        huong_dan: "Tệp này giữ các phiếu chưa gửi được. Đưa tệp cho cơ quan khảo sát, hoặc mở trang /offline trên máy có mạng và chọn “Nạp tệp dự phòng”. Phiếu đã nhận không bị nhận hai lần.",
        instructions: "This file holds answers that could not be sent. Give it to the surveying office, or open the page /offline on a device with a network and choose “Load a rescue file”. An answer already received is not taken twice.",
        made_at: new Date().toISOString(), unsent: held[0], refused: held[1]
      }, null, 1)], { type: "application/json" });
    });
  }
  function load(text) { /* how many answers of a rescue file are in the queue now */
    var file = JSON.parse(text), good = (file.unsent || []).concat(file.refused || []).filter(function (r) {
      return r && typeof r.id === "string" && (typeof r.token === "string" && r.answers || r.to === DESK && r.fields);
    });
    return Promise.all(good.map(function (r) { delete r.reason; return add(r); })).then(function () { return good.length; });
  }

  /* where there is a secure context, this door's pages open without a network */
  function install() {
    var place = /^\/[kq]\/[^/]+/.exec(location.pathname);
    if (!place) return;
    var manifest = document.createElement("link");
    manifest.rel = "manifest";
    manifest.href = "/manifest.webmanifest?door=" + place[0].slice(1) + location.search.replace("?", "&");
    document.head.appendChild(manifest);
    if (!navigator.serviceWorker) return;
    var keep = [{ url: location.pathname + location.search, html: self.sipasBlank && "<!doctype html>" + self.sipasBlank }, { url: "/offline" + location.search }];
    if (place[0][1] === "k") keep.push({ url: place[0] + "/screens" + location.search });
    navigator.serviceWorker.register("/sw.js").then(function () {
      return navigator.serviceWorker.ready;
    }).then(function (ready) {
      ready.active.postMessage({ keep: keep });
      /* a kiosk stays open for weeks: its kept pages and its worker are looked after */
      if (place[0][1] === "k") setInterval(function () {
        ready.active.postMessage({ keep: keep });
        ready.update().catch(function () {});
      }, 6e5);
    }).catch(function () {});
  }

  self.sipasQueue = {
    id: id, add: add, flush: flush, rescue: rescue, load: load, state: function () { return state({}); },
    count: function () { return all("unsent").then(function (held) { return held.length; }); },
    listen: function (fn) { listeners.push(fn); },
    sign: function (who) { bearer = who; if (fault === "login") fault = ""; now(); },
    held: function () { return all("unsent"); }, spurned: function () { return all("refused"); }, drop: drop
  };
  function now() { fails = wait = 0; flush(); }
  if (wire) wire.onmessage = function (e) { say(e.data); };
  if (!self.document) return; /* the service worker: it flushes when it is told to */
  window.addEventListener("online", now);
  window.addEventListener("pageshow", function (e) { if (e.persisted) now(); });
  document.addEventListener("visibilitychange", function () { if (!document.hidden) now(); });
  window.addEventListener("beforeunload", function (e) {
    if (values(spare).length) { e.preventDefault(); e.returnValue = ""; }
  });
  install();
  flush();
})();
