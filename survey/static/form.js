/* The phone form, one part at a time. Without this file the same page works as one long form. */
(function () {
  "use strict";
  var root = document.documentElement;
  if (!window.fetch || !window.URLSearchParams || !window.FormData || !root.closest) return;
  root.classList.add("js");

  var form, parts, at, words, box, busy, pressed, late, key = "sipas" + location.pathname;
  var all = function (q, from) { return [].slice.call((from || document).querySelectorAll(q)); };
  var one = function (q) { return document.querySelector(q); };
  var fill = function (text, facts) {
    return text.replace(/\{(\w+)\}/g, function (_, name) { return facts[name]; });
  };
  var make = function (tag, text, kind) {
    var node = document.createElement(tag);
    if (text) node.textContent = text;
    if (kind) node.className = kind;
    return node;
  };

  /* what is answered */
  function fields(name) { return all('[name="' + name + '"]', form); }
  function codes(name) {
    return fields(name).filter(function (f) { return f.checked && !f.disabled; })
      .map(function (f) { return f.value; });
  }
  function answered(block) {
    return all("input,textarea", block).some(function (f) {
      return /radio|checkbox/.test(f.type) ? f.checked : f.value.trim() && !/\.other$/.test(f.name);
    });
  }

  /* the questionnaire's own skip rules; what is not asked is not sent */
  function skip() {
    all("[data-when]", form).forEach(function (block) {
      var any = block.dataset.any.split(" ");
      var off = !codes(block.dataset.when).some(function (c) { return any.indexOf(c) >= 0; });
      block.hidden = off;
      all("input,textarea", block).forEach(function (f) { f.disabled = off; });
    });
    all(".other", form).forEach(function (other) {
      var mark = other.parentNode.querySelector("[data-other]"), off = !mark || !mark.checked || mark.disabled;
      other.hidden = off;
      other.querySelector("input").disabled = off;
    });
  }

  /* one part at a time */
  function show(n, quiet) {
    at = n;
    parts.forEach(function (part, i) { part.classList.toggle("on", i === n); });
    one("h1").classList.toggle("sr", n > 0);
    var next = one("#next"), last = n === parts.length - 1;
    next.hidden = last;
    next.textContent = n ? next.dataset.then : next.dataset.first;
    one("#send").hidden = !last;
    one("#back").hidden = !n;
    if (!quiet) {
      window.scrollTo(0, 0);
      (n ? parts[n].querySelector("[tabindex]") : one("h1")).focus({ preventScroll: true });
    }
  }
  function empty(part) { return !all("[data-column]", part).some(function (b) { return !b.closest("[hidden]"); }); }
  function go(step) {
    clear();
    var n = at + step;
    while (n > 0 && n < parts.length - 1 && empty(parts[n])) n += step;
    show(n);
    save();
  }

  /* faults of one part, in the words the server uses */
  function label(block) {
    var node = block.querySelector("legend,label"), text = node.textContent.trim();
    var no = /^(\d+)\. /.exec(text), group = block.parentNode.closest("[role=group]");
    if (group) {
      var head = group.querySelector("h3").textContent;
      return /^\S+ \d+\./.test(head) ? head.replace(/\..*$/, "") + ", " + fill(words.row, { number: text.replace(/\. .*$/, "") }) : text;
    }
    if (no) return fill(words.item, { number: no[1] });
    return /^\S+ \d+\. /.test(text) ? text.replace(/\. .*$/, "") : "“" + text + "”";
  }
  function faults(part) {
    var found = [];
    all("[data-column]", part).forEach(function (block) {
      if (block.closest("[hidden]")) return;
      var area = block.querySelector("textarea,.say:enabled"), text, size, most = area && +(area.dataset.longest || 200);
      if (block.hasAttribute("data-required") && !answered(block)) {
        text = block.classList.contains("field") ? words.write :
          block.querySelector(".none") ? words.choose : words.unchosen;
        found.push({ block: block, text: fill(text, { name: label(block) }) });
      } else if (area && (size = Array.from(area.value.trim().normalize("NFC")).length) > most) {
        var say = function (n) { return n.toLocaleString(root.lang); };
        found.push({ block: block, text: fill(words.long, { length: say(size), maximum: say(most) }) });
      }
    });
    return found;
  }
  function clear() {
    all(".miss,[aria-invalid]", form).forEach(function (b) {
      b.classList.remove("miss");
      b.removeAttribute("aria-invalid");
      b.removeAttribute("aria-describedby");
    });
    all(".wrong", form).forEach(function (w) { w.remove(); });
    var old = one("#errors");
    if (old) old.remove();
    if (box) box.remove();
  }
  function lead(node) { /* first in main, but for the ribbon of made-up data */
    var main = one("#main"), ribbon = main.querySelector(".ribbon");
    main.insertBefore(node, ribbon ? ribbon.nextSibling : main.firstChild);
  }
  function complain(found) {
    clear();
    var list = make("ul"), note = make("div", "", "note bad"), head = make("p", fill(words.unanswered, { n: found.length }));
    head.className = "lead"; note.id = "errors"; note.tabIndex = -1; note.setAttribute("role", "alert");
    note.appendChild(head); note.appendChild(list); note.appendChild(make("p", words.kept));
    found.forEach(function (fault) {
      var block = fault.block, first = block.querySelector("input,textarea"), said = make("p", fault.text, "wrong");
      var text = block.querySelector("legend,label").textContent.trim();
      said.id = "e-" + block.dataset.column;
      block.classList.add("miss");
      var bearer = block.tagName === "FIELDSET" ? block : first;
      bearer.setAttribute("aria-describedby", said.id);
      bearer.setAttribute("aria-invalid", "true");
      block.insertBefore(said, block.querySelector("legend,label").nextSibling);
      var link = make("a", text.length > 70 ? text.slice(0, 66).replace(/\s\S*$/, "") + "…" : text);
      link.href = "#" + first.id;
      list.appendChild(make("li")).appendChild(link);
    });
    lead(note);
    window.scrollTo(0, 0);
    note.focus();
  }

  /* kept in this tab until the receipt is there: a reload or a lost network costs nothing */
  function save() {
    try {
      var kept = [];
      new FormData(form).forEach(function (value, name) { if (name !== "go") kept.push([name, value]); });
      sessionStorage.setItem(key, JSON.stringify({ at: at, fields: kept }));
    } catch (e) { /* private mode: the page itself still holds the answers */ }
  }
  function forget() { try { sessionStorage.removeItem(key); } catch (e) { /* nothing kept */ } }
  function restore() {
    var held;
    try { held = JSON.parse(sessionStorage.getItem(key)); } catch (e) { return; }
    if (!held || held.fields.length < 2) return;
    held.fields.forEach(function (pair) {
      fields(pair[0]).forEach(function (f) {
        if (!/radio|checkbox/.test(f.type)) f.value = pair[1] || f.value;
        else if (f.value === pair[1]) f.checked = true;
      });
    });
    at = Math.min(held.at || 0, parts.length - 1);
    notice("note", words.restored, "btn plain", words.erase, function () { forget(); location.reload(); });
    lead(box);
  }

  /* sending: the answers stay in the page until the server has answered */
  function notice(kind, text, look, label, act) {
    var button = make("button", label, look);
    box = make("div", "", kind);
    button.type = "button";
    button.onclick = act;
    box.appendChild(make("p", text));
    box.appendChild(make("p", "", "row")).appendChild(button);
  }
  function tell(text, retry) {
    clear();
    notice("note bad", text, "btn", words.again, retry);
    box.setAttribute("role", "alert");
    form.parentNode.insertBefore(box, form.nextSibling);
    box.scrollIntoView({ block: "center" });
  }
  function post(url, button) {
    if (busy) return;
    var final = button.value === "send", unsent = window.sipasUnsent, done;
    var send = one("#send"), was = send.textContent, body = new URLSearchParams(new FormData(form));
    var ready = function () {
      clearTimeout(late);
      if (done) return false;
      busy = false;
      send.textContent = was;
      send.removeAttribute("aria-disabled");
      return done = true;
    };
    var kept = function (why) { /* into the queue; without one the page keeps them */
      var ask = function () { tell(words[why === "busy" ? "unsent" : "offline"], function () { post(url, button); }); };
      if (ready()) { if (final && unsent) unsent.hold(form, why).then(forget, ask); else ask(); }
    };
    busy = true;
    body.set("go", button.value);
    send.textContent = words.sending; send.setAttribute("aria-disabled", "true");
    if (final && unsent && !body.get("page")) return kept("sending"); /* opened without a network */
    late = setTimeout(kept, 2e4, "offline");
    fetch(url, { method: "POST", body: body, headers: { Accept: "text/html" } }).then(function (answer) {
      return answer.text().then(function (text) {
        if (answer.status >= 500 || answer.status === 429) return kept("busy");
        if (!ready()) return;
        if (answer.ok && final) forget();
        swap(text, final ? null : at, url);
      });
    }).catch(function () { kept("offline"); });
  }
  function swap(text, part, url) {
    var page = new DOMParser().parseFromString(text, "text/html");
    ["lang", "data-size", "data-look"].forEach(function (name) {
      var value = page.documentElement.getAttribute(name);
      if (value) root.setAttribute(name, value); else root.removeAttribute(name);
    });
    document.title = page.title;
    root.replaceChild(page.body, document.body);
    if (url) history.replaceState(null, "", url);
    box = null;
    begin(part);
    if (!form) { window.scrollTo(0, 0); var h = one("h1[tabindex]"); if (h) h.focus({ preventScroll: true }); }
  }

  function begin(part) {
    form = one("#answers");
    if (!form || !one("#next")) { form = null; return; }
    words = form.dataset;
    parts = all(".part", form);
    at = part || 0;
    var wrong = one("#errors");
    if (wrong) {
      var miss = form.querySelector(".miss,[aria-invalid]");
      at = miss ? parts.indexOf(miss.closest(".part")) : 0;
    } else if (part === null || part === undefined) restore();
    skip();
    show(at, true);
    if (wrong) wrong.focus();
    form.addEventListener("change", function (e) {
      var field = e.target;
      if (field.type === "checkbox" && field.checked && field.name !== "") {
        fields(field.name).forEach(function (f) {
          if (f !== field && (field.hasAttribute("data-alone") || f.hasAttribute("data-alone"))) f.checked = false;
        });
      }
      skip(); save();
    });
    form.addEventListener("input", function () { save(); });
    one("#next").onclick = function () {
      var found = faults(parts[at]);
      if (found.length) complain(found); else go(1);
    };
    one("#back").onclick = function () { go(-1); };
    form.onsubmit = function (e) {
      e.preventDefault();
      var button = e.submitter || pressed;
      if (!button || !button.value) button = one("#send");
      if (button.value === "stay") return post(button.getAttribute("formaction") || location.href, button);
      var last = parts.length - 1, found;
      if (at < last) return one("#next").click();
      for (var i = 0; i <= last; i++) if ((found = faults(parts[i])).length) { show(i, true); return complain(found); }
      post(location.href, button);
    };
  }

  /* a link of the summary may lead into another part */
  document.addEventListener("click", function (e) { /* for browsers without e.submitter */
    pressed = e.target.closest && e.target.closest("button");
  }, true);
  document.addEventListener("click", function (e) {
    var link = e.target.closest && e.target.closest("#errors a");
    if (!link || !form) return;
    var goal = document.getElementById(link.getAttribute("href").slice(1));
    if (!goal) return;
    e.preventDefault();
    var n = parts.indexOf(goal.closest(".part"));
    if (n >= 0 && n !== at) show(n, true);
    goal.focus({ preventScroll: true });
    (goal.closest("[data-column]") || goal).scrollIntoView();
  });
  document.addEventListener("DOMContentLoaded", function () {
    if (!one("[data-begun]")) window.sipasBlank = root.outerHTML;
    begin();
  });

  /* what works without a network comes after the page itself: at the first tap, or a little later */
  function later() {
    if (!form || later.done) return;
    later.done = true;
    (words.later ? words.later.split(" ") : []).forEach(function (name) {
      var script = make("script");
      script.async = false;
      script.src = name;
      document.head.appendChild(script);
    });
  }
  window.sipasForm = { swap: swap };
  document.addEventListener("change", later);
  window.addEventListener("load", function () { setTimeout(later, 4e3); });
})();
