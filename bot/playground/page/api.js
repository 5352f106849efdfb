// Talking to the playground: gestures go up as JSON posts, changes come down as events.

import { toast } from "./toasts.js";

export async function state(user) {
  const response = await fetch(`/ui/state?user=${encodeURIComponent(user)}`);
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

export async function gesture(name, body) {
  try {
    const response = await fetch(`/ui/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    if (!response.ok) {
      toast(answer.error, "error");
      return null;
    }
    return answer;
  } catch {
    toast("The playground does not answer. Is it still running?", "error");
    return null;
  }
}

export function listen(user, onEvent, onState) {
  const source = new EventSource(`/ui/events?user=${encodeURIComponent(user)}`);
  source.addEventListener("open", () => onState(true));
  source.addEventListener("error", () => onState(false));
  source.addEventListener("message", (message) => onEvent(JSON.parse(message.data)));
  return source;
}
