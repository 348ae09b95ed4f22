// What the server says while the page is open. hx-sse holds the connection: it comes back by
// itself and says which change it saw last, so that nothing is missed.
import { atEnd, detached, put, putInRoom, room } from "./feed.js";

const stream = document.getElementById("stream");
const connection = document.getElementById("connection");
const announcer = document.getElementById("announcer");
const title = document.title;
const SILENCE = 40000; // Milliseconds; the server gives a sign of life every 15 seconds.
const BACKGROUND = 30000;
let seq = Number(room?.dataset.seq ?? 0);
let told = -1;
let heard = Date.now();
let open = null;
let reopening = 0;

function change(data) {
  if (data.head) putInRoom(data.root || data.id, data.head);
  const thread = document.getElementById("thread");
  if (thread && thread.dataset.root === (data.root || data.id)) {
    const box = document.getElementById("thread-scroller");
    const end = box.scrollHeight - box.scrollTop - box.clientHeight < 64;
    if (put(thread, "t", data.id, data.thread) && end) box.scrollTo({ top: box.scrollHeight });
  }
  announcer.textContent = data.label;
}

// The room counts as seen while its end stands on a screen that somebody can see.
function tellSeen() {
  if (!room || detached || document.hidden || !atEnd() || seq <= told) return;
  told = seq;
  const body = new URLSearchParams({ seq: String(seq) });
  fetch(`${room.dataset.path}/read`, { method: "POST", body, keepalive: true })
    .then((answer) => { if (!answer.ok) told = -1; })
    .catch(() => { told = -1; });
}

function badges(counts) {
  let total = 0;
  for (const item of document.querySelectorAll(".nav-item[data-room]")) {
    const { unread = 0, muted = false } = counts[item.dataset.room] ?? {};
    const seen = item.dataset.room === room?.dataset.room && !document.hidden && !detached && atEnd();
    const badge = item.querySelector(".badge");
    badge.hidden = unread === 0 || seen;
    badge.querySelector(".count").textContent = unread > 99 ? "99+" : String(unread);
    item.classList.toggle("muted", muted);
    if (!muted && !badge.hidden) total += unread;
  }
  document.title = total ? `(${total > 99 ? "99+" : total}) ${title}` : title;
  const listed = new Set([...document.querySelectorAll(".nav-item")].map((item) => item.dataset.room));
  if (Object.keys(counts).some((name) => !listed.has(name))) showNewRooms();
}

async function showNewRooms() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const list = page.querySelector(".nav-list");
  if (answer.ok && list) document.querySelector(".nav-list").replaceWith(document.adoptNode(list));
}

// hx-sse comes back by itself once it was connected. It is told to connect when everything here
// listens, and again when it never got through or gave up.
function connect() {
  const address = `${room.dataset.path}/events?after=${seq}`;
  if (!open) globalThis.htmx.ajax("GET", address, { source: stream });
}

function say(text) {
  connection.textContent = text;
  connection.hidden = !text;
}

if (stream) {
  stream.addEventListener("htmx:sse:before:message", (event) => {
    heard = Date.now();
    open = event.detail.connection;
  });
  stream.addEventListener("htmx:sse:after:connection", (event) => {
    heard = Date.now();
    open = event.detail.connection;
    if (event.detail.connection.status === 200) say("");
  });
  stream.addEventListener("htmx:sse:error", (event) => {
    if (event.detail.status === 401) location.reload();
    else say("Reconnecting…");
  });
  for (const name of ["htmx:error", "htmx:response:error", "htmx:sse:close"]) {
    stream.addEventListener(name, () => {
      open = null;
      say("Reconnecting…");
      clearTimeout(reopening);
      reopening = setTimeout(connect, 2000);
    });
  }
  stream.addEventListener("parley:change", (event) => {
    change(JSON.parse(event.detail.data));
    seq = Math.max(seq, Number(event.detail.id));
    room.dataset.seq = seq;
    tellSeen();
  });
  stream.addEventListener("parley:badges", (event) => badges(JSON.parse(event.detail.data)));
  stream.addEventListener("parley:reload", () => location.reload());
  connect();
  document.getElementById("scroller").addEventListener("scrollend", tellSeen);
  document.addEventListener("visibilitychange", tellSeen);
  tellSeen();
  // A connection can die without a word, as when a laptop sleeps.
  setInterval(() => {
    if (!document.hidden && Date.now() - heard > SILENCE) {
      heard = Date.now();
      open?.reader?.cancel();
    }
  }, 5000);
}

// The stream rests while the page lies in the background, and where there is none.
setInterval(async () => {
  if (stream && !document.hidden) return;
  try {
    const answer = await fetch("/badges");
    if (answer.ok) badges(await answer.json());
  } catch {
    // The next round asks again.
  }
}, BACKGROUND);
