/* Long work: how far it is, without loading the page again until it has ended. */
"use strict";

const work = document.getElementById("job");

async function look() {
  const answer = await fetch(work.dataset.job, { headers: { Accept: "application/json" } });
  if (answer.redirected || !answer.ok) throw new Error(String(answer.status));
  const job = await answer.json();
  if (job.ended) {
    location.reload();
    return;
  }
  const far = document.getElementById("job-far");
  if (far.textContent !== job.far) far.textContent = job.far;
  const bar = document.getElementById("job-bar");
  if (job.whole > 1) {
    bar.max = job.whole;
    bar.value = job.done;
  }
  setTimeout(again, 250);
}

/* A line that broke is tried again, more slowly. */
function again() {
  look().catch(() => setTimeout(again, 5000));
}

if (work && work.dataset.job) setTimeout(again, 200);
