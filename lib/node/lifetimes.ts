/** How long things live, in seconds. TTL only reclaims space; it never decides anything. */

const DAY = 86_400;

/** A client may ask at most this far ahead, so that TTL can never make a ceremony's id free again. */
export const MAX_LIFE_SECONDS = 7 * DAY;
/** Public rows outlive their ceremony by a month, secret ones by a day: both far beyond `expiresAt` plus 10 minutes of skew. */
export const PUBLIC_TTL_SECONDS = 30 * DAY;
export const SECRET_TTL_SECONDS = DAY;
/**
 * Who is asked at the runs of the 15-minute rule and has said nothing for so long counts no longer: half an hour of quiet, two questions, and two more runs in which the answer may come. Nothing but what people are told follows from it.
 */
export const LATELY_SECONDS = 4_500;
/** What a peer opened and nobody has authorised. */
export const STRAY_TTL_SECONDS = DAY;
