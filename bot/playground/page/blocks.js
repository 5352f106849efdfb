// Block Kit as DOM nodes. `press(element, block)` is called when an element is pressed.

import { el, link } from "./dom.js";
import { input } from "./inputs.js";
import { markdown, mrkdwn } from "./markdown.js";

export function blocks(list, context) {
  return list.map((block) => {
    const build = BLOCKS[block.type];
    const node = build ? build(block, context) : el("p", { class: "unknown" }, `A ${block.type} block, which this page does not draw.`);
    node.classList.add("block", `block-${block.type}`);
    node.dataset.testid = `block-${block.type}`;
    return node;
  });
}

function text(object, names) {
  if (object.type === "mrkdwn") return mrkdwn(object.text, names);
  return object.text.split("\n").flatMap((line, number) => (number ? [el("br"), line] : [line]));
}

function button(element, block, context) {
  const label = element.text.text;
  const node = el(
    "button",
    {
      type: "button",
      class: `button ${element.style || ""}`,
      "aria-label": element.accessibility_label,
      data: { testid: "block-button", action: element.action_id },
      on: {
        click: () => {
          if (element.url && /^https?:\/\//i.test(element.url)) window.open(element.url, "_blank", "noopener,noreferrer");
          context.press(element, block, element.value, node);
        },
      },
    },
    label,
  );
  return node;
}

// As in Slack, thumbs instead of the texts, and the chosen one stays pressed.
function feedback(element, block, context) {
  return ["positive", "negative"].map((kind) => {
    const { text, value, accessibility_label: label } = element[`${kind}_button`];
    return el("button", {
      type: "button",
      class: `thumb ${kind}`,
      title: text.text,
      "aria-label": label || text.text,
      "aria-pressed": String(context.chosen(element, block) === value),
      data: { testid: `feedback-${kind}` },
      on: { click: (event) => context.press(element, block, value, event.currentTarget) },
    });
  });
}

function acting(element, block, context) {
  if (element.type === "button" || element.type === "icon_button" || element.type === "workflow_button") return button(element, block, context);
  if (element.type === "feedback_buttons") return feedback(element, block, context);
  if (element.type === "image") return picture(element);
  return input(element, block, context);
}

function picture(element) {
  return el("span", { class: "picture" }, `[image: ${element.alt_text}]`);
}

const BLOCKS = {
  section: (block, context) =>
    el(
      "div",
      {},
      el(
        "div",
        { class: "section-text" },
        block.text && el("div", {}, text(block.text, context.names)),
        block.fields && el("div", { class: "fields" }, block.fields.map((field) => el("div", {}, text(field, context.names)))),
      ),
      block.accessory && el("div", { class: "accessory" }, acting(block.accessory, block, context)),
    ),
  markdown: (block, context) => markdown(block.text, context.names),
  divider: () => el("hr"),
  header: (block) => el("h3", {}, block.text.text),
  context: (block, context) =>
    el("div", {}, block.elements.map((item) => (item.type === "image" ? picture(item) : el("span", {}, text(item, context.names))))),
  actions: (block, context) => el("div", { role: "group" }, block.elements.map((item) => acting(item, block, context))),
  context_actions: (block, context) => el("div", { role: "group" }, block.elements.map((item) => acting(item, block, context))),
  input: (block, context) =>
    el(
      "label",
      { data: { block: block.block_id } },
      el("span", { class: "input-label" }, block.label.text, block.optional && el("small", {}, " (optional)")),
      input(block.element, block, context),
      block.hint && el("small", { class: "input-hint" }, block.hint.text),
    ),
  image: (block) => picture(block),
  rich_text: (block, context) => el("div", {}, block.elements.map((item) => rich(item, context.names))),
  alert: (block, context) => el("div", { class: `alert-${block.level || "default"}`, role: "note" }, text(block.text, context.names)),
  task_card: (block, context) =>
    el(
      "div",
      { class: `task task-${block.status}`, data: { status: block.status } },
      el("span", { class: "task-title" }, el("span", { class: "task-mark", role: "img", "aria-label": MARKS[block.status] }), block.title),
      block.details && BLOCKS.rich_text(block.details, context),
      block.output && BLOCKS.rich_text(block.output, context),
      block.sources && el("div", { class: "sources" }, block.sources.map((source) => link(source.url, source.text))),
    ),
  plan: (block, context) =>
    el("div", {}, el("strong", { class: "plan-title" }, block.title), (block.tasks || []).map((task) => BLOCKS.task_card(task, context))),
  table: (block, context) =>
    el(
      "table",
      {},
      block.rows.map((row) =>
        el("tr", {}, row.map((cell) => el("td", {}, cell.type === "rich_text" ? BLOCKS.rich_text(cell, context) : cell.text))),
      ),
    ),
};

const MARKS = { pending: "to do", in_progress: "under way", complete: "done", error: "failed" };

function rich(item, names) {
  const parts = () => item.elements.map((part) => richPart(part, names));
  if (item.type === "rich_text_quote") return el("blockquote", {}, parts());
  if (item.type === "rich_text_preformatted") return el("pre", {}, el("code", {}, parts()));
  if (item.type === "rich_text_list") {
    return el(item.style === "ordered" ? "ol" : "ul", {}, item.elements.map((entry) => el("li", {}, entry.elements.map((part) => richPart(part, names)))));
  }
  return el("p", {}, parts());
}

const STYLES = { code: "code", bold: "strong", italic: "em", strike: "s", underline: "u" };

function richPart(part, names) {
  const written = {
    text: () => part.text,
    link: () => link(part.url, part.text || part.url),
    user: () => el("span", { class: "mention" }, "@" + (names.user(part.user_id) || part.user_id)),
    channel: () => el("span", { class: "mention" }, "#" + (names.channel(part.channel_id) || part.channel_id)),
    emoji: () => `:${part.name}:`,
    broadcast: () => el("span", { class: "mention mention-loud" }, "@" + part.range),
    date: () => part.fallback || new Date(part.timestamp * 1000).toLocaleDateString(),
  }[part.type];
  let node = written ? written() : "";
  for (const [style, tag] of Object.entries(STYLES)) {
    if (part.style && part.style[style]) node = el(tag, {}, node);
  }
  return node;
}
