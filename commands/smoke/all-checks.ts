import type { Check } from "./check.ts";
import { DOOR_CHECKS } from "./checks/doors.ts";
import { HEADER_CHECKS } from "./checks/headers.ts";
import { JOINING_CHECKS } from "./checks/joining.ts";
import { MESSAGE_CHECKS } from "./checks/messages.ts";
import { REFUSAL_CHECKS } from "./checks/refusals.ts";
import { SERVICE_CHECKS } from "./checks/service.ts";
import { TOKEN_CHECKS } from "./checks/tokens.ts";

/** Every check, in the order they run: each group needs what the ones before it found. */
export const CHECKS: readonly Check[] = [
  ...SERVICE_CHECKS,
  ...TOKEN_CHECKS,
  ...HEADER_CHECKS,
  ...REFUSAL_CHECKS,
  ...JOINING_CHECKS,
  ...MESSAGE_CHECKS,
  ...DOOR_CHECKS,
];
