/* The kiosk: one document, all screens in it; answers never enter the browser's history, and
   nobody finds the last one's. Where the screens cannot be fetched, each tap asks the server. */
(function () {
  "use strict";
  var root = document.documentElement, one = function (q, from) { return (from || document).querySelector(q); };
  var all = function (q, from) { return [].slice.call((from || document).querySelectorAll(q)); };
  var home = /^\/k\/[^/]+/.exec(location.pathname), token = home && home[0].slice(3);
  var busy = false, timer, ticking, homing, composing = false, down = false, played;
  var idleAfter = 60, LEFT = 20, GUARD = 250, PATIENCE = 4000, BEAT = 60000;

  /* ---- what both flows share ---- */

  var start = function () { location.replace(location.pathname + location.search); };
  function leave() { if (local) reset(); else start(); }

  /* idle: a question first, then the screen is cleared */
  function wake() {
    clearTimeout(timer);
    var box = one("#idle");
    if (box && !box.open && !composing) timer = setTimeout(ask, 1000 * (local ? idleAfter : +box.dataset.after));
    else if (!box && local && touched) timer = setTimeout(reset, 1000 * idleAfter);
  }
  function still() { return all("body > :not(dialog):not(template)"); }
  function ask() {
    var box = one("#idle");
    if (!box || busy) return;
    var keep = local && keeps(), say, words, before = document.activeElement, left = +box.dataset.left || LEFT;
    if (one("[data-keep]", box)) {
      one("[data-keep]", box).hidden = !keep;
      one("[data-erase]", box).hidden = keep;
    }
    say = one(keep ? "[data-keep] strong" : "#idle-left strong", box);
    words = say.textContent;
    still().forEach(function (part) { part.inert = true; });
    box.setAttribute("open", "");
    one("#stay").focus();
    var tell = function () { say.textContent = words.replace(/\d+/, left); };
    tell();
    clearInterval(ticking);
    ticking = setInterval(function () {
      left -= 1;
      if (left > 0) return tell();
      clearInterval(ticking);
      if (local) expire(); else start();
    }, 1000);
    one("#stay").onclick = function () {
      clearInterval(ticking);
      box.removeAttribute("open");
      still().forEach(function (part) { part.inert = false; });
      if (before && before.isConnected) before.focus();
      wake();
    };
    box.onkeydown = function (e) { if (e.key === "Escape") one("#stay").click(); };
  }
  ["pointerdown", "keydown", "input", "scroll"].forEach(function (name) {
    document.addEventListener(name, function () { touched = true; wake(); if (homing) goHome(); }, true);
  });
  document.addEventListener("pointerdown", function () { down = true; }, true);
  ["click", "pointercancel"].forEach(function (name) {
    document.addEventListener(name, function () { setTimeout(function () { down = false; }); }, true);
  });
  /* a syllable being composed has no end of its own: no countdown begins inside it */
  ["compositionstart", "compositionupdate", "compositionend"].forEach(function (name) {
    document.addEventListener(name, function () { composing = name !== "compositionend"; wake(); }, true);
  });

  /* thanks: back to the first screen */
  function goHome() {
    clearInterval(homing);
    homing = null;
    var wait = one("[data-home]");
    if (!wait) return;
    var n = +wait.dataset.home, say = one(".num", wait), words = say.textContent;
    var tell = function () { say.textContent = words.replace(/\d+/, n); };
    wait.hidden = false;
    tell();
    homing = setInterval(function () {
      n -= 1;
      if (n > 0) return tell();
      clearInterval(homing);
      homing = null;
      leave();
    }, 1000);
  }

  /* "Khác": its text is asked only when it is chosen; "không trả lời" stands alone */
  function others() {
    all(".other").forEach(function (other) {
      var mark = one("[data-other]", other.parentNode);
      other.hidden = !mark || !mark.checked;
      one("input", other).disabled = other.hidden;
    });
  }
  document.addEventListener("change", function (e) {
    var field = e.target;
    if (field.type !== "checkbox") return;
    if (field.checked) all('[name="' + field.name + '"]').forEach(function (f) {
      if (f !== field && (field.hasAttribute("data-alone") || f.hasAttribute("data-alone"))) f.checked = false;
    });
    others();
  });

  /* a recorded question, played when somebody asks for it */
  function hush() {
    if (played) { played.pause(); played = null; }
    all("[data-sound]").forEach(function (b) { b.hidden = false; b.textContent = b.dataset.hear; });
  }
  function hear(button) {
    var on = played;
    hush();
    if (on) return;
    var sound = played = new Audio(button.dataset.sound);
    var deaf = function () { if (played === sound) { played = null; button.textContent = button.dataset.deaf; } };
    button.textContent = button.dataset.hush;
    sound.onended = hush;
    sound.onerror = deaf;
    sound.ontimeupdate = wake;
    var begun = sound.play();
    if (begun) begun.catch(deaf);
  }
  document.addEventListener("click", function (e) {
    var target = e.target.closest ? e.target : e.target.parentNode, button = target.closest("[data-sound]");
    if (button) return hear(button);
    if (target.closest("[data-stop]")) { e.preventDefault(); leave(); }
  });
  window.addEventListener("pagehide", function () { if (local) reset(); });
  window.addEventListener("pageshow", function (e) { if (e.persisted) start(); });

  /* ---- without the screens: each tap is sent without leaving the page ---- */

  var retry, pressed, byHand = false, loading = false, held = null;
  function release() { /* the screens did not come in time: this person goes the server's way */
    var wait = held;
    held = null;
    if (wait && !local) send(wait[0], wait[1]);
  }
  function swap(text, url) {
    var page = new DOMParser().parseFromString(text, "text/html");
    [].slice.call(root.attributes).forEach(function (a) { root.removeAttribute(a.name); });
    [].slice.call(page.documentElement.attributes).forEach(function (a) { root.setAttribute(a.name, a.value); });
    document.title = page.title;
    document.body.className = page.body.className;
    while (document.body.firstChild) document.body.removeChild(document.body.firstChild);
    [].slice.call(page.body.childNodes).forEach(function (node) { document.body.appendChild(node); });
    if (url) history.replaceState(null, "", url);
    window.scrollTo(0, 0);
    var head = one("h1[tabindex]");
    if (head) head.focus({ preventScroll: true });
    others(); goHome(); hush(); again(); wake();
  }
  /* what the server could not store is sent again by itself until there is a receipt */
  function again() {
    clearTimeout(retry);
    var form = one("form[data-retry]");
    if (form) retry = setTimeout(function () { send(form); }, 1000 * form.dataset.retry);
  }
  function lost(form) {
    var box = one("#lost") || document.createElement("div");
    box.id = "lost"; box.className = "note bad"; box.setAttribute("role", "alert");
    box.textContent = form.dataset.offline;
    form.parentNode.insertBefore(box, form);
  }
  function send(form, button) {
    if (busy) return;
    busy = true;
    var body = new URLSearchParams(new FormData(form)), url = location.href;
    if (button) {
      if (button.name) body.set(button.name, button.value);
      if (button.getAttribute("formaction")) url = new URL(button.getAttribute("formaction"), location.href).href;
    }
    fetch(url, { method: "POST", body: body, headers: { Accept: "text/html" } })
      .then(function (answer) { return answer.text(); })
      .then(function (text) { busy = false; swap(text, url === location.href ? "" : url); })
      .catch(function () { busy = false; lost(form); again(); wake(); });
  }
  /* older browsers do not say which button sent the form */
  document.addEventListener("click", function (e) {
    byHand = e.detail > 0; /* keys and assistive tools tap once */
    pressed = e.target.closest && e.target.closest("button");
  }, true);
  document.addEventListener("submit", function (e) {
    var form = e.target, button = e.submitter || pressed;
    if (local) {
      e.preventDefault();
      if (button && form.contains(button)) tap(button); else advance();
    } else if (loading && form.matches(".calm form#answers")) { /* quicker than the screens */
      e.preventDefault();
      held = [form, button];
      setTimeout(function () { loading = false; release(); }, 1500);
    } else if (form.id === "answers" && window.fetch && window.URLSearchParams) {
      e.preventDefault();
      send(form, button);
    }
  });

  /* ---- with the screens: nothing but the finished answers leaves this document ---- */

  var local = false, touched = false, books = {}, book, person = null, at = "", shown = "start";
  var look = { language: root.lang, large: false, contrast: false }, settings = {}, waitingFor = null, left = 0;
  var usual = { language: root.lang, large: root.dataset.size === "large", contrast: root.dataset.look === "contrast" };
  var queue = window.sipasQueue || stopgap();

  function stopgap() { /* queue.js did not come: kept and sent again from memory */
    var kept = [], heard = [], again;
    function tell(done) {
      var now = { unsent: kept.length, refused: 0, done: done, oldest_at: kept.length ? kept[0].submitted_at : null };
      heard.forEach(function (fn) { fn(now); });
      return now;
    }
    function flush() {
      clearTimeout(again);
      var first = kept[0];
      if (!first) return;
      fetch("/api/v1/responses", { method: "POST", body: JSON.stringify(first), headers: { "Content-Type": "application/json" } })
        .then(function (answer) { return answer.json(); })
        .then(function (said) {
          if (!said.receipt) throw said;
          var done = {};
          kept.shift();
          done[first.id] = said;
          tell(done);
          flush();
        }).catch(function () { kept.push(kept.shift()); again = setTimeout(flush, 15000); tell({}); });
    }
    return {
      id: function () { return window.crypto && crypto.randomUUID ? crypto.randomUUID() : ""; },
      add: function (record) { kept.push(record); flush(); return Promise.resolve(); },
      flush: flush, listen: function (fn) { heard.push(fn); },
      state: function () { return Promise.resolve(tell({})); }
    };
  }

  function fetched(language) { /* the screens in one language, as a document that is never shown */
    var query = language === "vi" ? "" : "?lang=" + language; /* the official one has no mark */
    return fetch(home[0] + "/screens" + query, { cache: "no-cache", credentials: "omit" }).then(function (answer) {
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      return answer.text();
    }).then(function (text) {
      var page = new DOMParser().parseFromString(text, "text/html"), facts = one("#facts", page);
      if (page.documentElement.lang !== language) throw new Error("another language"); /* from a cache */
      books[language] = {
        words: facts.dataset, page: page, tongue: page.documentElement.lang,
        list: all("template[data-column]", page).map(function (t) {
          return { node: t, name: t.dataset.column, kind: t.dataset.kind, d: t.dataset };
        })
      };
      return books[language];
    });
  }
  function part(name) { return one('template[data-part="' + name + '"]', book.page); }

  /* answers */
  function holds(value, any) {
    return [].concat(value === undefined ? [] : value).some(function (v) { return any.indexOf(String(v)) >= 0; });
  }
  function asked() { /* the questionnaire's skip rules; answers to what is not asked do not count */
    var good = {}, list = [], answers = person.answers;
    Object.keys(answers).forEach(function (name) { good[name] = answers[name]; });
    book.list.forEach(function (s) {
      if (s.d.when && !holds(good[s.d.when], s.d.any.split(" "))) {
        delete good[s.name];
        delete good[s.name + ".other"];
      } else list.push(s);
    });
    return { list: list, answers: good };
  }
  function here() { return book.list.filter(function (s) { return s.name === at; })[0]; }
  function keeps() { /* partial answers are worth keeping only when something scored was answered */
    if (!person || book.words.keep === undefined) return false;
    var now = asked();
    return now.list.some(function (s) { return s.d.scored !== undefined && now.answers[s.name] !== undefined; });
  }

  /* drawing */
  function draw(template, name) {
    var body = document.body, main = document.createElement("main"), skip = one(".skip");
    clearInterval(homing); clearInterval(ticking);
    homing = null;
    document.body.className = template.dataset.body || "citizen kiosk";
    root.lang = book.tongue;
    root.classList.add("js");
    while (body.firstChild) body.removeChild(body.firstChild);
    if (skip) body.appendChild(skip);
    var header = document.importNode(part("header").content, true);
    body.appendChild(header);
    main.id = "main";
    main.appendChild(document.importNode(template.content, true));
    body.appendChild(main);
    all("[data-head]", main).forEach(function (old) {
      var head = document.createElement("h1");
      head.id = old.id;
      head.tabIndex = -1;
      while (old.firstChild) head.appendChild(old.firstChild);
      old.parentNode.replaceChild(head, old);
    });
    if (name === "ask") body.appendChild(document.importNode(part("idle").content, true));
    if (name.indexOf("than") === 0 || name === "kept") one("header nav").hidden = true;
    shown = name;
    hush();
    paint();
    window.scrollTo(0, 0);
    one("h1").focus({ preventScroll: true });
    return main;
  }
  function paint() { /* large type and contrast change nothing but these marks */
    if (look.large) root.dataset.size = "large"; else delete root.dataset.size;
    if (look.contrast) root.dataset.look = "contrast"; else delete root.dataset.look;
    all("[data-switch]").forEach(function (b) {
      var kind = b.dataset.switch;
      if (kind !== "language") b.textContent = (kind === "size" ? look.large : look.contrast) ? b.dataset.on : b.dataset.off;
    });
  }
  function show(name, quick) {
    at = name;
    var s = here(), now = asked(), step = now.list.indexOf(s) + 1, total = now.list.length, last = step === total;
    var main = draw(s.node, "ask"), words = book.words, held = person.answers[name];
    var said = words.step.replace("{n}", step).replace("{total}", total), list = one(".steps", main);
    one("[data-step]", main).textContent = said;
    document.title = said;
    list.classList.toggle("many", total > 20);
    for (var i = 0; i < total; i++) list.appendChild(document.createElement("li")).className = i < step ? "on" : "";
    one("[data-back]", main).hidden = step < 2;
    var next = one("[data-next]", main);
    next.textContent = last ? words.send : words.next;
    next.hidden = (s.kind === "consent" || (s.kind === "buttons" && s.d.required !== undefined)) && held === undefined;
    fill(s, main, held);
    if (last) extras(main);
    others();
    if (quick && byHand) calm(main);
    wake();
  }
  function fill(s, main, held) { /* the answer given before, when somebody comes back to it */
    var other = one('[name="' + s.name + '.other"]', main), kept = person.answers[s.name + ".other"];
    if (other && kept) other.value = kept;
    if (held === undefined) return;
    if (s.kind === "picks") {
      all('input[type="checkbox"]', main).forEach(function (f) { f.checked = holds(held, [f.value]); });
    } else if (s.kind === "text" || s.kind === "number") one('[name="' + s.name + '"]', main).value = held;
    else {
      var mark = document.createElement("small");
      mark.textContent = " (" + book.words.was + ")";
      all(".faces button", main).forEach(function (b) {
        if (b.name !== s.name || b.value !== String(held)) return;
        b.className = "was";
        one("span", b).appendChild(mark);
      });
    }
  }
  function calm(main) { /* the second tap of a double tap must not answer the next question */
    var buttons = all("button", main);
    buttons.forEach(function (b) { b.disabled = true; });
    setTimeout(function () { buttons.forEach(function (b) { b.disabled = false; }); }, GUARD);
  }
  function extras(main) {
    var more = part("extras");
    if (!more) return;
    one(".row:last-child", one("form", main)).before(document.importNode(more.content, true));
    Object.keys(person.extras).forEach(function (name) {
      all('[name="' + name + '"]', main).forEach(function (f) {
        if (/radio|checkbox/.test(f.type)) f.checked = f.value === person.extras[name]; else f.value = person.extras[name];
      });
    });
    if (Object.keys(person.extras).length) one("details", main).open = true;
  }

  /* one person */
  function begin() {
    var id = queue.id();
    if (!id) { local = false; return send(one("form")); }
    person = { id: id, answers: {}, extras: {}, at: new Date().toISOString() };
    show(book.list[0].name, true);
  }
  function read() { /* what stands on the screen, into the answers; a text that is blank is none */
    var s = here(), fields, value, other = one('[name="' + s.name + '.other"]');
    if (one(".extras")) person.extras = {};
    all(".extras input").forEach(function (f) {
      if (/radio|checkbox/.test(f.type) ? f.checked : f.value.trim()) person.extras[f.name] = f.value;
    });
    if (s.kind === "picks") {
      fields = all('main input[type="checkbox"][name="' + s.name + '"]').filter(function (f) { return f.checked; });
      value = fields.length ? fields.map(function (f) { return +f.value; }) : undefined;
    } else if (s.kind === "text" || s.kind === "number") {
      value = one('main [name="' + s.name + '"]').value.trim().normalize("NFC") || undefined;
      if (s.kind === "number" && /^-?[0-9]{1,9}$/.test(value)) value = +value;
    } else value = person.answers[s.name];
    keep(s.name, value);
    if (other) keep(s.name + ".other", other.disabled ? undefined : other.value.trim().normalize("NFC") || undefined);
  }
  function keep(name, value) {
    if (value === undefined) delete person.answers[name]; else person.answers[name] = value;
  }
  function wrong(s) { /* what the server would say of this answer, in its words */
    var value = person.answers[s.name], other = person.answers[s.name + ".other"], d = s.d;
    var long = function (text, most) {
      var size = Array.from(text).length, say = function (n) { return n.toLocaleString(root.lang); };
      return size > most ? d.tooLong.replace("{length}", say(size)).replace("{maximum}", say(most)) : "";
    };
    var strange = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]/;
    if (s.kind === "consent") return "";
    if (value === undefined) return d.required === undefined ? "" : d.unanswered;
    if (s.kind === "number") {
      if (typeof value !== "number") return d.notANumber;
      return (d.least !== undefined && value < +d.least) || (d.most !== undefined && value > +d.most) ? d.outOfRange : "";
    }
    if (s.kind === "text") {
      return long(value, +d.longest) || (strange.test(value.replace(/[\ud800-\udbff][\udc00-\udfff]/g, "")) ? d.controlCharacters : "");
    }
    if (other) return long(other, 200) || (strange.test(other.replace(/[\ud800-\udbff][\udc00-\udfff]/g, "")) ? d.controlCharacters : "");
    return "";
  }
  function complain(text, control) {
    var main = one("main"), note = one(".note", main) || document.createElement("div"), line = document.createElement("p");
    note.className = "note bad";
    note.setAttribute("role", "alert");
    note.textContent = "";
    line.textContent = text;
    note.appendChild(line);
    one(".steps", main).after(note);
    document.title = book.words.one + " – " + one("[data-step]", main).textContent;
    var field = control || one("textarea,input:not([type]),input[inputmode]", main);
    note.id = "wrong";
    if (field) {
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", "wrong");
      field.focus({ preventScroll: true });
    }
    note.scrollIntoView({ block: "nearest" });
    wake();
  }
  function tap(button) {
    if (busy) return;
    if (button.hasAttribute("data-begin")) return begin();
    if (!person) return;
    var s = here();
    if (button.value === "refuse") { /* consent refused: what it allowed goes with it */
      keep(s.name);
      keep(s.d.item);
    } else if (button.name === s.name) {
      person.answers[s.name] = +button.value;
    }
    advance();
  }
  function advance() {
    if (busy || !person) return;
    var s = here(), list, next, fault;
    read();
    fault = wrong(s);
    if (fault) return complain(fault);
    list = asked().list;
    next = list[list.indexOf(s) + 1];
    if (next) return show(next.name, true);
    for (var i = 0; i < list.length; i++) {
      fault = wrong(list[i]);
      if (fault) { show(list[i].name); return complain(fault); }
    }
    finish();
  }
  function back() {
    read();
    var list = asked().list, n = list.indexOf(here());
    if (n > 0) show(list[n - 1].name, true);
  }
  function record(partial) {
    var body = {
      id: person.id, token: token, questionnaire: book.words.questionnaire, answers: asked().answers,
      started_at: person.at, submitted_at: new Date().toISOString(), language: book.tongue, channel: "kiosk"
    }, helper = person.extras.assisted_by;
    if (partial) {
      body.partial = true;
      asked().list.forEach(function (s) { if (wrong(s) && wrong(s) !== s.d.unanswered) { delete body.answers[s.name]; delete body.answers[s.name + ".other"]; } });
    } else {
      if (helper && helper !== "self") body.assisted_by = helper;
      if (person.extras.contact_phone) body.contact = { phone: person.extras.contact_phone, consent: !!person.extras.contact_consent };
    }
    return body;
  }
  function number() { /* a telephone number comes with its own consent, or not at all */
    var typed = (person.extras.contact_phone || "").replace(/[\s.\-()]/g, "").replace(/^(\+|00)?84/, "0"), d = one("details.extras");
    if (!d) return "";
    if (!typed) return person.extras.contact_consent ? d.dataset.missing : "";
    if (!/^(0[35789]\d{8}|02\d{9})$/.test(typed)) return d.dataset.phone;
    return person.extras.contact_consent ? "" : d.dataset.consent;
  }
  function finish() {
    var fault = number(), body = record(), next = one("[data-next]");
    if (fault) { one("details.extras").open = true; return complain(fault, one("#contact_phone")); }
    busy = true;
    if (next) { next.textContent = book.words.sending; next.setAttribute("aria-disabled", "true"); }
    var timed = setTimeout(function () { done(null); }, PATIENCE);
    var done = waitingFor = function (id, said) {
      if (id && id !== body.id) return;
      clearTimeout(timed);
      busy = false;
      person = null;
      if (said && said.receipt) { waitingFor = null; thanks(said); }
      else if (shown !== "kept" || said) kept(said);
    };
    queue.add(body).catch(function () { /* it is kept in memory at least: the queue says so */ });
    if (navigator.onLine === false) setTimeout(function () { if (busy) done(null); }, 300);
  }
  function thanks(said) {
    var main = draw(part("thanks"), "thanks"), at = new Date(said.received_at), letters = said.receipt.replace("-", "");
    var in_vn = new Date(at.getTime() + 7 * 36e5).toISOString();
    one(".code", main).textContent = letters.slice(0, 4) + "-" + letters.slice(4);
    one("[data-at]", main).textContent = book.words.at.replace("{at}", in_vn.slice(11, 16))
      .replace("{on}", in_vn.slice(8, 10) + "/" + in_vn.slice(5, 7) + "/" + in_vn.slice(0, 4));
    document.title = one("h1", main).textContent;
    goHome();
  }
  function kept(said) {
    var main = draw(part("kept"), "kept");
    if (said) one("h1", main).textContent = book.words.refused;
    if (said) one("[data-why]", main).hidden = true;
    document.title = one("h1", main).textContent;
    goHome();
  }
  function expire() { /* nobody is there any more: what becomes of the answers is the wave's rule */
    if (one("main textarea,main input")) read();
    if (keeps()) queue.add(record(true)).catch(function () {});
    reset();
  }
  function reset() { /* nothing of this person stays: not in memory, not on the screen */
    clearTimeout(timer);
    person = null;
    at = "";
    busy = false;
    touched = false;
    waitingFor = null;
    look = { language: settings.language || usual.language,
      large: settings.large || usual.large, contrast: settings.contrast || usual.contrast };
    book = books[look.language] || book;
    draw(part("start"), "start");
    document.title = book.words.title;
    waiting();
  }
  function waiting() {
    var line = one("[data-waiting]");
    if (!line) return;
    line.hidden = !left;
    line.textContent = left ? book.words.waiting.replace("{n}", left) : "";
  }
  /* in the middle of a question: the answers stay where they are */
  function turn(button) {
    var kind = button.dataset.switch;
    if (kind === "size") look.large = !look.large;
    if (kind === "contrast") look.contrast = !look.contrast;
    if (kind !== "language") { paint(); return wake(); }
    var tongue = button.dataset.tongue;
    Promise.resolve(books[tongue] || fetched(tongue)).then(function (found) {
      look.language = tongue;
      book = found;
      if (person) { read(); show(at); } else { draw(part("start"), "start"); document.title = book.words.title; waiting(); wake(); }
    }).catch(function () { /* not here without a network: the page stays as it is */ });
  }
  document.addEventListener("click", function (e) {
    var button = local && e.target.closest && e.target.closest("[data-switch],[data-back]");
    if (!button || busy) return;
    if (button.dataset.switch) turn(button); else back();
  });
  document.addEventListener("keydown", function (e) { /* a key held down answers once */
    if (local && e.repeat && (e.key === "Enter" || e.key === " ") && !/TEXTAREA|INPUT/.test(e.target.tagName)) e.preventDefault();
  });

  /* the office sees which kiosk is silent, and how many answers it still holds */
  function beat() {
    queue.state().then(function (now) {
      left = now.unsent;
      waiting();
      return fetch(home[0] + "/beat", {
        method: "POST", credentials: "omit", headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ unsent: now.unsent, oldest_at: now.oldest_at, version: book.words.version, at: new Date().toISOString() })
      });
    }).then(function (answer) { return answer.ok ? answer.json() : null; }).then(function (said) {
      if (!said || !said.settings) return;
      var changed = JSON.stringify(said.settings) !== JSON.stringify(settings), free = shown === "start" && !touched;
      settings = said.settings;
      idleAfter = settings.idle;
      if (free && (said.version !== book.words.version || !said.open)) start();
      else if (free && changed) settle();
    }).catch(function () { /* without a network the next one says it */ });
  }
  function settle() { /* the counter's own look, once its language is here */
    var tongue = settings.language || usual.language;
    Promise.resolve(books[tongue] || fetched(tongue)).catch(function () {}).then(function () {
      if (shown === "start" && !touched) reset();
    });
  }

  others(); goHome(); hush(); again(); wake();
  if (!home || !window.fetch || !window.Promise || !("content" in document.createElement("template"))) return;
  if (!one(".calm form#answers")) return; /* in the middle of the server's own flow */
  loading = true;
  fetched(usual.language).then(function take(found) {
    if (!loading || busy) return; /* somebody was quicker and goes the server's way */
    if (down) return setTimeout(take, 100, found); /* a finger on the button: its tap must land */
    var wanted = held;
    loading = false;
    held = null;
    book = found;
    settings = JSON.parse(found.words.settings);
    idleAfter = settings.idle;
    local = true;
    reset();
    if (wanted) begin();
    if (settings.language) settle();
    all("[data-tongue]", part("header").content).forEach(function (b) { /* for a day without a network */
      fetched(b.dataset.tongue).catch(function () {});
    });
    queue.listen(function (now) {
      var done = now.done || {}, before = left;
      left = now.unsent;
      waiting();
      if (waitingFor) Object.keys(done).forEach(function (id) { if (waitingFor) waitingFor(id, done[id]); });
      if (left < before) beat();
    });
    beat();
    setInterval(beat, BEAT);
  }).catch(function () { /* the server asks question by question, as without this file */
    loading = false;
    release();
  });
})();
