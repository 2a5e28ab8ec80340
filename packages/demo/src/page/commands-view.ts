import { byId } from "./dom.ts";
import { CHANNEL } from "./room.ts";

/** The two commands, for the address that this page came from. The key itself is not for pages. */
export function showCommands(origin: string): void {
  const data = '{"text":"Hello from my backend"}';
  const body = `{"channel":"${CHANNEL}","event":"say","data":${data}}`;
  byId("command-curl", HTMLElement).textContent =
    `curl ${origin}/api/publish -H "Authorization: Bearer $ALDIS_API_KEY" -H "Content-Type: application/json" -d '${body}'`;
  byId("command-cli", HTMLElement).textContent =
    `npx bun aldis publish ${CHANNEL} '${data}' --url ${origin} --key "$ALDIS_API_KEY"`;
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-copies]")) {
    const code = byId(button.dataset["copies"] ?? "", HTMLElement);
    button.addEventListener("click", () => copy(code, button));
  }
}

function copy(code: HTMLElement, button: HTMLButtonElement): void {
  navigator.clipboard.writeText(code.textContent).then(
    () => {
      button.textContent = "Copied";
    },
    // Browsers may refuse: then it is marked, for the keyboard to copy.
    () => getSelection()?.selectAllChildren(code),
  );
}
