// SPDX-License-Identifier: Apache-2.0

/**
 * Says that a page itself asks, with any value: a form, an image or a link of another page cannot send it, and a script of
 * one only after a preflight that is never allowed. Without it the cookie of a session does not count.
 */
export const SESSION_HEADER = 'X-AgentTier-Session';
