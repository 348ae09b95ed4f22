// The thread on the right. Its address is that of the message, so that Back closes it again.
const panel = document.getElementById("panel");
const shell = document.body;
let opener = null;

export const isOpen = () => shell.classList.contains("with-panel") && Boolean(document.getElementById("thread"));

async function load(address) {
  await globalThis.htmx.ajax("GET", address, { target: "#panel", swap: "innerHTML" });
  shell.classList.add("with-panel");
  panel.querySelector(".message.named")?.scrollIntoView({ block: "center" });
}

export async function openThread(message, { reply = false } = {}) {
  if (!panel || !message) return;
  const inThread = message.closest("#thread");
  const address = message.dataset.link;
  if (!inThread) {
    opener = message.id;
    if (location.pathname !== address) history.pushState({ thread: true }, "", address);
    await load(address);
  }
  const box = panel.querySelector("textarea");
  if (reply) box?.focus();
  else if (!inThread) document.getElementById("close-thread")?.focus({ focusVisible: false });
}

function clear() {
  shell.classList.remove("with-panel");
  panel.replaceChildren();
  const back = opener && document.getElementById(opener);
  opener = null;
  back?.focus({ preventScroll: true });
}

export function closeThread() {
  if (!isOpen()) return;
  const room = document.getElementById("close-thread").getAttribute("href");
  history.pushState({ thread: false }, "", room);
  clear();
}

const inRoom = (path) => path === document.querySelector("main.room").dataset.path;

if (panel) {
  // What htmx would fetch again is mostly here already: only the thread changes.
  document.addEventListener("htmx:before:history:restore", (event) => event.preventDefault());
  window.addEventListener("popstate", () => {
    if (location.pathname.includes("/messages/")) load(location.pathname);
    else if (inRoom(location.pathname)) clear();
  });
  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    const link = event.target.closest('[data-do="thread"], [data-do="reply"]');
    if (link) {
      event.preventDefault();
      openThread(link.closest(".message"), { reply: link.dataset.do === "reply" });
    }
    if (event.target.closest('[data-do="close"]')) {
      event.preventDefault();
      closeThread();
    }
  });
}
