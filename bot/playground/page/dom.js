// Building the document: text goes in as text nodes, never as markup.

const PROPERTIES = new Set(["hidden", "disabled", "value", "checked", "type", "tabIndex"]);

export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "on") {
      for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    } else if (PROPERTIES.has(name)) node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function fill(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter(Boolean));
  return node;
}

// Draw again only when `key` changed, and keep the focus on the same control.
export function redraw(node, key, ...children) {
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  keepFocus(node, () => fill(node, ...children));
}

export function keepFocus(node, change) {
  const active = document.activeElement;
  const held = node.contains(active) && active.dataset.testid;
  const row = held && active.closest("[data-ts]");
  const place = row ? `[data-ts="${row.dataset.ts}"] ` : "";
  change();
  if (held && !active.isConnected) {
    const again = node.querySelector(`${place}[data-testid="${held}"]`);
    if (again) again.focus();
  }
}

export function link(url, ...children) {
  if (!/^https?:\/\//i.test(url)) return el("span", {}, ...children);
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);
}

export function time(ts) {
  const at = new Date(Number(ts) * 1000);
  const shown = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return el("time", { datetime: at.toISOString(), title: at.toLocaleString() }, shown);
}

export function avatar(user, size = "") {
  const initials = user.is_bot ? "" : user.real_name.split(/\s+/).map((word) => word[0]).slice(0, 2).join("");
  return el("span", { class: `avatar ${user.is_bot ? "avatar-bot" : "avatar-" + tint(user.id)} ${size}`, "aria-hidden": "true" }, initials);
}

function tint(id) {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) % 997;
  return sum % 6;
}
