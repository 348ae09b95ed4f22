// Text boxes: Enter sends, Shift+Enter makes a new line, and what could not be sent stays.
import { feed, put, scroller } from "./feed.js";

async function send(form) {
  if (form.classList.contains("sending")) return;
  const box = form.elements.text;
  if (!box.value.trim()) return;
  form.classList.add("sending");
  box.focus();
  const problem = await post(form);
  form.classList.remove("sending");
  if (!problem) box.value = "";
  const place = form.querySelector(".problem");
  place.textContent = problem;
  place.hidden = !problem;
  // Meanwhile the person may have gone elsewhere; only what went wrong calls them back.
  if (problem) box.focus();
}

// Send the line and return what went wrong, empty when nothing did.
async function post(form) {
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { Accept: "application/json" },
    });
    const said = await answer.json();
    if (!answer.ok) return said.message;
    showOwn(said);
    return "";
  } catch {
    return "Parley did not answer, so this may not have been sent. Look at the room, then send it again.";
  }
}

// The line also comes by the stream; it is the same message and takes the same place.
function showOwn(said) {
  const thread = document.getElementById("thread");
  if (said.root && thread?.dataset.root === said.root) {
    put(thread, "t", said.id, said.html);
    const box = document.getElementById("thread-scroller");
    box.scrollTo({ top: box.scrollHeight });
  } else if (!said.root && feed) {
    put(feed, "m", said.id, said.html);
    scroller.scrollTo({ top: 0 });
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-composer]")) return;
  event.preventDefault();
  send(event.target);
});
document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("[data-composer]");
  if (form && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    send(form);
  }
});
