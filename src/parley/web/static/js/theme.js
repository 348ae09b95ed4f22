// Runs before the page is drawn: a choice of light or dark that somebody made on this browser.
// Without a choice the system's own setting holds.
(() => {
  const chosen = localStorage.getItem("parley-theme");
  if (chosen === "light" || chosen === "dark") {
    document.documentElement.dataset.theme = chosen;
  }
})();
