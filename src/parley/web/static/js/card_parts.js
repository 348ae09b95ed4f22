// Names for the parts of a drawn card, so that the style sheet can lay them out in Parley's way. The
// card itself stays what Microsoft Teams gets; without these names it would look as it does there.
import { full, moment } from "./times.js";

const { ActionSet, ColumnSet, Container, TextBlock } = globalThis.AdaptiveCards;
const MOMENT = /^\{\{DATE\((\S+), SHORT\)\}\} \{\{TIME\(\1\)\}\}$/;

function* items(parent) {
  for (let index = 0; index < parent.getItemCount(); index++) yield parent.getItemAt(index);
}

// The time stands short in the message where the date stands between the messages.
function timeOf(at, arrived) {
  const time = document.createElement("time");
  time.dateTime = at;
  time.textContent = moment(new Date(at), arrived);
  time.title = full(new Date(at));
  return time;
}

function showMoment(block, arrived) {
  const at = block instanceof TextBlock ? MOMENT.exec(block.text)?.[1] : undefined;
  if (!at || !block.renderedElement) return false;
  block.renderedElement.replaceChildren(timeOf(at, arrived));
  return true;
}

const sameDay = (one, other) => one.toDateString() === other.toDateString();

// A card that says no time has that of its arrival, in the same place.
function addMoment(drawn, arrived) {
  const row = document.createElement("div");
  const when = document.createElement("div");
  row.className = "where-row";
  when.className = "ac-container when";
  when.append(timeOf(arrived.toISOString(), arrived));
  row.append(when);
  drawn.firstElementChild?.after(row);
}

const toned = (column) => Boolean(column.style) && column.style !== "default";

// Label and value in every column that is not empty: a row of facts.
const areFacts = (columns) =>
  columns.every((column) => [0, 2].includes(column.getItemCount())) && columns[0]?.getItemCount() === 2;

function nameColumns(set, before, arrived) {
  const drawn = set.renderedElement;
  const columns = [...items(set)];
  const moments = columns.map((column) => [...items(column)].filter((item) => showMoment(item, arrived)).length > 0);
  if (columns.some(toned)) {
    drawn.classList.add("title-row");
    columns.find(toned).renderedElement?.classList.add("state");
  } else if (moments.some(Boolean)) {
    drawn.classList.add("where-row");
    const when = columns[moments.indexOf(true)].renderedElement;
    when?.classList.add("when");
    const at = when?.querySelector("time")?.dateTime;
    if (at && !sameDay(new Date(at), arrived)) when.classList.add("dated");
    removeEmpty(drawn);
  } else if (areFacts(columns)) {
    joinFacts(drawn, before);
  }
}

function removeEmpty(drawn) {
  for (const column of [...drawn.children]) {
    if (!column.querySelector(".ac-richTextBlock, .ac-textBlock")) column.remove();
  }
}

// Rows of facts become one that breaks where the message is narrow.
function joinFacts(drawn, before) {
  const space = drawn.previousElementSibling;
  removeEmpty(drawn);
  if (before?.renderedElement?.classList.contains("fact-row")) {
    before.renderedElement.append(...drawn.children);
    space?.remove();
    drawn.classList.add("joined");
  } else {
    drawn.classList.add("fact-row");
  }
}

function nameActions(set) {
  const folds = set.getActionCount() > 0 && set.getActionAt(0).getJsonTypeName() === "Action.ToggleVisibility";
  if (!folds) return;
  for (const button of set.renderedElement.querySelectorAll(".ac-pushButton")) button.classList.add("fold");
}

function nameParts(parent, arrived) {
  let before;
  for (const element of items(parent)) {
    if (!element.renderedElement) continue;
    if (element instanceof ColumnSet) nameColumns(element, before, arrived);
    else if (element instanceof ActionSet) nameActions(element);
    else if (element instanceof Container) {
      if (element.style === "emphasis") element.renderedElement.classList.add("code");
      nameParts(element, arrived);
    }
    if (!element.renderedElement.classList.contains("joined")) before = element;
  }
}

export function nameCard(card, drawn, arrived) {
  nameParts(card, arrived);
  if (!drawn.querySelector(".when")) addMoment(drawn, arrived);
}
