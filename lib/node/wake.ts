/** `Wake`: deadlines, leader periods and re-sends. Idempotent: whatever it finds done stays done. */
import type { Payload } from '../messages/catalogue.ts';
import type { Hex } from '../messages/hex.ts';
import type { Delivery } from '../ports.ts';
import { nextWake } from '../signing/step.ts';
import { advance } from './advance.ts';
import { postpone, resend, wakeMessage } from './commit.ts';
import { loadState, type Stored } from './load.ts';
import { whenAllAreKnown } from './membership.ts';
import { nameOf, type Processor, rethrowCrash, SendRefused } from './node.ts';

/** Ceremonies looked at in one scheduled run; the next run takes the rest. */
const SCHEDULED_LIMIT = 100;
const STUCK_SECONDS = 60;
const STUCK_LATE_SECONDS = 900;

export async function onWake(
  node: Processor,
  { ceremony }: Payload<'Wake'>,
  { receiveCount }: Pick<Delivery, 'receiveCount'> = { receiveCount: 1 },
): Promise<void> {
  if (ceremony) return wakeCeremony(node, ceremony, receiveCount > 1);
  await whenAllAreKnown(node);
  await wakeOpenCeremonies(node, node.now());
}

/**
 * One `Wake` for one: what is not due yet is armed again, because one delay reaches 15 minutes only.
 * @param again this one has failed before, and may have sent the next: ten failures of each would be ten more, and of those a hundred (attack DOS-04)
 */
async function wakeCeremony(node: Processor, ceremony: Hex, again: boolean): Promise<void> {
  const before = await loadState(node, ceremony);
  if (!before) return;
  const unsent = await refusal(advance(node, ceremony, again ? 'armed' : 'unarmed'));
  const after = await loadState(node, ceremony);
  if (after && (after.version === before.version || after.wakeAt === before.wakeAt)) {
    // Nothing moved, or to the same time: nothing armed the next look.
    const now = node.now();
    const next = after.state.kind === 'signing' ? nextWake(after.state, now) : after.wakeAt;
    // What is due and does not move waits for something else than time (the halt switch, a table that was restored).
    const patience = now < after.state.parameters.expiresAt ? STUCK_SECONDS : STUCK_LATE_SECONDS;
    if (next !== undefined) await node.send([wakeMessage(node, ceremony, next > now ? next : now + patience)]);
  }
  // Last: a queue that refuses must not keep a ceremony from its deadline.
  const refused = (await refusal(resend(node, ceremony))) ?? unsent;
  // Of an open ceremony the next `Wake` is on its way, and sends it then. This one would come again beside it, and arm one more.
  if (refused && after?.wakeAt === undefined) throw refused;
}

/** What some queue did not take is in the outbox. @throws everything else */
async function refusal(work: Promise<void>): Promise<SendRefused | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof SendRefused) return error;
    throw error;
  }
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
      // No `Wake` for what does not move, or is not written: the rule comes again by itself, and with each visit there would be one more.
      await advance(node, ceremony, 'armed');
      await resend(node, ceremony);
      const after = await loadState(node, ceremony);
      const next = after?.state.kind === 'signing' ? nextWake(after.state, node.now()) : undefined;
      // A session's patience is over without a step: a hundred such ceremonies would be all that the rule ever looks at.
      const was = before.wakeAt ?? 0;
      if (after?.version === before.version && was <= node.now() && next !== undefined && next > node.now())
        await postpone(node, ceremony, after, next);
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
