// The messages of the open room and of the open thread: put in place, days marked, seen to the end.
import { day, showTimes } from "./times.js";

export const room = document.querySelector("main.room");
export const scroller = document.getElementById("scroller");
export const feed = document.getElementById("feed");
const jump = document.getElementById("jump");
export const detached = room ? "detached" in room.dataset : false;
const MOST = 300;
let missed = 0;

// The scroller is reversed: 0 is its end, and further up is below 0.
export const atEnd = () => !scroller || scroller.scrollTop > -48;

function parsed(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

// Put a message where its id belongs; ids are too long for a Number. The same message again takes the place of the one before.
export function put(list, prefix, id, html) {
  const fresh = document.importNode(parsed(html), true);
  const old = document.getElementById(`${prefix}-${id}`);
  if (old) {
    replace(old, fresh);
  } else {
    const later = [...list.querySelectorAll(":scope > .message")].find((one) => BigInt(one.dataset.id) > BigInt(id));
    fresh.classList.add("fresh");
    list.insertBefore(fresh, later ?? null);
  }
  showTimes(fresh);
  globalThis.htmx.process(fresh);
  return !old;
}

// Somebody may be reading with the keyboard in it, or have unfolded a part of it.
function replace(old, fresh) {
  const focused = old.contains(document.activeElement);
  const open = [...old.querySelectorAll(".fold")].map((one) => one.getAttribute("aria-expanded") === "true");
  if (old.classList.contains("named")) fresh.classList.add("named");
  old.replaceWith(fresh);
  fresh.querySelectorAll(".fold").forEach((one, index) => open[index] && one.click());
  if (old.querySelector("adaptive-card")?.dataset.card !== fresh.querySelector("adaptive-card")?.dataset.card) {
    fresh.classList.add("changed");
  }
  if (focused) fresh.focus({ preventScroll: true });
}

export function putInRoom(id, html) {
  const known = document.getElementById(`m-${id}`);
  if (!known && beyond(id)) return false;
  const above = !atEnd();
  document.getElementById("nothing")?.remove();
  const posted = put(feed, "m", id, html);
  if (!above) letOldOnesGo();
  markDays();
  if (posted && above) offerJump();
  return posted;
}

// A page that is open for weeks keeps the newest messages; older ones come again when wanted.
function letOldOnesGo() {
  const all = [...feed.querySelectorAll(":scope > .message")];
  if (all.length <= MOST) return;
  for (const one of all.slice(0, all.length - MOST / 2)) one.remove();
  document.getElementById("older")?.remove();
  const older = document.getElementById("older-template").content.firstElementChild.cloneNode(true);
  const link = older.querySelector("a");
  const address = `${room.dataset.path}?before=${feed.querySelector(":scope > .message").dataset.id}`;
  link.setAttribute("href", address);
  link.setAttribute("hx-get", address);
  feed.prepend(older);
  globalThis.htmx.process(older);
}

// A page of older messages, or one that begins after this id, does not show it.
function beyond(id) {
  const first = feed.querySelector(":scope > .message");
  if (first && document.getElementById("older") && BigInt(id) < BigInt(first.dataset.id)) return true;
  if (detached) offerJump();
  return detached;
}

function offerJump() {
  missed += 1;
  jump.querySelector(".jump-text").textContent = `${missed} new ${missed === 1 ? "message" : "messages"}`;
  jump.hidden = false;
}

function settle() {
  if (detached || !atEnd()) return;
  missed = 0;
  jump.hidden = true;
}

function markDays() {
  for (const one of feed.querySelectorAll(":scope > .day")) one.remove();
  let before = "";
  for (const message of feed.querySelectorAll(":scope > .message")) {
    const name = day(new Date(message.dataset.at));
    if (name !== before) {
      const mark = document.createElement("div");
      mark.className = "day";
      mark.textContent = name;
      message.before(mark);
    }
    before = name;
  }
}

if (room) {
  markDays();
  document.addEventListener("htmx:after:swap", markDays);
  scroller.addEventListener("scroll", settle, { passive: true });
  jump.addEventListener("click", (event) => {
    if (detached) return;
    event.preventDefault();
    scroller.scrollTo({ top: 0, behavior: "smooth" });
    settle();
  });
  for (const named of document.querySelectorAll(".message.named")) named.scrollIntoView({ block: "center" });
}
