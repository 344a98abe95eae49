/** What Byzantine operators may do on the wire, on the deployed functions: who ends how, and who is named. */
import { describe, expect, test } from 'vitest';
import type { Behaviour } from './adversary.ts';
import {
  abortsUnproven,
  altersCommitments,
  confirmsAndAborts,
  contradicts,
  floods,
  framesEverybody,
  late,
  lies,
  replays,
  type Spoiling,
  secondPackage,
  spoilingCoordinator,
  twoFaced,
  withholds,
} from './byzantine.ts';
import { type Cast, type Played, played, unharmed } from './byzantine-world.ts';

const LIAR = 2;

function stages(run: Played): string[] {
  return run.honest.map((operator) => run.keygen(operator)?.stage ?? 'none');
}

function named(run: Played): number[][] {
  return run.honest.map((operator) => [...run.named(operator)]);
}

/** The same run until a proof is stored: who signs with whom is drawn from the seed. */
async function untilNamed(cast: Omit<Cast, 'seed' | 'behaviour'>, behaviour: () => Behaviour): Promise<Played> {
  let run = await played({ ...cast, behaviour: behaviour(), seed: 1 });
  for (let seed = 2; seed <= 8 && run.evidence.length === 0; seed++) {
    expect(unharmed(run)).toEqual([]);
    run = await played({ ...cast, behaviour: behaviour(), seed });
  }
  return run;
}

// ------------------------------------------------------------------------------------------------ key generation

describe('in key generation, every honest operator names exactly the liar:', () => {
  test.each<[string, Behaviour]>([
    ['other parameters', lies('EncryptedPublicKey', 'another number', 'parameters.expiresAt')],
    ['other parameters for one', lies('EncryptedPublicKey', 'another number', 'parameters.expiresAt', 'one')],
    ['DKG-01 a commitment too many', lies('EncryptedKeyGenCommitment', 'one more', 'commitments')],
    ['DKG-02 the identity', lies('EncryptedKeyGenCommitment', 'the identity', 'commitments.2', 'one')],
    ['DKG-10 a share that is not canonical', lies('EncryptedKeyShare', 'plus the order', 'share', 'one')],
    ['DKG-10 a share of zero', lies('EncryptedKeyShare', 'zeros', 'share')],
    ['DKG-07 another announcement for half', twoFaced('EncryptedPublicKey')],
    ['DKG-07 another commitment for half', twoFaced('EncryptedKeyGenCommitment')],
    ['two announcements', contradicts('EncryptedPublicKey')],
    ['two commitments', contradicts('EncryptedKeyGenCommitment')],
  ])('%s', async (_name, behaviour) => {
    const run = await played({ behaviour, operators: 4, threshold: 3, byzantine: [LIAR] }, 'keygen');
    expect(unharmed(run)).toEqual([]);
    expect(named(run)).toEqual([[LIAR], [LIAR], [LIAR]]);
    for (const stage of stages(run)) expect(['Failed', 'Unresolved']).toContain(stage);
  });
});

describe('in key generation, nobody is named where nothing can be proven, and nobody is left behind:', () => {
  test.each<[string, Behaviour]>([
    ['BLM-08 nothing at all', withholds(['EncryptedPublicKey'])],
    ['no commitment', withholds(['EncryptedKeyGenCommitment'])],
    ['no share for all but one', withholds(['EncryptedKeyShare'], 'all but one')],
    ['shares after the deadline', late(['EncryptedKeyShare'], -1, false)],
    ['an abort without its proof', abortsUnproven()],
    ['a coordinator that drops', spoilingCoordinator('drops')],
  ])('%s fails the ceremony', async (_name, behaviour) => {
    const run = await played({ behaviour, byzantine: [LIAR] }, 'keygen');
    expect(unharmed(run)).toEqual([]);
    expect(named(run)).toEqual([[], []]);
    for (const stage of stages(run)) expect(['Failed', 'Unresolved']).toContain(stage);
    const blames = run.honest
      .map((operator) => run.keygen(operator))
      .flatMap((state) => (state?.stage === 'Failed' ? state.culprits : []));
    expect(blames).toEqual([]);
  });

  test.each<[string, Behaviour]>([
    ['DKG-08 verdict and certificate for one only', withholds(['KeyGenVerdict', 'KeyGenCertificate'], 'all but one')],
    ['a verdict at the last second, for half', late(['KeyGenVerdict', 'KeyGenCertificate'], 2, true)],
    ['BLM-01 statements shown as if they proved something', framesEverybody()],
    ['a verdict in another spelling for half', twoFaced('KeyGenVerdict')],
    ...(['duplicates', 'reorders', 'forges', 'substitutes', 'misaddresses'] satisfies Spoiling[]).map(
      (spoiling): [string, Behaviour] => [`BLM-09 a coordinator that ${spoiling}`, spoilingCoordinator(spoiling)],
    ),
    ['CTX-01 everything again and again', replays()],
  ])('%s costs nothing: all have the key, and sign', async (_name, behaviour) => {
    const run = await played({ behaviour, byzantine: [LIAR] });
    expect(unharmed(run)).toEqual([]);
    expect(named(run)).toEqual([[], []]);
    expect(stages(run)).toEqual(['Succeeded', 'Succeeded']);
    expect(run.honest.map((operator) => run.signing(operator)?.stage)).toEqual(['Succeeded', 'Succeeded']);
  });

  test('DKG-08 confirmed to some and aborted to others: nobody has a key, and whoever confirmed as well names the liar', async () => {
    const run = await played(
      { behaviour: confirmsAndAborts(), operators: 4, threshold: 3, byzantine: [LIAR] },
      'keygen',
    );
    expect(unharmed(run)).toEqual([]);
    for (const operator of run.honest) {
      // A final outcome is final: who failed on the abort alone has told its client, and shows the others what it heard.
      const stage = run.keygen(operator)?.stage;
      expect(['Failed', 'Unresolved']).toContain(stage);
      if (stage === 'Unresolved') expect(run.named(operator)).toEqual([LIAR]);
    }
    expect(new Set(named(run).flat())).toEqual(new Set([LIAR]));
  });

  test('with t − 1 liars of one mind, the honest name both', async () => {
    const behaviour = lies('EncryptedKeyShare', 'another value', 'share');
    const run = await played({ behaviour, operators: 5, threshold: 3, byzantine: [1, 4] }, 'keygen');
    expect(unharmed(run)).toEqual([]);
    expect(named(run)).toEqual([
      [1, 4],
      [1, 4],
      [1, 4],
    ]);
  });
});

// ------------------------------------------------------------------------------------------------ signing

describe('in signing, t honest operators sign, and whoever holds a proof names the liar:', () => {
  test.each<[string, () => Behaviour, boolean]>([
    ['a commitment that is no point', () => lies('NonceCommitment', 'zeros', 'commitments.0.hiding'), false],
    ['commitments for too few messages', () => lies('NonceCommitment', 'one less', 'commitments'), false],
    ['a wrong share', () => lies('SignatureShare', 'another value', 'shares.1'), false],
    ['too few shares', () => lies('SignatureShare', 'one less', 'shares'), false],
    ['no JSON for a share', () => lies('SignatureShare', 'no JSON', ''), false],
    ['two shares', () => contradicts('SignatureShare'), false],
    ['a package of too few signers', () => lies('SigningPackage', 'one less', 'signers'), true],
    ['NON-09 the signer’s own commitments altered', () => altersCommitments('the reader'), true],
    ['NON-01 two packages in one session', () => secondPackage('the same session'), true],
  ])('%s', async (_name, behaviour, leads) => {
    const run = await untilNamed({ byzantine: [LIAR], leads }, behaviour);
    expect(unharmed(run)).toEqual([]);
    expect(new Set(named(run).flat())).toEqual(new Set([LIAR]));
    for (const operator of run.honest) {
      const state = run.signing(operator);
      expect(state?.stage).toBe('Succeeded');
      expect(state?.culprits.map((each) => each.index) ?? [], 'what the client is told').toEqual(run.named(operator));
    }
  });
});

describe('in signing, nobody is named where nothing can be proven, and the signature comes:', () => {
  test.each<[string, Behaviour, boolean]>([
    ['no commitment', withholds(['NonceCommitment']), false],
    ['no share', withholds(['SignatureShare']), false],
    ['no package', withholds(['SigningPackage']), true],
    ['no signature for all but one', withholds(['Signature'], 'all but one'), true],
    ['NON-02 other commitments of others for each signer', altersCommitments('another signer'), true],
    ['NON-01 two packages in two sessions', secondPackage('the next session'), true],
  ])('%s', async (_name, behaviour, leads) => {
    const run = await played({ behaviour, byzantine: [LIAR], leads });
    expect(unharmed(run)).toEqual([]);
    expect(named(run)).toEqual([[], []]);
    expect(run.honest.map((operator) => run.signing(operator)?.stage)).toEqual(['Succeeded', 'Succeeded']);
  });
});

test('DOS-02 of two hundred ceremonies that nobody asked for each operator keeps sixteen, and the one that was asked for is signed', async () => {
  // The flood comes before the others are asked: one tick of the clock after the liar has committed.
  const run = await played({ behaviour: floods(200), byzantine: [LIAR], leads: false, asksLate: true });
  expect(unharmed(run)).toEqual([]);
  expect(named(run)).toEqual([[], []]);
  for (const operator of run.honest) {
    const states = run.world.auditor.states(operator).filter(({ kind }) => kind === 'signing');
    expect(
      states.map(({ stage }) => stage),
      'only what was asked for is begun',
    ).toEqual(['Succeeded']);
    const rows = run.world.cloud.inspect.items(run.world.namespace(operator), 'Ceremonies');
    const kept = new Set(rows.filter(({ sk }) => sk.startsWith('IN#')).map(({ pk }) => pk.split('#')[1]));
    // The key generation and the signing that all were asked for, and sixteen strays.
    expect(kept.size).toBeLessThanOrEqual(2 + 16);
    expect(kept.size, 'the flood arrived').toBeGreaterThan(10);
  }
});
