// The chat page: every part is a module of its own and finds its elements by itself.
import "./card.js";
import "./times.js";
import "./feed.js";
import "./live.js";
import "./composer.js";
import "./panel.js";
import "./keyboard.js";
import "./doings.js";
