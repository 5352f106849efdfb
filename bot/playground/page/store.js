// What the page knows. Events change it; whoever draws asks it.

export class Store {
  constructor() {
    this.user = sessionStorage.getItem("user") || "UALICE";
    this.channel = "";
    this.thread = "";
    this.tab = "messages";
    this.unread = new Map();
    this.mine = new Set();
    this.pressed = JSON.parse(sessionStorage.getItem("pressed") || "{}");
    this.load({ users: [], channels: [], ephemerals: [], statuses: [], views: [], home: null, suggestions: [], commands: [], bot: {} });
  }

  load(state) {
    Object.assign(this, {
      title: state.title,
      bot: state.bot,
      connected: state.connected,
      suggestions: state.suggestions,
      commands: state.commands,
      users: new Map(state.users.map((user) => [user.id, user])),
      channels: new Map(state.channels.map((channel) => [channel.id, { ...channel, messages: new Map(channel.messages.map((m) => [m.ts, m])) }])),
      ephemerals: new Map(state.ephemerals.map((m) => [m.channel + m.ts, m])),
      statuses: new Map(state.statuses.map((s) => [s.channel + s.thread_ts, s])),
      views: state.views,
      home: state.home,
    });
    if (!this.channels.has(this.channel)) this.channel = (state.channels.find((c) => c.kind === "channel") || { id: "" }).id;
    this.names = {
      user: (id) => (this.users.get(id) || {}).real_name && this.short(id),
      channel: (id) => (this.channels.get(id) || {}).name,
    };
  }

  short(id) {
    const user = this.users.get(id);
    return user.is_bot ? user.real_name : user.real_name.split(" ")[0];
  }

  person(id) {
    return this.users.get(id) || { id, real_name: id === "USLACKBOT" ? "Slackbot" : id, name: id, is_bot: false };
  }

  here() {
    return this.channels.get(this.channel);
  }

  // What somebody chose with the feedback buttons of a message, kept for the browser's tab.
  choices(ts, user = this.user, channel = this.channel) {
    return this.pressed[`${user} ${channel} ${ts}`] || {};
  }

  choose({ user, channel, message_ts: ts, block_id, action_id, value }) {
    this.pressed[`${user} ${channel} ${ts}`] = { ...this.choices(ts, user, channel), [`${block_id} ${action_id}`]: value };
    sessionStorage.setItem("pressed", JSON.stringify(this.pressed));
  }

  top(channel = this.channel) {
    return this.sorted(channel, (m) => !m.thread_ts || m.thread_ts === m.ts);
  }

  replies(root) {
    return this.sorted(this.channel, (m) => m.thread_ts === root || m.ts === root);
  }

  sorted(channel, wanted) {
    const place = this.channels.get(channel);
    if (!place) return [];
    const whispers = [...this.ephemerals.values()].filter((m) => m.channel === channel);
    return [...place.messages.values(), ...whispers].filter(wanted).sort((a, b) => (a.ts < b.ts ? -1 : 1));
  }

  status(channel, root) {
    const found = this.statuses.get(channel + root);
    if (!found) return "";
    if (found.text) return found.text;
    if (found.session === "suspended") return "is waiting for somebody…";
    return found.session === "processing" && !this.streams(channel, root) ? "is working…" : "";
  }

  // Slack shows its Stop button as long as a session is processing.
  stoppable(channel, root) {
    return (this.statuses.get(channel + root) || {}).session === "processing";
  }

  streams(channel, root) {
    const place = this.channels.get(channel);
    return [...place.messages.values()].some((m) => m.thread_ts === root && m.streaming_state === "in_progress");
  }

  // Apply an event; return the root of a thread that is to be shown now, if any.
  apply(event) {
    if ("connected" in event) this.connected = event.connected;
    if (event.type === "views") Object.assign(this, { views: event.views, home: event.home });
    if (event.type === "ephemeral") {
      const key = event.channel + event.ts;
      if (event.message) this.ephemerals.set(key, { ...event.message, channel: event.channel });
      else this.ephemerals.delete(key);
    }
    if (event.type === "status") {
      this.statuses.set(event.channel + event.thread_ts, event);
      if (event.text || event.session === "processing") return this.claimed(event.channel, event.thread_ts);
    }
    if (event.type === "messages") return this.messages(event);
    return "";
  }

  messages(event) {
    const place = this.channels.get(event.channel);
    let show = "";
    for (const [ts, message] of Object.entries(event.messages)) {
      const fresh = message && !place.messages.has(ts);
      if (message) place.messages.set(ts, message);
      else place.messages.delete(ts);
      if (fresh && message.user !== this.user && event.channel !== this.channel) {
        this.unread.set(event.channel, (this.unread.get(event.channel) || 0) + 1);
      }
      if (fresh && message.bot_id && message.thread_ts && message.thread_ts !== ts) {
        show = this.claimed(event.channel, message.thread_ts) || show;
      }
    }
    return show;
  }

  // A thread that this person began opens by itself, once.
  claimed(channel, root) {
    if (channel !== this.channel || !this.mine.has(root)) return "";
    this.mine.delete(root);
    return root;
  }
}
