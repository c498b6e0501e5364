/* Scans: files in pieces over a bad line, and a key for every answer. */
"use strict";

const handIn = document.getElementById("hand-in");
const decide = document.getElementById("decide");

/* The server will not have the file, and says why. */
class Refused extends Error {}

function say(text) {
  const line = document.getElementById("sending");
  line.hidden = !text;
  line.textContent = text;
}

function fill(words, facts) {
  return words.replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole);
}

/* One piece; a server that has less or more of the file says where to go on. */
async function piece(file, to, token, at, size) {
  const answer = await fetch(to + "?offset=" + at, {
    method: "POST",
    headers: { "X-CSRFToken": token, "Content-Type": "application/octet-stream", Accept: "application/json" },
    body: file.slice(at, at + size),
  });
  if (answer.redirected) throw new Refused(handIn.dataset.ended);
  if (answer.status >= 400 && answer.status < 500 && answer.status !== 409) throw new Refused((await answer.json()).title);
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()).at;
}

async function patient(work) {
  for (let wait = 1; ; wait *= 2) {
    try {
      return await work();
    } catch (fault) {
      if (wait > 16 || fault instanceof Refused) throw fault;
      await new Promise((done) => setTimeout(done, wait * 500));
    }
  }
}

async function send(form, file, n) {
  const held = form.dataset;
  const mark = form.elements.csrf_token.value;
  const token = held.token.slice(0, -2) + n.toString(16).padStart(2, "0");
  const to = held.to.replace(held.token, token);
  const facts = { name: file.name, total: Math.ceil(file.size / 1048576) };
  for (let at = 0; at < file.size;) {
    say(fill(held.sending, { ...facts, done: Math.floor(at / 1048576) }));
    at = await patient(() => piece(file, to, mark, at, Number(held.piece)));
  }
  const body = new URLSearchParams({ csrf_token: mark, token, name: file.name });
  const answer = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" }, body, redirect: "manual" });
  if (answer.type !== "opaqueredirect" && !answer.ok) throw new Refused((await answer.json()).title);
}

if (handIn) {
  const { again } = handIn.dataset;
  if (again) {
    setInterval(() => {
      if (!handIn.elements.file.files.length) location.reload();
    }, again * 1000);
  }
  handIn.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = handIn.querySelector("button");
    const files = [...handIn.elements.file.files];
    button.disabled = true;
    let now = "";
    try {
      for (const [n, file] of files.entries()) {
        now = file.name;
        if (!file.size) continue;
        await send(handIn, file, n);
      }
      location.assign(location.href);
    } catch (fault) {
      say(fault instanceof Refused ? now + ": " + fault.message : fill(handIn.dataset.broken, { name: now }));
      button.disabled = false;
    }
  });
}

if (decide) {
  const typing = ["text", "number"].includes(decide.dataset.kind);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    const undo = document.getElementById("undo");
    if (!typing && event.key === "Backspace" && undo) {
      event.preventDefault();
      undo.querySelector("button").click();
      return;
    }
    const chosen = !typing && decide.querySelector("[data-key='" + CSS.escape(event.key) + "']");
    if (chosen) {
      event.preventDefault();
      chosen.click();
      return;
    }
    if (decide.dataset.kind === "several" && event.key === "Enter" && event.target.tagName !== "BUTTON" && event.target.tagName !== "A") {
      event.preventDefault();
      decide.requestSubmit(decide.querySelector("button.btn:not(.plain)"));
    }
  });
}
