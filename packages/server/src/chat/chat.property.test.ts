import { chatModelTest } from "./test/chat-model.ts";
import { openLoneChat } from "./test/lone-chat.ts";

chatModelTest("SQLite", () => openLoneChat({ nodes: 2 }), 60);
