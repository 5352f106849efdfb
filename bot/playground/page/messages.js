// Messages as DOM nodes, and lists of them that redraw only what changed.

import { blocks } from "./blocks.js";
import { avatar, el, keepFocus, time } from "./dom.js";
import { mrkdwn } from "./markdown.js";

export function row(message, store, actions, { inThread = false } = {}) {
  const byBot = Boolean(message.bot_id);
  const author = store.person(message.user);
  const streaming = message.streaming_state === "in_progress";
  const gone = message.subtype === "tombstone";
  const context = {
    names: store.names,
    press: (element, block, value, node) => actions.press(message, element, block, value, node),
    chosen: (element, block) => store.choices(message.ts)[`${block.block_id} ${element.action_id}`],
  };
  const body = el("div", { class: "body", data: { testid: "message-body" } });
  if (gone) body.append(el("em", { class: "muted" }, "This message was deleted."));
  else if (message.blocks && message.blocks.length) body.append(...blocks(message.blocks, context));
  else body.append(el("div", { class: "block block-text" }, mrkdwn(message.text || "", store.names)));
  if (streaming) (lastText(body) || body).append(el("span", { class: "caret", "aria-hidden": "true" }));
  return el(
    "article",
    {
      class: `message ${byBot ? "by-bot" : "by-person"} ${message.is_ephemeral ? "private" : ""}`,
      "aria-label": `${author.real_name}${streaming ? ", still writing" : ""}`,
      "aria-busy": streaming ? "true" : undefined,
      data: {
        testid: "message",
        ts: message.ts,
        by: byBot ? "bot" : "person",
        state: streaming ? "streaming" : "done",
        private: message.is_ephemeral ? "true" : "false",
      },
    },
    avatar(byBot ? { ...author, is_bot: true } : author),
    el(
      "div",
      { class: "content" },
      message.is_ephemeral && el("p", { class: "private-note", data: { testid: "only-visible" } }, "Only visible to you"),
      el(
        "header",
        {},
        el("strong", { class: "author" }, author.real_name),
        byBot && el("span", { class: "app-tag" }, "APP"),
        time(message.ts),
        message.edited && el("span", { class: "muted small" }, "(edited)"),
      ),
      body,
      message.reactions && el("div", { class: "reactions" }, message.reactions.map((r) => el("span", {}, `:${r.name}: ${r.count}`))),
      !inThread && !message.is_ephemeral && footer(message, store, actions),
    ),
  );
}

function lastText(body) {
  let node = body.lastElementChild;
  while (node && node.lastElementChild && !node.matches("p, li, pre, code")) node = node.lastElementChild;
  return node && node.matches("p, li, code") ? node : null;
}

function footer(message, store, actions) {
  const status = store.status(store.channel, message.ts);
  if (!message.reply_count && !status) {
    return el("div", { class: "hover-actions" }, reply(message, actions, "Reply in thread"));
  }
  const people = (message.reply_users || []).map((id) => avatar(store.person(id), "tiny"));
  const words = message.reply_count ? `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}` : "View thread";
  return el(
    "div",
    { class: "thread-foot" },
    people,
    reply(message, actions, words, "replies"),
    status && el("span", { class: "muted small" }, spoken(store, status)),
  );
}

function reply(message, actions, words, testid = "reply") {
  return el("button", { type: "button", class: "link", data: { testid }, on: { click: () => actions.openThread(message.ts, true) } }, words);
}

export function spoken(store, status) {
  return /^[A-Z]/.test(status) ? status : `${store.bot.name} ${status}`;
}

// A list that keeps the nodes whose drawing would be the same as before.
export class Feed {
  constructor(node, store, actions, options = {}) {
    Object.assign(this, { node, store, actions, options, drawn: new Map() });
    node.setAttribute("role", "log");
    this.pinned = true;
    node.addEventListener("scroll", () => {
      this.pinned = node.scrollHeight - node.scrollTop - node.clientHeight < 90;
    });
    // Opening the thread makes the list narrower and longer: stay at the end if we were there.
    new ResizeObserver(() => this.pinned && this.toEnd()).observe(node);
  }

  draw(messages, before = []) {
    const kept = new Map();
    for (const message of messages) {
      const key = JSON.stringify([message, this.store.status(this.store.channel, message.ts), this.store.user, this.store.choices(message.ts)]);
      const old = this.drawn.get(message.ts);
      kept.set(message.ts, old && old.key === key ? old : { key, node: row(message, this.store, this.actions, this.options) });
    }
    const wanted = [...before, ...[...kept.values()].map((entry) => entry.node)];
    const same = wanted.length === this.node.children.length && wanted.every((n, i) => this.node.children[i] === n);
    if (!same) keepFocus(this.node, () => this.place(wanted));
    this.drawn = kept;
    if (this.pinned) this.toEnd();
  }

  toEnd() {
    this.node.scrollTop = this.node.scrollHeight;
    this.pinned = true;
  }

  // Move as little as possible, so that focus and selection stay where they are.
  place(wanted) {
    const keep = new Set(wanted);
    for (const child of [...this.node.children]) if (!keep.has(child)) child.remove();
    wanted.forEach((node, at) => {
      if (this.node.children[at] !== node) this.node.insertBefore(node, this.node.children[at] || null);
    });
  }

  reset() {
    this.drawn = new Map();
    this.pinned = true;
    this.node.replaceChildren();
  }
}
