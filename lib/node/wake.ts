/** `Wake`: deadlines, leader periods and re-sends. Idempotent: whatever it finds done stays done. */
import type { Payload } from '../messages/catalogue.ts';
import type { Hex } from '../messages/hex.ts';
import { nextWake } from '../signing/step.ts';
import { advance } from './advance.ts';
import { resend, wakeMessage } from './commit.ts';
import { loadState, type Stored } from './load.ts';
import { whenAllAreKnown } from './membership.ts';
import { nameOf, type Processor, rethrowCrash } from './node.ts';

/** Ceremonies looked at in one scheduled run; the next run takes the rest. */
const SCHEDULED_LIMIT = 100;
const STUCK_SECONDS = 60;

export async function onWake(node: Processor, { ceremony }: Payload<'Wake'>): Promise<void> {
  if (ceremony) return wakeCeremony(node, ceremony);
  await whenAllAreKnown(node);
  await wakeOpenCeremonies(node, node.now());
}

/** One `Wake` for one: what is not due yet is armed again, because one delay reaches 15 minutes only. */
async function wakeCeremony(node: Processor, ceremony: Hex): Promise<void> {
  const before = await loadState(node, ceremony);
  if (!before) return;
  await advance(node, ceremony);
  const after = await loadState(node, ceremony);
  if (after && (after.version === before.version || after.wakeAt === before.wakeAt)) {
    // Nothing moved, or to the same time: nothing armed the next look.
    const now = node.now();
    const next = after.state.kind === 'signing' ? nextWake(after.state, now) : after.wakeAt;
    // What is due and does not move waits for something else than time (the halt switch, a table that was restored).
    if (next !== undefined) await node.send([wakeMessage(node, ceremony, next > now ? next : now + STUCK_SECONDS)]);
  }
  // Last: a queue that refuses must not keep a ceremony from its deadline.
  await resend(node, ceremony);
}

/** Since a ceremony that has not ended was to end: its own delayed `Wake` ends it then, unless something is wrong here. */
function unfinishedSeconds(node: Processor, { state }: Stored): number {
  if (state.stage === 'Succeeded' || state.stage === 'Failed') return 0;
  return Math.max(0, node.now() - state.parameters.expiresAt);
}

/** The scheduled rule's work: every open ceremony whose `wakeAt` has passed, so that no lost message loses a ceremony. */
export async function wakeOpenCeremonies(node: Processor, until: number): Promise<void> {
  let failed: unknown;
  let oldest = 0;
  for (const key of await node.ports.store.due(until, SCHEDULED_LIMIT)) {
    const ceremony = key.pk.slice('C#'.length) as Hex;
    node.follow({ ceremony });
    try {
      const before = await loadState(node, ceremony);
      if (!before) continue;
      oldest = Math.max(oldest, unfinishedSeconds(node, before));
      // No `Wake` for what does not move: the rule comes again in a minute by itself, and with each visit there would be one more.
      await advance(node, ceremony);
      await resend(node, ceremony);
    } catch (error) {
      rethrowCrash(error);
      // The first in the list every time: one that fails must not keep all others from their deadlines.
      node.log('HandlerFailed', { ceremony, error: nameOf(error) });
      failed = error;
    }
  }
  node.follow({});
  node.log('CeremoniesUnfinished', { seconds: oldest });
  if (failed) throw failed;
}
