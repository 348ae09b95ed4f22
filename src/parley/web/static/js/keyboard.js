// Everything by keyboard: / search, j k move, Enter thread, r reply, Esc close, ? help.
import { closeThread, isOpen, openThread } from "./panel.js";

const help = document.getElementById("keys");
const current = () => document.activeElement?.closest?.(".message");
const typing = (target) => target.closest?.("input, textarea, select, [contenteditable]");

function move(step) {
  const now = current();
  const list = now?.parentElement ?? document.getElementById("feed");
  const all = [...(list?.querySelectorAll(":scope > .message") ?? [])];
  if (!all.length) {
    moveResult(step);
    return;
  }
  // From nowhere, both keys start at the newest: it stands at the end.
  const next = now ? all[all.indexOf(now) + step] : all.at(-1);
  next?.focus({ preventScroll: true, focusVisible: true });
  next?.scrollIntoView({ block: "nearest" });
}

function moveResult(step) {
  const all = [...document.querySelectorAll(".result")];
  const index = all.indexOf(document.activeElement);
  (index < 0 ? all[0] : all[index + step])?.focus();
}

const keys = {
  "/": () => document.querySelector('input[type="search"]')?.focus(),
  "?": () => help?.showModal(),
  j: () => move(1),
  k: () => move(-1),
  r: () => openThread(current() ?? [...document.querySelectorAll("#feed > .message")].at(-1), { reply: true }),
};

function leave(target) {
  if (typing(target)) {
    const thread = target.closest("#panel");
    const last = [...(thread ?? document).querySelectorAll(".message")].at(-1);
    target.blur();
    if (last) last.focus({ preventScroll: true, focusVisible: true });
  } else if (isOpen()) {
    closeThread();
  } else {
    document.body.classList.remove("show-nav");
  }
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || help?.open) return;
  const target = event.target;
  if (event.key === "Escape") {
    leave(target);
  } else if (typing(target)) {
    return;
  } else if (event.key === "Enter" && target.matches?.(".message")) {
    event.preventDefault();
    openThread(target);
  } else if (Object.hasOwn(keys, event.key)) {
    event.preventDefault();
    keys[event.key]();
  }
});
