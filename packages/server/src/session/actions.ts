import type { ExtensionCommand } from "@aldis/protocol";
import type { Session } from "./session.ts";

/** An action that the core does not know. It answers by itself, and throws nothing that is its own fault; a `FieldError` becomes a refusal. */
export type ActionHandler = (session: Session, command: ExtensionCommand) => void;

/** A session has been sent its `welcome`, fresh or resumed. */
export type WelcomeHook = (session: Welcomed) => void;

type Welcomed = { readonly connection: { sendUrgent(frame: string): void } };
