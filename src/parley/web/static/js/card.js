// <adaptive-card data-card="{...}">: the card that Microsoft Teams would get, drawn by Microsoft's
// own renderer. Colours are CSS variables, so that a change of light and dark needs no new drawing.
import { clock, full } from "./times.js";

const { AdaptiveCard, ColumnSet, Container, HostConfig, TextBlock } = globalThis.AdaptiveCards;

const tone = (name) => ({ default: `var(--${name})`, subtle: `var(--${name})` });
const foreground = {
  default: { default: "var(--ink)", subtle: "var(--grey)" },
  dark: tone("ink"),
  light: tone("grey"),
  accent: tone("info"),
  good: tone("good"),
  warning: tone("warn"),
  attention: tone("bad"),
};
const container = (background) => ({ backgroundColor: background, foregroundColors: foreground });
const text = (size, weight = "default", isSubtle = false) => ({ size, weight, isSubtle, color: "default" });

const hostConfig = new HostConfig({
  fontFamily: "inherit",
  fontTypes: {
    default: { fontFamily: "inherit" },
    monospace: {
      fontFamily: "var(--mono)",
      fontSizes: { small: 12.5, default: 12.5, medium: 13, large: 15, extraLarge: 17 },
    },
  },
  fontSizes: { small: 12.5, default: 14, medium: 15, large: 17, extraLarge: 20 },
  fontWeights: { lighter: 400, default: 400, bolder: 650 },
  lineHeights: { small: 18, default: 21, medium: 21, large: 24, extraLarge: 28 },
  spacing: { small: 4, default: 10, medium: 12, large: 16, extraLarge: 20, padding: 10 },
  separator: { lineThickness: 1, lineColor: "var(--line)" },
  containerStyles: {
    default: container("transparent"),
    emphasis: container("var(--raised)"),
    accent: container("var(--info-tint)"),
    good: container("var(--good-tint)"),
    warning: container("var(--warn-tint)"),
    attention: container("var(--bad-tint)"),
  },
  textStyles: { heading: text("medium", "bolder"), columnHeader: text("small", "bolder", true) },
  table: { cellSpacing: 6 },
  factSet: {
    title: { ...text("small", "default", true), wrap: true, maxWidth: 160 },
    value: { ...text("default", "bolder"), wrap: true },
    spacing: 16,
  },
  actions: {
    maxActions: 8,
    spacing: "default",
    buttonSpacing: 8,
    actionsOrientation: "horizontal",
    actionAlignment: "left",
    showCard: { actionMode: "inline" },
  },
  imageSizes: { small: 40, medium: 80, large: 160 },
  supportsInteractivity: true,
});

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

const moment = /^\{\{DATE\((\S+), SHORT\)\}\} \{\{TIME\(\1\)\}\}$/;

// Give names to the parts that the style sheet draws in Parley's way.
function* elements(parent) {
  for (let index = 0; index < parent.getItemCount(); index++) {
    const element = parent.getItemAt(index);
    yield element;
    if (element instanceof Container || element instanceof ColumnSet) {
      yield* elements(element);
    }
  }
}

function name(card) {
  let first = true;
  for (const element of elements(card)) {
    const drawn = element.renderedElement;
    if (!drawn) continue;
    if (element instanceof ColumnSet && first) {
      first = false;
      const column = element.getColumnAt(0);
      if (column?.style && column.style !== "default") column.renderedElement?.classList.add("state");
    }
    if (element instanceof Container && element.style === "emphasis") drawn.classList.add("code");
    const at = element instanceof TextBlock && moment.exec(element.text)?.[1];
    if (at) {
      const time = document.createElement("time");
      time.dateTime = at;
      time.textContent = clock(new Date(at));
      time.title = full(new Date(at));
      drawn.replaceChildren(time);
      drawn.classList.add("when");
    }
  }
}

class AdaptiveCardElement extends HTMLElement {
  connectedCallback() {
    if (this.firstElementChild?.classList.contains("ac-adaptiveCard")) return;
    const card = new AdaptiveCard();
    card.hostConfig = hostConfig;
    card.parse(JSON.parse(this.dataset.card));
    const drawn = card.render();
    if (!drawn) return;
    name(card);
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
