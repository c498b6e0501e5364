/* The kiosk: answers never enter the browser's history, and nobody finds the last one's. */
(function () {
  "use strict";
  var root = document.documentElement, busy = false, retry, pressed, timer, left, ticking, home;
  var one = function (q) { return document.querySelector(q); };
  var start = function () { location.replace(location.pathname + location.search); };

  /* idle: a question first, then the screen is cleared */
  function wake() {
    clearTimeout(timer);
    var box = one("#idle");
    if (box && !box.open) timer = setTimeout(ask, 1000 * box.dataset.after);
  }
  function still() { return [].slice.call(document.querySelectorAll("body > :not(dialog)")); }
  function ask() {
    var box = one("#idle"), say = one("#idle-left strong"), words = say.textContent;
    if (!box || busy) return;
    var before = document.activeElement;
    left = +box.dataset.left;
    still().forEach(function (part) { part.inert = true; });
    box.setAttribute("open", "");
    one("#stay").focus();
    var tell = function () { say.textContent = words.replace(/\d+/, left); };
    tell();
    ticking = setInterval(function () { left -= 1; if (left <= 0) { clearInterval(ticking); start(); } else tell(); }, 1000);
    one("#stay").onclick = function () {
      clearInterval(ticking);
      box.removeAttribute("open");
      still().forEach(function (part) { part.inert = false; });
      if (before && before.focus) before.focus();
      wake();
    };
    box.onkeydown = function (e) { if (e.key === "Escape") one("#stay").click(); };
  }
  ["pointerdown", "keydown", "input", "compositionstart", "compositionupdate", "compositionend", "scroll"]
    .forEach(function (name) { document.addEventListener(name, wake, true); });

  /* thanks: back to the first screen */
  function goHome() {
    clearInterval(home);
    var wait = one("[data-home]");
    if (!wait) return;
    var n = +wait.dataset.home, say = wait.querySelector(".num"), words = say.textContent;
    wait.hidden = false;
    home = setInterval(function () {
      n -= 1;
      if (n <= 0) { clearInterval(home); start(); } else say.textContent = words.replace(/\d+/, n);
    }, 1000);
  }

  /* each tap is sent without leaving the page; without a network the page stays as it is */
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
    others(); goHome(); again(); wake();
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
  /* older browsers do not say which button sent the form */
  document.addEventListener("click", function (e) {
    pressed = e.target.closest && e.target.closest("button");
  }, true);
  document.addEventListener("submit", function (e) {
    var form = e.target, button = e.submitter || pressed;
    if (form.id !== "answers" || !window.fetch || !window.URLSearchParams) return;
    e.preventDefault();
    send(form, button);
  });
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

  /* "Khác": its text is asked only when it is chosen; "không trả lời" stands alone */
  function others() {
    [].forEach.call(document.querySelectorAll(".other"), function (other) {
      var mark = other.parentNode.querySelector("[data-other]");
      other.hidden = !mark.checked;
      other.querySelector("input").disabled = !mark.checked;
    });
  }
  document.addEventListener("change", function (e) {
    var field = e.target;
    if (field.type !== "checkbox") return;
    if (field.checked) [].forEach.call(document.querySelectorAll('[name="' + field.name + '"]'), function (f) {
      if (f !== field && (field.hasAttribute("data-alone") || f.hasAttribute("data-alone"))) f.checked = false;
    });
    others();
  });
  document.addEventListener("click", function (e) {
    if (e.target.closest && e.target.closest("[data-stop]")) { e.preventDefault(); start(); }
  });
  window.addEventListener("pageshow", function (e) { if (e.persisted) start(); });
  others(); goHome(); again(); wake();
})();
