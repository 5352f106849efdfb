// The message box: grows, completes @names and /commands, Enter sends, Shift+Enter breaks the line.

import { avatar, el, fill } from "./dom.js";

export class Composer {
  constructor(id, label, store, send) {
    Object.assign(this, { store, send, choices: [], chosen: 0 });
    this.menu = el("ul", { class: "complete", role: "listbox", id: `${id}-menu`, hidden: true, "aria-label": "Suggestions" });
    this.box = el("textarea", {
      id,
      rows: "1",
      "aria-label": label,
      "aria-controls": `${id}-menu`,
      "aria-autocomplete": "list",
      data: { testid: id },
      on: {
        input: () => this.changed(),
        keydown: (event) => this.key(event),
        blur: () => setTimeout(() => this.offer([]), 150),
      },
    });
    this.button = el("button", { type: "submit", class: "send", "aria-label": "Send", title: "Send (Enter)", data: { testid: "send" }, disabled: true }, "➤");
    this.hint = el("p", { class: "hint muted small" });
    this.node = el(
      "form",
      { class: "composer", on: { submit: (event) => this.submit(event) } },
      this.menu,
      el("div", { class: "composer-box" }, this.box, this.button),
      this.hint,
    );
  }

  placeholder(text, hint = "") {
    this.box.placeholder = text;
    this.hint.textContent = hint;
  }

  changed() {
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight, 180)}px`;
    this.button.disabled = !this.box.value.trim();
    const before = this.box.value.slice(0, this.box.selectionStart);
    const at = /(?:^|\s)@([\w]*)$/.exec(before);
    const slash = /^\/(\w*)$/.exec(before);
    if (at) this.offer(this.people(at[1].toLowerCase()));
    else if (slash) this.offer(this.store.commands.filter((c) => c.startsWith(before)).map((c) => ({ text: c, note: "Ask in private: only you see the answer" })));
    else this.offer([]);
  }

  people(start) {
    const found = [...this.store.users.values()].filter((u) => u.id !== this.store.user && (u.name.startsWith(start) || u.real_name.toLowerCase().startsWith(start)));
    found.sort((a, b) => Number(b.is_bot) - Number(a.is_bot));
    return found.map((user) => ({ text: "@" + (user.is_bot ? user.real_name : user.name), note: user.is_bot ? "App" : user.real_name, user }));
  }

  offer(choices) {
    this.choices = choices;
    this.chosen = 0;
    this.menu.hidden = !choices.length;
    this.box.setAttribute("aria-expanded", String(choices.length > 0));
    fill(
      this.menu,
      choices.map((choice, number) =>
        el(
          "li",
          { role: "option", id: `${this.menu.id}-${number}`, "aria-selected": String(number === this.chosen), on: { mousedown: (event) => this.take(event, number) } },
          choice.user && avatar(choice.user, "tiny"),
          el("strong", {}, choice.text),
          el("span", { class: "muted small" }, choice.note),
        ),
      ),
    );
    this.point();
  }

  point() {
    [...this.menu.children].forEach((item, number) => item.setAttribute("aria-selected", String(number === this.chosen)));
    if (this.choices.length) this.box.setAttribute("aria-activedescendant", `${this.menu.id}-${this.chosen}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  take(event, number = this.chosen) {
    event.preventDefault();
    const at = this.box.selectionStart;
    const before = this.box.value.slice(0, at).replace(/[@/]\w*$/, "") + this.choices[number].text + " ";
    this.box.value = before + this.box.value.slice(at);
    this.box.setSelectionRange(before.length, before.length);
    this.box.focus();
    this.changed();
  }

  key(event) {
    if (event.isComposing) return;
    if (this.choices.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      this.chosen = (this.chosen + (event.key === "ArrowDown" ? 1 : this.choices.length - 1)) % this.choices.length;
      this.point();
    } else if (this.choices.length && (event.key === "Enter" || event.key === "Tab") && !this.complete()) this.take(event);
    else if (this.choices.length && event.key === "Escape") {
      event.stopPropagation();
      this.offer([]);
    } else if (event.key === "Enter" && !event.shiftKey) this.submit(event);
  }

  // What was typed is already the chosen word: Enter sends it.
  complete() {
    return this.box.value.slice(0, this.box.selectionStart).endsWith(this.choices[this.chosen].text);
  }

  async submit(event) {
    event.preventDefault();
    const text = this.box.value.trim();
    if (!text) return;
    this.box.value = "";
    this.changed();
    this.offer([]);
    if ((await this.send(text)) === null && !this.box.value) {
      this.box.value = text;
      this.changed();
    }
  }
}
