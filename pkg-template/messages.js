// What a page loads when something goes wrong.
import { MESSAGES, unloaded } from "#shell/messages";

export const later = { [MARK]: { MESSAGES, unloaded } };
