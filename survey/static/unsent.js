/* The phone form without a network: its answers into the queue, and the page that says so. */
(function () {
  "use strict";
  var root = document.documentElement, queue = window.sipasQueue, mine, own, why, shown, page, began = new Date();
  var address = location.pathname, one = function (q) { return document.querySelector(q); };
  if (!queue) return;

  /* the response id inside a page token: what the form would store under, the queue stores under */
  function inside(token) {
    var hex = "", bytes;
    try { bytes = atob(token.replace(/-/g, "+").replace(/_/g, "/")); } catch (e) { return ""; }
    if (bytes.length !== 32) return "";
    for (var n = 0; n < 16; n++) hex += (/^(4|6|8|10)$/.test(n) ? "-" : "") + (bytes.charCodeAt(n) + 256).toString(16).slice(1);
    return hex;
  }
  /* as forms/web.py reads the same fields; a test compares both */
  function answers(form) {
    var found = {};
    [].forEach.call(form.elements, function (field) {
      var name = field.name, block = field.closest("[data-column]"), value = field.value;
      if (!name || field.disabled || !(block || /^consent_/.test(name))) return;
      if (/radio|checkbox/.test(field.type)) {
        if (!field.checked) return;
        if (field.type === "radio" || !block) found[name] = +value;
        else (found[name] = found[name] || []).push(+value);
      } else if (value.trim()) {
        found[name] = field.inputMode === "numeric" && /^-?[0-9]{1,9}$/.test(value) ? +value :
          /* what cannot be printed comes from copying, and would be refused */
          value.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g, "");
      }
    });
    return found;
  }
  function record(form) {
    var token = address.split("/")[2], field = function (name) { return form.elements[name] || {}; };
    var made = {
      id: inside(field("page").value || "") || (own = own || queue.id()), token: token,
      questionnaire: form.dataset.questionnaire, answers: answers(form), language: root.lang,
      channel: /^c/i.test(token) ? "qr" : "link",
      started_at: began.toISOString(), submitted_at: new Date().toISOString()
    };
    var helper = field("assisted_by").value, phone = field("contact_phone").value;
    if (helper && helper !== "self") made.assisted_by = helper;
    if (phone && phone.trim() && field("contact_consent").checked) made.contact = { phone: phone.trim().slice(0, 40), consent: true };
    return made;
  }

  function hold(form, reason) {
    var made = record(form);
    if (!made.id) return Promise.reject(new Error("no id"));
    mine = made;
    why = reason;
    shown = "";
    return queue.add(made).then(function () {
      if (!page) throw new Error("queued, but there is no page to say so");
      var who = one(".who"), ribbon = one(".ribbon"), other; /* whose form it is, and that it is made up */
      window.sipasForm.swap(page, null, "");
      other = one(".who");
      if (who && other) other.parentNode.replaceChild(who, other);
      if (ribbon) one("#main").insertBefore(ribbon, one("#main").firstChild);
      bind();
      return queue.state().then(draw);
    });
  }

  function put(node, text) { if (node && node.textContent !== text) node.textContent = text; }
  function fill(text, facts) { return text.replace(/\{(\w+)\}/g, function (_, name) { return facts[name]; }); }
  function two(n) { return (n < 10 ? "0" : "") + n; }
  function draw(now) {
    var head = one("#held"), said = mine && now.done && now.done[mine.id], form = one("#answers");
    if (!head) return form ? note(form, now) : null;
    if (said && said.receipt) {
      var at = new Date(new Date(said.received_at).getTime() + 7 * 36e5); /* the time in Vietnam */
      put(one("#code"), said.receipt.slice(0, 4) + "-" + said.receipt.slice(4));
      put(one("#at"), fill(one("#at").dataset.at, {
        at: two(at.getUTCHours()) + ":" + two(at.getUTCMinutes()),
        on: two(at.getUTCDate()) + "/" + two(at.getUTCMonth() + 1) + "/" + at.getUTCFullYear()
      }));
      mine = null;
      why = "sent";
    } else if (said) {
      put(one("#reason"), said.title || "");
      mine = null;
      why = "refused";
    } else if (mine && !now.unsent && !now.refused) queue.add(mine); /* another tab has the receipt */
    if (mine && now.fault) why = now.fault;
    var kind = why === "sent" || why === "refused" ? why : now.volatile ? "page" : mine ? why : now.unsent ? "waiting" : "none";
    put(head, head.dataset[kind] || head.dataset.none);
    one("#receipt").hidden = kind !== "sent";
    one("#reason").hidden = kind !== "refused";
    one("#left").hidden = !now.unsent;
    put(one("#left"), fill(one("#left").dataset.n, { n: now.unsent }));
    one("#lost").hidden = !now.refused;
    put(one("#lost"), fill(one("#lost").dataset.n, { n: now.refused }));
    one("#again").hidden = !now.unsent;
    one("#rescue").hidden = !(now.unsent || now.refused);
    one("#what").hidden = kind !== "none" && kind !== "waiting";
    one("#then").hidden = kind === "sent" || kind === "page";
    one("#loading").hidden = /^\/q\//.test(address);
    one("#fresh").hidden = !/^\/q\/c/i.test(address);
    if (kind !== shown && (shown || mine || said)) head.focus({ preventScroll: true });
    shown = kind;
  }
  function note(form, now) { /* forms of others wait on this device */
    var box = one("#waiting"), link;
    if (!now.unsent) { if (box) box.remove(); return; }
    if (!box) {
      box = document.createElement("p");
      link = document.createElement("a");
      box.id = "waiting";
      box.className = "small";
      link.href = "/offline" + location.search;
      box.appendChild(link);
      form.parentNode.appendChild(box);
    }
    put(box.firstChild, fill(/data-n="([^"]*)"/.exec(page || "") ? RegExp.$1 : "{n}", { n: now.unsent }));
  }

  function fresh() { /* the next person: a page of their own, from the server or as it first was */
    var late = new Promise(function (_, no) { setTimeout(no, 5e3); });
    Promise.race([fetch(location.href, { credentials: "omit" }).then(function (answer) {
      if (!answer.ok) throw new Error(answer.status);
      return answer.text();
    }), late]).catch(function () {
      return (window.sipasBlank || "").replace(/(name="page" value=")[^"]*/, "$1"); /* another person, another id */
    }).then(function (text) {
      mine = own = null;
      began = new Date();
      if (text) window.sipasForm.swap(text, 0, ""); else location.reload();
      queue.state().then(draw);
    });
  }
  function bind() {
    var again = one("#again"), words;
    if (!again) return;
    words = again.textContent;
    again.onclick = function () {
      put(again, again.dataset.sending);
      queue.flush().then(function () { put(again, words); }, function () { put(again, words); });
    };
    one("#fresh").onclick = fresh;
    one("#save").onclick = function () {
      queue.rescue().then(function (file) {
        var link = document.createElement("a");
        link.href = URL.createObjectURL(file);
        link.download = "sipas-" + new Date().toISOString().slice(0, 16).replace(/\D/g, "") + ".json";
        document.body.appendChild(link);
        link.click();
        link.remove();
        setTimeout(function () { URL.revokeObjectURL(link.href); }, 6e4);
      });
    };
    one("#load").onchange = function (e) {
      var said = one("#loaded"), reader = new FileReader();
      if (!e.target.files[0]) return;
      reader.onload = function () {
        new Promise(function (ok) { ok(queue.load(reader.result)); }).then(function (n) {
          put(said, fill(said.dataset.n, { n: n }));
        }, function () { put(said, said.dataset.wrong); });
        e.target.value = "";
      };
      reader.readAsText(e.target.files[0]);
    };
    one("#tools").hidden = false;
  }

  queue.listen(draw);
  if (one("#held")) bind();
  window.sipasUnsent = {
    record: record, answers: answers, hold: hold,
    ready: Promise.resolve(one("#held") ? "" : fetch("/offline" + location.search, { credentials: "omit" }).then(function (answer) {
      return answer.ok ? answer.text() : "";
    })).catch(function () { return ""; }).then(function (text) { page = text; return queue.state().then(draw); })
  };
})();
