// The input elements of Block Kit. `context.changed` keeps what was entered, for a submission.

import { el } from "./dom.js";

const KINDS = { email_text_input: "email", url_text_input: "url", number_input: "number", datepicker: "date", timepicker: "time" };

export function input(element, block, context) {
  const keep = (state) => {
    const state_ = { type: element.type, ...state };
    if (context.changed) context.changed(block.block_id, element.action_id, state_);
    return state_;
  };
  const label = block.label ? undefined : (element.placeholder || { text: element.action_id }).text;
  if (element.options || element.option_groups) return choice(element, block, context, keep, label);
  const multiline = element.multiline;
  const node = el(multiline ? "textarea" : "input", {
    class: "field",
    type: multiline ? undefined : KINDS[element.type] || "text",
    placeholder: element.placeholder && element.placeholder.text,
    maxlength: element.max_length,
    "aria-label": label,
    on: { input: () => keep({ value: node.value || null }) },
  });
  node.value = element.initial_value || element.initial_date || element.initial_time || "";
  keep({ value: node.value || null });
  return node;
}

function choice(element, block, context, keep, label) {
  const options = element.options || element.option_groups.flatMap((group) => group.options);
  if (element.type === "checkboxes" || element.type === "radio_buttons") return boxes(element, block, context, keep, options);
  const many = element.type.startsWith("multi_");
  const initial = (element.initial_options || [element.initial_option]).filter(Boolean).map((option) => option.value);
  const node = el(
    "select",
    {
      class: "field",
      multiple: many,
      "aria-label": label,
      on: {
        change: () => {
          const chosen = options.filter((_, number) => node.options[number + (many ? 0 : 1)].selected);
          keep(many ? { selected_options: chosen } : { selected_option: chosen[0] || null });
          if (!block.label && chosen[0]) context.press(element, block, chosen[0].value, node);
        },
      },
    },
    many ? null : el("option", { value: "" }, (element.placeholder && element.placeholder.text) || "Choose…"),
    options.map((option) => el("option", { value: option.value }, option.text.text)),
  );
  for (const option of node.options) option.selected = initial.includes(option.value);
  const chosen = options.filter((option) => initial.includes(option.value));
  keep(many ? { selected_options: chosen } : { selected_option: chosen[0] || null });
  return node;
}

function boxes(element, block, context, keep, options) {
  const one = element.type === "radio_buttons";
  const initial = (element.initial_options || [element.initial_option]).filter(Boolean).map((option) => option.value);
  const name = `${block.block_id}-${element.action_id}`;
  const inputs = options.map((option) => el("input", { type: one ? "radio" : "checkbox", name, checked: initial.includes(option.value) }));
  const note = () => {
    const chosen = options.filter((_, number) => inputs[number].checked);
    return keep(one ? { selected_option: chosen[0] || null } : { selected_options: chosen });
  };
  note();
  return el(
    "span",
    { class: "boxes", role: "group", on: { change: note } },
    options.map((option, number) => el("label", {}, inputs[number], " ", option.text.text)),
  );
}
