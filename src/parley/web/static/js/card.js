// <adaptive-card data-card="{...}">: the card that Microsoft Teams would get, drawn by Microsoft's
// own renderer. Its markdown goes through markdown-it without HTML, and then through DOMPurify.
import { nameCard } from "./card_parts.js";
import { hostConfig } from "./host_config.js";

const { AdaptiveCard } = globalThis.AdaptiveCards;

const opens = (address) => {
  try {
    return ["http:", "https:"].includes(new URL(address).protocol);
  } catch {
    return false;
  }
};

const markdown = globalThis.markdownit({ html: false, linkify: false, breaks: true });
markdown.validateLink = opens;
const purifier = globalThis.DOMPurify;
purifier.addHook("afterSanitizeAttributes", (node) => {
  if (node.nodeName === "A") {
    if (!opens(node.getAttribute("href"))) node.removeAttribute("href");
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer");
  }
});
const allowed = {
  ALLOWED_TAGS: ["a", "b", "blockquote", "br", "code", "del", "em", "i", "li", "ol", "p", "pre", "s", "strong", "ul"],
  ALLOWED_ATTR: ["href", "target", "rel", "start"],
  ALLOW_ARIA_ATTR: false,
  ALLOW_DATA_ATTR: false,
};

AdaptiveCard.onProcessMarkdown = (source, result) => {
  result.outputHtml = purifier.sanitize(markdown.render(source), allowed);
  result.didProcess = true;
};
AdaptiveCard.onExecuteAction = (action) => {
  if (action.getJsonTypeName() === "Action.OpenUrl" && opens(action.url)) {
    window.open(action.url, "_blank", "noopener,noreferrer");
  }
};

// The renderer keeps the click to itself, so this listens on the way down and looks a moment later.
function tellExpanded(event) {
  const fold = event.target.closest(".fold");
  const folded = fold && document.getElementById(fold.getAttribute("aria-controls"));
  if (folded) setTimeout(() => fold.setAttribute("aria-expanded", String(folded.style.display !== "none")));
}

class AdaptiveCardElement extends HTMLElement {
  connectedCallback() {
    if (this.firstElementChild?.classList.contains("ac-adaptiveCard")) return;
    const card = new AdaptiveCard();
    card.hostConfig = hostConfig;
    card.parse(JSON.parse(this.dataset.card));
    const drawn = card.render();
    if (!drawn) return;
    nameCard(card, drawn, new Date(this.closest(".message")?.dataset.at ?? Date.now()));
    // The same message may stand in the room and in the thread: each has ids of its own.
    const owner = this.closest(".message")?.id ?? "card";
    for (const part of drawn.querySelectorAll("[id]")) part.id = `${owner}-${part.id}`;
    for (const fold of drawn.querySelectorAll(".fold")) {
      fold.setAttribute("aria-controls", `${owner}-${fold.getAttribute("aria-controls")}`);
      fold.setAttribute("aria-expanded", "false");
      fold.removeAttribute("title");
    }
    // Its message is the element that has a name and takes the focus.
    drawn.removeAttribute("tabindex");
    drawn.removeAttribute("role");
    drawn.removeAttribute("aria-label");
    for (const link of drawn.querySelectorAll("a[href]")) {
      link.target = "_blank";
      link.rel = "noopener noreferrer";
    }
    this.replaceChildren(drawn);
    this.addEventListener("click", tellExpanded, { capture: true });
  }
}
customElements.define("adaptive-card", AdaptiveCardElement);
