/* The comparison by keyboard: 1 and 2 take an entry, 3 is read off the paper, each goes on by itself. */
const form = document.getElementById("duels");
if (form) {
  const rows = [...form.querySelectorAll(".duel")];
  const button = form.querySelector("button");
  const left = document.getElementById("left");
  const radio = (row, value) => row.querySelector('input[type=radio][value="' + value + '"]');
  const chosen = (row) => row.querySelector("input[type=radio]:checked");
  const text = (row) => row.querySelector(".say");
  const open = (row) => {
    const one = chosen(row);
    return !one || (one.value === "0" && row.dataset.kind === "one" && !text(row).value.trim());
  };

  const go = (at) => {
    const row = rows[at];
    if (!row) { button.focus(); return; }
    (chosen(row) || radio(row, 1)).focus();
    row.scrollIntoView({ block: "nearest" });
  };
  const tell = () => {
    const n = rows.filter(open).length;
    left.textContent = n ? form.dataset.left.replace("{n}", n) : form.dataset.ready;
  };
  const next = (row) => {
    tell();
    const at = rows.indexOf(row);
    go(at + 1 < rows.length ? at + 1 : rows.findIndex(open) < 0 ? rows.length : rows.findIndex(open));
  };

  form.addEventListener("keydown", (event) => {
    const row = event.target.closest(".duel");
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (!row) {
      if (event.key === "ArrowUp" || event.key === "Backspace") { event.preventDefault(); go(rows.length - 1); }
      return;
    }
    const at = rows.indexOf(row);
    if (event.target === text(row)) {
      if (event.key === "Enter") { event.preventDefault(); next(row); }
      if (event.key === "Escape") { event.preventDefault(); go(at); }
      return;
    }
    if (event.key === "1" || event.key === "2") {
      event.preventDefault();
      radio(row, event.key).checked = true;
      next(row);
    } else if (event.key === "3") {
      event.preventDefault();
      radio(row, 0).checked = true;
      text(row).focus();
      text(row).select();
      tell();
    } else if (event.key === "Backspace") {
      event.preventDefault();
      go(Math.max(0, at - 1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (chosen(row)) next(row);
    }
  });
  form.addEventListener("input", (event) => {
    const row = event.target.closest(".duel");
    if (row && event.target === text(row)) {
      radio(row, 0).checked = true;
      if (row.dataset.kind === "one" && /^[0-9]$/.test(event.target.value.trim())) next(row);
    }
    tell();
  });
  form.addEventListener("submit", (event) => {
    const at = rows.findIndex(open);
    if (at >= 0) { event.preventDefault(); tell(); go(at); }
  });
  document.documentElement.classList.add("js");
  tell();
  const wrong = rows.findIndex((row) => row.hasAttribute("aria-invalid"));
  go(wrong >= 0 ? wrong : 0);
}
