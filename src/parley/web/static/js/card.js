// <adaptive-card data-card="{...}">: the card that Microsoft Teams would get, drawn by Microsoft's
// own renderer. Its markdown goes through markdown-it without HTML, and then through DOMPurify.
import { nameParts } from "./card_parts.js";
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

class AdaptiveCardElement extends HTMLElement {
  connectedCallback() {
    if (this.firstElementChild?.classList.contains("ac-adaptiveCard")) return;
    const card = new AdaptiveCard();
    card.hostConfig = hostConfig;
    card.parse(JSON.parse(this.dataset.card));
    const drawn = card.render();
    if (!drawn) return;
    nameParts(card);
    // Its message is the element that has a name and takes the focus.
    drawn.removeAttribute("tabindex");
    drawn.removeAttribute("role");
    drawn.removeAttribute("aria-label");
    for (const link of drawn.querySelectorAll("a[href]")) {
      link.target = "_blank";
      link.rel = "noopener noreferrer";
    }
    this.replaceChildren(drawn);
  }
}
customElements.define("adaptive-card", AdaptiveCardElement);
