// Short notices in a corner; the same one is not stacked twice.

import { el } from "./dom.js";

export function toast(text, kind = "info") {
  const place = document.getElementById("toasts");
  for (const old of place.children) if (old.dataset.text === text) old.remove();
  const node = el(
    "div",
    { class: `toast toast-${kind}`, data: { testid: "toast", text } },
    el("span", {}, text),
    el("button", { type: "button", class: "icon-button", "aria-label": "Dismiss", on: { click: () => node.remove() } }, "×"),
  );
  place.append(node);
  while (place.children.length > 4) place.firstChild.remove();
  setTimeout(() => node.remove(), kind === "error" ? 9000 : 6000);
}
