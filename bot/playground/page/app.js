// The page: loads the state, listens for changes, and draws what they touch.

import * as api from "./api.js";
import { blocks } from "./blocks.js";
import { Composer } from "./composer.js";
import { avatar, el, fill, redraw } from "./dom.js";
import { Feed, spoken } from "./messages.js";
import { Modal } from "./modal.js";
import { drawSidebar, sigil } from "./sidebar.js";
import { Store } from "./store.js";
import { toast } from "./toasts.js";

const $ = (id) => document.getElementById(id);
const store = new Store();
let source = null;
let opener = null;

const actions = {
  go(channel) {
    store.channel = channel;
    store.thread = "";
    store.tab = "messages";
    store.unread.delete(channel);
    $("app").classList.remove("menu-open");
    feed.reset();
    draw();
    main.box.focus();
    if (store.here().kind === "im") api.gesture("open-home", { user: store.user, tab: "messages" });
  },
  become(user) {
    store.user = user;
    sessionStorage.setItem("user", user);
    store.thread = "";
    store.mine.clear();
    store.unread.clear();
    connect();
  },
  openThread(root, focus = false) {
    if (store.thread !== root) threadFeed.reset();
    opener = document.activeElement;
    store.thread = root;
    draw();
    if (focus) reply.box.focus();
  },
  closeThread() {
    store.thread = "";
    draw();
    (opener && opener.isConnected ? opener : main.box).focus();
  },
  async press(message, element, block, value, node) {
    if (node.getAttribute("aria-busy")) return;
    node.setAttribute("aria-busy", "true");
    const where = { user: store.user, channel: store.channel, message_ts: message.ts };
    const click = { ...where, block_id: block.block_id, action_id: element.action_id, value };
    const taken = await api.gesture("click", click);
    node.removeAttribute("aria-busy");
    if (taken && element.type === "feedback_buttons") {
      store.choose(click);
      draw();
    }
  },
  pressView(element, block, value) {
    return api.gesture("click-view", { user: store.user, block_id: block.block_id, action_id: element.action_id, value });
  },
  stop: () => api.gesture("stop", { user: store.user, channel: store.channel, thread_ts: store.thread }),
  closeView: () => api.gesture("close-view", { user: store.user }),
  submitView: (values) => api.gesture("submit-view", { user: store.user, values }),
  home() {
    store.tab = "home";
    store.thread = "";
    draw();
    api.gesture("open-home", { user: store.user, tab: "home" });
  },
};

async function say(text, thread = "") {
  const where = { user: store.user, channel: store.channel };
  if (!thread && text.startsWith("/")) return api.gesture("command", { ...where, text });
  const said = await api.gesture("say", { ...where, text, thread_ts: thread || undefined });
  if (!said) return null;
  store.mine.add(said.ts);
  store.connected = said.connected;
  const known = store.status(store.channel, said.ts) || (store.here().messages.get(said.ts) || {}).reply_count;
  if (known && !thread) actions.openThread(said.ts);
  drawBanner();
  (thread ? threadFeed : feed).toEnd();
  return said;
}

const main = new Composer("composer-main", "Message", store, (text) => say(text));
const reply = new Composer("composer-thread", "Reply in the thread", store, (text) => say(text, store.thread));
const feed = new Feed($("feed"), store, actions);
const threadList = el("div", { class: "feed", tabindex: "0", "aria-label": "Thread messages", data: { testid: "thread-messages" } });
const threadFeed = new Feed(threadList, store, actions, { inThread: true });
const statusLine = el("p", { class: "status", role: "status", data: { testid: "status" } });
const modal = new Modal(store, actions);
const suggestions = el("div", { class: "suggestions", role: "group", "aria-label": "Questions to try" });

function draw() {
  drawSidebar($("sidebar"), store, actions);
  drawBar();
  drawBanner();
  drawFeed();
  drawThread();
  modal.draw();
}

function drawBar() {
  const place = store.here();
  if (!place) return;
  const direct = place.kind === "im";
  const tab = (name, words, open) =>
    el("button", { type: "button", role: "tab", "aria-selected": String(store.tab === name), data: { testid: `tab-${name}` }, on: { click: open } }, words);
  redraw(
    $("bar"),
    JSON.stringify([place.id, store.tab]),
    el("button", { type: "button", class: "icon-button menu", "aria-label": "Channels", on: { click: () => $("app").classList.toggle("menu-open") } }, "☰"),
    direct && avatar(store.person(store.bot.id), "small"),
    el("h1", { id: "place" }, direct ? null : sigil(place), place.name),
    direct
      ? el("div", { role: "tablist", class: "tabs" }, tab("messages", "Messages", () => actions.go(place.id)), tab("home", "Home", actions.home))
      : el("p", { class: "topic muted" }, place.topic),
  );
  document.title = `${direct ? "" : "# "}${place.name} · ${store.title}`;
  const asks = place.has_bot && !direct;
  main.placeholder(
    direct ? `Ask ${store.bot.name} a question` : asks ? `Message #${place.name}, or ask @${store.bot.name}` : `Message #${place.name}`,
    `Enter sends · Shift+Enter: new line${direct ? "" : " · /ask is answered to you alone"}`,
  );
  reply.placeholder("Reply…", direct ? "" : `Mention @${store.bot.name} to ask a follow-up.`);
}

function drawBanner(lost = false) {
  const banner = $("banner");
  banner.hidden = store.connected && !lost;
  banner.textContent = lost
    ? "The connection to the playground is lost. Trying again…"
    : `${store.bot.name} is not connected to this workspace yet, so nobody will answer.`;
}

function drawFeed() {
  const home = store.tab === "home" && store.here() && store.here().kind === "im";
  $("main-foot").hidden = home;
  if (home) return drawHome();
  const messages = store.top();
  feed.draw(messages, [welcome]);
  drawWelcome(messages.length === 0);
  suggestions.classList.toggle("compact", messages.length > 0);
}

const welcome = el("section", { class: "welcome", "aria-label": "Welcome" });
function drawWelcome(empty) {
  const place = store.here();
  const direct = place.kind === "im";
  const key = JSON.stringify([place.id, empty, store.suggestions, store.user]);
  if (welcome.dataset.key === key) return;
  welcome.dataset.key = key;
  welcome.classList.toggle("compact", !empty);
  fill(
    welcome,
    avatar(store.person(store.bot.id), "large"),
    el("h2", {}, direct ? `Ask ${store.bot.name} anything` : place.has_bot ? `Ask ${store.bot.name} in #${place.name}` : `This is #${place.name}`),
    el(
      "p",
      {},
      place.has_bot
        ? [`${store.bot.name} answers from your documents. Every sentence carries a footnote, and every footnote opens the exact quote. `, direct ? "Just write." : el("span", {}, "Mention ", el("span", { class: "mention" }, `@${store.bot.name}`), " to ask.")]
        : `${store.bot.name} is not a member of this channel. /ask works everywhere.`,
    ),
  );
  fill(
    suggestions,
    place.has_bot && store.suggestions.length > 0 && el("span", { class: "muted small" }, "Try"),
    place.has_bot &&
      store.suggestions.map((question) =>
        el(
          "button",
          { type: "button", class: "chip", data: { testid: "suggestion" }, on: { click: () => say(direct ? question : `@${store.bot.name} ${question}`) } },
          question,
        ),
      ),
  );
}

function drawHome() {
  feed.reset();
  const context = { names: store.names, press: (element, block, value) => actions.pressView(element, block, value) };
  fill(
    $("feed"),
    el(
      "div",
      { class: "home", data: { testid: "home" } },
      store.home ? blocks(store.home.blocks, context) : el("p", { class: "muted" }, `${store.bot.name} has not set up its Home tab.`),
    ),
  );
}

function drawThread() {
  const aside = $("thread");
  const root = store.thread && store.here().messages.get(store.thread);
  aside.hidden = !root;
  $("app").classList.toggle("with-thread", Boolean(root));
  if (!root) return;
  if (!aside.firstChild) {
    aside.append(
      el(
        "header",
        { class: "bar" },
        el("h2", {}, "Thread"),
        el("span", { class: "muted", id: "thread-place" }),
        el("button", { type: "button", class: "icon-button", "aria-label": "Close the thread", data: { testid: "close-thread" }, on: { click: actions.closeThread } }, "×"),
      ),
      threadList,
      el("div", { class: "foot" }, statusLine, reply.node),
    );
  }
  $("thread-place").textContent = store.here().kind === "im" ? store.bot.name : `#${store.here().name}`;
  threadFeed.draw(store.replies(store.thread));
  const status = store.status(store.channel, store.thread);
  const stoppable = store.stoppable(store.channel, store.thread);
  redraw(
    statusLine,
    JSON.stringify([status, stoppable]),
    status && [el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i")), spoken(store, status)],
    stoppable && el("button", { type: "button", class: "button stop", data: { testid: "stop" }, on: { click: actions.stop } }, "Stop"),
  );
}

// Changes are listened to before the state is fetched, so that none falls between the two.
function connect() {
  if (source) source.close();
  loading = {};
  held = [];
  source = api.listen(store.user, receive, (open) => (open ? load() : drawBanner(true)));
}

// A state may be older than changes that arrive before it does: they are held, and applied to it.
let loading = null;
let held = [];
let reader = "";
async function load() {
  const mine = (loading = {});
  const state = await api.state(store.user).catch(() => null);
  if (mine !== loading) return;
  if (!state) {
    drawBanner(true);
    setTimeout(load, 1500);
    return;
  }
  loading = null;
  if (reader !== store.user) feed.reset();
  reader = store.user;
  store.load(state);
  for (const change of held.splice(0)) receive(change);
  draw();
}

let frame = 0;
function receive(event) {
  if (event.type === "notice") return toast(event.text, event.level || "error");
  if (event.type === "reload") return load();
  if (loading) return held.push(event);
  const root = store.apply(event);
  if (root) actions.openThread(root);
  if (!frame) {
    frame = requestAnimationFrame(() => {
      frame = 0;
      draw();
    });
  }
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !modal.node.open && store.thread) actions.closeThread();
});
$("main-foot").append(suggestions, main.node);
connect();
