/* A bar that moves, and first rows that follow what is chosen. The pages work without them. */

// A plan or an import that goes on: ask how far it is, and show the page that follows.
const bar = document.querySelector("[data-progress]");
if (bar) {
  const of = Number(bar.dataset.of);
  const progress = bar.querySelector("progress");
  const words = bar.querySelector("label");
  const said = bar.querySelector("[role=status]");
  let pause = 500;

  async function look() {
    let now = null;
    try {
      const answer = await fetch(bar.dataset.progress, { headers: { Accept: "application/json" } });
      // Asked too often, or the service is being started again: later.
      now = answer.ok ? await answer.json() : null;
    } catch {
      now = null;
    }
    if (now && now.doing !== bar.dataset.doing) {
      location.reload();
      return;
    }
    if (now) words.textContent = now.step || "Beginning";
    if (now?.rows > 0 && now.rows < of) progress.value = now.rows;
    else if (now) progress.removeAttribute("value");
    if (now?.rows > 0) said.textContent = `${now.rows.toLocaleString("en")} of ${of.toLocaleString("en")} rows`;
    pause = Math.min(pause * 1.5, now ? 2000 : 5000);
    setTimeout(look, pause);
  }
  setTimeout(look, pause);
}

// What is chosen is kept as it is chosen, and the first rows are those of the page that answers.
const form = document.querySelector("form[data-preview]");
if (form) {
  const parts = form.dataset.preview.split(" ").map((id) => document.getElementById(id));
  let latest = 0;

  form.addEventListener("change", async () => {
    const mine = ++latest;
    parts.forEach((part) => part.setAttribute("aria-busy", "true"));
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of parts) {
        const found = page.getElementById(part.id);
        if (mine === latest && found) part.replaceChildren(...found.childNodes);
      }
    } catch {
      // The button shows them, or says what is wrong.
    }
    if (mine === latest) parts.forEach((part) => part.removeAttribute("aria-busy"));
  });
}
