/** Attacks by repetition, by other ids and by other times; `docs/attacks.md` lists them all. */
import { expect, test } from 'vitest';
import { COINS } from '../../lib/local/committee.ts';
import type { OutgoingMessage } from '../../lib/ports.ts';
import { NodeWorld } from '../node/world.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What an operator holds and has told, without what only says when it was last looked at. */
function picture(world: NodeWorld): string {
  return JSON.stringify({
    states: world.operators.map((operator) => world.states(operator)),
    keys: world.operators.map((operator) =>
      world.items(operator, 'Keys').map(({ pk, sk, status }) => [pk, sk, status]),
    ),
    evidence: world.operators.map((operator) =>
      world.items(operator, 'Ceremonies').filter(({ sk }) => sk.startsWith('EVIDENCE#')),
    ),
    // A latecomer's question, repeated, is answered, and remembered: one small row for each peer.
    nonces: world.operators.map((operator) =>
      world
        .items(operator, 'Nonces')
        .filter(({ sk }) => !/^SAID#.*#to-\d+/.test(sk))
        .map(({ pk, sk }) => [pk, sk]),
    ),
    // An instruction past its time is refused, and its client hears so: that is no outcome.
    outcomes: new Set(world.outcomes.filter(({ event }) => !('Refused' in event)).map((each) => JSON.stringify(each)))
      .size,
  });
}

test.each([
  ['eleven minutes, when transaction tokens are forgotten', 11 * MINUTE],
  ['an hour', HOUR],
  ['five days', 5 * DAY],
  ['twenty days, as from an archive', 20 * DAY],
])(
  'CTX-08, SRV-05 everything that was ever sent, sent again after %s, changes nothing and raises no alarm',
  async (_name, seconds) => {
    const world = new NodeWorld();
    const sent: OutgoingMessage[] = [];
    world.cloud.inspect.onSend((message) => sent.push(message));
    await world.assembled();
    await world.instruct(world.sign());
    await world.run();
    const before = picture(world);
    // Outcomes are delivered at least once: the client's own queue is not the committee's.
    const archive = sent.filter(({ queue }) => !queue.endsWith('MultisigEvent'));
    world.cloud.advance(seconds);
    for (let at = 0; at < archive.length; at += 100)
      await world.cloud.bus().send(archive.slice(at, at + 100).map(({ queue, body }) => ({ queue, body })));
    await world.run();
    const after = picture(world);
    if (seconds < DAY) expect(after).toBe(before);
    // TTL takes rows; what is left is as it was, and nothing was begun again.
    const stages = (text: string) =>
      (JSON.parse(text).states as { stage: string }[][]).map((all) => all.map(({ stage }) => stage));
    for (const all of stages(after)) for (const stage of all) expect(stage).toBe('Succeeded');
    expect(JSON.parse(after).evidence).toEqual([[], [], []]);
    expect(world.count('HandlerFailed')).toBe(0);
  },
);

test('CTX-02 a ceremony’s id runs once: not again while it lives, not after its end, and not after its rows are gone', async () => {
  const world = await new NodeWorld({ genesis: false }).assembled();
  const KeyGen = {
    coin: world.coin,
    suite: COINS[world.coin],
    t: 2,
    signers: [1, 2, 3],
    requestId: `0x${'0c'.repeat(16)}` as const,
    expiresAt: world.committee.now() + 600,
  };
  await world.instruct({ KeyGen });
  await world.run();
  expect(world.keygen(1)?.stage).toBe('Succeeded');
  const made = world.operators.map(
    (operator) => world.items(operator, 'Keys').filter(({ sk }) => sk === 'SHARE').length,
  );
  for (const later of [1, HOUR, 60 * DAY]) {
    world.cloud.advance(later);
    await world.run(10);
    await world.instruct({ KeyGen });
    await world.run();
    expect(
      world.operators.map((operator) => world.items(operator, 'Keys').filter(({ sk }) => sk === 'SHARE').length),
      `after ${later} s`,
    ).toEqual(made);
    for (const operator of world.operators)
      expect(world.items(operator, 'Nonces').filter(({ sk }) => sk === 'POLYNOMIAL')).toEqual([]);
  }
});
