// Markdown and Slack's mrkdwn as DOM nodes. No HTML is ever parsed.

import { el } from "./dom.js";
import { decode, markdownInline, mrkdwnInline } from "./inline.js";

const FENCE = /^\s*```([\w+#.-]*)\s*$/;
const ITEM = /^(\s*)([-*+•]|\d{1,3}[.)])\s+(.*)$/;

export function markdown(text, names) {
  const lines = text.split("\n");
  const out = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
    if (!line.trim()) at += 1;
    else if (FENCE.test(line)) at = fence(lines, at, out);
    else if (heading) {
      out.push(el("p", { class: "md-heading" }, markdownInline(heading[2], names)));
      at += 1;
    } else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
      out.push(el("hr"));
      at += 1;
    } else if (/^\s*(>|&gt;)/.test(line)) at = quote(lines, at, out, names);
    else if (ITEM.test(line)) at = list(lines, at, out, names);
    else at = paragraph(lines, at, out, names);
  }
  return el("div", { class: "md" }, out);
}

function fence(lines, at, out) {
  const body = [];
  for (at += 1; at < lines.length && !FENCE.test(lines[at]); at += 1) body.push(lines[at]);
  out.push(el("pre", {}, el("code", {}, body.join("\n"))));
  return at + 1;
}

function quote(lines, at, out, names) {
  const body = [];
  for (; at < lines.length && /^\s*(>|&gt;)/.test(lines[at]); at += 1) body.push(lines[at].replace(/^\s*(>|&gt;) ?/, ""));
  out.push(el("blockquote", {}, markdown(body.join("\n"), names)));
  return at;
}

function paragraph(lines, at, out, names) {
  const body = [];
  for (; at < lines.length && lines[at].trim() && !startsBlock(lines[at], body.length); at += 1) body.push(lines[at].trimEnd());
  out.push(el("p", {}, markdownInline(body.join("\n"), names)));
  return at;
}

function startsBlock(line, length) {
  return length > 0 && (FENCE.test(line) || ITEM.test(line) || /^#{1,6}\s/.test(line) || /^\s*(>|&gt;)/.test(line));
}

function list(lines, at, out, names) {
  const [, indent, bullet] = ITEM.exec(lines[at]);
  const ordered = /\d/.test(bullet);
  const node = el(ordered ? "ol" : "ul", ordered ? { start: parseInt(bullet, 10) } : {});
  while (at < lines.length) {
    const item = ITEM.exec(lines[at]);
    if (item && item[1].length <= indent.length) {
      if (item[1].length < indent.length || /\d/.test(item[2]) !== ordered) break;
      node.append(el("li", {}, markdownInline(item[3], names)));
      at += 1;
    } else if (item) {
      const inner = [];
      at = list(lines, at, inner, names);
      node.lastChild.append(...inner);
    } else if (lines[at].trim() && /^\s/.test(lines[at])) {
      node.lastChild.append(el("br"), ...markdownInline(lines[at].trim(), names));
      at += 1;
    } else break;
  }
  out.push(node);
  return at;
}

export function mrkdwn(text, names) {
  const out = [];
  for (const [number, part] of text.split(/```\n?/).entries()) {
    if (number % 2) out.push(el("pre", {}, el("code", {}, decode(part.replace(/\n$/, "")))));
    else if (part) out.push(...quoted(part, names));
  }
  return out;
}

function quoted(text, names) {
  const out = [];
  let run = [];
  let inQuote = false;
  const flush = () => {
    const drawn = run.map((line) => el("span", { class: "line" }, mrkdwnInline(line, names)));
    if (run.length) out.push(...(inQuote ? [el("blockquote", {}, drawn)] : drawn));
    run = [];
  };
  for (const line of text.split("\n")) {
    const isQuote = /^(&gt;|>)/.test(line);
    if (isQuote !== inQuote) flush();
    inQuote = isQuote;
    run.push(isQuote ? line.replace(/^(&gt;|>) ?/, "") : line);
  }
  flush();
  return out;
}
