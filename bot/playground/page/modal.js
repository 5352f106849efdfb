// The topmost modal of the person's stack, in a native dialog: it holds the focus, Escape closes.

import { blocks } from "./blocks.js";
import { el, fill } from "./dom.js";

export class Modal {
  constructor(store, actions) {
    Object.assign(this, { store, actions, key: "", values: {} });
    this.node = el("dialog", { class: "modal", "aria-labelledby": "modal-title", data: { testid: "modal" }, on: { cancel: (event) => this.close(event) } });
    this.node.addEventListener("click", (event) => event.target === this.node && this.close(event));
    document.body.append(this.node);
  }

  draw() {
    const view = this.store.views[this.store.views.length - 1];
    if (!view) {
      if (this.node.open) this.node.close();
      this.key = "";
      return;
    }
    if (this.key === view.id + view.hash) return;
    this.key = view.id + view.hash;
    this.values = {};
    const context = {
      names: this.store.names,
      press: (element, block, value) => this.actions.pressView(element, block, value),
      changed: (blockId, actionId, state) => {
        this.values[blockId] = { ...this.values[blockId], [actionId]: state };
      },
    };
    fill(
      this.node,
      el(
        "form",
        { class: "modal-card", on: { submit: (event) => this.submit(event) } },
        el(
          "header",
          {},
          el("h2", { id: "modal-title" }, view.title.text),
          el("button", { type: "button", class: "icon-button", "aria-label": "Close the dialog", on: { click: (event) => this.close(event) } }, "×"),
        ),
        el("div", { class: "modal-body", tabindex: "0", "aria-label": "Contents" }, blocks(view.blocks, context)),
        el(
          "footer",
          {},
          el("button", { type: "button", class: "button", data: { testid: "modal-close" }, on: { click: (event) => this.close(event) } }, view.close ? view.close.text : "Close"),
          view.submit && el("button", { type: "submit", class: "button primary", data: { testid: "modal-submit" } }, view.submit.text),
        ),
      ),
    );
    if (!this.node.open) this.node.showModal();
    this.node.querySelector(".field, [data-testid=modal-close]").focus();
  }

  close(event) {
    event.preventDefault();
    this.actions.closeView();
  }

  async submit(event) {
    event.preventDefault();
    const button = this.node.querySelector("[data-testid=modal-submit]");
    button.disabled = true;
    const answer = await this.actions.submitView(this.values);
    button.disabled = false;
    this.complain((answer && answer.errors) || {});
  }

  // As in Slack, an error stands below its field, and the first of them gets the focus.
  complain(errors) {
    for (const old of this.node.querySelectorAll(".input-error")) old.remove();
    for (const [blockId, sentence] of Object.entries(errors)) {
      const block = this.node.querySelector(`[data-block="${CSS.escape(blockId)}"]`);
      if (block) block.append(el("span", { class: "input-error", role: "alert", data: { testid: "input-error" } }, sentence));
    }
    const first = this.node.querySelector("label:has(.input-error) .field");
    if (first) first.focus();
  }
}
