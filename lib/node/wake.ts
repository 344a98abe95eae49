/** `Wake`: deadlines, leader periods and re-sends. Idempotent: whatever it finds done stays done. */
import type { Payload } from '../messages/catalogue.ts';
import type { Hex } from '../messages/hex.ts';
import { nextWake } from '../signing/step.ts';
import { advance } from './advance.ts';
import { resend, wakeMessage } from './commit.ts';
import { loadState } from './load.ts';
import { whenAllAreKnown } from './membership.ts';
import type { Processor } from './node.ts';

/** Ceremonies looked at in one scheduled run; the next run takes the rest. */
const SCHEDULED_LIMIT = 100;

export async function onWake(node: Processor, { ceremony }: Payload<'Wake'>): Promise<void> {
  if (ceremony) return wakeCeremony(node, ceremony);
  await whenAllAreKnown(node);
  await wakeOpenCeremonies(node, node.now());
}

/** What is due is stepped; what is not due yet is armed again, because one delay reaches 15 minutes only. */
async function wakeCeremony(node: Processor, ceremony: Hex): Promise<void> {
  const before = await loadState(node, ceremony);
  if (!before) return;
  await advance(node, ceremony);
  const after = await loadState(node, ceremony);
  if (after && after.version === before.version) {
    // Nothing moved, so nothing armed the next look.
    const next = after.state.kind === 'signing' ? nextWake(after.state, node.now()) : after.wakeAt;
    if (next !== undefined) await node.send([wakeMessage(node, ceremony, Math.max(next, node.now() + 1))]);
  }
  // Last: a queue that refuses must not keep a ceremony from its deadline.
  await resend(node, ceremony);
}

/** The scheduled rule's work: every open ceremony whose `wakeAt` has passed, so that no lost message loses a ceremony. */
export async function wakeOpenCeremonies(node: Processor, until: number): Promise<void> {
  for (const key of await node.ports.store.due(until, SCHEDULED_LIMIT))
    await wakeCeremony(node, key.pk.slice('C#'.length) as Hex);
}
