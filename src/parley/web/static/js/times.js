// Times in the reader's own zone and words; the whole time with its zone stands in the title.

const hour = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const minute = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const whole = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "short", day: "numeric",
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short",
});
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long", month: "long", day: "numeric" });
const withYear = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "long", day: "numeric" });

const dateAndTime = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const dated = new Intl.DateTimeFormat(undefined, dateAndTime);
const datedWithYear = new Intl.DateTimeFormat(undefined, { year: "numeric", ...dateAndTime });

export const full = (date) => whole.format(date);

export function ago(date, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - date) / 1000));
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

export function day(date, now = new Date()) {
  const midnight = (one) => new Date(one.getFullYear(), one.getMonth(), one.getDate());
  const days = Math.round((midnight(now) - midnight(date)) / 86400000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return date.getFullYear() === now.getFullYear() ? weekday.format(date) : withYear.format(date);
}

// A time among things of another day says its day.
export function moment(date, among) {
  if (date.toDateString() === among.toDateString()) return hour.format(date);
  return (date.getFullYear() === among.getFullYear() ? dated : datedWithYear).format(date);
}

function show(time) {
  const date = new Date(time.dateTime);
  const looks = { ago, full };
  time.textContent = (looks[time.dataset.look] ?? ((one) => minute.format(one)))(date);
  time.title = full(date);
}

// The times of a part of the page; called for every part that comes in.
export function showTimes(part) {
  for (const time of part.querySelectorAll("time[datetime]")) {
    if (!time.closest("adaptive-card")) show(time);
  }
}

showTimes(document);
setInterval(() => {
  for (const time of document.querySelectorAll('time[data-look="ago"]')) show(time);
}, 30000);
document.addEventListener("htmx:after:swap", () => showTimes(document));
