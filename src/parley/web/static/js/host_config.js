// How Microsoft's renderer draws cards here. Colours are CSS variables, so that a change of light
// and dark needs no new drawing.

const { HostConfig } = globalThis.AdaptiveCards;

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
const fontSizes = { small: 12.5, default: 14, medium: 15, large: 17, extraLarge: 20 };
const text = (size, weight = "default", isSubtle = false) => ({ size, weight, isSubtle, color: "default" });

export const hostConfig = new HostConfig({
  fontFamily: "inherit",
  fontTypes: {
    default: { fontFamily: "inherit", fontSizes },
    monospace: {
      fontFamily: "var(--mono)",
      fontSizes: { small: 12.5, default: 12.5, medium: 13, large: 15, extraLarge: 17 },
    },
  },
  fontSizes,
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
