// The sidebar: channels, the direct messages with the bot, and who one is.

import { avatar, el, redraw } from "./dom.js";

export function drawSidebar(node, store, actions) {
  const channels = [...store.channels.values()];
  const section = (title, list) =>
    el("section", { "aria-label": title }, el("h2", {}, title), el("ul", {}, list.map((channel) => el("li", {}, entry(channel, store, actions)))));
  const key = JSON.stringify([channels.map((c) => c.id), store.channel, store.user, [...store.unread], store.connected]);
  redraw(
    node,
    key,
    el(
      "header",
      { class: "brand" },
      el("img", { src: "/page/mark.svg", alt: "", width: "34", height: "34" }),
      el("div", {}, el("strong", {}, store.title || "Playground"), el("span", {}, "a local Slack")),
    ),
    el(
      "div",
      { class: "places" },
      section("Channels", channels.filter((c) => c.kind !== "im")),
      section("Direct messages", channels.filter((c) => c.kind === "im")),
    ),
    el(
      "footer",
      {},
      el("span", { id: "you-are" }, "You are"),
      el(
        "div",
        { class: "people", role: "group", "aria-labelledby": "you-are" },
        [...store.users.values()].filter((user) => !user.is_bot && !user.deleted).map((user) =>
          el(
            "button",
            {
              type: "button",
              "aria-pressed": String(user.id === store.user),
              data: { testid: `user-${user.name}` },
              on: { click: () => actions.become(user.id) },
            },
            avatar(user, "small"),
            el("span", {}, user.real_name.split(" ")[0]),
          ),
        ),
      ),
    ),
  );
}

export function sigil(channel) {
  const locked = channel.kind === "private";
  return el("span", { class: `sigil ${locked ? "lock" : ""}`, "aria-hidden": locked ? undefined : "true", role: locked ? "img" : undefined, "aria-label": locked ? "private" : undefined }, locked ? "" : "#");
}

function entry(channel, store, actions) {
  const unread = store.unread.get(channel.id) || 0;
  const here = channel.id === store.channel;
  const direct = channel.kind === "im";
  return el(
    "button",
    {
      type: "button",
      class: unread ? "unread" : "",
      "aria-current": here ? "page" : undefined,
      data: { testid: direct ? "dm-bot" : `channel-${channel.name}` },
      on: { click: () => actions.go(channel.id) },
    },
    direct ? avatar(store.person(store.bot.id), "tiny") : sigil(channel),
    el("span", { class: "name" }, channel.name),
    direct && el("span", { class: `presence ${store.connected ? "on" : ""}`, title: store.connected ? "Connected" : "Not connected" }),
    unread ? el("span", { class: "badge", "aria-label": `${unread} new` }, String(unread)) : null,
  );
}
