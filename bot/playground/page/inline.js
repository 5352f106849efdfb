// Inline text: a few patterns, tried in order at each place. Both dialects share the machinery.

import { el, link } from "./dom.js";

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };

export function decode(text) {
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity]);
}

// Markdown shows an entity inside code as written; mrkdwn decodes it there as well.
const CODE = /^`([^`\n]+)`/;
const mark = [/^\[(\d{1,3})\]/, (m) => el("span", { class: "mark", title: `Footnote ${m[1]}` }, m[1])];
const bare = [/^https?:\/\/[^\s<>"'`]*[^\s<>"'`.,;:!?)\]]/i, (m) => link(decode(m[0]), decode(m[0]))];
const reference = [/^<([@#!]?)([^<>|\n]*)(?:\|([^<>\n]*))?>/, refer];

const MARKDOWN = [
  [/^\\([!-/:-@[-`{-~])/, (m) => m[1]],
  [CODE, (m) => el("code", {}, m[1])],
  [/^\*\*(?=\S)((?:\\.|[^\\])+?)\*\*/s, (m, names) => el("strong", {}, markdownInline(m[1], names))],
  [/^__(?=\S)((?:\\.|[^\\])+?)__/s, (m, names) => el("strong", {}, markdownInline(m[1], names))],
  [/^\*(?=[^\s*])((?:\\.|[^\\*])+?)\*(?!\*)/s, (m, names) => el("em", {}, markdownInline(m[1], names))],
  [/^_(?=[^\s_])((?:\\.|[^\\_])+?)_(?![\w])/s, (m, names) => el("em", {}, markdownInline(m[1], names)), true],
  [/^~~(?=\S)(.+?)~~/s, (m, names) => el("s", {}, markdownInline(m[1], names))],
  [/^\[((?:\\.|[^\]\\])+)\]\((https?:\/\/[^\s)]+)\)/i, (m, names) => link(decode(m[2]), markdownInline(m[1], names))],
  mark,
  reference,
  bare,
];

const MRKDWN = [
  [CODE, (m) => el("code", {}, decode(m[1]))],
  [/^\*(?=[^\s*])([^*\n]+)\*(?![\w*])/, (m, names) => el("strong", {}, mrkdwnInline(m[1], names)), true],
  [/^_(?=[^\s_])([^_\n]+)_(?![\w_])/, (m, names) => el("em", {}, mrkdwnInline(m[1], names)), true],
  [/^~(?=[^\s~])([^~\n]+)~(?![\w~])/, (m, names) => el("s", {}, mrkdwnInline(m[1], names)), true],
  mark,
  reference,
  bare,
];

function refer(m, names) {
  const [, sigil, target, label] = m;
  if (sigil === "@") return el("span", { class: "mention" }, "@" + (names.user(target) || label || target));
  if (sigil === "#") return el("span", { class: "mention" }, "#" + (names.channel(target) || label || target));
  const date = sigil === "!" && /^date\^(\d{1,12})\^([^^]*)/.exec(target);
  if (date) return el("time", { datetime: new Date(date[1] * 1000).toISOString(), title: label }, moment(date[1], date[2]));
  if (sigil === "!") return el("span", { class: "mention mention-loud" }, label || "@" + target.split("^")[0]);
  if (/^https?:\/\//i.test(target)) return link(decode(target), decode(label || target));
  return decode(label || target);
}

// Slack's format of a date, in the time zone of whoever reads: the tokens that this page knows.
function moment(seconds, format) {
  const at = new Date(seconds * 1000);
  const today = new Date().toDateString() === at.toDateString();
  const day = at.toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" });
  return format
    .replace("{date_short_pretty}", today ? "today" : day)
    .replace("{date_pretty}", today ? "today" : day)
    .replace(/\{date\w*\}/g, day)
    .replace("{time}", at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
}

function scan(text, patterns, names) {
  const found = [];
  let plain = "";
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const hit = /[\\`*_~[<h\n]/i.test(rest[0]) && match(rest, patterns, text[at - 1] || "");
    if (hit) {
      if (plain) found.push(decode(plain));
      plain = "";
      found.push(hit[1](hit[0], names));
      at += hit[0][0].length;
    } else if (rest[0] === "\n") {
      if (plain) found.push(decode(plain));
      plain = "";
      found.push(el("br"));
      at += 1;
    } else {
      plain += rest[0];
      at += 1;
    }
  }
  if (plain) found.push(decode(plain));
  return found;
}

function match(rest, patterns, before) {
  for (const [pattern, build, apart] of patterns) {
    if (apart && /\w/.test(before)) continue;
    const m = pattern.exec(rest);
    if (m) return [m, build];
  }
  return null;
}

export function markdownInline(text, names) {
  return scan(text, MARKDOWN, names);
}

export function mrkdwnInline(text, names) {
  return scan(text, MRKDWN, names);
}
