// Buttons that need a few lines only: copy, theme, keyboard help, rooms on a phone, back.

async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Browsers keep the clipboard from pages that came over plain HTTP from another machine.
  const box = document.createElement("textarea");
  box.value = text;
  document.body.append(box);
  box.select();
  document.execCommand("copy");
  box.remove();
}

async function copied(button, text) {
  await copy(text);
  const label = button.lastChild;
  const before = label.textContent;
  label.textContent = " Copied";
  setTimeout(() => { label.textContent = before; }, 1500);
}

function nextTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("parley-theme", root.dataset.theme);
}

const doings = {
  copy: (button) => copied(button, new URL(button.closest(".message").dataset.link, location.href).href),
  "copy-text": (button) => copied(button, document.querySelector(button.dataset.from).textContent),
  theme: nextTheme,
  keys: () => document.getElementById("keys").showModal(),
  nav: (_link, event) => {
    event.preventDefault();
    document.body.classList.toggle("show-nav");
  },
  back: (_link, event) => {
    // Without a page before (a link in a chat) the link leads to the rooms.
    if (document.referrer.startsWith(location.origin) && history.length > 1) {
      event.preventDefault();
      history.back();
    }
  },
};

document.addEventListener("click", (event) => {
  const element = event.target.closest("[data-do]");
  if (element && Object.hasOwn(doings, element.dataset.do)) doings[element.dataset.do](element, event);
});
